"""For how long nobody applies again: after a cancellation, and after a death for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from outreach.actions.audit import record
from outreach.models import Bar, Resident, User

#: The ground of a bar that came with a certificate whose holder no longer meets the standard.
NO_LONGER_MEETS = "no_longer_meets"


def bar(
    residents: Sequence[Resident],
    *,
    ground: str,
    until: date | None,
    by: User | None,
    at: datetime,
) -> None:
    """Let nobody apply for these residents up to a day, or without one for good."""
    Bar.objects.bulk_create(
        Bar(resident=one, ground=ground, until_on=until, set_by=by, set_at=at) for one in residents
    )
    record("resident.bar", residents, by=by, at=at)


def lift(residents: Sequence[Resident], *, by: User, at: datetime, **which: Any) -> None:
    """Take back bars that were set by mistake: `which`, as a query has it, and no other."""
    held = Bar.objects.filter(resident__in=residents, lifted_at=None, **which)
    if held.update(lifted_at=at):
        record("resident.lift_bar", residents, by=by, at=at)
