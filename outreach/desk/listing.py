"""Lists of fifty with a search, and how long each row has waited in working days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from outreach.domain.workdays import CalendarNotLoaded, WorkingCalendar
from outreach.models import working_calendar

PER_PAGE = 50


@dataclass(frozen=True)
class Age:
    """Working days that something has waited; none while a year's calendar is not loaded."""

    days: int | None
    missing_year: int | None = None
    allowed: int | None = None

    @property
    def is_late(self) -> bool:
        """Tell whether the legal working days are over."""
        return self.allowed is not None and self.days is not None and self.days > self.allowed


@dataclass(frozen=True)
class Calendar:
    """Counts the working days up to today."""

    today: date
    calendar: WorkingCalendar

    @classmethod
    def of(cls, today: date) -> Calendar:
        """Load the calendar around today: one query."""
        return cls(today, working_calendar(today))

    def age(self, since: datetime | date | None, allowed: int | None = None) -> Age:
        """Return the working days since then."""
        if since is None:
            return Age(None)
        day = timezone.localdate(since) if isinstance(since, datetime) else since
        if day > self.today:
            return Age(None)
        try:
            return Age(self.calendar.between(day, self.today), allowed=allowed)
        except CalendarNotLoaded as error:
            return Age(None, error.year, allowed)


@dataclass(frozen=True)
class Row:
    """One record on a list, with its age and what else the list shows of it."""

    item: Any
    age: Age
    more: dict[str, Any] = field(default_factory=dict)


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
        """How many there are on all pages."""
        return self.page.paginator.count

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
    search_in: tuple[str, ...] = ("resident__name", "number"),
    since: Callable[[Any], datetime | date | None] = lambda row: row.state_since,
    days: int | None = None,
    more: More | None = None,
) -> Listing:
    """Return the page that the request asks for, in a constant number of queries.

    `more` is called once with the page's rows and returns what to add to each of them.
    """
    search = request.GET.get("q", "").strip()
    if search:
        rows = rows.filter(_matching(search, search_in))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    items = list(page.object_list)
    add = more(items) if more else lambda _item: {}
    kept = {name: value for name, value in request.GET.items() if value and name != "page"}
    return Listing(
        [Row(item, calendar.age(since(item), days), add(item)) for item in items],
        page,
        search,
        {name: str(value) for name, value in kept.items()},
    )


def _matching(search: str, fields: tuple[str, ...]) -> Q:
    wanted = Q()
    for name in fields:
        wanted |= Q(**{f"{name}__icontains": search})
    return wanted
