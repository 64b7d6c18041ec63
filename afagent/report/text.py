"""Words for the page. Every text may be the model's own, so that all of them pass through here, without exception.

Escaping of markup is jinja2's part; here characters are made visible that would act on the layout or on the reader:
control, formatting and direction characters, piles of combining marks, and sheer length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import islice

from afagent.quoting import printable

LINE_CHARACTERS = 240
"""What stands in a line of the page; more is folded or cut."""
FOLDED_CHARACTERS = 4_000
"""What can be unfolded; the rest stands in the log alone."""
FOLDED_LINES = 200
_PILE = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3,}")
"""More combining marks on one letter than any language writes: they would paint over the lines around."""


class Ready(str):
    """A text that is as it shall stand on the page, however long. It is escaped all the same."""

    __slots__ = ()


def visible(text: str, most: int = LINE_CHARACTERS) -> str:
    """The text on one line of at most `most` characters, with nothing in it that acts."""
    return printable(_PILE.sub("…", text[: most + 1]), most)


def brief(text: str) -> str:
    """A name that stands in the first screen, too short to push anything out of it."""
    return visible(text, 80)


def visible_lines(text: str) -> list[Ready]:
    """The text's lines, each made visible, as many as are shown at all; what was left out is said at the end."""
    shown = text[:FOLDED_CHARACTERS]
    lines = [
        Ready(visible(line.replace("\t", "    "), FOLDED_CHARACTERS))
        for line in islice(shown.split("\n"), FOLDED_LINES)
    ]
    if len(text) > len(shown) or shown.count("\n") >= FOLDED_LINES:
        lines.append(Ready(f"… cut here; the whole has {len(text):,} characters and stands in the log"))
    return lines


def is_long(text: str) -> bool:
    """Whether a text is folded on the page."""
    return len(text) > LINE_CHARACTERS or "\n" in text.strip()


def percent(rate: float | None) -> str:
    """A share as a person reads it, never rounded to a 0 or 100 that it is not."""
    if rate is None:
        return "none"
    if 0 < rate < 0.0001:
        return "below 0.01%"
    if 0.9999 < rate < 1:
        return "above 99.99%"
    digits = 2 if rate < 0.0995 or rate > 0.99 else 1
    return f"{rate * 100:.{digits}f}".rstrip("0").rstrip(".") + "%"


def points(difference: float) -> str:
    """A difference of two shares, in percentage points and with its sign."""
    return f"{difference * 100:+.1f}".replace("-", "\u2212")


def as_json(values: Mapping[str, object]) -> str:
    """Settings as one line of JSON."""
    return json.dumps(values, sort_keys=True, default=str, ensure_ascii=False)
