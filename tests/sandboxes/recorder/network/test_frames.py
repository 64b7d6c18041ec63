"""Datagrams with headers of their own, in and out of order."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest

from afagent.sandboxes.recorder.network.frames import Layout, layout_of, payloads

DATA = random.Random(7).randbytes(20_000)
PIECES = [DATA[at : at + 20] for at in range(0, len(DATA), 20)]

Wrap = Callable[[int, bytes], bytes]


def best(datagrams: list[bytes]) -> bytes:
    """What is read last: in the datagrams' own order, where they have one."""
    layout = layout_of(datagrams)
    assert layout is not None
    return [b"".join(read()) for read in payloads(datagrams, layout)][-1]


def stamped(number: int, piece: bytes) -> bytes:
    """As ping does it: the time, then a pattern."""
    return struct.pack("<QQ", 1_700_000_000 + number // 50, number * 7919 % 1_000_000) + piece


COUNTED: dict[str, Wrap] = {
    "a 16-bit number": lambda number, piece: struct.pack("!H", number) + piece,
    "a little 32-bit number behind a name": lambda number, piece: b"HDR1" + struct.pack("<I", number + 77) + piece,
    "a session, a number, a length": lambda number, piece: struct.pack("!IHH", 0xDEADBEEF, number, len(piece)) + piece,
    "a number behind and padding": lambda number, piece: struct.pack("!H", 9000 + number) + piece + bytes(24),
}
UNCOUNTED: dict[str, Wrap] = {
    "a constant": lambda _, piece: b"GET /x?" + piece,
    "the time": stamped,
    "a byte that wraps": lambda number, piece: bytes([0x80, number & 0xFF]) + piece,
    "padding behind": lambda _, piece: piece + b"=" * 40,
}


@pytest.mark.parametrize("wrap", [*COUNTED.values(), *UNCOUNTED.values()], ids=[*COUNTED, *UNCOUNTED])
def test_headers_are_taken_off(wrap: Wrap) -> None:
    assert best([wrap(number, piece) for number, piece in enumerate(PIECES)]) == DATA


@pytest.mark.parametrize("wrap", COUNTED.values(), ids=COUNTED)
def test_datagrams_that_count_are_put_in_order_and_taken_once(wrap: Wrap) -> None:
    datagrams = [wrap(number, piece) for number, piece in enumerate(PIECES)]
    datagrams += datagrams[::10]
    random.Random(3).shuffle(datagrams)
    assert best(datagrams) == DATA


@pytest.mark.parametrize("size", [1, 2, 7, 16])
def test_a_pattern_is_taken_once_from_each_datagram(size: int) -> None:
    pieces = [DATA[at : at + size] for at in range(0, 800 * size, size)]
    datagrams = []
    for number, piece in enumerate(pieces):
        filled = (piece * 60)[:56]
        datagrams.append(stamped(number, b"")[:16] + filled[16:])
    assert best(datagrams) == b"".join(pieces)


def test_plain_payloads_have_no_layout() -> None:
    assert layout_of(PIECES) is None
    assert layout_of(PIECES[:3]) is None
    assert layout_of([b""] * 20) is None
    assert layout_of([b"x"] * 20) is None


@pytest.mark.parametrize("alphabet", [b"0123456789abcdef", b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef", bytes(range(256))])
@pytest.mark.parametrize("count", [30, 300, 3000])
def test_random_texts_do_not_seem_to_count(alphabet: bytes, count: int) -> None:
    draw = random.Random(count)
    datagrams = [bytes(draw.choices(alphabet, k=40)) for _ in range(count)]
    assert layout_of(datagrams) is None


def test_the_last_datagram_may_be_short() -> None:
    datagrams = [struct.pack("!H", number) + piece for number, piece in enumerate(PIECES)]
    assert best([*datagrams, b"\x03\xe8ab"]) == DATA + b"ab"
    assert isinstance(layout_of([*datagrams, b""]), Layout)
