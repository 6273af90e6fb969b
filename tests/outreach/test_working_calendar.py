from datetime import date

import pytest

from outreach.domain.workdays import CalendarNotLoaded
from outreach.working_calendar import LoadedYear, MalformedCalendar, published_year, read_year

DECREE = """
year = 2030
source = "an invented decree"
holidays = [2030-01-01, 2030-02-04, 2030-10-01, 2030-10-02]
make_up_days = [2030-02-09]
"""


@pytest.mark.parametrize("year", [0, 1, 1999, 2003, 2027, 2100, 9999, 10_000])
def test_a_year_that_was_not_published_is_not_guessed(year: int) -> None:
    with pytest.raises(CalendarNotLoaded) as caught:
        published_year(year)
    assert caught.value.year == year


def test_a_published_year_is_weekends_and_holidays_without_make_up_days() -> None:
    june = sorted(day for day in published_year(2018) if day.month == 6)
    assert june == [date(2018, 6, n) for n in (2, 3, 9, 10, 16, 17, 18, 23, 24, 30)]


def test_reads_a_year_from_a_file() -> None:
    loaded = read_year(DECREE)
    assert (loaded.year, loaded.source) == (2030, "an invented decree")
    february = sorted(day.day for day in loaded.non_working if day.month == 2)
    assert february == [2, 3, 4, 10, 16, 17, 23, 24]


def test_a_loaded_year_is_whole() -> None:
    holidays = {date(2030, 1, 1), date(2030, 2, 4), date(2030, 10, 1), date(2030, 10, 2)}
    off = read_year(DECREE).non_working
    weekdays_off = {day for day in off if day.weekday() < 5}
    assert (weekdays_off, len(off)) == (holidays, 104 + 4 - 1)
    assert isinstance(read_year(DECREE), LoadedYear)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("year = 2030", "", "`year` is missing"),
        ('source = "an invented decree"', "", "`source` is missing"),
        ("2030-01-01, ", "", "lacks New Year"),
        ("[2030-02-09]", "[2030-02-08]", "holds a weekday: 2030-02-08"),
        ("[2030-02-09]", "[2031-02-09]", "holds 2031-02-09: write it into a file"),
        ("[2030-02-09]", '["2030-02-09"]', "is a list of dates"),
        ("2030-10-02]", "2030-02-09, 2030-10-02]", "both a holiday and worked: 2030-02-09"),
        ("year = 2030", "year = ", "no TOML"),
    ],
)
def test_says_what_a_malformed_file_lacks(old: str, new: str, message: str) -> None:
    with pytest.raises(MalformedCalendar, match=message):
        read_year(DECREE.replace(old, new))
