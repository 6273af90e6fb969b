"""No axe violation on any screen of the tablet, nor on desk pages that only an action shows.

The desk's other pages are looked at in `test_every_page`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from outreach.domain.vocabulary import EvidenceKind
from tests.e2e.desk import Desk, check_paper
from tests.e2e.handset import HOME, Finger
from tests.e2e.looking import Eye, TabletEye
from tests.e2e.office import Office
from tests.e2e.preparing import CERTIFIED, DUE, WAITING
from tests.e2e.serving import Service, serving
from tests.e2e.tablet import CAMERA_REST_MS, PIN, Look, Tablet

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
#: Every screen of the tablet, by the names that the story below gives them.
SCREENS = {
    *(
        "enrol",
        "enrol-wrong",
        "scan",
        "locked",
        "locked-wrong",
        "today",
        "visit",
        "not-done",
        "contact",
        "move",
    ),
    *("calendar", "calendar-day", "schedule", "schedule-clash"),
    *("arrive", "findings", "camera-portrait", "camera-whole_body", "camera-affected_part"),
    *("camera-environment", "photos", "result", "signature", "signed", "review", "visit-done"),
    *(
        "certificate",
        "hand-over",
        "outbox",
        "receipt-doubt",
        "more",
        "more-english",
        "pin",
        "ready",
    ),
    *("nominate", "nominate-wrong", "camera-paper", "disputes", "correct", "disputes-settled"),
    *("elsewhere", "renew", "hand-in", "handed-in"),
    *("passkey", "passkey-set", "locked-passkey", "not-confirmed", "lease-ended", "no-line"),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve the small county, in which there is something to do everywhere."""
    with serving(tmp_path_factory.mktemp("cases"), "cases") as running:
        yield running


def test_no_screen_of_the_tablet_has_an_axe_violation(
    window: Callable[..., Page],
    desk: Callable[..., Desk],
    tablet: Callable[[Look], Tablet],
    broken: list[str],
    office: Office,
    service: Service,
) -> None:
    eye = TabletEye()
    clerk = desk("administrator", "administrator" * 2)
    hand = tablet(eye)
    scan(hand, clerk, clerk.make_code("assessor ·"))
    plan(hand)
    hand.evaluate(DUE, "assessor", "colleague")
    hand.expects_heading(DUE)
    eye(hand.page, "visit-done")
    deliver(hand)
    doubt(hand)
    look_around(hand)
    nominate(hand)
    lock(hand)
    leave(hand, clerk, office)
    lend(window, hand, clerk, service)
    assert eye.found == []
    assert eye.seen == SCREENS
    assert broken == []


def scan(hand: Tablet, office: Desk, code: str) -> None:
    """Enrol, at first with a code that nobody made, then with the one on the office's screen."""
    hand.page.goto("/tablet/")
    hand.expects_heading("登记这台平板")
    hand.look(hand.page, "enrol")
    hand.fill_enrolment("AAAA-AAAA", "一组平板")
    expect(hand.page.get_by_text("没有这个登记码。")).to_be_visible()
    hand.look(hand.page, "enrol-wrong")
    hand.press("扫码")
    expect(hand.page.get_by_role("dialog", name="扫描登记码")).to_be_visible()
    hand.look(hand.page, "scan")
    hand.press("取消")
    hand.camera.show_png(office.page.locator(".qr svg").screenshot())
    hand.page.wait_for_timeout(CAMERA_REST_MS)
    hand.press("扫码")
    expect(hand.page.get_by_role("textbox", name="登记码")).to_have_value(code)
    hand.press("登记")
    hand.expects_heading("今天")


def plan(hand: Tablet) -> None:
    """Schedule a visit, look at a day, and at what can be done with a visit; then open it."""
    page = hand.page
    hand.schedule(WAITING, "2018-06-13", "09:00")
    page.get_by_role("button", name="周二 12").click()
    expect(hand.card(DUE)).to_be_visible()
    hand.look(page, "calendar-day")
    hand.open_visit(DUE)
    page.get_by_role("link", name="未能完成").click()
    page.get_by_label("本人不在家").check()
    hand.look(page, "not-done")
    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name="更正电话或住址").click()
    page.get_by_label("电话").fill("12")
    hand.press("保存")
    expect(page.get_by_text("电话是 11 位手机号")).to_be_visible()
    hand.look(page, "contact")
    page.get_by_label("电话").fill("139 0000 0001")
    page.get_by_label("地址").fill("过桥右手第二家")
    hand.press("保存")
    expect(page.get_by_text("过桥右手第二家")).to_be_visible()
    expect(page.get_by_role("link", name="13900000001")).to_be_visible()
    page.get_by_role("link", name="改期或取消").click()
    hand.expects_heading("改期")
    hand.look(page, "move")
    page.get_by_label("日期").fill("2018-06-16")
    expect(page.get_by_text("这一天不是工作日。")).to_be_visible()
    hand.look(page, "schedule-clash")
    page.get_by_role("link", name="返回").click()


def deliver(hand: Tablet) -> None:
    """Show the certificate, begin to hand it over, and see what was sent."""
    hand.go("证件")
    expect(hand.page.get_by_text("已存本机")).to_be_visible()
    hand.page.context.set_offline(True)
    hand.read_certificate(CERTIFIED)
    hand.page.context.set_offline(False)
    hand.press("登记送达")
    expect(hand.page.get_by_text("交给谁？")).to_be_visible()
    hand.look(hand.page, "hand-over")
    hand.go("发件箱")
    expect(hand.line()).to_have_text("全部已送达")
    hand.look(hand.page, "outbox")


def doubt(hand: Tablet) -> None:
    """Hand the paper over while somebody spoils the office's signature under what it answers."""
    page = hand.page

    def spoil(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        if body.get("receipt"):
            body["receipt"]["sig"] = "AAAA"
        route.fulfill(response=answer, json=body)

    hand.go("证件")
    page.route("**/api/v1/sync", spoil)
    hand.press("登记送达")
    # A finger that trembles hands over once.
    page.get_by_role("button", name="本人").dblclick()
    hand.go("发件箱")
    expect(page.get_by_text("服务器回执的签名核对不上。")).to_be_visible()
    paper = page.get_by_role("listitem").filter(has_text="送达证件")
    expect(paper).to_contain_text("仅在本机")
    expect(hand.line()).to_have_text("回执核对不上")
    hand.look(page, "receipt-doubt")
    page.unroute("**/api/v1/sync")
    page.get_by_role("main").get_by_role("button", name="立即同步").click()
    expect(page.get_by_text("签名已核对：第 1 至 4 号记录，服务器都已收下")).to_be_visible()
    expect(page.get_by_text("服务器回执的签名核对不上。")).to_have_count(0)
    expect(paper).to_contain_text("全部已送达")


def look_around(hand: Tablet) -> None:
    """Open what the last place of the bar leads to."""
    page = hand.page
    hand.go("更多")
    hand.look(page, "more")
    hand.press("English")
    hand.expects_heading("More")
    hand.look(page, "more-english")
    hand.press("中文")
    hand.press("更改 PIN 码")
    expect(page.get_by_label("新的 PIN 码")).to_be_visible()
    hand.look(page, "pin")
    page.get_by_role("link", name="出发前检查").click()
    hand.expects_heading("出发前检查")
    hand.look(page, "ready")


def fill_nomination(hand: Tablet) -> None:
    """Fill in the nomination of one and the same person."""
    page = hand.page
    page.get_by_label("姓名").fill("周小溪")
    page.get_by_label("身份证号").fill("53010219200508011X")
    page.get_by_label("村（社区）").select_option(label="任家祠村")
    page.get_by_label("肢体").check()


def photograph_paper(hand: Tablet) -> None:
    """Photograph the household book."""
    page = hand.page
    hand.camera.show(EvidenceKind.DOCUMENT)
    page.wait_for_timeout(CAMERA_REST_MS)
    page.get_by_role("button", name="拍照 户口簿").click()
    dialog = page.get_by_role("dialog", name="户口簿")
    expect(dialog.get_by_role("button", name="拍照", exact=True)).to_be_enabled()
    hand.look(page, "camera-paper")
    dialog.get_by_role("button", name="拍照", exact=True).click()
    expect(page.get_by_role("img", name="户口簿 1")).to_be_visible()


def nominate(hand: Tablet) -> None:
    """Nominate somebody twice, and read what became of the second time."""
    page = hand.page
    hand.go("更多")
    page.get_by_role("link", name="提名申请人").click()
    hand.expects_heading("提名申请人")
    hand.look(page, "nominate")
    hand.press("保存提名")
    expect(page.get_by_text("请用汉字填写姓名。")).to_be_visible()
    hand.look(page, "nominate-wrong")
    page.context.set_offline(True)
    fill_nomination(hand)
    photograph_paper(hand)
    hand.press("保存提名")
    expect(page.get_by_text("周小溪 的提名已保存在本机，有网络时自动发送。")).to_be_visible()
    page.context.set_offline(False)
    hand.go("更多")
    page.get_by_role("link", name="提名申请人").click()
    fill_nomination(hand)
    hand.press("保存提名")
    hand.go("发件箱")
    page.get_by_role("link", name="1 项需要处理").last.click()
    mine = page.get_by_role("listitem").filter(has_text="周小溪")
    expect(mine.filter(has_text="冲突")).to_be_visible()
    hand.look(page, "disputes")
    correct(hand)


def correct(hand: Tablet) -> None:
    """Send a corrected copy of what was not applied; both are kept."""
    page = hand.page
    hand.press("更正后重新发送")
    hand.expects_heading("提名申请人")
    expect(page.get_by_text("这是更正后的一份")).to_be_visible()
    expect(page.get_by_label("姓名")).to_have_value("周小溪")
    hand.look(page, "correct")
    page.get_by_label("身份证号").fill("11010519491231002X")
    hand.press("保存提名")
    hand.go("发件箱")
    expect(hand.line()).to_have_text("全部已送达")
    page.goto("/tablet/#/disputes")
    expect(page.get_by_text("更正并重新发送")).to_be_visible()
    hand.look(page, "disputes-settled")


def lock(hand: Tablet) -> None:
    """Lock the tablet and slip with the PIN."""
    hand.press("锁定")
    expect(hand.page.get_by_role("heading", name="已锁定")).to_be_visible()
    hand.look(hand.page, "locked")
    hand.unlock("135790")
    expect(hand.page.get_by_text("PIN 码不对。")).to_be_visible()
    hand.look(hand.page, "locked-wrong")


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_that_an_action_shows_has_an_axe_violation(
    window: Callable[..., Page],
    desk: Callable[..., Desk],
    broken: list[str],
    tmp_path: Path,
    width: int,
) -> None:
    eye = Eye()
    stranger = window(width=width)
    refuse_a_stranger(stranger, eye)
    office = desk("administrator", "administrator" * 2, width=width)
    office.make_code("任家祠村")
    eye(office.page, "code")
    paper = tmp_path / "paper.pdf"
    office.save_paper(paper)
    check_paper(stranger, paper)
    expect(stranger.get_by_role("status")).to_contain_text("有效")
    eye(stranger, "check-ours")
    paper.write_bytes(b"%PDF-1.7 of somebody else")
    check_paper(stranger, paper)
    expect(stranger.get_by_role("status")).to_contain_text("不是本机关签发的证件")
    eye(stranger, "check-not-ours")
    stranger.get_by_text("没有文件和二维码").click()
    stranger.get_by_label("残疾人证号").fill("1")
    stranger.get_by_role("button", name="查验此证号").click()
    expect(stranger.get_by_role("alert")).to_be_visible()
    eye(stranger, "check-number-wrong")
    liaison = desk("liaison", "liaison" * 2, width=width)
    liaison.go("提名")
    liaison.press("登记")
    expect(liaison.page.get_by_role("alert")).to_be_visible()
    eye(liaison.page, "nomination-wrong")
    assert eye.found == []
    assert broken == []


def refuse_a_stranger(page: Page, eye: Eye) -> None:
    """Type a wrong password."""
    page.goto("/")
    page.get_by_label("用户名").fill("liaison")
    page.get_by_label("密码").fill("not the password")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不对")
    eye(page, "signed-in-wrongly")


def leave(hand: Tablet, clerk: Desk, office: Office) -> None:
    """Open it a second time, go on with a new code, and hand in when the tablet is stopped."""
    page = hand.page
    hand.unlocks()
    second = page.context.new_page()
    second.goto("/tablet/")
    expect(second.get_by_role("heading", name="已在另一个窗口打开")).to_be_visible()
    hand.look(second, "elsewhere")
    second.close()
    page.goto("/tablet/#/hand-in")
    hand.expects_heading("密封上交")
    hand.look(page, "hand-in")
    hand.go("今天")
    office("expire", "一组平板")
    hand.line().click()
    page.get_by_role("link", name="输入新的登记码").click()
    hand.look(page, "renew")
    page.get_by_role("textbox", name="新的登记码").fill(clerk.make_code("assessor ·"))
    hand.press("继续使用")
    hand.expects_heading("发件箱")
    expect(hand.line()).to_have_text("全部已送达")
    office("revoke", "一组平板")
    hand.line().click()
    hand.expects_heading("已全部上交")
    hand.look(page, "handed-in")


def lend(window: Callable[..., Page], first: Tablet, clerk: Desk, service: Service) -> None:
    """Set a passkey on another tablet, open with it, and stay away longer than the lease."""
    # A passkey belongs to a name; an address of numbers can have none.
    where = f"http://localhost:{service.port}"
    page = window(800, 1280, base_url=where, geolocation=HOME, permissions=["geolocation"])
    page.clock.install()
    finger = Finger.on(page)
    hand = Tablet(page, first.camera, lambda _page, _name: None)
    hand.enrol(clerk.make_code("assessor ·"), "二组平板")
    hand.look = first.look
    hand.go("更多")
    expect(page.get_by_role("button", name="设置指纹或面容")).to_be_visible()
    hand.look(page, "passkey")
    hand.press("设置指纹或面容")
    expect(page.get_by_text("已设置")).to_be_visible()
    hand.look(page, "passkey-set")
    hand.go("今天")
    hand.press("锁定")
    expect(page.get_by_role("button", name="用指纹或面容解锁")).to_be_visible()
    hand.look(page, "locked-passkey")
    finger.refuse()
    hand.press("用指纹或面容解锁")
    expect(page.get_by_text("没有确认成功")).to_be_visible()
    hand.look(page, "not-confirmed")
    page.context.set_offline(True)
    hand.unlock(PIN)
    hand.expects_heading("今天")
    page.clock.fast_forward(15 * 24 * 3600 * 1000)
    expect(page.get_by_text("要联网一次才能用 PIN 码打开")).to_be_visible()
    hand.look(page, "lease-ended")
    page.get_by_label("PIN 码").fill(PIN)
    hand.press("联网并解锁")
    expect(page.get_by_text("没有网络，现在打不开")).to_be_visible()
    hand.look(page, "no-line")
