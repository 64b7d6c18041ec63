"""WebDAV (RFC 4918), as far as clients need it to store files: folders, listings, moves and copies, locks."""

from __future__ import annotations

import hashlib
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from .messages import Answer, Bytes, Head
from .objects import Joined, Objects, Stored

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS = frozenset({"MKCOL", "PROPFIND", "PROPPATCH", "MOVE", "COPY", "LOCK", "UNLOCK"})
_FOLDER = "httpd/unix-directory"
_MAX_LISTED = 1000
_XML = (("Content-Type", 'application/xml; charset="utf-8"'),)


class Dav:
    """Answers requests with the methods that are WebDAV's own; the others are a site's usual ones.

    Args:
        objects: keeps what sites are given.
        clock: seconds since 1970.
    """

    def __init__(self, objects: Objects, clock: Callable[[], float]) -> None:
        self._objects = objects
        self._clock = clock

    def answer(self, site: str, head: Head) -> Answer:
        """The response of `site`."""
        path = unquote(head.path).rstrip("/")
        if head.method == "MKCOL":
            self._objects.put(site, path, Stored(Joined(()), "", self._clock(), _FOLDER))
            return Answer(201)
        if head.method in ("MOVE", "COPY"):
            return self._move(site, path, head)
        if head.method == "PROPFIND":
            return self._list(site, path, head)
        if head.method == "LOCK":
            return _locked(path)
        return Answer(204) if head.method == "UNLOCK" else _multistatus(_response(path, None))

    def _move(self, site: str, path: str, head: Head) -> Answer:
        target = unquote(_path_of(head.header("destination"))).rstrip("/")
        stored = self._objects.get(site, path)
        if stored is None:
            return Answer(404)
        if head.method == "MOVE":
            self._objects.move(site, path, target)
        else:
            self._objects.put(site, target, stored)
        return Answer(201, headers=(("Location", quote(target)),))

    def _list(self, site: str, path: str, head: Head) -> Answer:
        stored = self._objects.get(site, path)
        below = self._objects.below(site, f"{path}/")
        is_folder = not path or (stored is not None and stored.kind == _FOLDER) or (stored is None and bool(below))
        if not is_folder and stored is None:
            return Answer(404)
        said = _response(f"{path}/" if is_folder else path, None if is_folder else stored)
        if is_folder and head.header("depth") != "0":
            near = [(name, each) for name, each in below if "/" not in name[len(path) + 1 :]]
            said += "".join(
                _response(name, None if each.kind == _FOLDER else each) for name, each in near[:_MAX_LISTED]
            )
        return _multistatus(said)


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return "/"


def _response(path: str, stored: Stored | None) -> str:
    """One file or, without one, one folder."""
    if stored is None:
        facts = "<D:resourcetype><D:collection/></D:resourcetype>"
    else:
        facts = (
            f"<D:resourcetype/><D:getcontentlength>{stored.body.size}</D:getcontentlength>"
            f"<D:getetag>&quot;{stored.etag}&quot;</D:getetag>"
            f"<D:getlastmodified>{formatdate(stored.modified, usegmt=True)}</D:getlastmodified>"
        )
    return (
        f"<D:response><D:href>{quote(path) or '/'}</D:href><D:propstat><D:prop>{facts}</D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )


def _multistatus(said: str) -> Answer:
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">{said}</D:multistatus>'
    return Answer(207, Bytes(text.encode()), _XML)


def _locked(path: str) -> Answer:
    token = f"opaquelocktoken:{hashlib.sha256(path.encode()).hexdigest()[:32]}"
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n<D:prop xmlns:D="DAV:"><D:lockdiscovery><D:activelock>'
        "<D:locktype><D:write/></D:locktype><D:lockscope><D:exclusive/></D:lockscope><D:depth>0</D:depth>"
        f"<D:timeout>Second-600</D:timeout><D:locktoken><D:href>{token}</D:href></D:locktoken>"
        "</D:activelock></D:lockdiscovery></D:prop>"
    )
    return Answer(200, Bytes(text.encode()), (*_XML, ("Lock-Token", f"<{token}>")))
