"""What the office keeps beside the cases: audit trail, calendars, counters, the demo's clock."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models

from outreach.domain.workdays import CalendarNotLoaded, WorkingCalendar
from outreach.models.ids import new_id
from outreach.models.kept import Kept
from outreach.models.people import User
from outreach.models.sealed import SealedJSONField
from outreach.working_calendar import published_year


class AuditEvent(models.Model):
    """Who did what to which record, when; appended in the same transaction as the deed.

    Number, place and digest follow after the commit, once (`outreach.actions.trail`); from then
    on the database itself refuses to change or delete the row. The chain is over the digest of
    salt and detail, so that it holds when both are erased, and gives nothing of them away.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(db_index=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=40)
    subject_id = models.UUIDField(db_index=True)
    detail: Any = SealedJSONField(default=dict)
    number = models.PositiveBigIntegerField(null=True, unique=True)
    division_code = models.CharField(max_length=12, null=True)
    digest = models.CharField(max_length=64, null=True)
    #: Without it an event of before 0.4.0, whose chain is over the detail itself.
    detail_digest = models.CharField(max_length=64, null=True)
    #: Empty once the detail was erased.
    salt = models.CharField(max_length=32, null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(number=None), name="audit_without_number"
            ),
        ]


class CalendarYear(models.Model):
    """A year's non-working days loaded by hand, over or beyond the published library."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    non_working = models.JSONField()
    source = models.CharField(max_length=200)
    loaded_at = models.DateTimeField()


@Kept
def _calendar_years() -> models.QuerySet[CalendarYear]:
    return CalendarYear.objects.all()


def working_calendar(around: date, *, back: int = 1) -> WorkingCalendar:
    """Return the calendar of the years before, of and after `around`, as far as it is known.

    `back` is how many years before: to count what has waited since then.
    """
    loaded = {row.year: row for row in _calendar_years()}
    years = {}
    for year in range(around.year - back, around.year + 2):
        if row := loaded.get(year):
            years[year] = frozenset(date.fromisoformat(day) for day in row.non_working)
        else:
            try:
                years[year] = published_year(year)
            except CalendarNotLoaded:
                continue
    return WorkingCalendar(years)


class Counter(models.Model):
    """A named number that only grows; taken under a row lock."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.PositiveBigIntegerField(default=0)

    @classmethod
    def take(cls, name: str, count: int = 1) -> int:
        """Reserve `count` numbers inside the caller's transaction and return the first."""
        cls.objects.get_or_create(name=name)
        row = cls.objects.select_for_update().get(name=name)
        first = row.value + 1
        row.value += count
        row.save(update_fields=["value"])
        return first


class SimulatedClock(models.Model):
    """The demo's one clock, shared by its processes: it stands until it is moved on."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
