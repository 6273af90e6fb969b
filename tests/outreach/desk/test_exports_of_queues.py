"""What the queues of calls, papers and appeals show is what is taken along, cell by cell."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from certificates import actions, life
from certificates.models import Certificate
from outreach import clock
from outreach.actions import publicity
from outreach.models import Call, User
from tests import builders
from tests.builders import VISIT_ON
from tests.certificates.issuing import ISSUED_AT, issued
from tests.outreach.desk.reading import read_csv, read_xlsx
from tests.outreach.desk.test_returning import not_met
from tests.outreach.planning import ASKED, hills, published

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.fixture
def papers(place: builders.County, authority: None, tmp_path: Path, settings: LazySettings) -> Any:
    """Return two certificates that are about to expire."""
    settings.OUTREACH_FILES = tmp_path
    clock.advance_to(ISSUED_AT)
    made = issued(place, tmp_path, 2)
    Certificate.objects.update(valid_until="2019-06-13")
    return list(Certificate.objects.order_by("pk")) if made else []


def shown(browser: Client, address: str) -> list[str]:
    """Return the text of each row of a page's table."""
    page = browser.get(address).content.decode()
    body = page.partition("<tbody")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr.*?</tr>", body, re.S)
    return [" ".join(unescape(re.sub(r"<[^>]*>", " ", row)).split()) for row in rows]


def taken_along(browser: Client, name: str) -> list[dict[str, Any]]:
    """Return the rows of the XLSX by heading; the CSV says the same."""
    sheet = read_xlsx(browser.get(f"/export/{name}.xlsx"))
    heads, *lines = sheet.iter_rows(values_only=True)
    csv_heads, *csv_lines = read_csv(browser.get(f"/export/{name}.csv"))
    assert (csv_heads, len(csv_lines)) == (list(heads), len(lines))
    assert [[said(cell) for cell in line] for line in lines] == [
        [cell.removesuffix(" 00:00:00") for cell in line] for line in csv_lines
    ]
    return [dict(zip(heads, line, strict=True)) for line in lines]


def said(cell: Any) -> str:
    """Return a cell as a page says it: a spreadsheet keeps a day as its midnight."""
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return "" if cell is None else str(cell)


def on_page(row: dict[str, Any], *, but: tuple[str, ...] = ()) -> list[str]:
    """Return what a page must say of a row: each cell that is filled, moments by their day."""
    cells = {head: said(cell) for head, cell in row.items() if head not in but and said(cell)}
    return [cell[:10] if isinstance(row[head], datetime) else cell for head, cell in cells.items()]


def check(browser: Client, address: str, name: str, *, but: tuple[str, ...] = ()) -> list[Any]:
    """Hold each row of the file against the row of the page with the same case number."""
    page, rows = shown(browser, address), taken_along(browser, name)
    assert len(page) == len(rows) > 1
    for row in rows:
        (beside,) = [one for one in page if row["申请编号"] in one]
        assert [cell for cell in on_page(row, but=but) if cell not in beside] == []
    return rows


def test_families_to_call(place: builders.County, sign_in: SignIn) -> None:
    published(hills(place))
    clock.advance_to(ASKED)
    moved = Call.objects.order_by("pk")[:2]
    for call in moved:
        Call.objects.filter(pk=call.pk).update(
            kind="moved", was_on=call.on - timedelta(days=1), was_start=time(11, 11)
        )
    rows = check(sign_in(place.administrator), "/calls/", "calls", but=("原定日期",))
    assert [row["告知事项"] for row in rows].count("改期") == 2
    assert sum(row["原定时间"] == "11:11" for row in rows) == 2
    before = {row["原定日期"] and row["日期"] - row["原定日期"] for row in rows}
    assert before == {None, timedelta(days=1)}


def test_certificates_to_renew(
    place: builders.County, sign_in: SignIn, papers: list[Certificate]
) -> None:
    but = ("办证类型", "签发日期", "签发人", "状态")
    rows = check(sign_in(place.administrator), "/certificates/renew/", "renewals", but=but)
    assert {(said(row["有效期至"]), row["状态"]) for row in rows} == {("2019-06-13", "有效")}


def test_papers_that_were_asked_for(
    place: builders.County, sign_in: SignIn, papers: list[Certificate]
) -> None:
    life.ask_renewal(papers[:1], by=place.administrator, at=ISSUED_AT)
    life.declare_lost(papers[1:], by=place.liaison, at=ISSUED_AT)
    rows = check(sign_in(place.approver), "/certificates/sign/", "sign_papers", but=("提出时间",))
    assert {row["办证类型"] for row in rows} == {"换领（十年）", "挂失补办"}
    assert {row["提出人"] for row in rows} == {"administrator", "liaison"}


def test_papers_to_hand_over(
    place: builders.County, sign_in: SignIn, papers: list[Certificate]
) -> None:
    actions.hand_over(papers, by=place.liaison, at=ISSUED_AT)
    life.ask_renewal(papers, by=place.administrator, at=ISSUED_AT)
    actions.renew(papers, by=place.approver, at=ISSUED_AT)
    but = ("残疾类别", "等级", "签发人", "有效期至", "状态")
    rows = check(sign_in(place.liaison), "/certificates/hand-over/", "hand_over_papers", but=but)
    assert {(row["办证类型"], said(row["签发日期"])) for row in rows} == {
        ("换领（十年）", ISSUED_AT.date().isoformat())
    }


def test_appeals(place: builders.County, sign_in: SignIn) -> None:
    at = datetime.combine(VISIT_ON, time(18), builders.SHANGHAI)
    clock.advance_to(at)
    for case in not_met(place, 2):
        publicity.appeal(case, text="请再看一次", by=place.liaison, at=at)
    but = ("身份证号", "残疾类别", "办到哪一步", "评残医生")
    rows = check(sign_in(place.administrator), "/appeals/", "appeals", but=but)
    assert {said(row["自"])[:10] for row in rows} == {VISIT_ON.isoformat()}
