"""Working-day arithmetic on published calendars; an unpublished year is an error, never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_DAY = timedelta(days=1)


class CalendarNotLoaded(LookupError):
    """The State Council's calendar of that year was not loaded, so no deadline can be named."""

    def __init__(self, year: int) -> None:
        super().__init__(f"calendar for {year} not loaded")
        self.year = year


@dataclass(frozen=True)
class WorkingCalendar:
    """The non-working days of each published year: weekends and holidays minus make-up days."""

    years: Mapping[int, frozenset[date]]

    def __post_init__(self) -> None:
        for year, days in self.years.items():
            if any(day.year != year for day in days):
                raise ValueError(f"The calendar of {year} holds a day of another year.")

    def is_working_day(self, day: date) -> bool:
        """Tell whether offices work on that day. Raises `CalendarNotLoaded`."""
        if isinstance(day, datetime):  # a datetime is a date to Python but equal to none
            raise TypeError("A working calendar wants days, not moments.")
        if day.year not in self.years:
            raise CalendarNotLoaded(day.year)
        return day not in self.years[day.year]

    def first_from(self, day: date) -> date:
        """Return the day itself, or the next working day when it is none (顺延)."""
        while not self.is_working_day(day):
            day += _DAY
        return day

    def add(self, day: date, count: int) -> date:
        """Return the last day of a term of `count` working days that starts on `day`.

        The first day is not counted (民法典 art. 201), whether or not it is a working day.
        A last day on a holiday moves on (art. 203): counting working days ends on one by
        itself, so moving on shows only in a term of 0 days. Raises `CalendarNotLoaded` as soon
        as the count enters an unloaded year; the first day's own year is not needed.
        """
        if count < 0:
            raise ValueError("A term has no negative length.")
        if count == 0:
            return self.first_from(day)
        for _ in range(count):
            day = self.first_from(day + _DAY)
        return day

    def between(self, start: date, end: date) -> int:
        """Count the working days after `start` up to and including `end`; 0 if there are none."""
        days = (start + _DAY * n for n in range(1, (end - start).days + 1))
        return sum(map(self.is_working_day, days))

    def last_start_before(self, end: date, count: int) -> date:
        """Return the last day from which more than `count` working days have passed by `end`.

        What waits since then or longer is over a term of `count`. Raises `CalendarNotLoaded`.
        """
        day, passed = end, 0
        while passed <= count:
            passed += self.is_working_day(day)
            day -= _DAY
        return day


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later (or earlier), or the last one of its month."""
    month = day.year * 12 + day.month - 1 + months
    first = date(month // 12, month % 12 + 1, 1)
    following = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    return first.replace(day=min(day.day, (following - first).days))
