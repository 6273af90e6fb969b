"""How promises were kept: working days per step, and questions answered in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from outreach.domain.promises import Promise, promises
from outreach.domain.workdays import CalendarNotLoaded, WorkingCalendar
from outreach.models import ApplicationEvent, Division, Enquiry, working_calendar


@dataclass(frozen=True)
class ReplyRate:
    """Questions asked, answered, and answered by the promised day; shares in per cent."""

    asked: int
    replied: int
    kept: int

    @property
    def replied_share(self) -> str:
        """Answered of all asked, to a tenth of a per cent; a dash when nobody asked."""
        return share(self.replied, self.asked)

    @property
    def kept_share(self) -> str:
        """Answered in time of all asked."""
        return share(self.kept, self.asked)


def share(part: int, whole: int) -> str:
    """Return a share in per cent with one decimal, never rounded up to a full hundred."""
    if not whole:
        return "—"
    tenths = part * 1000 // whole
    return f"{tenths // 10}.{tenths % 10}%"


def reply_rate(rows: QuerySet[Enquiry]) -> ReplyRate:
    """Count questions, in one query."""
    in_time = Q(promised_on=None) | Q(day__lte=F("promised_on"))
    found = rows.annotate(
        day=TruncDate("replied_at", tzinfo=timezone.get_current_timezone())
    ).aggregate(
        asked=Count("pk"),
        replied=Count("pk", filter=Q(replied_at__isnull=False)),
        kept=Count("pk", filter=Q(replied_at__isnull=False) & in_time),
    )
    return ReplyRate(**found)


@dataclass(frozen=True)
class Kept:
    """A step: how often it was taken, how long it took, and how often that kept the promise.

    `longest` and `average` are working days; `uncounted` steps lie in a year whose calendar is
    not loaded.
    """

    promise: Promise
    taken: int
    kept: int
    longest: int
    total_days: int
    uncounted: int

    @property
    def share(self) -> str:
        """Per cent of the steps taken within the promised days."""
        return share(self.kept, self.taken)

    @property
    def average(self) -> str:
        """Working days on average, one decimal."""
        return f"{self.total_days / self.taken:.1f}" if self.taken else "—"


def steps_kept(
    first: date | None = None, last: date | None = None, *, within: Division | None = None
) -> list[Kept]:
    """Measure each step that ended in the span, from the histories: one query.

    Only the cases with a step in the span are read, each with its whole history.
    """
    rows = ApplicationEvent.objects.order_by("application", "id")
    if within is not None:
        rows = rows.filter(application__village__code__startswith=within.code)
    if span := {
        name: day for name, day in {"at__date__gte": first, "at__date__lte": last}.items() if day
    }:
        rows = rows.filter(application__in=rows.filter(**span).order_by().values("application"))
    spans: dict[str, list[tuple[date, date]]] = {step: [] for step in promises()}
    following, began = None, dict[str, date]()
    for application, target, at in rows.values_list("application", "target", "at").iterator():
        if application != following:
            following, began = application, {}
        for step, since, on in _ended(began, target, timezone.localdate(at)):
            if (not first or on >= first) and (not last or on <= last):
                spans[step].append((since, on))
    calendars: dict[tuple[int, int], WorkingCalendar] = {}
    return [_kept(promise, spans[promise.step], calendars) for promise in promises().values()]


def _ended(began: dict[str, date], target: str, on: date) -> Iterator[tuple[str, date, date]]:
    """Yield the steps that a case has ended by coming to stand somewhere, and since when it waited.

    `began` keeps the steps that it waits for. A step that is more than one deed, approving and
    signing, is waited for from the first on.
    """
    for step, promise in promises().items():
        if target in promise.since:
            began.setdefault(step, on)
        elif (since := began.pop(step, None)) and target in promise.until:
            yield step, since, on


def _kept(
    promise: Promise,
    spans: list[tuple[date, date]],
    calendars: dict[tuple[int, int], WorkingCalendar],
) -> Kept:
    days, uncounted = [], 0
    for since, on in spans:
        years = since.year, on.year
        if years not in calendars:
            calendars[years] = working_calendar(on, back=on.year - since.year)
        try:
            days.append(calendars[years].between(since, on))
        except CalendarNotLoaded:
            uncounted += 1
    return Kept(
        promise,
        taken=len(days),
        kept=sum(day <= promise.promised for day in days),
        longest=max(days, default=0),
        total_days=sum(days),
        uncounted=uncounted,
    )
