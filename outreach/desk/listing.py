"""Lists of fifty with a search, and how long each row has waited in working days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest
from django.utils import timezone

from outreach.domain.identity import as_filed
from outreach.domain.workdays import CalendarNotLoaded, WorkingCalendar
from outreach.models import working_calendar

PER_PAGE = 50
#: Rows that a list counts and pages through; nobody reads on from there, the search finds them.
MOST = 10_000
#: By what a case is found.
OF_A_CASE = ("resident__name", "number", "village__name", "village__parent__name")
#: Years for which a wait is counted: what waits longest must not be what seems not to.
LONGEST = 10


def of_a_case(prefix: str) -> tuple[str, ...]:
    """Return by what a record is found whose case stands behind `prefix`."""
    return tuple(prefix + name for name in OF_A_CASE)


class Urgency(StrEnum):
    """How a wait stands against the terms, the most urgent first."""

    LATE = "late"
    OVER = "over"
    DUE = "due"
    IN_TIME = "in_time"
    OPEN = "open"


@dataclass(frozen=True)
class Age:
    """Working days that something has waited; none while a year's calendar is not loaded.

    `promised` and `allowed` are the working days that we promise and that the law allows.
    """

    days: int | None
    missing_year: int | None = None
    allowed: int | None = None
    promised: int | None = None

    @property
    def is_late(self) -> bool:
        """Tell whether the legal working days are over."""
        return self.urgency == Urgency.LATE

    @property
    def urgency(self) -> Urgency:
        """Tell how the wait stands against the law's and our own term."""
        if self.days is None or self.allowed is self.promised is None:
            return Urgency.OPEN
        if self.allowed is not None and self.days > self.allowed:
            return Urgency.LATE
        term = self.allowed if self.promised is None else self.promised
        assert term is not None
        if self.days > term:
            return Urgency.OVER
        return Urgency.DUE if self.days == term else Urgency.IN_TIME

    @property
    def beyond(self) -> int:
        """Working days past the term that is over; before that, those that are left."""
        if self.days is None:
            return 0
        of = self.allowed if self.is_late or self.promised is None else self.promised
        return abs(self.days - (of or 0))


@dataclass(frozen=True)
class Calendar:
    """Counts the working days up to today."""

    today: date
    calendar: WorkingCalendar

    @classmethod
    def of(cls, today: date) -> Calendar:
        """Load the calendar around today: one query."""
        return cls(today, working_calendar(today, back=LONGEST))

    def age(
        self,
        since: datetime | date | None,
        allowed: int | None = None,
        promised: int | None = None,
    ) -> Age:
        """Return the working days since then."""
        if since is None:
            return Age(None, None, allowed, promised)
        day = timezone.localdate(since) if isinstance(since, datetime) else since
        if day > self.today:
            return Age(None, None, allowed, promised)
        try:
            days = self.calendar.between(day, self.today)
        except CalendarNotLoaded as error:
            return Age(None, error.year, allowed, promised)
        return Age(days, None, allowed, promised)

    def over_since(self, term: int | None) -> datetime | None:
        """Return the moment before which whatever waits since then is past a term of days."""
        if term is None:
            return None
        try:
            last = self.calendar.last_start_before(self.today, term)
        except CalendarNotLoaded:
            return None
        return timezone.make_aware(datetime.combine(last + timedelta(days=1), time.min))


@dataclass(frozen=True)
class Row:
    """One record on a list, with its age and what else the list shows of it."""

    item: Any
    age: Age
    more: dict[str, Any] = field(default_factory=dict)


class UpTo(Paginator):  # type: ignore[type-arg]  # not generic when it runs
    """Pages through the first `MOST` rows, and reads no further to count them."""

    @cached_property
    def found(self) -> int:
        """How many there are, or one more than the pages hold."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by()[: MOST + 1].count()

    @cached_property
    def count(self) -> int:
        """How many the pages hold."""
        return min(self.found, MOST)


@dataclass(frozen=True)
class Listing:
    """One page of a list."""

    rows: list[Row]
    page: Page[Any]
    search: str
    kept: dict[str, str]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def total(self) -> int:
        """How many there are on all pages; of very many the first ones."""
        return self.page.paginator.count

    @property
    def is_cut(self) -> bool:
        """Tell whether there are more than the pages show."""
        return isinstance(self.page.paginator, UpTo) and self.page.paginator.found > MOST

    @property
    def previous(self) -> str:
        """The query string of the page before."""
        return self._link(self.page.previous_page_number()) if self.page.has_previous() else ""

    @property
    def next(self) -> str:
        """The query string of the page after."""
        return self._link(self.page.next_page_number()) if self.page.has_next() else ""

    def _link(self, number: int) -> str:
        return urlencode({**self.kept, "page": number})


More = Callable[[list[Any]], Callable[[Any], dict[str, Any]]]


def list_rows(
    request: HttpRequest,
    rows: QuerySet[Any],
    calendar: Calendar,
    *,
    search_in: tuple[str, ...] = OF_A_CASE,
    since: Callable[[Any], datetime | date | None] = lambda row: row.state_since,
    days: int | None = None,
    promised: int | None = None,
    more: More | None = None,
) -> Listing:
    """Return the page that the request asks for, in a constant number of queries.

    `more` is called once with the page's rows and returns what to add to each of them.
    """
    search = request.GET.get("q", "").strip()
    if search:
        rows = rows.filter(_matching(search, search_in))
    page = UpTo(rows, PER_PAGE).get_page(request.GET.get("page"))
    items = list(page.object_list)
    add = more(items) if more else lambda _item: {}
    kept = {name: value for name, value in request.GET.items() if value and name != "page"}
    return Listing(
        [Row(item, calendar.age(since(item), days, promised), add(item)) for item in items],
        page,
        search,
        {name: str(value) for name, value in kept.items()},
    )


def first_without(name: str) -> OrderBy:
    """Sort what has no such moment before the others: SQLite does so, PostgreSQL the reverse."""
    return F(name).asc(nulls_first=True)


def _matching(search: str, fields: tuple[str, ...]) -> Q:
    wanted = Q()
    for name in fields:
        for said in {search, as_filed(search) or search}:
            wanted |= Q(**{f"{name}__icontains": said})
    return wanted
