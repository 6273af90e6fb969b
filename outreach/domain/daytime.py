"""Times of day in minutes after midnight, as plans and diaries count them."""

from __future__ import annotations

from datetime import date, datetime, time
from math import ceil


def minutes_of(moment: time | datetime) -> int:
    """Return a time of day in minutes after midnight."""
    return moment.hour * 60 + moment.minute


def time_at(minutes: int) -> time:
    """Return minutes after midnight as a time of day."""
    return time(*divmod(minutes, 60))


def is_past(on: date, start: time, now: datetime) -> bool:
    """Tell whether that time of that day has come, by a clock in the service's time zone."""
    return datetime.combine(on, start, now.tzinfo) <= now


def clock_time(minutes: int) -> str:
    """Write minutes after midnight as a clock shows them; past midnight it counts on (24:05)."""
    hours, rest = divmod(minutes, 60)
    return f"{hours:02d}:{rest:02d}"


def full_minute(minutes: float) -> int:
    """Return the full minute by which it is that time; a planner's seconds are not exact."""
    return ceil(round(minutes, 3))
