"""Times as the page tells them: always UTC, and a word where there is none or none that can be."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(when: datetime | None) -> str:
    """A date with its time, to the minute. What has no zone is taken for UTC."""
    if when is None:
        return "not known"
    aware = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    try:
        return f"{aware.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return "not known"


def age(when: datetime, used: datetime | None) -> str:
    """How old something was when it was used."""
    if used is None:
        return "of an age that is not known"
    days = (used - when).total_seconds() / 86400
    return f"{days:,.1f} days before the last episode" if days >= 0 else "after the last episode"


def clock(seconds: float | None) -> str:
    """The time of day of an event, from seconds since 1970."""
    if seconds is None:
        return "time not known"
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return "time not known"
