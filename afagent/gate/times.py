"""Times that can be reckoned with."""

from __future__ import annotations

from datetime import UTC, datetime

EARLIEST, LATEST = 2000, 2999
"""Years; other times are none: at the calendar's edges nothing can be reckoned with."""


def moment(text: str | None) -> datetime | None:
    """A time as Inspect writes it; None for none and for what is no time."""
    try:
        when = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    if not EARLIEST <= when.year <= LATEST:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
