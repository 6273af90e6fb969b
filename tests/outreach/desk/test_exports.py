"""Every list can be taken along, in scope, and no cell of it is a formula."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from outreach.actions import enquiries, publicity
from outreach.desk import workbooks
from outreach.desk.exporting import DANGEROUS, table_as_xlsx
from outreach.desk.views.exports import exports
from outreach.models import AuditEvent, Enquiry, User
from tests import builders
from tests.builders import START
from tests.outreach.desk.reading import read_csv, read_sheets, read_xlsx
from tests.outreach.desk.rights.county import a_case_at_every_step, people

SignIn = Callable[[User], Client]


@pytest.mark.parametrize("name", sorted(exports()))
@pytest.mark.parametrize("role", ["liaison", "assessor", "administrator", "approver", "auditor"])
def test_each_list_is_taken_along_by_those_who_see_it(
    place: builders.County, sign_in: SignIn, name: str, role: str
) -> None:
    answer = sign_in(getattr(place, role)).get(f"/export/{name}.xlsx")
    assert answer.status_code == (200 if role in exports()[name].roles else 403)


def test_cases_come_with_the_end_of_the_id_number_only(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    heads, line = read_csv(sign_in(place.administrator).get("/export/cases.csv"))
    assert heads[:3] == ["申请编号", "姓名", "乡镇（街道）"]
    assert line[:4] == [case.number, "赵青山", "灯台乡", "任家祠村"]
    assert line[4] == f"••••••{case.resident.id_number[-4:]}"


def test_a_neighbour_takes_nothing_of_ours_along(place: builders.County, sign_in: SignIn) -> None:
    builders.applied(place)
    assert len(read_csv(sign_in(place.other_liaison).get("/export/cases.csv"))) == 1
    assert len(read_csv(sign_in(place.liaison).get("/export/cases.csv"))) == 2


@pytest.mark.parametrize("start", DANGEROUS)
def test_no_cell_is_a_formula(place: builders.County, sign_in: SignIn, start: str) -> None:
    question = f"{start}HYPERLINK(1)"
    made, _ = enquiries.ask("x", division=place.village, at=START)
    held = Enquiry.objects.get(pk=made.pk)
    held.question = question
    held.save()
    browser = sign_in(place.administrator)
    said = read_csv(browser.get("/export/enquiries.csv"))[1][4]
    assert said.startswith("'")
    cell = read_xlsx(browser.get("/export/enquiries.xlsx"))["E2"]
    assert (cell.data_type, cell.value.strip()) == ("s", question.strip())


def test_no_formula_begins_within_a_cell(place: builders.County, sign_in: SignIn) -> None:
    """Whoever divides lines at each ; as some programs do, found one behind it."""
    enquiries.ask("何时？;=1+1", division=place.village, at=START)
    answer = sign_in(place.administrator).get("/export/enquiries.csv")
    assert ',"何时？;=1+1",' in b"".join(answer.streaming_content).decode()


def test_nothing_of_a_spreadsheet_lies_on_the_disk_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sheet lay in clear in the folder for temporary files, for good where a kill came."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lying: list[Path] = []

    def lines() -> Iterator[list[str]]:
        yield ["唐独一"]
        lying.extend(tmp_path.iterdir())

    assert read_xlsx(table_as_xlsx("cases", ["姓名"], lines()))["A2"].value == "唐独一"
    assert lying == []


def test_each_kind_of_cell_is_read_as_it_was(place: builders.County) -> None:
    moment = datetime(2018, 6, 5, 9, 30)  # noqa: DTZ001  # as a spreadsheet has it
    said = [" 张<三>\t&\r\n“四” ", 7, 0.5, date(2018, 6, 5), moment, True, "", None]
    sheet = read_xlsx(table_as_xlsx("每 一 种", list("ABCDEFGH"), [said]))
    day = datetime(2018, 6, 5)  # noqa: DTZ001
    assert [cell.value for cell in sheet[2]] == [*said[:3], day, moment, True, None, None]
    shown = [cell.number_format for cell in sheet[2]][1:5]
    assert shown == ["General", "#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd h:mm:ss"]
    assert (sheet.title, sheet.freeze_panes) == ("每 一 种", "A2")


def test_what_no_spreadsheet_may_hold_is_left_out(place: builders.County, sign_in: SignIn) -> None:
    """A citizen's question is whatever a browser sends."""
    enquiries.ask("何\uffff时\ufffe？\x0b", division=place.village, at=START)
    browser = sign_in(place.administrator)
    assert read_xlsx(browser.get("/export/enquiries.xlsx"))["E2"].value == "何时？"


def test_what_one_sheet_cannot_hold_stands_on_the_next(
    place: builders.County, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trail of some years has more rows than a sheet; no spreadsheet opened it."""
    builders.applied(place, 5)
    monkeypatch.setattr(workbooks, "MOST_ROWS", 2)
    sheets = read_sheets(sign_in(place.administrator).get("/export/cases.xlsx"))
    assert [sheet.max_row for sheet in sheets] == [3, 3, 2]
    assert {sheet["A1"].value for sheet in sheets} == {"申请编号"}


def test_the_trail_notes_who_took_what_along(place: builders.County, sign_in: SignIn) -> None:
    sign_in(place.administrator).get("/export/cases.csv")
    deed = AuditEvent.objects.get(action="export.csv")
    assert (deed.by, deed.detail) == (place.administrator, {"list": "cases"})


def test_every_list_is_taken_along_with_its_rows(
    place: builders.County, authority: None, sign_in: SignIn
) -> None:
    people(place)
    a_case_at_every_step(place)
    browser, empty = sign_in(place.auditor), set()
    for name, export in exports().items():
        asking = browser if "auditor" in export.roles else sign_in(place.administrator)
        heads, *lines = read_csv(asking.get(f"/export/{name}.csv"))
        assert all(len(line) == len(heads) for line in lines), name
        # A spreadsheet reads 1/3, of a list in quotes too, as the third of January.
        assert not [cell for line in lines for cell in line if re.fullmatch(r"\d+/\d+", cell)], name
        empty |= set() if lines else {name}
    # Nobody appealed, was called, or asked for another paper in that county; opinions are a
    # doctor's to give, so the auditor has none waiting.
    others = {"appeals", "calls", "no_longer_met", "renewals", "sign_papers", "hand_over_papers"}
    assert empty <= {"opinions", *others}


def test_what_people_said_of_each_other_does_not_travel(
    place: builders.County, authority: None, sign_in: SignIn
) -> None:
    notice = builders.on_notice(place)[0].notices.get()
    at = builders.notice_over() - timedelta(days=4)
    publicity.object_to(notice, from_whom="邻居老李", text="他能走路", by=place.liaison, at=at)
    told = str(read_csv(sign_in(place.auditor).get("/export/objections.csv")))
    assert (notice.application.number in told, "老李" in told, "走路" in told) == (
        True,
        False,
        False,
    )


def test_a_list_that_is_none_is_not_found(place: builders.County, sign_in: SignIn) -> None:
    browser = sign_in(place.administrator)
    assert browser.get("/export/nothing.csv").status_code == 404
    assert browser.get("/export/cases.pdf").status_code == 404


def test_a_list_offers_itself_where_it_may_be_taken_along(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.applied(place)
    assert "/export/accept.xlsx" in sign_in(place.administrator).get("/accept/").content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_an_export_asks_as_much_for_three_rows_as_for_one(
    place: builders.County, sign_in: SignIn, count: int, django_assert_num_queries: Any
) -> None:
    builders.applied(place, count)
    browser = sign_in(place.administrator)
    with django_assert_num_queries(6):
        read_csv(browser.get("/export/cases.csv"))
