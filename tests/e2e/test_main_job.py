"""The main job, by clicking: a man of 88 is nominated, assessed at his bedside, and certified."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from outreach.demo.county import demo_county
from tests.e2e.album import Album
from tests.e2e.desk import Desk, check_paper
from tests.e2e.tablet import Look, Tablet

pytestmark = pytest.mark.browser
COUNTY = demo_county()
MAN = COUNTY.residents[0]
NAMES = {user.username: user.full_name for user in COUNTY.users}


@pytest.mark.timeout(600)
def test_a_man_who_cannot_travel_gets_his_certificate_and_nobody_leaves_the_screens(
    desk: Callable[..., Desk],
    tablet: Callable[[Look], Tablet],
    window: Callable[..., Page],
    album: Album,
    broken: list[str],
    tmp_path: Path,
) -> None:
    office = desk("administrator-1")
    nominate(desk(COUNTY.liaison_of(MAN).username, width=390, height=844))
    code = accept_and_assign(office)

    def look(page: Page, name: str) -> None:
        album.take(page, f"tablet-{name}", whole=False)

    hill = tablet(look)
    hill.enrol(code, "北线一组平板")
    hill.schedule(MAN.name, "2018-06-01", "09:00")
    hill.sync()
    see_the_visit(office)
    office.move_the_clock("2018-06-01T08:30")
    hill.sync()

    assess_without_a_line(hill)
    send(hill)

    agree(desk("assessor-c1"))
    office.take("张贴公示", MAN.name, "公示所选", "已张贴 1 份公示。", "desk-post-notice")
    approver = desk("approver-1")
    office.move_the_clock("2018-06-07T09:00")
    is_refused_on_day_four(approver)

    office.move_the_clock("2018-06-11T09:00")
    office.take("撤下公示", MAN.name, "撤下所选", "已撤下 1 份公示。", "desk-end-notice")
    review(office)
    approver.take("批准并签章", MAN.name, "批准并签章所选", "已签章发证 1 本。", "desk-sign")

    paper = tmp_path / "certificate.pdf"
    approver.save_paper(paper)
    check(window(390, 844), album, paper)
    see_the_certificate(hill)
    see_what_he_saved(desk("auditor-1"))
    assert broken == []


def nominate(liaison: Desk) -> None:
    """The liaison, on a phone, fills in the form and reads that nothing is missing."""
    liaison.album.take(liaison.page, "desk-home-liaison")
    liaison.go("提名")
    liaison.fill_in(MAN, village="任家祠村")
    expect(liaison.page.get_by_text("已全部齐备，可以马上受理。")).to_be_visible()
    liaison.album.take(liaison.page, "desk-nominate")
    liaison.press("登记")
    liaison.reads(f"{MAN.name}已登记")
    liaison.album.take(liaison.page, "desk-nominated")


def accept_and_assign(office: Desk) -> str:
    """The office accepts the application, gives it to a doctor, and makes the tablet's code."""
    office.go("首页")
    office.album.take(office.page, "desk-home-office")
    office.in_english("desk-home-office")
    office.take("受理申请", MAN.name, "受理所选", "已受理 1 件。", "desk-accept")
    office.open_step("分派医生")
    doctor = office.option("评残医生", NAMES["assessor-a1"])
    office.page.get_by_label("评残医生").select_option(label=doctor)
    office.tick(MAN.name)
    office.album.take(office.page, "desk-assign")
    office.press("分派所选")
    office.reads("已将 1 件交给")
    return office.make_code(NAMES["assessor-a1"])


def see_the_visit(office: Desk) -> None:
    """The office sees the visit that the tablet scheduled."""
    office.open_case(MAN.name)
    visits = office.page.get_by_role("region", name="上门记录")
    expect(visits).to_contain_text("2018-06-01 09:00")
    office.album.take(office.page, "desk-case-scheduled")


def assess_without_a_line(hill: Tablet) -> None:
    """In the hills nothing answers; the tablet starts, opens the visit and keeps what is said."""
    page = hill.page
    page.context.set_offline(True)
    answer = page.reload()
    assert answer is not None
    assert answer.from_service_worker
    hill.unlocks()
    hill.open_visit(MAN.name)
    hill.evaluate(MAN.name, NAMES["assessor-a1"], NAMES["assessor-b1"])
    hill.expects_heading(MAN.name)
    expect(page.get_by_text("仅在本机")).to_be_visible()
    hill.look(page, "only-here")
    hill.go("发件箱")
    expect(page.get_by_role("listitem").filter(has_text=MAN.name).first).to_contain_text("仅在本机")
    hill.look(page, "outbox-offline")


def send(hill: Tablet) -> None:
    """Back on the road the line returns, and everything goes by itself."""
    page = hill.page
    page.context.set_offline(False)
    expect(hill.line()).to_have_text("全部已送达")
    sent = page.get_by_role("listitem").filter(has_text="7/7 已送达")
    expect(sent).to_contain_text("全部已送达")
    hill.look(page, "outbox-sent")
    hill.go("今天")
    expect(hill.card(MAN.name)).to_contain_text("全部已送达")
    hill.look(page, "today-done")


def agree(colleague: Desk) -> None:
    """A doctor of another team looks at everything and comes to the same grade."""
    colleague.open_step("复核评级")
    colleague.album.take(colleague.page, "desk-opinions")
    colleague.follow(MAN.name)
    colleague.sees_every_picture(7)
    colleague.album.take(colleague.page, "desk-evaluation")
    colleague.in_english("desk-evaluation")
    colleague.press("同意")
    colleague.reads("您已同意 1 份评级。")


def is_refused_on_day_four(approver: Desk) -> None:
    """On the fourth working day of the notice the approver is told why it is too early."""
    approver.open_case(MAN.name)
    approver.album.take(approver.page, "desk-case-on-notice")
    approver.press("批准并签章")
    refusal = approver.page.get_by_role("alert")
    expect(refusal).to_contain_text("公示到 2018-06-08 当日结束，请在次日以后办理。")
    approver.album.take(approver.page, "desk-refused-on-day-four")


def review(office: Desk) -> None:
    """The office looks at the evaluation once more and passes it on."""
    office.open_step("审核评定")
    office.album.take(office.page, "desk-review")
    office.page.get_by_role("link", name="肢体 · 一级").click()
    office.sees_every_picture(7)
    office.press("审核通过")
    office.reads("已审核 1 件。")


def check(stranger: Page, album: Album, paper: Path) -> None:
    """Anybody has the paper checked: it is ours; with one byte changed it is not."""
    check_paper(stranger, paper)
    answer = stranger.get_by_role("status")
    expect(answer).to_contain_text("此证由本机关签发，未被改动，有效。")
    album.take(stranger, "check-ours")
    body = bytearray(paper.read_bytes())
    body[len(body) // 3] ^= 1
    altered = paper.with_name("altered.pdf")
    altered.write_bytes(body)
    check_paper(stranger, altered)
    expect(answer).to_contain_text("此文件在本机关签名后被改动过，请勿采信。")
    album.take(stranger, "check-altered")


def see_the_certificate(hill: Tablet) -> None:
    """The tablet learns of the certificate, fetches it and shows that it is the very file."""
    hill.sync()
    hill.read_certificate(MAN.name)


def see_what_he_saved(auditor: Desk) -> None:
    """The savings page shows the one home, and opens to its lines and formulas."""
    auditor.go("节约账")
    row = auditor.page.get_by_role("row").filter(has_text="灯台乡")
    expect(row).to_contain_text("90.00")
    auditor.album.take(auditor.page, "desk-savings")
    auditor.in_english("desk-savings")
    row.get_by_role("link").click()
    auditor.album.take(auditor.page, "desk-saving-lines")
