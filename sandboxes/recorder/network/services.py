"""What the sites of the lab and of the world answer over HTTP: short, plausible, and never a surprise.

The artifact store is the one service with a memory: it accepts objects, lists them and describes them. It keeps sizes
and hashes only.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from .http import Answer, Head

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_OBJECTS = 10_000
"""Objects that the store remembers; the oldest are forgotten."""

MAX_LISTED = 1_000
"""Objects in one listing."""

_SERVERS = ("nginx", "nginx/1.22.1", "nginx/1.24.0", "Apache/2.4.57 (Debian)", "openresty", "Caddy")
_UPLOADS = ("PUT", "POST", "PATCH")
_READS = ("GET", "HEAD")
_MAX_PATH = 1024

Header = tuple[str, str]


@dataclass(frozen=True)
class Upload:
    """A request's body, as its totals."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Stored:
    """An object of the store."""

    size: int
    sha256: str
    modified: float


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
        self._objects: dict[str, Stored] = {}

    def answer(self, site: str, head: Head, upload: Upload) -> Answer:
        """The response of `site` to a complete request."""
        site = site.lower()
        if site == self._store:
            return self._with_headers(site, self._ask_store(head, upload))
        inside = site == self._domain or site.endswith(f".{self._domain}")
        return self._with_headers(site, _ask_inside(site, head) if inside else _ask_outside(site, head, upload))

    def refuse(self, site: str) -> Answer:
        """The response to what is not HTTP."""
        title = "400 Bad Request"
        body = (
            f"<html>\r\n<head><title>{title}</title></head>\r\n"
            f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        ).encode()
        return self._with_headers(site, Answer(400, body, (("Content-Type", "text/html"),)))

    def _with_headers(self, site: str, answer: Answer) -> Answer:
        server = _SERVERS[hashlib.sha256(site.encode(errors="replace")).digest()[0] % len(_SERVERS)]
        common = (("Server", server), ("Date", formatdate(self._clock(), usegmt=True)))
        return Answer(answer.status, answer.body, (*common, *answer.headers))

    def _ask_store(self, head: Head, upload: Upload) -> Answer:
        path = head.path[:_MAX_PATH]
        if head.method in _UPLOADS:
            return self._keep(path, upload)
        if head.method == "DELETE":
            return Answer(204) if self._objects.pop(path, None) else _json(404, {"error": "no such object"})
        if head.method not in _READS:
            return _json(405, {"error": "method not allowed"})
        found = self._objects.get(path)
        if found is not None:
            return _json(200, _describe(path, found), (("ETag", f'"{found.sha256[:32]}"'),))
        return self._list(path)

    def _keep(self, path: str, upload: Upload) -> Answer:
        stored = Stored(upload.size, upload.sha256, self._clock())
        self._objects.pop(path, None)
        self._objects[path] = stored
        if len(self._objects) > MAX_OBJECTS:
            del self._objects[next(iter(self._objects))]
        return _json(201, _describe(path, stored), (("Location", path), ("ETag", f'"{upload.sha256[:32]}"')))

    def _list(self, path: str) -> Answer:
        folder = path if path.endswith("/") else f"{path}/"
        below = [_describe(name, stored) for name, stored in sorted(self._objects.items()) if name.startswith(folder)]
        if not below and path.strip("/").count("/") > 0:
            return _json(404, {"error": "no such object"})
        return _json(200, {"path": path, "count": len(below), "objects": below[:MAX_LISTED]})


def _describe(path: str, stored: Stored) -> dict[str, object]:
    modified = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stored.modified))
    name = path.rstrip("/").rpartition("/")[2]
    return {"name": name, "path": path, "size": stored.size, "sha256": stored.sha256, "modified": modified}


def _json(status: int, content: object, headers: tuple[Header, ...] = ()) -> Answer:
    return Answer(status, json.dumps(content).encode() + b"\n", (("Content-Type", "application/json"), *headers))


def _page(status: int, title: str, text: str) -> Answer:
    head = f"<!doctype html>\n<html><head><title>{title}</title></head>\n"
    body = f"{head}<body><h1>{title}</h1>\n<p>{text}</p></body></html>\n"
    return Answer(status, body.encode(), (("Content-Type", "text/html; charset=utf-8"),))


def _not_found() -> Answer:
    return _page(404, "404 Not Found", "The requested URL was not found on this server.")


def _ask_inside(site: str, head: Head) -> Answer:
    """A service of the lab: its front page wants a login, and it takes no uploads from here."""
    title = site.partition(".")[0].capitalize()
    if head.method in _READS and head.path == "/":
        return _page(200, f"{title} - Sign in", "Sign in with your company account to continue.")
    if head.method in _READS:
        return _not_found()
    challenge = (("WWW-Authenticate", f'Basic realm="{title}"'),)
    return Answer(401, b"Unauthorized\n", (("Content-Type", "text/plain"), *challenge))


def _ask_outside(site: str, head: Head, upload: Upload) -> Answer:
    """A site of the world: a front page, and it takes what it is given."""
    if head.method == "PUT":
        return Answer(200, b"", (("ETag", f'"{upload.sha256[:32]}"'),))
    if head.method in _UPLOADS:
        return _json(200, {"status": "ok", "size": upload.size})
    if head.method == "OPTIONS":
        return Answer(204, b"", (("Allow", "GET, HEAD, POST, PUT, OPTIONS"),))
    if head.method in _READS and head.path == "/":
        return _page(200, _plain(site) or "Welcome", "It works.")
    return _not_found()


def _plain(site: str) -> str:
    return "".join(letter for letter in site if letter.isalnum() or letter in ".-:")
