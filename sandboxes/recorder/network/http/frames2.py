"""What HTTP/2's frames hold beside requests: a client may put anything there, and h2 passes over it (RFC 9113, 5.5)."""

from __future__ import annotations

from collections.abc import Iterator

from h2.exceptions import FrameTooLargeError

from ..framing import Frames

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_FRAME_BYTES = 1 << 14
"""We allow no longer ones."""
USUAL_BYTES = 64
"""What settings, windows and priorities take in an ordinary frame."""
_HEADER_BYTES = 9
_DATA, _HEADERS, _CONTINUATION = 0, 1, 9
_USUAL = frozenset({2, 3, 4, 8})
"""Types whose frames every client sends: PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE."""
_PADDED, _END_HEADERS = 8, 4


class Framing:
    """The frames of one connection, read beside h2.

    Args:
        prefaced: whether the client's preface comes first.
    """

    def __init__(self, *, prefaced: bool = False) -> None:
        self._preface = len(PREFACE) if prefaced else 0
        self._frames = Frames(_HEADER_BYTES, _length)
        self._block = bytearray()
        """Headers of a request, as far as they came."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes; gives what frames hold beside bodies and headers.

        Raises:
            FrameTooLargeError: this is no HTTP/2. h2 says so only when all of the frame has come.
        """
        skipped = min(self._preface, len(data))
        self._preface -= skipped
        for header, content in self._frames.feed(data[skipped:]):
            kind, flags = header[3], header[4]
            if kind == _DATA:
                if flags & _PADDED and content:
                    yield content[len(content) - content[0] :]
            elif kind in (_HEADERS, _CONTINUATION):
                self._block += content
                if flags & _END_HEADERS:
                    self._block.clear()
            elif kind not in _USUAL or len(content) > USUAL_BYTES:
                yield content

    @property
    def rest(self) -> bytes:
        """What belongs to no request yet: headers that go on, and a frame that is not whole."""
        return bytes(self._block) + self._frames.begun


def _length(header: bytes) -> int:
    length = int.from_bytes(header[:3], "big")
    if length > MAX_FRAME_BYTES:
        raise FrameTooLargeError(f"a frame of {length} bytes")
    return length
