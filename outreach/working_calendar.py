"""Where working calendars come from: the published years of `chinesecalendar`, and files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from chinese_calendar import constants

from outreach.domain.workdays import CalendarNotLoaded


@cache
def published_year(year: int) -> frozenset[date]:
    """Return the non-working days of a year as the State Council published it.

    Raises `CalendarNotLoaded` for a year that the library does not hold whole.
    """
    # New Year and National Day are in every year's decree: a year without them is not one.
    theirs = {(day.month, day.day) for day in constants.holidays if day.year == year}
    if not {(1, 1), (10, 1)} <= theirs:
        raise CalendarNotLoaded(year)
    return _non_working(year, constants.holidays.keys(), constants.workdays.keys())


def _non_working(
    year: int, holidays: Iterable[date], make_up_days: Iterable[date]
) -> frozenset[date]:
    weekends = {day for day in days_of(year) if day.weekday() >= 5}
    mine = {day for day in holidays if day.year == year}
    return frozenset((weekends | mine) - set(make_up_days))


def days_of(year: int) -> Iterator[date]:
    """Yield every day of a year."""
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


class MalformedCalendar(ValueError):
    """A calendar file does not say what a year's decree says."""


@dataclass(frozen=True)
class LoadedYear:
    """One year's decree as a file states it."""

    year: int
    non_working: frozenset[date]
    source: str


def read_year(text: str) -> LoadedYear:
    """Read a calendar file (TOML) of one year.

    It holds `year`, `source` (the decree), `holidays` (every day off the decree names, the
    weekend days in it may be left out) and `make_up_days` (weekend days that are worked).
    Raises `MalformedCalendar`, saying what to mend.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MalformedCalendar(f"The file is no TOML: {error}") from None
    year, source = table.get("year"), table.get("source")
    if not isinstance(year, int) or not 1949 < year < 2200:
        raise MalformedCalendar("`year` is missing, for example year = 2027.")
    if not isinstance(source, str) or not source.strip():
        raise MalformedCalendar("`source` is missing: the decree that publishes the year.")
    holidays = _days(table, "holidays", year)
    make_up = _days(table, "make_up_days", year)
    _check_decree(year, holidays, make_up)
    return LoadedYear(year, _non_working(year, holidays, make_up), source.strip())


def _days(table: dict[str, object], name: str, year: int) -> set[date]:
    days = table.get(name)
    if not isinstance(days, list) or not all(type(day) is date for day in days):
        raise MalformedCalendar(f"`{name}` is a list of dates, for example [{year}-01-01].")
    if strangers := [day for day in days if day.year != year]:
        raise MalformedCalendar(
            f"`{name}` holds {strangers[0]}: write it into a file of its own year."
        )
    return set(days)


def _check_decree(year: int, holidays: set[date], make_up: set[date]) -> None:
    if not {date(year, 1, 1), date(year, 10, 1)} <= holidays:
        raise MalformedCalendar("`holidays` lacks New Year or National Day: is the file whole?")
    if worked := sorted(day for day in make_up if day.weekday() < 5):
        raise MalformedCalendar(f"`make_up_days` holds a weekday: {worked[0]}.")
    if both := sorted(holidays & make_up):
        raise MalformedCalendar(f"A day is both a holiday and worked: {both[0]}.")
