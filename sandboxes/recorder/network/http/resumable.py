"""Uploads that are sent bit by bit and may be taken up again: by offset (tus), by range, in blocks.

Each first asks for a place, then sends what belongs there in several requests, and wants to hear how far it has come.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from .answers import as_json
from .messages import Answer, Head, Upload
from .objects import Joined, Objects, Stored

if TYPE_CHECKING:
    from collections.abc import Callable

_RANGE = re.compile(r"bytes (?:(\d{1,15})-(\d{1,15})|\*)/(\d{1,15}|\*)")
_MAX_PARTS = 10_000


class Resumable:
    """Answers such requests, and only those.

    Args:
        objects: keeps what sites are given.
        clock: seconds since 1970.
    """

    def __init__(self, objects: Objects, clock: Callable[[], float]) -> None:
        self._objects = objects
        self._clock = clock

    def answer(self, site: str, head: Head, upload: Upload) -> Answer | None:
        """The response of `site`; None for an ordinary request."""
        query = head.query
        if head.header("tus-resumable"):
            return self._by_offset(site, head, upload)
        if head.method == "POST" and "resumable" in (query.get("uploadType"), head.header("x-goog-resumable")):
            return Answer(200, headers=(("Location", self._place(head)), ("X-GUploader-UploadID", self._number(head))))
        ranged = _RANGE.fullmatch(head.header("content-range"))
        if ranged is not None and head.method in ("PUT", "POST", "PATCH"):
            return self._by_range(site, head, upload, ranged)
        if head.method == "PUT" and ("comp" in query or head.header("x-ms-blob-type")):
            return self._in_blocks(site, head, upload, query)
        return None

    def _number(self, head: Head) -> str:
        return hashlib.sha256(f"{head.target}{self._clock()}".encode(errors="replace")).hexdigest()[:40]

    def _place(self, head: Head) -> str:
        """The address at which the upload goes on."""
        path = head.target.partition("?")[0]
        origin = "" if "://" in path else f"https://{head.header('host') or head.host}"
        return f"{origin}{path}?uploadType=resumable&upload_id={self._number(head)}"

    def _append(self, site: str, name: str, upload: Upload) -> int:
        """How many bytes there are now."""
        before = self._objects.forget(site, name)
        parts = before.body.parts if before else ()
        if upload.size and len(parts) < _MAX_PARTS:
            parts = (*parts, *upload.body.parts)
        stored = Stored(Joined(parts), upload.md5, self._clock())
        self._objects.put(site, name, stored)
        return stored.body.size

    def _by_offset(self, site: str, head: Head, upload: Upload) -> Answer:
        """Of https://tus.io, version 1."""
        spoken = (("Tus-Resumable", "1.0.0"),)
        if head.method == "OPTIONS":
            return Answer(204, headers=(*spoken, ("Tus-Version", "1.0.0"), ("Tus-Extension", "creation,termination")))
        if head.method == "POST":
            place = f"{head.path.rstrip('/')}/{self._number(head)[:24]}"
            return Answer(201, headers=(*spoken, ("Location", place), ("Upload-Offset", str(upload.size))))
        if head.method == "DELETE":
            self._objects.remove(site, head.path)
            return Answer(204, headers=spoken)
        if head.method == "PATCH":
            offset = self._append(site, head.path, upload)
            return Answer(204, headers=(*spoken, ("Upload-Offset", str(offset))))
        stored = self._objects.get(site, head.path)
        offset = stored.body.size if stored else 0
        return Answer(200, headers=(*spoken, ("Upload-Offset", str(offset)), ("Cache-Control", "no-store")))

    def _by_range(self, site: str, head: Head, upload: Upload, ranged: re.Match[str]) -> Answer:
        """In the way of several large clouds: 308 until the last byte has come."""
        size = self._append(site, head.target, upload)
        whole = ranged[3]
        ends_at = int(ranged[2]) + 1 if ranged[2] else size
        if whole == "*" or ends_at < int(whole):
            return Answer(308, headers=(("Range", f"bytes=0-{ends_at - 1}"),) if ends_at else ())
        return as_json(200, {"name": head.path.rpartition("/")[2], "size": whole, "md5Hash": upload.md5})

    def _in_blocks(self, site: str, head: Head, upload: Upload, query: dict[str, str]) -> Answer:
        """Blobs put whole, or as blocks and a list of them."""
        if query.get("comp") == "block" or query.get("comp") == "appendblock" or "comp" not in query:
            self._append(site, head.path, upload)
        told = (("ETag", f'"0x{upload.md5[:15].upper()}"'), ("x-ms-request-id", self._number(head)[:36]))
        return Answer(201, headers=(*told, ("x-ms-version", "2021-12-02")))
