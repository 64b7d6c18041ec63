"""git over HTTP: its clients' requests, answered by git's own server program, and those of its large-file part."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..http.messages import Answer, Bytes
from .git import ENVIRONMENT, GIT, SERVICES, Repositories
from .talk import converse

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..http.messages import Head, Upload
    from ..http.objects import Joined
    from ..visit import Visit

MAX_ANSWER = 256 << 20
"""Bytes of an answer, which is held in memory."""

MAX_BATCH = 1 << 16
MAX_LARGE_FILES = 1000
"""Files of one request of git's large-file part."""

_SMART = re.compile(r"(/.+)/(git-receive-pack|git-upload-pack)\Z")
_REFS = re.compile(r"(/.+)/info/refs\Z")
_LARGE = re.compile(r"(/.+)/info/lfs/objects/batch\Z")
_LARGE_TYPE = (("Content-Type", "application/vnd.git-lfs+json"),)


class GitWeb:
    """Recognises what git's clients ask for over HTTP, and answers.

    Args:
        repositories: what is served.
    """

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    async def answer(self, guide: Callable[[], Visit], head: Head, upload: Upload, *, tls: bool) -> Answer | None:
        """The answer to a complete request, None if it is none of git's.

        Args:
            guide: makes the visit that the request is part of.
            head: the request's line and headers.
            upload: its body, which was looked at already.
            tls: whether it came inside TLS.
        """
        path = unquote(head.path)
        if match := _LARGE.match(path):
            return large_files(f"http{'s' if tls else ''}://{guide().name}{match[1]}", upload.start)
        match = (_REFS.match(path) if head.query.get("service") in SERVICES else None) or _SMART.match(path)
        if match is None:
            return None
        if not upload.body.kept:
            return Answer(413)
        return await self._serve(guide(), head, upload.body, match[1], path[len(match[1]) :])

    async def _serve(self, visit: Visit, head: Head, body: Joined, path: str, inner: str) -> Answer:
        house, client = self._repositories.house, _Cgi(body)

        async def serve(folder: str) -> int:
            environment = _environment(head, house.inside(folder), inner, body.size)
            return await converse(house, [GIT, "http-backend"], folder, client, environment)

        try:
            await self._repositories.visit(visit, path, serve)
        except OSError:
            return Answer(500)
        return client.answer()


def large_files(base: str, asked: bytes) -> Answer:
    """Where large files are to be sent to: an address each on the same host, which takes them as any does.

    Args:
        base: the address of the repository.
        asked: the request's body.
    """
    try:
        batch = json.loads(asked[:MAX_BATCH])
        verb = "download" if batch["operation"] == "download" else "upload"
        objects = batch["objects"][:MAX_LARGE_FILES]
        files = [_large_file(base, verb, str(each["oid"]), int(each["size"])) for each in objects]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Answer(422, Bytes(b'{"message":"invalid request"}\n'), _LARGE_TYPE)
    return Answer(200, Bytes(json.dumps({"transfer": "basic", "objects": files}).encode()), _LARGE_TYPE)


def _large_file(base: str, verb: str, name: str, size: int) -> dict[str, object]:
    known: dict[str, object] = {"oid": name, "size": size}
    if verb == "download":
        return {**known, "error": {"code": 404, "message": "Object does not exist"}}
    return {**known, "actions": {"upload": {"href": f"{base}/info/lfs/objects/{name}", "expires_in": 3600}}}


def _environment(head: Head, root: str, inner: str, size: int) -> dict[str, str]:
    """What a web server tells a program that answers for it (RFC 3875)."""
    found = {
        **ENVIRONMENT,
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROJECT_ROOT": root,
        "PATH_INFO": inner,
        "QUERY_STRING": urlsplit(head.target).query[:1024],
        "REMOTE_USER": "git",
        "REQUEST_METHOD": "POST" if head.method == "POST" else "GET",
        "CONTENT_TYPE": head.header("content-type")[:256],
        "HTTP_CONTENT_ENCODING": head.header("content-encoding")[:64],
        "GIT_PROTOCOL": head.header("git-protocol")[:64],
    }
    return {name: value.replace("\0", "") for name, value in found.items()} | {"CONTENT_LENGTH": str(size)}


class _Cgi:
    """Stands for the client: gives the body to the guest, and keeps its answer."""

    def __init__(self, body: Joined) -> None:
        self._pieces = body.pieces(0, body.size)
        self._got = bytearray()

    async def read(self) -> bytes:
        return await asyncio.to_thread(next, self._pieces, b"")

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
        return Answer(int(status[:3]), Bytes(body), tuple((name, value) for name, value in headers if name != "Status"))
