"""The one provider of time: the real clock, or the demo's simulated one."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from outreach.models import Kept, SimulatedClock


class ClockStandsStill(Exception):
    """The simulated clock was asked to go back, or the real clock to be set."""


@Kept
def _simulated() -> QuerySet[SimulatedClock]:
    return SimulatedClock.objects.filter(pk=1)


def now() -> datetime:
    """Return the present moment in the service's time zone."""
    if settings.OUTREACH_CLOCK != "simulated":
        return timezone.localtime()
    row = _simulated.first()
    return timezone.localtime(row.at if row else None)


def today() -> date:
    """Return the present day in the service's time zone."""
    return now().date()


def advance_to(at: datetime) -> None:
    """Move the demo's clock on to `at`; a moment that has passed already changes nothing."""
    if settings.OUTREACH_CLOCK != "simulated":
        raise ClockStandsStill("the real clock cannot be set")
    row, created = SimulatedClock.objects.get_or_create(pk=1, defaults={"at": at})
    if not created and row.at < at:
        row.at = at
        row.save()
