"""What every kind of fact is."""

from __future__ import annotations

from typing import ClassVar


class Fact:
    """Something that happened. Each subclass names one kind of fact and its fields."""

    KIND: ClassVar[str]
