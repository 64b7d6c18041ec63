"""The engine that undoes deflate (RFC 1950 to 1952): Intel's ISA-L where it is installed, else zlib.

On planted weights ISA-L gives 0.150 of SHA-256's rate and zlib 0.104 (`bench/fingerprint.py` measures both below
all the rest). Debian packages its library (libisal2) but no Python binding that fits, so it is called directly. What is
relied on of its structure is tried on a small stream before the first use; a library that answers otherwise is not
used.
"""

from __future__ import annotations

import ctypes
import threading
import zlib
from functools import cache
from typing import Any, Protocol

RAW, ZLIB, GZIP = -15, 15, 31
"""What stands around the deflated data, as zlib's `wbits` says it."""

_LIBRARY = "libisal.so.2"
_CODES_BYTES = 21_120
_SPARE_BYTES = 1 << 17
_FINISHED = 5
_ZLIB_STEP, _ISAL_STEP = 1 << 10, 3 << 15
_WRAPPERS = {RAW: 0, GZIP: 1, ZLIB: 3}


class Inflater(Protocol):
    """What zlib's `decompressobj` offers, as far as it is used here."""

    @property
    def eof(self) -> bool:
        """The stream is over."""

    @property
    def unconsumed_tail(self) -> bytes:
        """Input that waits for room in the output."""

    @property
    def unused_data(self) -> bytes:
        """What follows the stream."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most `max_length` bytes of output.

        Raises:
            zlib.error: the data is not deflated.
        """


def step_bytes() -> int:
    """How much to ask an engine for at once, so that little is lost where data turns out broken.

    zlib loses all that the call would have given; ISA-L what it decoded ahead (64 KiB) if there was no room for it.
    """
    return _ZLIB_STEP if _isal() is None else _ISAL_STEP


def inflater(wrapper: int) -> Inflater:
    """A new engine for one stream in the given wrapper."""
    library = _isal()
    if library is None:
        engine: Inflater = zlib.decompressobj(wrapper)
        return engine
    return _Isal(library, wrapper)


class _State(ctypes.Structure):
    """`struct inflate_state` of igzip_lib.h, as far as it is read; the rest is spare room."""

    _fields_ = (
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_uint32),
        ("total_out", ctypes.c_uint32),
        ("next_in", ctypes.c_void_p),
        ("read_in", ctypes.c_uint64),
        ("avail_in", ctypes.c_uint32),
        ("read_in_length", ctypes.c_int32),
        ("codes", ctypes.c_ubyte * _CODES_BYTES),
        ("block_state", ctypes.c_int),
        ("dict_length", ctypes.c_uint32),
        ("bfinal", ctypes.c_uint32),
        ("crc_flag", ctypes.c_uint32),
        ("spare", ctypes.c_ubyte * _SPARE_BYTES),
    )


class _Room(threading.local):
    """Where output is written before it is given: one place for all engines of a thread, since each call gives it."""

    def __init__(self) -> None:
        self.buffer = ctypes.create_string_buffer(_ISAL_STEP)
        self.address = ctypes.addressof(self.buffer)


_ROOM = _Room()


class _Isal:
    def __init__(self, library: Any, wrapper: int) -> None:
        self.eof = False
        self.unconsumed_tail = self.unused_data = b""
        self._inflate = library.isal_inflate
        self._state = _State()
        self._address = ctypes.addressof(self._state)
        library.isal_inflate_init(ctypes.c_void_p(self._address))
        self._state.crc_flag = _WRAPPERS[wrapper]
        self._problem = 0

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """See `Inflater`. What stands before an error is given; the next call raises."""
        state, room = self._state, _ROOM.address
        max_length = min(max_length, _ISAL_STEP)
        state.next_in = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p)
        state.avail_in = len(data)
        state.next_out = room
        state.avail_out = max_length
        self._problem = self._problem or min(0, self._inflate(ctypes.c_void_p(self._address)))
        size = max_length - state.avail_out
        if self._problem:
            if not size:
                raise zlib.error(f"Error {self._problem} while decompressing data")
            self.unconsumed_tail = data
            return ctypes.string_at(room, size)
        left = data[len(data) - state.avail_in :] if state.avail_in else b""
        self.eof = state.block_state == _FINISHED
        if self.eof:
            # Whole bytes that it had read ahead of the stream's end.
            ahead, bits = divmod(state.read_in_length, 8)
            self.unused_data = (state.read_in >> bits).to_bytes(8, "little")[:ahead] + left
            left = b""
        self.unconsumed_tail = left
        return ctypes.string_at(room, size)


@cache
def _isal() -> Any:
    """The library, or None."""
    try:
        library = ctypes.CDLL(_LIBRARY)
        works = all(_is_right(library, wrapper) for wrapper in _WRAPPERS)
    except (OSError, AttributeError, zlib.error):
        return None
    return library if works else None


def _is_right(library: Any, wrapper: int) -> bool:
    text = bytes(range(256)) * 3 + bytes(4000)
    packer = zlib.compressobj(6, zlib.DEFLATED, wrapper)
    data = packer.compress(text) + packer.flush() + b"and what follows"
    engine, out = _Isal(library, wrapper), b""
    for _ in range(len(text)):
        out += engine.decompress(data, 1000)
        data = engine.unconsumed_tail
        if engine.eof:
            break
    return engine.eof and out == text and engine.unused_data == b"and what follows"
