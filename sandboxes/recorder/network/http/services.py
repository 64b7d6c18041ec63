"""What the sites of the lab and of the world answer over HTTP: plausible, and never a surprise.

A site of the world takes what it is given and gives it back when asked for it by the same name, in whatever manner of
speaking the client chooses. The artifact store of the lab describes and lists what it has; the lab's other services
want a login.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING

from .answers import as_json, not_found, page, whole_or_range
from .dav import METHODS as DAV_METHODS
from .dav import Dav
from .ipp import print_job
from .messages import Answer, Bytes, Head, Upload
from .objects import Objects, Stored
from .resumable import Resumable
from .s3 import S3, speaks_s3

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LISTED = 1_000
"""Objects in one listing."""

_SERVERS = ("nginx", "nginx/1.22.1", "nginx/1.24.0", "Apache/2.4.57 (Debian)", "openresty", "Caddy")
_UPLOADS = ("PUT", "POST", "PATCH")
_READS = ("GET", "HEAD")
_MAX_PATH = 1024
_ALLOWED = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, PROPFIND, MKCOL, MOVE, COPY"


class Services:
    """Answers requests by the name of the site.

    Args:
        store: the artifact store's name.
        domain: the lab's; names below it are inside.
        clock: seconds since 1970.
    """

    def __init__(self, store: str, domain: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store.lower()
        self._domain = domain.lower()
        self._clock = clock
        self._objects = Objects()
        self._s3 = S3(self._objects, clock)
        self._dav = Dav(self._objects, clock)
        self._resumable = Resumable(self._objects, clock)

    def answer(self, site: str, head: Head, upload: Upload) -> Answer:
        """The response of `site` to a complete request."""
        site = site.lower()
        if site == self._store:
            return self.sign(site, self._ask_store(site, head, upload))
        inside = site == self._domain or site.endswith(f".{self._domain}")
        return self.sign(site, _ask_inside(site, head) if inside else self._ask_outside(site, head, upload))

    def refuse(self, site: str) -> Answer:
        """The response to what is not HTTP."""
        title = "400 Bad Request"
        body = (
            f"<html>\r\n<head><title>{title}</title></head>\r\n"
            f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        ).encode()
        return self.sign(site, Answer(400, Bytes(body), (("Content-Type", "text/html"),)))

    def sign(self, site: str, answer: Answer) -> Answer:
        """An answer with the headers that the site's server gives with every one."""
        server = _SERVERS[hashlib.sha256(site.encode(errors="replace")).digest()[0] % len(_SERVERS)]
        common = (("Server", server), ("Date", formatdate(self._clock(), usegmt=True)))
        return replace(answer, headers=(*common, *answer.headers))

    def close(self) -> None:
        """Forget what was given."""
        self._objects.clear()

    # --- the artifact store ---

    def _ask_store(self, site: str, head: Head, upload: Upload) -> Answer:
        path = head.path[:_MAX_PATH]
        if head.method in _UPLOADS:
            stored = self._keep(site, path, head, upload)
            return as_json(201, _describe(path, stored), (("Location", path), ("ETag", f'"{stored.sha256[:32]}"')))
        if head.method == "DELETE":
            return Answer(204) if self._objects.remove(site, path) else as_json(404, {"error": "no such object"})
        if head.method not in _READS:
            return as_json(405, {"error": "method not allowed"})
        found = self._objects.get(site, path)
        if found is not None:
            return as_json(200, _describe(path, found), (("ETag", f'"{found.sha256[:32]}"'),))
        return self._list(site, path)

    def _keep(self, site: str, path: str, head: Head, upload: Upload) -> Stored:
        kind = head.header("content-type")[:100] or "application/octet-stream"
        stored = Stored(upload.body, upload.md5, self._clock(), kind, upload.sha256)
        self._objects.put(site, path, stored)
        return stored

    def _list(self, site: str, path: str) -> Answer:
        folder = path if path.endswith("/") else f"{path}/"
        below = [_describe(name, stored) for name, stored in self._objects.below(site, folder)]
        if not below and path.strip("/").count("/") > 0:
            return as_json(404, {"error": "no such object"})
        return as_json(200, {"path": path, "count": len(below), "objects": below[:MAX_LISTED]})

    # --- the world ---

    def _ask_outside(self, site: str, head: Head, upload: Upload) -> Answer:
        """A site of the world, in the client's manner of speaking."""
        kind = head.header("content-type").lower()
        if kind.startswith("application/grpc"):
            return Answer(200, headers=(("Content-Type", kind),), trailers=(("grpc-status", "0"), ("grpc-message", "")))
        if kind == "application/ipp" and head.method == "POST":
            return print_job(upload.start)
        if head.method in DAV_METHODS:
            return self._dav.answer(site, head)
        resumed = self._resumable.answer(site, head, upload)
        if resumed is not None:
            return resumed
        if speaks_s3(site, head):
            return self._s3.answer(site, head, upload)
        return self._ask_site(site, head, upload)

    def _ask_site(self, site: str, head: Head, upload: Upload) -> Answer:
        """A site with a front page that takes what it is given."""
        path = head.path[:_MAX_PATH]
        if head.method == "PUT":
            stored = self._keep(site, path, head, upload)
            return Answer(200, headers=(("ETag", f'"{stored.etag}"'),))
        if head.method in _UPLOADS:
            return as_json(200, {"status": "ok", "size": upload.size})
        if head.method == "OPTIONS":
            return Answer(204, headers=(("Allow", _ALLOWED), ("DAV", "1, 2")))
        found = self._objects.get(site, path)
        if head.method == "DELETE":
            self._objects.remove(site, path)
            return Answer(204 if found else 404)
        if found is not None and head.method in _READS:
            return whole_or_range(found, head)
        if head.method in _READS and head.path == "/":
            return page(200, _plain(site) or "Welcome", "It works.")
        return not_found()


def _ask_inside(site: str, head: Head) -> Answer:
    """A service of the lab: its front page wants a login, and it takes no uploads from here."""
    title = site.partition(".")[0].capitalize()
    if head.method in _READS and head.path == "/":
        return page(200, f"{title} - Sign in", "Sign in with your company account to continue.")
    if head.method in _READS:
        return not_found()
    challenge = (("WWW-Authenticate", f'Basic realm="{title}"'),)
    return Answer(401, Bytes(b"Unauthorized\n"), (("Content-Type", "text/plain"), *challenge))


def _describe(path: str, stored: Stored) -> dict[str, object]:
    modified = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stored.modified))
    name = path.rstrip("/").rpartition("/")[2]
    return {"name": name, "path": path, "size": stored.body.size, "sha256": stored.sha256, "modified": modified}


def _plain(site: str) -> str:
    return "".join(letter for letter in site if letter.isalnum() or letter in ".-:")
