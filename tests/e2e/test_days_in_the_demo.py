"""A day of the administrator, the approver, the liaison and the auditor, in the demo county.

The county is in the middle of its month: homes are being visited, notices hang, papers are out.
Everything is done by clicking; each page on the way goes through axe. It plays half a campaign
first, so it belongs to the long run. With `OUTREACH_SCREENSHOTS` the pages are kept as pictures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from playwright.sync_api import expect

from tests.e2e.desk import Desk
from tests.e2e.looking import Eye
from tests.e2e.serving import Service, serving_the_demo

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(1800)]
#: The third week's homes are visited that evening; the second week's notices still hang.
UNTIL = date(2018, 6, 15)
NOTICES_OVER = "2018-06-20T09:00"
SeatedAt = Callable[..., Desk]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve the demo county in the middle of its work."""
    with serving_the_demo(tmp_path_factory.mktemp("demo"), UNTIL) as running:
        yield running


@pytest.fixture(scope="module")
def eye() -> Eye:
    """What looked at all the pages of the day."""
    return Eye()


def see(desk: Desk, eye: Eye, name: str) -> None:
    """Look at a page, and keep it as a picture in both languages."""
    eye(desk.page, name)
    desk.album.take(desk.page, name)
    desk.in_english(name)


def tick_all(desk: Desk, button: str) -> int:
    """Tick everybody on the page, press, and return how many they were."""
    desk.page.get_by_role("link", name="勾选本页全部").click()
    said = desk.page.locator("[data-count]")
    expect(said).not_to_have_text("已勾选 0 件")
    count = int(re.findall(r"\d+", said.inner_text())[0])
    desk.press(button)
    return count


def test_the_administrators_day(desk: SeatedAt, eye: Eye, broken: list[str]) -> None:
    clerk = desk("administrator-1")
    see(clerk, eye, "administrator-home")
    clerk.move_the_clock(NOTICES_OVER)
    clerk.open_step("撤下公示")
    see(clerk, eye, "administrator-notices-over")
    ended = tick_all(clerk, "撤下所选")
    clerk.reads(f"{ended}")
    clerk.open_step("审核评定")
    see(clerk, eye, "administrator-review")
    clerk.page.get_by_role("cell").get_by_role("link").first.click()
    see(clerk, eye, "administrator-evaluation")
    clerk.open_step("审核评定")
    reviewed = tick_all(clerk, "审核通过所选")
    clerk.reads(f"{reviewed}")
    for place in ("行动", "节约账", "报表", "平板", "短信", "残疾人证"):
        clerk.go(place)
        see(clerk, eye, f"administrator-{place}")
    assert ended >= reviewed > 0
    assert broken == []


def test_the_approvers_day(desk: SeatedAt, eye: Eye, broken: list[str]) -> None:
    approver = desk("approver-1")
    see(approver, eye, "approver-home")
    approver.open_step("批准并签章")
    see(approver, eye, "approver-sign")
    signed = tick_all(approver, "批准并签章所选")
    approver.album.take(approver.page, "approver-signing")
    expect(
        approver.page.get_by_text(re.compile(f"{signed} */ *{signed}|已签章发证 {signed} 本")).first
    ).to_be_visible()
    see(approver, eye, "approver-signed")
    assert broken == []


def test_the_liaisons_day(desk: SeatedAt, eye: Eye, broken: list[str]) -> None:
    liaison = desk("liaison-201", width=360, height=780)
    see(liaison, eye, "liaison-home")
    liaison.open_step("发放证件")
    see(liaison, eye, "liaison-hand-over")
    handed = tick_all(liaison, "确认已发放")
    liaison.reads(f"{handed}")
    liaison.go("申请名册")
    see(liaison, eye, "liaison-cases")
    assert broken == []


def test_the_auditors_day(desk: SeatedAt, eye: Eye, broken: list[str]) -> None:
    auditor = desk("auditor-1")
    see(auditor, eye, "auditor-home")
    auditor.follow("查看操作留痕")
    see(auditor, eye, "auditor-trail")
    expect(auditor.page.get_by_role("table")).to_contain_text("登录")
    for deed in auditor.page.locator("tbody td:nth-child(3)").all_inner_texts():
        assert not re.search(r"[a-z_]+\.[a-z_]+", deed), deed
    auditor.open_step("审核评定")
    see(auditor, eye, "auditor-review")
    expect(auditor.page.get_by_role("button", name="审核通过所选")).to_have_count(0)
    for place in ("节约账", "报表"):
        auditor.go(place)
        see(auditor, eye, f"auditor-{place}")
    assert broken == []


def test_no_page_of_the_day_has_an_axe_violation(eye: Eye) -> None:
    assert eye.found == []
    assert len(eye.seen) >= 18
