"""The words that name tiers, in a text such as `free/paid` or `free/paid/partner`."""

from __future__ import annotations

import re

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_ ]{0,29}[a-z0-9_])?")


def read_labels(text: str) -> list[str]:
    """The labels of training, of unmonitored and, where there is a third one, of rated.

    Raises:
        ValueError: there are not two or three, two are the same, or one is more than a few small letters.
    """
    words = text.split("/")
    if len(words) not in (2, 3) or len(set(words)) < len(words) or not all(map(_LABEL.fullmatch, words)):
        raise ValueError(
            f"labels are two or three different words in small letters such as free/paid, got {text[:80]!r}"
        )
    return words
