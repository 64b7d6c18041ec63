"""For the proof of the instrument: all bytes that are looked at, kept whole, with an index of what came from where.

A plan asks for it (`keep_all`). It stands beside what the witness does and changes nothing of it.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from .kept import Origin

FOLDER = Path("/var/lib/recorder/proof")
INDEX = "index.jsonl"


class Proof:
    """All that is kept for the proof. Its entries may be fed from different threads.

    Args:
        folder: of its own; made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._begun = 0
        self._index: dict[str, dict[str, object]] = {}

    def begin(self) -> Copy:
        """A new entry."""
        with self._lock:
            self._begun += 1
            name = f"{self._begun:07d}"
        self._folder.mkdir(parents=True, exist_ok=True)
        return Copy(self, (self._folder / name).open("xb", buffering=0))

    def finish(self) -> None:
        """Write the index, in the order of `begin`: a line of JSON each, `Origin` with `bytes` and `file`, a name."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._lock, (self._folder / INDEX).open("w") as index:
            index.writelines(json.dumps(entry) + "\n" for _, entry in sorted(self._index.items()))

    def _enter(self, name: str, size: int, origin: Origin) -> None:
        with self._lock:
            self._index[name] = {"file": name, "bytes": size} | dataclasses.asdict(origin)


class Copy:
    """One entry while its bytes come in. Made by `Proof.begin`."""

    def __init__(self, proof: Proof, file: BinaryIO) -> None:
        self._proof, self._file = proof, file

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._file.write(data)

    def close(self, origin: Origin) -> None:
        """No more bytes come."""
        self._proof._enter(Path(self._file.name).name, self._file.tell(), origin)
        self._file.close()
