"""Printing where the terminal may be gone, full or of another alphabet."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper

from rich.console import Console


class _PlainConsole(Console):
    """rich's own ends the program with 1 where nobody reads any more."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def page_console(*, err: bool) -> Console:
    """Standard output, or standard error; what its alphabet lacks is escaped."""
    stream = sys.stderr if err else sys.stdout
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return _PlainConsole(file=stream)


@contextmanager
def whether_it_can_be_printed_or_not() -> Iterator[None]:
    """What cannot be printed is lost, and changes nothing else: not what comes after it, nor the exit code."""
    try:
        yield
        sys.stdout.flush()
    except OSError:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123  # Python would try again at its end, and exit with 120
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except OSError:
                    os.dup2(nowhere.fileno(), stream.fileno())
