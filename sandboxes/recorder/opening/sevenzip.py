"""7z archives under a password, which are read as files: what says how they are encrypted stands at their end.

The archive decides how much memory and time its opening takes, so a process of its own does it, with bounds on both.
That process is this module: `python3 -m recorder.opening.sevenzip FILE`, words as lines of hexadecimal on its standard
input. It answers with the content of the archive's files.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .judge import is_structured

MAGIC = b"7z\xbc\xaf\x27\x1c"
"""An archive's first bytes."""
MEMORY_BYTES = 768 << 20
_PIECE = 1 << 16


def unseal(file: Path, words: Sequence[bytes], seconds: int) -> Iterator[bytes]:
    """The contents of an archive's files one after another, in pieces; nothing when no word opens it.

    Args:
        file: the archive.
        words: passwords to try, in order.
        seconds: of processor time that it may take.
    """
    command = [sys.executable, "-m", __spec__.name, str(file), str(seconds)]
    given = "\n".join(word.hex() for word in words).encode()
    with subprocess.Popen(  # our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=_home()
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(given)
            child.stdin.close()
            while piece := child.stdout.read(_PIECE):
                yield piece
        except BrokenPipeError:  # it was over its bounds before it had read all words
            return
        finally:
            child.kill()


def _home() -> Path:
    """Where the module can be imported from by the name that it has here."""
    return Path(__file__).resolve().parents[__spec__.name.count(".")]


def _first_that_opens(file: str, words: Sequence[str]) -> Iterator[bytes]:
    for word in words:
        pieces = _contents(file, word)
        try:
            first = next(pieces, b"")
        except Exception:  # noqa: S112  # a wrong password shows itself in any kind of error
            continue
        if is_structured(first):
            yield first
            yield from pieces
            return


def _contents(file: str, word: str) -> Iterator[bytes]:
    """The library unpacks whole files only; its own parts unpack bit by bit."""
    import py7zr  # noqa: PLC0415  # whoever only asks for an archive need not load it

    with py7zr.SevenZipFile(file, password=word) as archive:
        streams: Any = archive.header.main_streams
        at = archive.afterheader + streams.packinfo.packpos
        for folder, packed in zip(streams.unpackinfo.folders, streams.packinfo.packsizes, strict=False):
            archive.fp.seek(at)
            decompressor, left = folder.get_decompressor(packed), folder.get_unpack_size()
            while left > 0 and (piece := decompressor.decompress(archive.fp, min(_PIECE, left))):
                left -= len(piece)
                yield bytes(piece)
            at += packed


def _main(file: str, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    words = [bytes.fromhex(line).decode("utf-8", "replace") for line in sys.stdin.read().split()]
    for piece in _first_that_opens(file, words):
        sys.stdout.buffer.write(piece)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
