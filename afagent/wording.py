"""Numbers in sentences."""

from __future__ import annotations


def plural(number: int, noun: str) -> str:
    """`1 connection`, `3,000 connections`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
