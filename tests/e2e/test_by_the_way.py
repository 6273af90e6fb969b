"""What happens by the way: a slip, a finger that goes back, a name that is put right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.e2e.office import Office
from tests.e2e.preparing import PEOPLE
from tests.e2e.serving import Service, serving
from tests.e2e.tablet import Tablet
from tests.e2e.test_second_thoughts import begin, nominate, step

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve the small county with visits for today."""
    with serving(tmp_path_factory.mktemp("way"), "days") as running:
        yield running


def test_who_finds_a_locked_tablet_does_not_erase_it_with_two_taps(hand: Tablet) -> None:
    page = hand.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hand.press("锁定")
    page.get_by_text("忘记 PIN 码？").click()
    page.locator(".hand-in button").dblclick()
    expect(page.get_by_text("要有新的登记码才能再用这台平板")).to_be_visible()
    page.wait_for_timeout(500)
    assert [url for url in asked if url.endswith("/hand-in")] == []
    hand.unlocks()
    hand.expects_heading("今天")


def test_after_a_hand_in_the_next_one_begins_with_the_day(
    hand: Tablet, codes: Iterator[str]
) -> None:
    page = hand.page
    page.evaluate("location.hash = '#/hand-in'")
    hand.hand_in()
    hand.expects_heading("已全部上交")
    hand.press("登记这台平板")
    hand.fill_enrolment(next(codes), "the next one")
    hand.expects_heading("今天")


def test_another_guardian_signs_anew_and_a_typed_name_is_not_lost(
    hand: Tablet, office: Office
) -> None:
    page, who = hand.page, PEOPLE[0]
    begin(hand, who)
    step(hand, "到场")
    page.get_by_label("监护人同意").check()
    page.get_by_label("同意人姓名").fill("冯大山")
    page.get_by_label("本人同意").check()
    expect(page.get_by_label("同意人姓名")).to_have_value(who)
    page.get_by_label("监护人同意").check()
    expect(page.get_by_label("同意人姓名")).to_have_value("冯大山")
    step(hand, "照片")
    hand.photograph()
    hand.conclude("colleague")
    hand.sign("冯大山", "assessor", "colleague")
    step(hand, "到场")
    page.get_by_label("同意人姓名").fill("冯小山")
    step(hand, "签名")
    expect(page.get_by_text("签名之后评定结果或同意人改过")).to_be_visible()
    expect(page.get_by_role("img", name="冯小山 的签名")).to_have_count(0)
    expect(page.get_by_role("img", name="assessor 的签名")).to_be_visible()
    step(hand, "提交")
    expect(page.get_by_role("button", name="提交评定")).to_be_disabled()
    step(hand, "签名")
    hand.sign("冯小山")
    hand.press("提交评定")
    expect(hand.line()).to_have_text("全部已送达")
    assert office("evaluations", who)[who]["pictures"] == [7]


def test_who_goes_back_finds_no_form_that_stands_empty(hand: Tablet) -> None:
    page = hand.page
    hand.report_not_done(PEOPLE[1], "本人不在家")
    page.go_back()
    hand.expects_heading(PEOPLE[1])
    expect(page.get_by_text("未完成：本人不在家")).to_be_visible()


def test_a_letter_typed_as_something_comes_from_the_office_is_not_swallowed(
    hand: Tablet, office: Office
) -> None:
    page = hand.page
    begin(hand, PEOPLE[2])
    step(hand, "评定")
    page.get_by_label("备注").focus()
    written = ""
    for turn in range(4):
        office("appoint", "colleague", "administrator" if turn % 2 == 0 else "assessor")
        page.evaluate("document.querySelector('.top .line').click()")
        words = "abcdefghijklmnopqrstuvwxyz" * 2
        page.keyboard.type(words, delay=25)
        written += words
    expect(page.get_by_label("备注")).to_have_value(written)


def test_a_nomination_that_was_begun_is_seen_where_the_day_begins(hand: Tablet) -> None:
    page = hand.page
    nominate(hand, "周小溪", "53010219200508011X")
    hand.go("今天")
    begun = page.get_by_role("link", name=re.compile("提名申请人.*未写完"))
    expect(begun).to_contain_text("周小溪")
    begun.click()
    expect(page.get_by_label("身份证号")).to_have_value("53010219200508011X")
    page.get_by_text("不要这一份了").click()
    hand.press("确定删除")
    hand.go("今天")
    expect(begun).to_have_count(0)


def test_a_nomination_of_which_only_papers_were_photographed_is_seen_there_too(
    hand: Tablet,
) -> None:
    page = hand.page
    page.evaluate("location.hash = '#/nominate'")
    hand.press("拍照 户口簿")
    page.get_by_role("dialog").get_by_role("button", name="拍照", exact=True).click()
    expect(page.get_by_role("img", name="户口簿 1")).to_be_visible()
    hand.go("今天")
    begun = page.get_by_role("link", name=re.compile("提名申请人.*未写完"))
    begun.click()
    page.get_by_text("不要这一份了").click()
    hand.press("确定删除")
    hand.go("今天")
    expect(begun).to_have_count(0)


def test_a_report_begun_at_one_appointment_says_nothing_of_the_next(
    hand: Tablet, office: Office, request: pytest.FixtureRequest
) -> None:
    page, who = hand.page, PEOPLE[8]
    hand.begin_report(who, "本人不在家")
    hand.go("今天")
    office("postpone", who, "2018-06-14")
    hand.sync()
    hand.card(who).click()
    page.get_by_role("link", name="未能完成").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("6月12日")
    hand.press("保存")
    expect(page.get_by_role("link", name=re.compile("1 项需要处理"))).to_be_visible()
    assert office("ledger", request.node.name[:60]) == [[1, "record_not_done", "conflict"]]


def test_nobody_goes_again_to_whom_one_hears_at_the_door_that_they_have_died(
    hand: Tablet, office: Office, request: pytest.FixtureRequest
) -> None:
    page, who = hand.page, PEOPLE[12]
    hand.begin_report(who, "本人已去世")
    follows = page.get_by_role("group", name="下一步").get_by_role("radio")
    expect(follows).to_have_count(1)
    expect(page.get_by_role("radio", name="结案")).to_be_checked()
    hand.press("保存")
    hand.sync()
    expect(hand.card(who)).to_contain_text("未完成")
    assert office("ledger", request.node.name[:60]) == [[1, "record_not_done", "applied"]]


def test_a_choice_that_need_not_be_made_is_unmade(hand: Tablet) -> None:
    page = hand.page
    hand.open_visit(PEOPLE[9])
    page.get_by_role("link", name="开始评残").click()
    step(hand, "检查")
    hand.press("增加一类残疾")
    hand.press("言语")
    kind = page.get_by_role("group", name="言语残疾类型")
    kind.get_by_label("失语").check()
    kind.get_by_label("不填").check()
    expect(kind.get_by_label("失语")).not_to_be_checked()


def test_who_comes_once_more_on_another_day_arrives_anew(clocked: Callable[..., Tablet]) -> None:
    hand = clocked("arrived twice")
    page = hand.page
    hand.open_visit(PEOPLE[10])
    page.get_by_role("link", name="开始评残").click()
    hand.press("我已到达")
    expect(page.get_by_text("到达时间 6月12日")).to_be_visible()
    page.clock.set_system_time(page.evaluate("Date.now()") / 1000 + 24 * 3600)
    hand.go("今天")
    page.clock.run_for(20_000)
    hand.card(PEOPLE[10]).click()
    page.get_by_role("link", name="继续评残").click()
    hand.press("我已到达")
    expect(page.get_by_text("到达时间 6月13日")).to_be_visible()


def test_in_forced_colours_one_sees_where_one_is(hand: Tablet) -> None:
    hand.page.emulate_media(forced_colors="active")
    begin(hand, PEOPLE[11])
    steps = hand.page.get_by_role("navigation", name="评残步骤").get_by_role("button")
    outlines = steps.evaluate_all("(all) => all.map((one) => getComputedStyle(one).outlineStyle)")
    assert outlines == ["none", "none", "solid", "none", "none", "none"]


def test_a_list_of_yesterday_is_not_all_set(clocked: Callable[..., Tablet]) -> None:
    hand = clocked("a list of yesterday")
    page = hand.page
    expect(hand.line()).to_have_text("全部已送达")
    page.context.set_offline(True)
    page.clock.set_system_time(page.evaluate("Date.now()") / 1000 + 24 * 3600)
    page.evaluate("location.hash = '#/ready'")
    listed = page.get_by_role("listitem").filter(has_text="走访名单")
    expect(listed).to_contain_text("上次同步 6月12日")
    page.context.set_offline(False)
    listed.get_by_role("button", name="立即同步").click()
    expect(listed.get_by_role("button")).to_have_count(0)


def test_an_address_that_was_not_sent_is_found_the_day_after(
    clocked: Callable[..., Tablet],
) -> None:
    hand = clocked("an address half sent")
    page = hand.page
    hand.report_not_done(PEOPLE[6], "本人不在家")
    hand.open_visit(PEOPLE[6])
    page.get_by_role("link", name="更正电话或住址").click()
    page.get_by_label("地址").fill("过桥右手第二家")
    page.get_by_role("link", name="返回").click()
    hand.expects_heading(PEOPLE[6])
    page.clock.set_system_time(page.evaluate("Date.now()") / 1000 + 24 * 3600)
    hand.go("今天")
    page.clock.run_for(20_000)
    expect(page.get_by_role("heading", name="今天")).to_contain_text("6月13日")
    expect(hand.card(PEOPLE[6])).to_contain_text(re.compile("全部已送达.*未写完.*未完成"))


def test_a_gesture_from_the_edge_takes_no_drawn_signature_away(hand: Tablet) -> None:
    page = hand.page
    begin(hand, PEOPLE[7])
    step(hand, "签名")
    signing = page.get_by_role("button", name=re.compile("^签名.*assessor"))
    pad = page.get_by_role("img", name="的签名区")
    signing.click()
    expect(pad).to_be_visible()
    page.keyboard.press("Escape")  # what a browser makes of the gesture, too
    expect(pad).to_have_count(0)
    signing.click()
    hand.draw()
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    expect(pad).to_be_visible()
    hand.press("确认签名")
    expect(page.get_by_role("img", name="assessor 的签名", exact=True)).to_be_visible()


def test_after_a_photo_a_keyboard_goes_on_where_it_was(hand: Tablet) -> None:
    page = hand.page
    begin(hand, PEOPLE[3])
    step(hand, "照片")
    shoot = page.get_by_role("button", name=re.compile("^(拍照|再拍一张).*全身照"))
    shoot.press("Enter")
    dialog = page.get_by_role("dialog", name="全身照")
    dialog.get_by_role("button", name="取消").press("Enter")
    expect(dialog).to_have_count(0)
    expect(shoot).to_be_focused()


def test_a_photo_is_taken_away_on_a_full_disk_or_it_is_said_why_not(hand: Tablet) -> None:
    page = hand.page
    begin(hand, PEOPLE[4])
    step(hand, "照片")
    hand.shoot("居住环境")
    page.evaluate("""() => {
      const put = IDBObjectStore.prototype.put
      IDBObjectStore.prototype.put = () => { throw new DOMException('no', 'QuotaExceededError') }
      window.room = () => { IDBObjectStore.prototype.put = put }
    }""")
    hand.press("删除 居住环境 1")
    hand.press("确定删除")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("img", name="居住环境 1")).to_be_visible()
    page.evaluate("window.room()")


def peaks(browser: Browser) -> dict[int, int]:
    """Tell for each page's process how much memory it ever had, in megabytes."""
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    pages = [one["id"] for one in told["processInfo"] if one["type"] == "renderer"]
    lines = {pid: Path(f"/proc/{pid}/status").read_text() for pid in pages}
    found = {pid: re.search(r"VmHWM:\s+(\d+)", text) for pid, text in lines.items()}
    return {pid: int(peak[1]) // 1024 for pid, peak in found.items() if peak}


def test_a_photo_of_fifty_megapixels_is_not_laid_out_whole(
    hand: Tablet, chromium: Browser, tmp_path: Path
) -> None:
    page = hand.page
    begin(hand, PEOPLE[5])
    step(hand, "照片")
    large = tmp_path / "large.jpg"
    Image.effect_noise((1024, 768), 60).resize((8192, 6144)).convert("RGB").save(large)
    hand.shoot("居住环境")  # what the camera takes is not what is asked about
    before = peaks(chromium)
    for kind in ("全身照", "证件照"):
        page.get_by_role("button", name=re.compile(f"^拍照.*{kind}")).click()
        page.get_by_role("dialog").locator("input[type=file]").set_input_files(large)
        expect(page.get_by_role("img", name=f"{kind} 1")).to_be_visible()
    grown = max(peak - before.get(pid, peak) for pid, peak in peaks(chromium).items())
    assert grown < 150
