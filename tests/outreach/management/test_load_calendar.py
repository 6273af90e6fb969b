"""manage.py load_calendar FILE: a year nobody published to the library enters by hand."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from outreach.domain.workdays import CalendarNotLoaded
from outreach.models import AuditEvent, CalendarYear, working_calendar

pytestmark = pytest.mark.django_db

DECREE = """
year = 2030
source = "an invented decree"
holidays = [2030-01-01, 2030-10-01, 2030-10-02]
make_up_days = [2030-02-09]
"""


def load(folder: Path, text: str) -> str:
    file, out = folder / "2030.toml", StringIO()
    file.write_text(text, encoding="utf-8")
    call_command("load_calendar", str(file), stdout=out)
    return out.getvalue()


def test_terms_wait_until_the_year_is_loaded(tmp_path: Path) -> None:
    start = date(2030, 9, 30)
    with pytest.raises(CalendarNotLoaded):
        working_calendar(start).add(start, 1)
    assert load(tmp_path, DECREE) == "Calendar for 2030 loaded: 106 days off.\n"
    assert working_calendar(start).add(start, 1) == date(2030, 10, 3)
    assert working_calendar(start).is_working_day(date(2030, 2, 9))


def test_loading_again_replaces_the_year_and_both_are_in_the_trail(tmp_path: Path) -> None:
    load(tmp_path, DECREE)
    load(tmp_path, DECREE.replace("2030-10-02", "2030-10-03"))
    assert CalendarYear.objects.count() == 1
    assert not working_calendar(date(2030, 5, 1)).is_working_day(date(2030, 10, 3))
    events = AuditEvent.objects.filter(action="calendar.load").order_by("id")
    assert [event.detail["replaced"] for event in events] == [False, True]


def test_a_loaded_year_wins_over_the_published_one(tmp_path: Path) -> None:
    text = DECREE.replace("2030-02-09", "2018-02-11").replace("2030", "2018")
    load(tmp_path, text)
    assert working_calendar(date(2018, 6, 1)).is_working_day(date(2018, 6, 18))


@pytest.mark.parametrize(
    "text", ["", "year = 2030", "{}", DECREE.replace("2030-01-01, ", ""), "\x00"]
)
def test_a_malformed_file_says_what_to_mend_and_stores_nothing(tmp_path: Path, text: str) -> None:
    with pytest.raises(CommandError) as caught:
        load(tmp_path, text)
    assert "The file is TOML" in str(caught.value)
    assert caught.value.returncode == 2
    assert CalendarYear.objects.count() == 0


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_calendar", str(tmp_path / "none.toml"))


def test_a_file_that_is_no_text_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "2030.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_calendar", str(file))
