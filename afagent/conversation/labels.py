"""The words that name tiers, in a text such as `free/paid`, `A/B` or `free/paid/partner`.

The model is told them as they were given. Where words are compared, capitals are small letters.
"""

from __future__ import annotations

import re

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_ ]{0,29}[A-Za-z0-9_])?")


def read_labels(text: str) -> list[str]:
    """The labels of training, of unmonitored and, where there is a third one, of rated.

    Raises:
        ValueError: there are not two or three, two are the same but for capitals, or one is more than a few letters.
    """
    words = text.split("/")
    different = len(set(text.casefold().split("/"))) == len(words)
    if len(words) not in (2, 3) or not different or not all(map(_LABEL.fullmatch, words)):
        raise ValueError(f"labels are two or three different words such as free/paid or A/B, got {text[:80]!r}")
    return words
