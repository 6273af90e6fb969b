"""Waits and leases that stand in a column, read so that a clock that was set back harms none."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q


def has_passed(column: str, now: datetime, longest: timedelta) -> Q:
    """Return the condition that a wait or lease is over, or that there is none.

    One that reaches further than twice the longest was written before the clock was set back: it
    is over too, instead of lasting for as long as the step. Up to once the longest two machines'
    clocks may differ.
    """
    beyond = Q(**{f"{column}__gt": now + 2 * longest})
    return Q(**{column: None}) | Q(**{f"{column}__lte": now}) | beyond
