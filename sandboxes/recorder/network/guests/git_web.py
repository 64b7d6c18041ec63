"""git over HTTP: its clients' requests, answered by git's own server program, and those of its large-file part."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from ..http import Answer, Head
from .git import ENVIRONMENT, GIT, SERVICES, Repositories
from .house import MAX_FILE_BYTES
from .talk import converse

if TYPE_CHECKING:
    from pathlib import Path

    from ..visit import Visit

MAX_ANSWER = 256 << 20
"""Bytes of an answer, which is held in memory."""

MAX_BATCH = 1 << 20
MAX_LARGE_FILES = 1000
"""Files of one request of git's large-file part."""

_SMART = re.compile(r"(/.+)/(git-receive-pack|git-upload-pack)\Z")
_REFS = re.compile(r"(/.+)/info/refs\Z")
_LARGE = re.compile(r"(/.+)/info/lfs/objects/batch\Z")
_LARGE_TYPE = (("Content-Type", "application/vnd.git-lfs+json"),)


class GitWeb:
    """Recognises what git's clients ask for over HTTP.

    Args:
        repositories: what is served.
    """

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def begin(self, guide: Callable[[], Visit], head: Head, *, tls: bool) -> GitExchange | None:
        """The exchange that a request begins, when it is git's; the caller gives it the body, and asks for the answer.

        Args:
            guide: makes the visit that the request is part of.
            head: the request's line and headers.
            tls: whether it came inside TLS.
        """
        path = unquote(head.path)
        service = parse_qs(urlsplit(head.target).query).get("service", [""])[0] if "?" in head.target else ""
        if match := _LARGE.match(path):
            return LargeFiles(f"http{'s' if tls else ''}://{guide().name}{match[1]}")
        match = (_REFS.match(path) if service in SERVICES else None) or _SMART.match(path)
        if match is None:
            return None
        return Pack(self._repositories, guide(), head, match[1], path[len(match[1]) :])


class GitExchange:
    """One request: takes its body, gives its answer."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body, which were counted and looked at already."""
        raise NotImplementedError

    async def answer(self) -> Answer:
        """The answer, once the body is complete."""
        raise NotImplementedError

    def close(self) -> None:
        """The request is over, answered or not."""


class LargeFiles(GitExchange):
    """Where large files are to be sent to: an address each on the same host, which takes them as any does."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._body = bytearray()

    def feed(self, data: bytes) -> None:
        """As `GitExchange.feed`."""
        self._body += data[: MAX_BATCH - len(self._body)]

    async def answer(self) -> Answer:
        """As `GitExchange.answer`."""
        try:
            asked = json.loads(self._body)
            verb = "download" if asked["operation"] == "download" else "upload"
            files = [self._file(verb, str(each["oid"]), int(each["size"])) for each in asked["objects"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return Answer(422, b'{"message":"invalid request"}\n', _LARGE_TYPE)
        body = json.dumps({"transfer": "basic", "objects": files[:MAX_LARGE_FILES]}).encode()
        return Answer(200, body, _LARGE_TYPE)

    def _file(self, verb: str, name: str, size: int) -> dict[str, object]:
        known: dict[str, object] = {"oid": name, "size": size}
        if verb == "download":
            return {**known, "error": {"code": 404, "message": "Object does not exist"}}
        return {**known, "actions": {"upload": {"href": f"{self._base}/info/lfs/objects/{name}", "expires_in": 3600}}}


class Pack(GitExchange):
    """A request of git's smart protocol."""

    def __init__(self, repositories: Repositories, visit: Visit, head: Head, path: str, inner: str) -> None:
        self._repositories = repositories
        self._visit = visit
        self._head = head
        self._path = path
        self._inner = inner
        self._house = repositories.house
        self._spool: Path | None = None
        self._file = -1
        self._size = 0

    def feed(self, data: bytes) -> None:
        """As `GitExchange.feed`."""
        if self._spool is None:
            self._spool = self._house.folder / self._house.new_folder() / "body"
            self._file = os.open(self._spool, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._size += len(data)
        if self._size <= MAX_FILE_BYTES:
            os.write(self._file, data)

    async def answer(self) -> Answer:
        """As `GitExchange.answer`."""
        if self._size > MAX_FILE_BYTES:
            return Answer(413)
        client = _Cgi(self._file)
        words = [GIT, "http-backend"]
        with contextlib.suppress(OSError):
            await self._repositories.visit(
                self._visit,
                self._path,
                lambda folder: converse(self._house, words, folder, client, self._environment(folder)),
            )
            return client.answer()
        return Answer(500)

    def close(self) -> None:
        """As `GitExchange.close`."""
        if self._spool is not None:
            os.close(self._file)
            self._house.remove(self._spool.parent.name)
            self._spool = None

    def _environment(self, folder: str) -> dict[str, str]:
        headers = dict(self._head.headers)
        found = {
            **ENVIRONMENT,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROJECT_ROOT": self._house.inside(folder),
            "PATH_INFO": self._inner,
            "QUERY_STRING": urlsplit(self._head.target).query[:1024],
            "REMOTE_USER": "git",
            "REQUEST_METHOD": "POST" if self._head.method == "POST" else "GET",
            "CONTENT_TYPE": headers.get("content-type", "")[:256],
            "HTTP_CONTENT_ENCODING": headers.get("content-encoding", "")[:64],
            "GIT_PROTOCOL": headers.get("git-protocol", "")[:64],
        }
        return {name: value.replace("\0", "") for name, value in found.items()} | {"CONTENT_LENGTH": str(self._size)}


class _Cgi:
    """Stands for the client: gives the body to the guest, and keeps its answer."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._at = 0
        self._got = bytearray()

    async def read(self) -> bytes:
        if self._file < 0:
            return b""
        data = await asyncio.to_thread(os.pread, self._file, 1 << 18, self._at)
        self._at += len(data)
        return data

    async def write(self, data: bytes) -> None:
        if len(self._got) > MAX_ANSWER:
            raise OSError("too long an answer")
        self._got += data

    async def complain(self, data: bytes) -> None:
        """Nobody is to know."""

    def answer(self) -> Answer:
        """What the guest said, as an answer: header lines, an empty line, the body."""
        lines, separator, body = bytes(self._got).partition(b"\r\n\r\n")
        if not separator:
            return Answer(500)
        headers = [line.partition(": ")[::2] for line in lines.decode("latin-1").split("\r\n")]
        status = next((value for name, value in headers if name == "Status"), "200")
        return Answer(int(status[:3]), body, tuple((name, value) for name, value in headers if name != "Status"))
