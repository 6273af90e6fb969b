from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.workdays import CalendarNotLoaded, WorkingCalendar
from outreach.working_calendar import published_year

YEARS: Mapping[int, frozenset[date]] = {year: published_year(year) for year in range(2017, 2027)}
CALENDAR = WorkingCalendar(YEARS)

days = st.dates(date(2017, 1, 1), date(2026, 6, 30))
terms = st.integers(1, 60)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2026, 2, 12), 5, date(2026, 2, 26)),  # over Spring Festival, 14 February is worked
        (date(2025, 9, 26), 5, date(2025, 10, 10)),  # over National Day, 28 September is worked
        (date(2018, 6, 4), 1, date(2018, 6, 5)),
        (date(2018, 6, 15), 1, date(2018, 6, 19)),  # over Dragon Boat Festival
        (date(2018, 6, 16), 1, date(2018, 6, 19)),  # from a day off: it is not counted either
        (date(2018, 6, 18), 1, date(2018, 6, 19)),
        (date(2018, 12, 28), 2, date(2019, 1, 2)),  # Saturday 29 December 2018 is worked
        (date(2018, 6, 4), 0, date(2018, 6, 4)),
        (date(2018, 6, 16), 0, date(2018, 6, 19)),  # a last day on a holiday moves on
    ],
)
def test_counts_a_term_of_working_days(start: date, count: int, end: date) -> None:
    assert CALENDAR.add(start, count) == end


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        (date(2018, 6, 4), date(2018, 6, 4), 0),
        (date(2018, 6, 4), date(2018, 6, 11), 5),
        (date(2018, 6, 15), date(2018, 6, 18), 0),
        (date(2018, 6, 11), date(2018, 6, 4), 0),
    ],
)
def test_counts_the_working_days_after_a_day(start: date, end: date, count: int) -> None:
    assert CALENDAR.between(start, end) == count


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2018, 6, 16), False),
        (date(2018, 6, 18), False),
        (date(2018, 6, 19), True),
        (date(2026, 2, 14), True),
        (date(2026, 2, 16), False),
    ],
)
def test_knows_holidays_and_make_up_days(day: date, works: bool) -> None:
    assert CALENDAR.is_working_day(day) == works


@given(days, terms)
def test_a_term_ends_on_a_working_day_and_counts_back_to_itself(start: date, count: int) -> None:
    end = CALENDAR.add(start, count)
    assert CALENDAR.is_working_day(end)
    assert CALENDAR.between(start, end) == count


@given(days, terms, terms)
def test_terms_add_up(start: date, one: int, other: int) -> None:
    assert CALENDAR.add(CALENDAR.add(start, one), other) == CALENDAR.add(start, one + other)


@given(days, st.integers(0, 60))
def test_a_later_start_never_ends_earlier(start: date, count: int) -> None:
    assert CALENDAR.add(start, count) <= CALENDAR.add(start + timedelta(days=1), count)


def test_never_guesses_a_year_that_was_not_loaded() -> None:
    with pytest.raises(CalendarNotLoaded) as caught:
        CALENDAR.add(date(2026, 12, 30), 5)
    assert (caught.value.year, str(caught.value)) == (2027, "calendar for 2027 not loaded")


def test_needs_no_calendar_for_the_day_that_is_not_counted() -> None:
    only_2018 = WorkingCalendar({2018: published_year(2018)})
    assert only_2018.add(date(2017, 12, 31), 1) == date(2018, 1, 2)


def test_refuses_a_negative_term() -> None:
    with pytest.raises(ValueError, match="no negative length"):
        CALENDAR.add(date(2018, 6, 4), -1)


def test_refuses_a_day_filed_under_another_year() -> None:
    with pytest.raises(ValueError, match="of another year"):
        WorkingCalendar({2018: frozenset({date(2019, 1, 1)})})


def test_refuses_a_moment_in_place_of_a_day() -> None:
    moment = datetime(2018, 6, 16, 9, 0)  # noqa: DTZ001
    with pytest.raises(TypeError):
        CALENDAR.is_working_day(moment)


@given(days, st.integers(0, 40))
def test_what_began_by_the_last_start_is_over_the_term_and_a_day_later_is_not(
    end: date, count: int
) -> None:
    if end < date(2017, 4, 1):
        return
    last = CALENDAR.last_start_before(end, count)
    assert CALENDAR.between(last, end) == count + 1
    assert CALENDAR.between(last + timedelta(days=1), end) == count
