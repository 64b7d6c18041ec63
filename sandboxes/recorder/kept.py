"""Payloads kept on the recorder's own disk until the end of the episode, when keys may be known that open them.

Whatever is looked at (`network.sight`, `file_looks`) is offered here as well. Kept is what nothing was recognised in
and what may be closed rather than plain: from its first window on that looks random, in bytes or in the characters of
some alphabet. What is too short to hold weights may still hold a key: it goes to `words`.
"""

from __future__ import annotations

import dataclasses
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .events import Content, Fact, Limit, to_ranges
from .proof import Proof

FOLDER = Path("/var/lib/recorder/kept")
WINDOW_BYTES = 16 << 10
"""Whether bytes look random is asked of so many at once."""
SMALL_BYTES = 4 << 10
"""Anything shorter holds no provable piece of the weights."""
OPAQUE_BITS = 6.5
"""Bits per byte from which on bytes look random. bfloat16 weights lie at 6.4, machine code at 6, text below 5."""
EVEN = 0.9
"""And text does when its entropy comes so near to the most that its characters allow, and compressing gains no more:
an encoding, not a language."""
_ALPHABET = 10
_LINE_BREAKS = [10, 13]


@dataclass(frozen=True)
class Bounds:
    """What may be kept."""

    total_bytes: int = 2 << 30
    entry_bytes: int = 1 << 30
    entries: int = 4096


@dataclass(frozen=True)
class Origin:
    """Where bytes were seen, in the words of `events.Content`."""

    part: str
    flow: int | None = None
    path: str | None = None
    address: str | None = None
    port: int | None = None
    name: str | None = None
    target: str | None = None
    layers: tuple[str, ...] = ()
    """Undone before the bytes were offered, outermost first."""

    def content(self, layers: Iterable[str], blocks: Mapping[int, set[int]]) -> Content:
        """The fact that blocks of the weights, by shard, were recognised there behind further layers."""
        return Content(
            flow=self.flow,
            path=self.path,
            part=self.part,
            layers=[*self.layers, *layers],
            blocks={str(shard): to_ranges(numbers) for shard, numbers in sorted(blocks.items()) if numbers},
            address=self.address,
            port=self.port,
            name=self.name,
            target=self.target,
        )


@dataclass(frozen=True)
class Payload:
    """Bytes that were kept."""

    file: Path
    origin: Origin
    bytes: int
    recognised: bool
    """Whether weights were recognised in them; such bytes are kept because they are `open`, or found out later."""
    open: bool = False
    """Whether they end within something that other bytes may continue (`joins`)."""


class Kept:
    """All that is kept. Its entries may be fed from different threads.

    Args:
        folder: of its own; made when the first entry needs it.
        record: where a `Limit` goes.
        words: takes what is too short to be kept.
        bounds: what may be kept.
        proof: takes all that is offered, if it is wanted.
    """

    def __init__(
        self,
        folder: Path,
        record: Callable[[Fact], object],
        words: Callable[[bytes], object],
        bounds: Bounds = Bounds(),
        proof: Proof | None = None,
    ) -> None:
        self.bounds = bounds
        self.words = words
        self.proof = proof
        self._folder, self._record = folder, record
        self._lock = threading.Lock()
        self._payloads: dict[Path, Payload] = {}
        self._made = self._open = self._bytes = 0
        self._said: set[str] = set()

    def begin(self) -> Keeping:
        """A new entry; it costs nothing before bytes are fed."""
        return Keeping(self)

    def payloads(self) -> list[Payload]:
        """What was kept and is closed, in the order in which it began."""
        with self._lock:
            return [payload for _, payload in sorted(self._payloads.items())]

    def mark_recognised(self, payloads: Iterable[Payload]) -> None:
        """Note that weights were recognised in these after all."""
        with self._lock:
            for payload in payloads:
                self._payloads[payload.file] = dataclasses.replace(payload, recognised=True)

    def limit(self, what: str) -> None:
        """Record a limit, each once."""
        with self._lock:
            new = what not in self._said
            self._said.add(what)
        if new:
            self._record(Limit(where="kept", what=what))

    # --- for entries ---

    def _create(self) -> BinaryIO | None:
        with self._lock:
            full = self._open + len(self._payloads) >= self.bounds.entries
            self._made += not full
            self._open += not full
            name = f"{self._made:07d}"
        if full:
            self.limit(f"more than {self.bounds.entries} unrecognised payloads: later ones are not kept")
            return None
        self._folder.mkdir(parents=True, exist_ok=True)
        return (self._folder / name).open("xb", buffering=0)

    def _take(self, size: int) -> bool:
        """Whether there is room for so many bytes more."""
        with self._lock:
            fits = self._bytes + size <= self.bounds.total_bytes
            self._bytes += size if fits else 0
        if not fits:
            self.limit(f"unrecognised payloads reached {self.bounds.total_bytes} bytes: what comes later is not kept")
        return fits

    def _drop(self, file: BinaryIO, size: int) -> None:
        file.close()
        Path(file.name).unlink(missing_ok=True)
        with self._lock:
            self._bytes -= size
            self._open -= 1

    def _enter(self, file: BinaryIO, payload: Payload) -> None:
        file.close()
        with self._lock:
            self._open -= 1
            self._payloads[payload.file] = payload


class Keeping:
    """One entry while its bytes come in. Made by `Kept.begin`. Its trouble with the disk is a limit, never an error."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._copy = kept.proof.begin() if kept.proof else None
        self._held = b""
        """The last bytes that were not judged, or did not look random; the beginning of what does may be in them."""
        self._offered = 0
        self._file: BinaryIO | None = None
        self._written = 0
        self._over = False

    def feed(self, data: bytes, *, recognised: bool, open: bool = False) -> None:  # noqa: A002  # as in `Look`
        """Take the next bytes.

        Args:
            data: the bytes.
            recognised: whether weights were recognised in the entry so far; then it need not be kept,
            open: unless it ends within something that other bytes may continue.
        """
        if self._copy is not None:
            self._copy.feed(data)
        if self._over:
            return
        self._offered += len(data)
        if recognised and not open:
            self._end()
        elif self._file is not None:
            self._write(data)
        else:
            self._wait(data)

    def close(self, origin: Origin, *, recognised: bool, open: bool = False) -> None:  # noqa: A002  # as above
        """No more bytes come. `recognised` and `open` as in `feed`."""
        if self._copy is not None:
            self._copy.close(origin)
        if recognised and not open:
            self._end()
        if not self._over and self._file is None:
            if self._offered < SMALL_BYTES:
                self._kept.words(self._held)
            if self._offered >= SMALL_BYTES and looks_random(self._held):
                self._start(self._held)
        if self._file is not None:
            payload = Payload(Path(self._file.name), origin, self._written, recognised, open)
            self._kept._enter(self._file, payload)
        self._file, self._held, self._over = None, b"", True

    def _wait(self, data: bytes) -> None:
        """Hold two windows at most until one looks random."""
        data = self._held + data
        at = 0
        while len(data) - at >= 2 * WINDOW_BYTES:
            if looks_random(data[at : at + 2 * WINDOW_BYTES]):
                self._start(data[at:])
                return
            at += WINDOW_BYTES
        self._held = data[at:]

    def _start(self, data: bytes) -> None:
        self._held = b""
        try:
            self._file = self._kept._create()
        except OSError as problem:
            self._kept.limit(f"could not be written: {problem.strerror}")
        if self._file is None:
            self._over = True
        else:
            self._write(data)

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        room = self._kept.bounds.entry_bytes - self._written
        if len(data) > room:
            self._kept.limit(f"of a payload longer than {self._kept.bounds.entry_bytes} bytes only the start is kept")
            data = data[:room]
        if not data or not self._kept._take(len(data)):
            return
        self._written += len(data)
        try:
            self._file.write(data)
        except OSError as problem:
            self._kept.limit(f"could not be written: {problem.strerror}")
            self._end()

    def _end(self) -> None:
        """Give up what was kept of the entry."""
        if self._file is not None:
            self._kept._drop(self._file, self._written)
        self._file, self._held, self._over = None, b"", True


def looks_random(data: bytes) -> bool:
    """Whether bytes look encrypted or compressed, or like the text of an encoding of such bytes."""
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    bits = _entropy(counts)
    if bits >= OPAQUE_BITS:
        return True
    counts[_LINE_BREAKS] = 0
    characters = np.count_nonzero(counts)
    if characters < _ALPHABET or _entropy(counts) < EVEN * np.log2(characters):
        return False
    sample = data[:SMALL_BYTES]
    return len(zlib.compress(sample, 1)) >= EVEN * bits / 8 * len(sample)


def entropy(data: bytes) -> float:
    """Bits for each byte, 0 to 8, of how often each value occurs."""
    return _entropy(np.bincount(np.frombuffer(data, np.uint8), minlength=256))


def _entropy(counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    shares = counts[counts > 0] / max(1, counts.sum())
    return float(-(shares * np.log2(shares)).sum())


def read(payload: Payload, size: int = 1 << 16) -> Iterator[bytes]:
    """The bytes of a payload in pieces."""
    with payload.file.open("rb") as file:
        while data := file.read(size):
            yield data
