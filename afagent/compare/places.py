"""Where a sample stands, by its id."""

from __future__ import annotations


def place_of(sample: str) -> tuple[int, str] | None:
    """The scenario and arm of an episode's id, which is made of seed, job family and arm; None where it is not."""
    seed, _, rest = sample.partition("-")
    family, _, arm = rest.partition("-")
    return (int(seed), arm) if seed.isascii() and seed.isdigit() and family and arm and len(seed) < 10 else None
