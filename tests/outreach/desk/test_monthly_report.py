"""One computation behind four doors: page, paper, spreadsheet, API, and the command agree."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils.translation import override
from openpyxl import load_workbook

from outreach import clock
from outreach.actions import enquiries, evaluations, visits
from outreach.demo.tablet import Tablet
from outreach.desk.maps import meet
from outreach.desk.reports import dots, sheets
from outreach.domain.savings import load_tariff
from outreach.domain.vocabulary import Mode, NextStep, NotDone
from outreach.models import Evaluation, Journey, Tariff, User
from outreach.reports import savings_report
from outreach.reports.monthly import VillageTally, monthly
from tests import builders
from tests.builders import VISIT_ON
from tests.mobile_api.talking import enrolled

SignIn = Callable[[User], Client]
MONTH = "2018-06"


@pytest.fixture
def june(place: builders.County) -> builders.County:
    """A month with three homes, one of them elsewhere, and one visit that assessed nobody."""
    made = builders.evaluated(place, 3)
    Journey.objects.filter(evaluation=made[0]).update(
        village_code=place.other_village.code,
        village_name="石桥村",
        township_name="大林乡",
        is_bedridden=False,
        can_sit=True,
    )
    missed = builders.scheduled(place, on=VISIT_ON + timedelta(days=1))[0]
    at = datetime.combine(VISIT_ON + timedelta(days=1), time(16), builders.SHANGHAI)
    why = {"reason": NotDone.ABSENT, "next_step": NextStep.REVISIT}
    visits.record_not_done(missed, **why, by=place.assessor, at=at)
    asked, _ = enquiries.ask("何时？", division=place.village, at=at)
    enquiries.reply(asked, "明天。", by=place.administrator, at=at)
    return place


def book(answer: Any) -> dict[str, list[tuple[Any, ...]]]:
    read = load_workbook(BytesIO(b"".join(answer.streaming_content)))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in read.worksheets}


def fen(yuan: float) -> int:
    return int((Decimal(str(yuan)) * 100).to_integral_value())


def words_of(answer: Any, folder: Path) -> str:
    file = folder / "month.pdf"
    file.write_bytes(b"".join(answer.streaming_content))
    told = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, text=True
    )
    return told.stdout


def told_by_the_interface(tablet: Tablet) -> dict[str, Any]:
    """Return the API's tally of June."""
    said: dict[str, Any] = tablet.client.get(
        f"/api/v1/savings?month={MONTH}", headers={"Authorization": f"Bearer {tablet.state.token}"}
    ).json()
    return said


def told_by_the_command() -> str:
    """Return what the command prints about June, with every line of every home."""
    out = StringIO()
    call_command("savings", "--from", "2018-06-01", "--to", "2018-06-30", "--json", stdout=out)
    return out.getvalue()


def test_the_total_is_the_sum_of_the_lines_and_the_same_at_every_door(
    june: builders.County, sign_in: SignIn, tmp_path: Path
) -> None:
    browser = sign_in(june.administrator)
    total = savings_report(date(2018, 6, 1), date(2018, 6, 30)).saved_fen
    assert total > 0
    sheets = book(browser.get(f"/reports/month.xlsx?month={MONTH}"))
    homes = sheets["逐户明细"][1:]
    assert sum(fen(row[-2]) for row in homes) == total
    assert sum(fen(cell) for row in homes for cell in row[4:11]) == total
    for title in ("按乡镇", "按村", "按残疾类别"):
        *rows, whole = sheets[title][1:]
        assert sum(fen(row[-1]) for row in rows) == fen(whole[-1]) == total
    *months, year = sheets["按月"][1:]
    assert [(row[0], fen(row[-1])) for row in months] == [(MONTH, total)]
    assert (year[0], fen(year[-1])) == ("2018", total)
    said = told_by_the_interface(enrolled(june, tmp_path))
    assert (said["saved_fen"], sum(said["lines"].values())) == (total, total)
    assert json.loads(told_by_the_command())["saved_fen"] == total
    shown = f"{total / 100:,.2f}"
    assert shown in words_of(browser.get(f"/reports/month.pdf?month={MONTH}"), tmp_path)
    assert shown in browser.get(f"/reports/?month={MONTH}").content.decode()


def test_the_year_is_the_sum_of_its_months_up_to_the_one_reported(
    june: builders.County,
) -> None:
    may = Journey.objects.order_by("pk")[0]
    Journey.objects.filter(pk=may.pk).update(on=date(2018, 5, 31))
    found = monthly(VISIT_ON, within=june.county)
    assert [(one.label, one.assessments) for one in found.months] == [("2018-05", 1), (MONTH, 2)]
    whole = savings_report(date(2018, 1, 1), date(2018, 6, 30)).saved_fen
    assert sum(one.saved_fen for one in found.months) == whole
    assert found.months[-1].saved_fen == found.savings.saved_fen
    early = monthly(date(2018, 5, 1), within=june.county)
    assert [one.label for one in early.months] == ["2018-05"]


def test_a_newer_tariff_loaded_a_year_later_changes_nothing(
    june: builders.County,
    sign_in: SignIn,
    move_on: Callable[[datetime], None],
    tmp_path: Path,
) -> None:
    browser = sign_in(june.administrator)
    address = f"/reports/month.xlsx?month={MONTH}"
    tablet = enrolled(june, tmp_path)

    def told() -> tuple[Any, ...]:
        found = monthly(VISIT_ON, within=june.county)
        lines = [entry.saving.lines for entry in found.savings.entries]
        page = browser.get(f"/reports/?month={MONTH}").content.decode()
        shown = f"{found.savings.saved_fen / 100:,.2f}" in page
        return (
            shown,
            book(browser.get(address)),
            lines,
            told_by_the_interface(tablet),
            told_by_the_command(),
        )

    before = told()
    assert before[0]
    old = Tariff.objects.get()
    body = old.body.replace("511302-2018", "511302-2019").replace("2018-01-01", "2019-01-01")
    body = body.replace("value = 15", "value = 99").replace("value = 1500", "value = 9900")
    assert load_tariff(body)["meal_fen"] != load_tariff(old.body)["meal_fen"]
    Tariff.objects.create(
        code="511302-2019", place=old.place, valid_from=date(2019, 1, 1), body=body, sha256="x"
    )
    move_on(datetime(2019, 7, 1, 9, tzinfo=builders.SHANGHAI))
    browser = sign_in(june.administrator)
    assert told() == before


def test_the_month_counts_visits_replies_and_whom_it_reached(june: builders.County) -> None:
    found = monthly(VISIT_ON, within=june.county)
    assert (found.visits_done, found.visits_not_done) == (3, [("absent", 1)])
    assert (found.replies.asked, found.replies.kept) == (1, 1)
    assert (found.coverage.bedridden, found.coverage.bedridden_assessed) == (4, 3)
    assert (found.trips_spared, found.trips_made, found.trips_per_matter) == (6, 0, "0.00")
    assert [one.promise.step for one in found.steps if one.taken] == ["visit"]


def test_a_village_sees_its_own_and_another_month_nothing(june: builders.County) -> None:
    own = monthly(VISIT_ON, within=june.village)
    other = monthly(VISIT_ON, within=june.other_village)
    assert (len(own.savings.entries), len(other.savings.entries)) == (2, 1)
    assert monthly(date(2018, 7, 1), within=june.county).savings.entries == ()


def test_an_empty_register_has_a_page_that_says_so(place: builders.County, sign_in: SignIn) -> None:
    browser = sign_in(place.administrator)
    assert "这段时间没有上门评定" in browser.get("/reports/").content.decode()
    assert browser.get("/reports/month.pdf").status_code == 200
    assert browser.get("/reports/?month=nonsense").status_code == 200


def test_a_month_in_which_no_home_was_assessed_can_be_chosen_too(
    june: builders.County, sign_in: SignIn
) -> None:
    browser = sign_in(june.administrator)
    clock.advance_to(datetime(2018, 8, 20, 9, tzinfo=builders.SHANGHAI))
    chosen = re.findall(r'<option value="([0-9-]+)"( selected)?>', read(browser, "/reports/"))
    assert chosen == [("2018-08", ""), ("2018-07", ""), (MONTH, " selected"), ("2018-05", "")]
    before = re.findall(r'value="([0-9-]+)" selected', read(browser, "/reports/?month=2017-01"))
    assert before == ["2017-01"]


def read(browser: Client, address: str) -> str:
    return browser.get(address).content.decode()


def test_no_heading_of_the_paper_stands_at_the_foot_of_a_page(
    june: builders.County, sign_in: SignIn, tmp_path: Path
) -> None:
    browser, headings = sign_in(june.administrator), set(book_of(june))
    for month in (MONTH, "2017-01"):
        paper = words_of(browser.get(f"/reports/month.pdf?month={month}"), tmp_path)
        for page in paper.split("\f")[:-1]:
            *_rest, last, _foot = [line.strip() for line in page.splitlines() if line.strip()]
            assert last not in headings


def book_of(place: builders.County) -> list[str]:
    """Return the titles of a month's tables, in the language of the screens."""
    with override("zh-hans"):
        return [title for title, _heads, _rows in sheets(monthly(VISIT_ON, within=place.county))]


def test_one_village_and_villages_without_a_place_draw_no_broken_map() -> None:
    lone = VillageTally("1", "甲村", 31.0, 106.0, 3, 100)
    nowhere = VillageTally("2", "乙村", None, None, 1, 100)
    assert [(dot.x, dot.y) for dot in dots([lone, nowhere])] == [(320.0, 210.0)]
    assert dots([nowhere]) == []


def test_north_is_up_and_a_dots_area_says_how_many() -> None:
    south = VillageTally("1", "甲村", 30.0, 106.0, 4, 100)
    north = VillageTally("2", "乙村", 31.0, 106.0, 1, 100)
    below, above = dots([south, north])
    assert above.y < below.y
    assert below.radius == 2 * above.radius


def test_no_name_on_the_map_is_written_over_another_and_the_largest_village_has_its_own() -> None:
    crowd = [
        VillageTally(
            str(number), f"大林镇第{number}村", 31 + number % 7 / 90, 106 + number / 99, number, 1
        )
        for number in range(1, 120)
    ]
    named = [dot for dot in dots(crowd) if dot.is_named]
    pairs = [(one, other) for one in named for other in named if one is not other]
    assert not any(meet(one.label, other.label) for one, other in pairs)
    assert 3 < len(named) < len(crowd)
    assert named[-1].name == "大林镇第119村"


@pytest.mark.parametrize("month", ["", "2018", "2018-13", "x"])
def test_the_interface_names_a_malformed_month(
    june: builders.County, tmp_path: Path, month: str
) -> None:
    tablet = enrolled(june, tmp_path)
    answer = tablet.client.get(
        f"/api/v1/savings?month={month}", headers={"Authorization": f"Bearer {tablet.state.token}"}
    )
    assert (answer.status_code, answer.json()["fields"]) == (422, ["month"])


def test_a_corrected_evaluation_is_one_home_and_one_matter(june: builders.County) -> None:
    first = Evaluation.objects.order_by("pk")[0]
    again = builders.submission(june, first.visit, evaluated_at=first.evaluated_at)
    evaluations.submit(
        [again], by=june.assessor, at=first.received_at, admitted_by=june.administrator
    )
    found = monthly(VISIT_ON, within=june.county)
    assert (len(found.savings.entries), found.matters) == (3, 3)


def test_who_moved_in_with_another_countys_file_is_nobody_whom_the_outreach_reached(
    june: builders.County,
) -> None:
    moved_in = Evaluation.objects.order_by("pk")[0]
    Evaluation.objects.filter(pk=moved_in.pk).update(mode=Mode.FILE)
    found = monthly(VISIT_ON, within=june.county).coverage
    assert (found.bedridden, found.bedridden_assessed) == (3, 2)
