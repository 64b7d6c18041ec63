"""Says whether what came out of a decryptor is anything: structure, or the beginning of a compressed stream."""

from __future__ import annotations

import numpy as np

from ..content.spotting import CLOSED, STREAMS, find_streams
from ..content.streams import BrokenError, Decoder
from .locks import Try

_SAMPLE = 2048
UNEVEN = 450.0
"""Of chi-squared over byte values, 255 degrees of freedom: random bytes reach it once in 10^12 tries."""
_TIMES = 3
_NAMED = tuple(CLOSED)
_BEGINNINGS = {magic[:2] for magic in (*CLOSED, *(magic for magic, _, _ in STREAMS))}


class Judge:
    """Says whether what comes out of a try is anything."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._threshold = max(UNEVEN, _TIMES * unevenness(head[:_SAMPLE]))

    def is_promising(self, attempt: Try) -> bool:
        """Whether a first sample has structure, or begins as a compressed stream and goes on as one."""
        if attempt.is_right:
            return True
        sample = self._open(attempt, _SAMPLE)
        if unevenness(sample) > self._threshold:
            return True
        return sample.startswith(_NAMED) or any(
            at == 0 and _lasts(kind(), self._open(attempt, len(self._head))) for at, kind in beginnings(sample)
        )

    def _open(self, attempt: Try, size: int) -> bytes:
        decrypt = attempt.open()
        return decrypt(self._head[attempt.start : attempt.start + size]) if decrypt else b""


def _lasts(decoder: Decoder, data: bytes) -> bool:
    try:
        for _ in decoder.feed(data):
            pass
    except BrokenError:
        return False
    except Exception:  # too big, or no library: nothing speaks against it
        return True
    return True


def beginnings(data: bytes) -> list[tuple[int, type[Decoder]]]:
    """What compressed streams bytes may be the beginning of."""
    return find_streams(data[:64], 0, 1) if data[:2] in _BEGINNINGS else []


def is_structured(data: bytes) -> bool:
    """Whether bytes begin with structure, or as a compressed stream does."""
    return unevenness(data[:_SAMPLE]) > UNEVEN or bool(beginnings(data))


def unevenness(data: bytes) -> float:
    """Chi-squared of how often each byte value occurs, against all equally often: about 255 for random bytes."""
    if not data:
        return 0.0
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    expected = len(data) / 256
    return float(((counts - expected) ** 2).sum() / expected)
