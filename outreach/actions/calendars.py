"""A year's working calendar enters the register from the decree's file."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from outreach.actions.audit import record
from outreach.actions.campaigns import work_on
from outreach.models import CalendarYear, User, working_calendar
from outreach.working_calendar import LoadedYear


@transaction.atomic
def load_year(loaded: LoadedYear, *, by: User | None, at: datetime) -> CalendarYear:
    """Store a year's non-working days; a year loaded before is replaced and the trail says so.

    Terms that were named before keep their days: only later ones are counted anew. On days that
    are worked by now the teams of campaigns go out, too.
    """
    off = working_calendar(date(loaded.year, 1, 1)).years.get(loaded.year, frozenset())
    row, created = CalendarYear.objects.update_or_create(
        year=loaded.year,
        defaults={
            "non_working": sorted(day.isoformat() for day in loaded.non_working),
            "source": loaded.source,
            "loaded_at": at,
        },
    )
    detail = {"year": loaded.year, "source": loaded.source, "replaced": not created}
    record("calendar.load", [row], by=by, at=at, detail=detail)
    work_on(sorted(off - loaded.non_working))
    return row
