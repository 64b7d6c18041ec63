"""Which scenarios a parameter stands for."""

from __future__ import annotations

from collections.abc import Sequence

from afagent.errors import UsageError
from afagent.listed import listed
from afagent.world.episode import MAX_SEED


def read_seeds(seeds: int | str | Sequence[int | str]) -> list[int]:
    """The scenario seeds that a parameter stands for: a count (`20` is seeds 1 to 20) or a list (`"3,7"`, `[3, 7]`).

    Raises:
        UsageError: it holds something that is not a positive number, or nothing.
    """
    words = listed(seeds if isinstance(seeds, Sequence) else [seeds])
    if not all(part.isascii() and part.isdigit() for part in words):
        got = "nothing" if seeds is None else repr(seeds)
        raise UsageError(f"seeds is a count or a list of numbers, got {got}")
    numbers = list(dict.fromkeys(map(int, words)))
    is_count = isinstance(seeds, int) or (isinstance(seeds, str) and "," not in seeds)
    if is_count and numbers and numbers[0] <= MAX_SEED:
        numbers = list(range(1, numbers[0] + 1))
    if not numbers or min(numbers) < 1 or max(numbers) > MAX_SEED:
        raise UsageError(f"seeds are numbers from 1 to {MAX_SEED}, got {seeds!r}")
    return numbers
