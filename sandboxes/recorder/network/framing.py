"""Cutting a stream of bytes into the frames that its protocol makes of it, so that no byte lies between them unseen.

Libraries for a protocol keep a frame that is begun until it is whole, and some believe any length: what stands in it
until then is known to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator


class Frames:
    """The frames of one stream.

    Args:
        header: bytes of a frame's header.
        length: of what follows a header.
    """

    def __init__(self, header: int, length: Callable[[bytes], int]) -> None:
        self._header = header
        self._length = length
        self._begun = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Take the next bytes; gives the header and the content of each frame that is whole now."""
        self._begun += data
        at = 0
        try:
            while len(self._begun) >= (inside := at + self._header):
                header = bytes(self._begun[at:inside])
                end = inside + self._length(header)
                if len(self._begun) < end:
                    break
                yield header, bytes(self._begun[inside:end])
                at = end
        finally:
            del self._begun[:at]

    @property
    def begun(self) -> bytes:
        """The frame that is not whole yet, with its header."""
        return bytes(self._begun)
