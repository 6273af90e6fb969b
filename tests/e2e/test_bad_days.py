"""A tablet's bad days, each on the real server: what was said to be saved is there afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from outreach.demo.pictures import picture
from outreach.domain.vocabulary import EvidenceKind
from tests.e2e.handset import HOME, Finger, Handset
from tests.e2e.line import Line
from tests.e2e.looking import SAY, SMALL, violations
from tests.e2e.office import Office
from tests.e2e.preparing import PEOPLE
from tests.e2e.serving import Service, serving
from tests.e2e.tablet import PHOTOS, PIN, Camera, Tablet

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
#: The name of a build, as it stands in the service worker, and that of a newer one.
BUILD, NEWER = re.compile(r"\b[0-9a-f]{16}\b"), "f" * 16
CONDITION = "1i 双上肢功能极重度障碍或三肢功能重度障碍"


def unseen(_page: Page, _name: str) -> None:
    """Look at nothing: other tests look."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve the small county with a visit for each bad day."""
    with serving(tmp_path_factory.mktemp("days"), "days") as running:
        yield running


def begin(hand: Tablet, person: str) -> None:
    """Open the visit, arrive, and begin to write what was found."""
    hand.open_visit(person)
    hand.page.get_by_role("link", name="开始评残").click()
    hand.arrive()


def write_remark(hand: Tablet, words: str) -> None:
    """Write a remark into the open evaluation."""
    hand.page.get_by_role("button", name="评定").click()
    hand.page.get_by_label("备注").fill(words)
    hand.has_saved()


def go_on(hand: Tablet, person: str) -> None:
    """Open the evaluation that was begun."""
    hand.go("今天")
    expect(hand.card(person)).to_contain_text("未写完")
    hand.card(person).click()
    hand.page.get_by_role("link", name="继续评残").click()


def reads_remark(hand: Tablet, words: str) -> None:
    """Find the remark as it was written."""
    hand.page.get_by_role("button", name="评定").click()
    expect(hand.page.get_by_label("备注")).to_have_value(words)


def test_a_reload_without_a_line_opens_with_the_day_and_the_draft(hand: Tablet) -> None:
    begin(hand, PEOPLE[0])
    write_remark(hand, "没有信号时写下的")
    hand.page.context.set_offline(True)
    answer = hand.page.reload()
    assert answer is not None
    assert answer.from_service_worker
    hand.unlocks()
    hand.go("今天")
    expect(hand.line()).to_have_text("没有网络，可照常工作")
    go_on(hand, PEOPLE[0])
    reads_remark(hand, "没有信号时写下的")


def test_killed_in_the_middle_of_a_form_it_comes_back_with_every_field(
    handset: Handset, camera: Camera, codes: Iterator[str]
) -> None:
    hand = Tablet(handset.switch_on(), camera, unseen)
    hand.enrol(next(codes), "killed in a form")
    begin(hand, PEOPLE[1])
    hand.page.get_by_label("肢体状况").select_option(label=CONDITION)
    write_remark(hand, "写到一半")
    handset.kill()
    hand = Tablet(handset.switch_on(), camera, unseen)
    hand.unlocks()
    go_on(hand, PEOPLE[1])
    reads_remark(hand, "写到一半")
    hand.page.get_by_role("button", name="检查").click()
    expect(hand.page.get_by_label("肢体状况")).to_have_value("1i")


def test_killed_with_the_camera_open_it_keeps_what_was_written_and_taken(
    handset: Handset, camera: Camera, codes: Iterator[str]
) -> None:
    hand = Tablet(handset.switch_on(), camera, unseen)
    hand.enrol(next(codes), "killed with the camera")
    begin(hand, PEOPLE[2])
    hand.page.get_by_label("肢体状况").select_option(label=CONDITION)
    hand.press("下一步")
    hand.shoot("证件照")
    hand.press(re.compile("^拍照.*全身照"))
    expect(hand.page.get_by_role("dialog", name="全身照")).to_be_visible()
    handset.kill()
    hand = Tablet(handset.switch_on(), camera, unseen)
    hand.unlocks()
    go_on(hand, PEOPLE[2])
    hand.expects_heading("照片")
    expect(hand.page.get_by_role("img", name="证件照 1")).to_be_visible()
    hand.page.get_by_role("button", name="检查").click()
    expect(hand.page.get_by_label("肢体状况")).to_have_value("1i")


def test_a_cleared_storage_costs_nothing_that_was_sent(
    hand: Tablet, codes: Iterator[str], office: Office
) -> None:
    hand.report_not_done(PEOPLE[3], "本人不在家")
    hand.sync()
    devtools = hand.page.context.new_cdp_session(hand.page)
    origin = hand.page.evaluate("location.origin")
    devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    hand.page.reload()
    hand.expects_heading("登记这台平板")
    hand.fill_enrolment(next(codes), "after the clearing")
    hand.expects_heading("今天")
    expect(hand.card(PEOPLE[3])).to_contain_text("未完成")
    name = "test_a_cleared_storage_costs_nothing_that_was_sent"
    assert office("ledger", name) == [[1, "record_not_done", "applied"]]


#: Fills what is left of the quota, in steps from large to small; the second frees it again.
FILL = """async () => {
  const db = await new Promise((done) => {
    const asked = indexedDB.open('filler', 1)
    asked.onupgradeneeded = () => asked.result.createObjectStore('s', { autoIncrement: true })
    asked.onsuccess = () => done(asked.result)
  })
  for (const size of [1 << 20, 1 << 16, 1 << 12, 1 << 10]) {
    for (let full = false; !full; ) {
      full = await new Promise((done) => {
        const writing = db.transaction('s', 'readwrite')
        writing.objectStore('s').add(crypto.getRandomValues(new Uint8Array(Math.min(size, 65536))))
        for (let more = 65536; more < size; more += 65536)
          writing.objectStore('s').add(crypto.getRandomValues(new Uint8Array(65536)))
        writing.oncomplete = () => done(false)
        writing.onabort = () => done(true)
      })
    }
  }
  db.close()
}"""
EMPTY = """() => new Promise((done) => {
  indexedDB.deleteDatabase('filler').onsuccess = () => done(true)
})"""


@pytest.fixture
def cramped(
    window: Callable[..., Page], camera: Camera, codes: Iterator[str], service: Service
) -> Callable[[str], Tablet]:
    """Return how to enrol a tablet that has little room, by its name."""

    def enrolled(name: str, address: str = service.address) -> Tablet:
        how = {"geolocation": HOME, "permissions": ["geolocation"], "base_url": address}
        page = window(800, 1280, **how)
        devtools = page.context.new_cdp_session(page)
        quota = {"origin": address, "quotaSize": 12 * 1024 * 1024}
        devtools.send("Storage.overrideQuotaForOrigin", quota)
        hand = Tablet(page, camera, unseen)
        hand.enrol(next(codes), name)
        return hand

    return enrolled


def test_a_full_disk_is_said_at_once_and_nothing_on_the_screen_is_lost(
    cramped: Callable[[str], Tablet],
) -> None:
    hand = cramped("full")
    page = hand.page
    begin(hand, PEOPLE[4])
    write_remark(hand, "有地方")
    page.evaluate(FILL)
    written = "满了以后写的" * 300
    page.get_by_label("备注").fill(written)
    expect(page.get_by_text("没有存上！")).to_be_visible()
    expect(page.get_by_text("平板存储空间已满")).to_be_visible()
    expect(page.get_by_label("备注")).to_have_value(written)
    page.evaluate(EMPTY)
    hand.has_saved()  # by itself, as soon as there is room again
    page.reload()
    hand.unlocks()
    go_on(hand, PEOPLE[4])
    reads_remark(hand, written)


def test_what_a_full_disk_did_not_take_is_there_when_the_form_is_opened_again(
    cramped: Callable[[str], Tablet],
) -> None:
    hand = cramped("full and left")
    page = hand.page
    begin(hand, PEOPLE[4])
    write_remark(hand, "有地方")
    page.evaluate(FILL)
    page.get_by_role("button", name="照片").click()
    hand.press(re.compile("^拍照.*证件照"))
    page.get_by_role("dialog").get_by_role("button", name="拍照", exact=True).click()
    expect(page.get_by_text("刚才这一张没有存上")).to_be_visible()
    page.get_by_role("button", name="评定").click()
    written = "满了以后写的" * 300
    page.get_by_label("备注").fill(written)
    expect(page.get_by_text("没有存上！")).to_be_visible()
    page.get_by_role("link", name=PEOPLE[4]).click()
    page.get_by_role("link", name="继续评残").click()
    reads_remark(hand, written)
    hand.press("锁定")
    hand.unlocks()
    reads_remark(hand, written)
    page.evaluate(EMPTY)
    hand.has_saved()
    page.reload()
    hand.unlocks()
    reads_remark(hand, written)


def test_a_nomination_for_which_there_is_no_room_says_so_before_it_is_put_away(
    cramped: Callable[[str], Tablet],
) -> None:
    page = cramped("full of names").page
    page.evaluate(FILL)
    page.evaluate("location.hash = '#/nominate'")
    page.get_by_label("姓名", exact=True).fill("周小溪")
    page.get_by_label("地址").fill("过桥右手第二家" * 20)
    expect(page.get_by_role("alert")).to_contain_text("平板存储空间已满")
    page.evaluate(EMPTY)
    expect(page.get_by_role("alert")).to_have_count(0)  # by itself, as soon as there is room again


def bring_newer(page: Page, line: Line) -> None:
    """Let the server have a newer version, which the tablet fetches and which waits."""
    worker = page.request.get(f"{line.address}/tablet/sw.js").text()
    line.swapped["/tablet/sw.js"] = BUILD.sub(NEWER, worker).encode()
    page.evaluate("navigator.serviceWorker.getRegistration().then((it) => it.update())")
    page.wait_for_function(
        "() => navigator.serviceWorker.getRegistration().then((it) => it.waiting !== null)"
    )


def test_a_new_version_waits_for_the_form_and_loses_nothing(
    window: Callable[..., Page], line: Line, camera: Camera, codes: Iterator[str]
) -> None:
    page = window(800, 1280, geolocation=HOME, permissions=["geolocation"], base_url=line.address)
    hand = Tablet(page, camera, unseen)
    hand.enrol(next(codes), "updated")
    begin(hand, PEOPLE[5])
    write_remark(hand, "更新前写的")
    bring_newer(page, line)
    reads_remark(hand, "更新前写的")  # the form is still the one that was open
    hand.go("更多")
    with page.expect_navigation():
        hand.press("现在更新")
    hand.unlocks()
    page.wait_for_function("() => caches.keys().then((names) => names.length === 1)")
    assert page.evaluate("caches.keys()") == [f"outreach-shell-{NEWER}"]
    go_on(hand, PEOPLE[5])
    reads_remark(hand, "更新前写的")


def test_a_page_of_another_build_is_never_kept_with_the_files_of_this_one(
    window: Callable[..., Page], line: Line, camera: Camera, codes: Iterator[str]
) -> None:
    page = window(800, 1280, geolocation=HOME, permissions=["geolocation"], base_url=line.address)
    hand = Tablet(page, camera, unseen)
    hand.enrol(next(codes), "updated half way")
    page.reload()  # from here on the kept page is shown
    worker = page.request.get(f"{line.address}/tablet/sw.js").text()
    index = page.request.get(f"{line.address}/tablet/").text()
    line.swapped["/tablet/sw.js"] = BUILD.sub(NEWER, worker).encode()
    line.swapped["/tablet/"] = re.sub(r"index-[\w-]+\.js", "index-older.js", index).encode()
    ended = """() => navigator.serviceWorker.getRegistration().then((it) => it.update())
      .then((it) => new Promise((done) => {
        const look = ({ state }) => state !== 'installing' && done(state)
        it.installing.onstatechange = ({ target }) => look(target)
        look(it.installing)
      }))"""
    assert page.evaluate(ended) == "redundant"
    del line.swapped["/tablet/"]  # the next time both are of one build
    assert page.evaluate(ended) == "installed"


def test_an_app_that_did_not_come_whole_is_said_before_a_trip_and_asked_for_again(
    window: Callable[..., Page], line: Line, camera: Camera, codes: Iterator[str]
) -> None:
    page = window(800, 1280, geolocation=HOME, permissions=["geolocation"], base_url=line.address)
    line.swapped["/tablet/sw.js"] = b"throw new Error('cut')"
    hand = Tablet(page, camera, unseen)
    hand.enrol(next(codes), "not whole")
    hand.go("更多")
    page.get_by_role("link", name="出发前检查").click()
    app = page.get_by_role("listitem").filter(has_text="应用本身")
    expect(app).to_contain_text("没有网络时打不开")
    del line.swapped["/tablet/sw.js"]
    page.evaluate("window.dispatchEvent(new Event('online'))")  # the line is back
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    hand.go("更多")
    page.get_by_role("link", name="出发前检查").click()
    expect(app).to_contain_text("好")


def test_a_second_tab_takes_over_only_when_told_to_and_finds_the_last_word(hand: Tablet) -> None:
    begin(hand, PEOPLE[6])
    write_remark(hand, "第一个窗口")
    first = hand.page
    second = Tablet(first.context.new_page(), hand.camera, unseen)
    second.page.goto("/tablet/")
    second.expects_heading("已在另一个窗口打开")
    first.get_by_label("备注").fill("第一个窗口的最后一句")
    second.press("在这里使用")
    hand.expects_heading("已在另一个窗口打开")
    second.unlocks()
    go_on(second, PEOPLE[6])
    reads_remark(second, "第一个窗口的最后一句")
    second.page.close()
    hand.unlocks()  # nobody holds the tablet any more, so the window that is left goes on
    go_on(hand, PEOPLE[6])
    reads_remark(hand, "第一个窗口的最后一句")


def held_back(page: Page) -> list[Route]:
    """Hold back what the office answers, as a slow line does, until it is let go on."""
    waiting: list[Route] = []
    page.context.route("**/api/v1/sync", lambda route: waiting.append(route))
    page.get_by_title("立即同步").click()
    expect(page.get_by_title("立即同步")).to_have_text("正在同步…")
    return waiting


def test_an_answer_to_the_window_that_was_left_disturbs_nobody_in_the_other(hand: Tablet) -> None:
    first = hand.page
    waiting = held_back(first)
    second = Tablet(first.context.new_page(), hand.camera, unseen)
    second.page.goto("/tablet/")
    second.press("在这里使用")
    hand.expects_heading("已在另一个窗口打开")
    second.unlocks()
    with first.expect_response("**/api/v1/sync"):
        waiting[0].continue_()
    first.wait_for_timeout(500)  # what it says would be on the disk by now
    begin(second, PEOPLE[6])
    write_remark(second, "新窗口里写的")


def test_wrong_pins_count_while_an_answer_is_still_on_its_way(hand: Tablet) -> None:
    waiting = held_back(hand.page)
    hand.press("锁定")
    hand.unlock("135790")
    expect(hand.page.get_by_text("还可以再试 9 次。")).to_be_visible()
    hand.unlocks()
    waiting[0].continue_()
    expect(hand.line()).to_have_text("全部已送达")


#: Makes the key that is worked out of a PIN wait until it is told to come.
SLOW_KEY = """() => {
  const derive = crypto.subtle.deriveKey.bind(crypto.subtle)
  const told = new Promise((come) => { window.comeKey = come })
  crypto.subtle.deriveKey = async (how, ...rest) => {
    if (how.name === 'PBKDF2') await told
    return derive(how, ...rest)
  }
}"""


def test_a_tablet_that_is_unlocked_as_an_exchange_ends_shows_the_day(hand: Tablet) -> None:
    page = hand.page
    waiting = held_back(page)
    hand.press("锁定")
    page.evaluate(SLOW_KEY)
    hand.unlock()
    with page.expect_response("**/api/v1/sync"):
        waiting[0].continue_()
    page.wait_for_timeout(1_000)  # the exchange is over, and the keys were let go
    page.evaluate("window.comeKey()")
    expect(hand.card(PEOPLE[6])).to_be_visible()


def test_a_full_disk_does_not_keep_a_tablet_from_locking(clocked: Callable[..., Tablet]) -> None:
    hand = clocked("full and locked")
    page = hand.page
    expect(hand.line()).to_have_text("全部已送达")
    page.evaluate(
        """() => {
      IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError') }
    }"""
    )
    page.context.set_offline(True)
    page.clock.fast_forward(15 * 24 * 3600 * 1000)  # what ends with it would be written down
    expect(page.get_by_role("heading", name="已锁定")).to_be_visible()


def test_what_is_recorded_during_a_hand_in_goes_along_also_over_a_lock(
    hand: Tablet, office: Office, request: Any
) -> None:
    page = hand.page
    waiting: list[Route] = []
    page.route("**/api/v1/hand-in", lambda route: waiting.append(route))
    page.evaluate("location.hash = '#/hand-in'")
    hand.hand_in()
    expect(page.get_by_role("progressbar")).to_be_visible()
    hand.press("锁定")
    hand.unlocks()
    hand.report_not_done(PEOPLE[6], "本人不在家")
    page.unroute("**/api/v1/hand-in")  # what waits goes on with it
    hand.expects_heading("已全部上交")
    assert "record_not_done" in office("open_handin", request.node.name[:60])


def test_the_pin_that_was_typed_last_opens_the_tablet(
    window: Callable[..., Page], camera: Camera, codes: Iterator[str]
) -> None:
    page = window(800, 1280)
    hand = Tablet(page, camera, unseen)
    page.goto("/tablet/")
    hand.fill_enrolment("AAAA-AAAA", "another PIN")
    expect(page.get_by_text("没有这个登记码。")).to_be_visible()
    page.get_by_label("登记码").fill(next(codes))
    page.get_by_label("设置 PIN 码").fill("135790")
    hand.press("登记")
    expect(page.get_by_text("两次输入的 PIN 码不同")).to_be_visible()
    page.get_by_label("再输一次 PIN 码").fill("135790")
    hand.press("登记")
    hand.expects_heading("今天")
    hand.press("锁定")
    hand.unlock("135790")
    hand.expects_heading("今天")


def test_a_word_still_in_the_input_method_is_kept_when_the_page_goes(hand: Tablet) -> None:
    page = hand.page
    begin(hand, PEOPLE[6])
    write_remark(hand, "已经写好的")
    page.get_by_label("备注").press("End")
    devtools = page.context.new_cdp_session(page)
    composed = {"text": "还在选字", "selectionStart": 4, "selectionEnd": 4}
    devtools.send("Input.imeSetComposition", composed)
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    page.wait_for_timeout(500)
    hand.has_saved()
    page.reload()
    hand.unlocks()
    go_on(hand, PEOPLE[6])
    reads_remark(hand, "已经写好的还在选字")


def test_an_appointment_half_chosen_is_there_after_a_lock_and_gone_for_who_went_away(
    hand: Tablet,
) -> None:
    page = hand.page
    hand.open_visit(PEOPLE[6])
    page.get_by_role("link", name="改期或取消").click()
    page.get_by_label("日期").fill("2018-06-14")
    page.get_by_label("原因").fill("家属电话里说周四好")
    hand.press("锁定")
    hand.unlocks()
    expect(page.get_by_label("日期")).to_have_value("2018-06-14")
    expect(page.get_by_label("原因")).to_have_value("家属电话里说周四好")
    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name="改期或取消").click()
    expect(page.get_by_label("日期")).to_have_value("2018-06-12")
    expect(page.get_by_label("原因")).to_have_value("")


def test_a_tablet_that_slept_is_locked_when_it_wakes(hand: Tablet) -> None:
    page = hand.page
    page.evaluate(
        """() => {
      performance.now = () => 0 // it stands still while the device sleeps; the time of day does not
      const now = Date.now.bind(Date)
      Date.now = () => now() + 3600000
      document.dispatchEvent(new Event('visibilitychange'))
    }"""
    )
    expect(page.get_by_role("heading", name="已锁定")).to_be_visible()


def test_a_storage_that_does_not_open_says_so_and_what_to_do(window: Callable[..., Page]) -> None:
    page = window(800, 1280)
    page.add_init_script(
        "IDBFactory.prototype.open = () => { throw new DOMException('', 'UnknownError') }"
    )
    page.goto("/tablet/")
    expect(page.get_by_role("heading", name="打不开平板的存储")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("什么也没有删除")
    assert violations(page) == []
    with page.expect_navigation():
        page.get_by_role("button", name="再试一次").click()


def test_a_hand_in_that_found_no_line_leaves_the_tablet_talking(hand: Tablet) -> None:
    page = hand.page
    page.evaluate("location.hash = '#/hand-in'")
    page.context.set_offline(True)
    hand.hand_in()
    expect(page.get_by_text("有网络时请再按一次，会接着交")).to_be_visible()
    page.context.set_offline(False)
    with page.expect_response("**/api/v1/sync"):
        hand.line().click()


def test_a_paper_is_kept_at_once_also_where_no_position_is_found(hand: Tablet) -> None:
    page = hand.page
    page.evaluate("navigator.geolocation.getCurrentPosition = () => undefined")
    page.evaluate("location.hash = '#/nominate'")
    page.get_by_role("button", name="拍照 户口簿").click()
    dialog = page.get_by_role("dialog", name="户口簿")
    dialog.get_by_role("button", name="拍照", exact=True).click()
    expect(page.get_by_role("img", name="户口簿 1")).to_be_visible()


def photograph_book(hand: Tablet) -> None:
    """Photograph the household book of whoever is to be nominated."""
    page = hand.page
    page.evaluate("location.hash = '#/nominate'")
    page.get_by_role("button", name="拍照 户口簿").click()
    dialog = page.get_by_role("dialog", name="户口簿")
    dialog.get_by_role("button", name="拍照", exact=True).click()
    expect(page.get_by_role("img", name="户口簿 1")).to_be_visible()


def test_a_paper_photographed_before_a_word_is_written_is_found_again(hand: Tablet) -> None:
    photograph_book(hand)
    hand.go("今天")
    hand.page.evaluate("location.hash = '#/nominate'")
    expect(hand.page.get_by_role("img", name="户口簿 1")).to_be_visible()


def fill_in(hand: Tablet) -> None:
    """Fill in the nomination of one and the same person."""
    page = hand.page
    page.get_by_label("姓名").fill("周小溪")
    page.get_by_label("身份证号").fill("53010219200508011X")
    page.get_by_label("村（社区）").select_option(label="任家祠村")
    page.get_by_label("肢体").check()


def test_a_photo_that_was_not_accepted_is_not_called_delivered(hand: Tablet) -> None:
    page = hand.page
    problem = {"type": "/problems/not-a-picture"}
    page.route("**/api/v1/uploads/", lambda route: route.fulfill(status=422, json=problem))
    photograph_book(hand)
    fill_in(hand)
    hand.press("保存提名")
    expect(hand.line()).to_have_text("需要处理")
    hand.go("发件箱")
    page.get_by_role("link", name="1 项需要处理").last.click()
    mine = page.get_by_role("listitem").filter(has_text="周小溪")
    expect(mine).to_contain_text("户口簿")
    hand.press("已告诉办公室")
    expect(page.get_by_text("没有需要处理的记录。")).to_be_visible()
    expect(hand.line()).to_have_text("全部已送达")


@pytest.mark.parametrize("off", ["2018-06-09T03:00:00Z", "2031-01-01T00:00:00Z"])
def test_a_wrong_clock_changes_neither_the_day_nor_the_record(
    clocked: Callable[..., Tablet], office: Office, off: str
) -> None:
    hand = clocked(f"clock {off}", time=off)
    page = hand.page
    expect(page.get_by_role("heading", name="今天")).to_contain_text("6月12日")
    hand.open_visit(PEOPLE[7])
    page.get_by_role("link", name="开始评残").click()
    hand.press("我已到达")
    expect(page.get_by_text("到达时间 6月12日")).to_be_visible()


def test_an_expired_token_hides_nothing_and_a_new_code_sends_everything(
    hand: Tablet, codes: Iterator[str], office: Office, request: Any
) -> None:
    label = request.node.name[:60]
    office("expire", label)
    hand.line().click()
    expect(hand.page.get_by_text("登录已过期")).to_be_visible()
    hand.report_not_done(PEOPLE[8], "道路不通")
    hand.expects_heading("今天")
    expect(hand.card(PEOPLE[8])).to_contain_text("仅在本机")
    hand.page.get_by_role("link", name="输入新的登记码").click()
    hand.page.get_by_role("textbox", name="新的登记码").fill(next(codes))
    hand.press("继续使用")
    hand.expects_heading("发件箱")
    expect(hand.line()).to_have_text("全部已送达")
    assert office("ledger", label) == [[1, "record_not_done", "applied"]]


def test_work_on_a_visit_that_was_given_to_somebody_else_is_finished_and_parked(
    hand: Tablet, office: Office, request: Any
) -> None:
    begin(hand, PEOPLE[9])
    office("reassign", PEOPLE[9])
    hand.line().click()
    hand.find()  # the form stays open under the office's hand
    hand.go("今天")
    expect(hand.page.get_by_text("现不在您名下")).to_be_visible()
    hand.card(PEOPLE[9]).click()
    expect(hand.page.get_by_text("由办公室决定是否采用")).to_be_visible()
    hand.page.get_by_role("link", name="继续评残").click()
    hand.photograph()
    hand.conclude("colleague")
    hand.sign(PEOPLE[9], "assessor", "colleague")
    hand.press("提交评定")
    hand.expects_heading("发件箱")
    mine = hand.page.get_by_role("listitem").filter(has_text=PEOPLE[9])
    expect(mine).to_contain_text("等办公室决定")
    expect(hand.page.get_by_role("link", name="1 项等候办公室决定")).to_be_visible()
    assert office("ledger", request.node.name[:60]) == [[1, "submit_evaluation", "parked"]]


def test_five_quiet_minutes_lock_the_tablet_and_keep_the_form(
    clocked: Callable[..., Tablet],
) -> None:
    hand = clocked("five minutes")
    page = hand.page
    begin(hand, PEOPLE[10])
    write_remark(hand, "锁定之前")
    page.clock.fast_forward("04:30")
    expect(page.get_by_label("备注")).to_be_visible()
    page.clock.fast_forward("01:00")
    expect(page.get_by_role("heading", name="已锁定")).to_be_visible()
    assert PEOPLE[10] not in page.content()
    hand.unlocks()
    reads_remark(hand, "锁定之前")


def test_a_stopped_tablet_hands_in_what_it_had_not_sent_and_forgets_everything(
    hand: Tablet, office: Office, request: Any
) -> None:
    label = request.node.name[:60]
    hand.page.context.set_offline(True)
    hand.report_not_done(PEOPLE[11], "住院")
    begin(hand, PEOPLE[12])
    write_remark(hand, "还没有写完的一句")
    office("revoke", label)
    hand.page.context.set_offline(False)
    expect(hand.page.get_by_role("heading", name="已全部上交")).to_be_visible()
    assert PEOPLE[12] not in hand.page.content()
    handed_in = office("open_handin", label)
    assert "record_not_done" in handed_in
    assert "in_hospital" in handed_in
    assert "还没有写完的一句" in handed_in
    assert office("ledger", label) == []
    hand.page.reload()
    hand.expects_heading("登记这台平板")


def test_ten_wrong_pins_lock_the_tablet_for_good_and_lose_nothing(
    clocked: Callable[..., Tablet], office: Office
) -> None:
    hand = clocked("ten PINs")
    page = hand.page
    page.context.set_offline(True)
    hand.report_not_done(PEOPLE[13], "本人不在家")
    hand.press("锁定")
    for number in range(1, 11):
        hand.unlock("135790")
        page.clock.fast_forward("00:31")  # each failure makes the next try wait longer
        expect(
            page.get_by_text(
                f"还可以再试 {10 - number} 次。" if number < 10 else "已不能在这里打开"
            )
        ).to_be_visible()
    expect(page.get_by_label("PIN 码")).to_have_count(0)
    page.context.set_offline(False)
    hand.hand_in()
    expect(page.get_by_role("heading", name="已全部上交")).to_be_visible()
    assert "absent" in office("open_handin", "ten PINs")


def test_fifteen_days_without_a_line_ask_for_one_before_the_pin_opens_anything(
    clocked: Callable[..., Tablet],
) -> None:
    hand = clocked("fifteen days")
    page = hand.page
    hand.go("更多")
    page.get_by_role("link", name="出发前检查").click()
    expect(page.get_by_text("之前没有网络也能打开")).to_be_visible()
    hand.go("今天")
    page.context.set_offline(True)
    page.clock.fast_forward(15 * 24 * 3600 * 1000)
    expect(page.get_by_text("要联网一次才能用 PIN 码打开")).to_be_visible()
    page.get_by_label("PIN 码").fill(PIN)
    hand.press("联网并解锁")
    expect(page.get_by_text("没有网络，现在打不开")).to_be_visible()
    page.context.set_offline(False)
    hand.press("联网并解锁")
    hand.expects_heading("今天")


def test_a_tablet_that_slept_for_fifteen_days_behind_its_lock_asks_for_a_line_too(
    clocked: Callable[..., Tablet],
) -> None:
    hand = clocked("fifteen days asleep")
    page = hand.page
    hand.go("更多")
    page.get_by_role("link", name="出发前检查").click()
    expect(page.get_by_text("之前没有网络也能打开")).to_be_visible()
    page.get_by_role("button", name="锁定").click()
    page.context.set_offline(True)
    page.clock.fast_forward(15 * 24 * 3600 * 1000)
    expect(page.get_by_text("要联网一次才能用 PIN 码打开")).to_be_visible()


def test_a_full_disk_does_not_keep_a_tablet_from_starting_once_its_lease_is_over(
    clocked: Callable[..., Tablet],
) -> None:
    hand = clocked("full and over")
    page = hand.page
    hand.go("更多")
    page.get_by_role("link", name="出发前检查").click()
    expect(page.get_by_text("之前没有网络也能打开")).to_be_visible()
    page.add_init_script(f"({NO_ROOM})()")
    page.clock.set_system_time(page.evaluate("Date.now()") / 1000 + 15 * 24 * 3600)
    page.reload()
    expect(page.get_by_role("heading", name="已锁定")).to_be_visible()


def take_a_finger_and_go_offline(hand: Tablet) -> None:
    hand.go("更多")
    hand.press("设置指纹或面容")
    expect(hand.page.get_by_text("已设置")).to_be_visible()
    hand.page.context.set_offline(True)


def test_a_passkey_opens_the_tablet_without_a_line_and_the_pin_still_does(
    window: Callable[..., Page], camera: Camera, codes: Iterator[str], service: Service
) -> None:
    # A passkey belongs to a name; an address of numbers can have none.
    page = window(800, 1280, base_url=f"http://localhost:{service.port}")
    finger = Finger.on(page)
    hand = Tablet(page, camera, unseen)
    hand.enrol(next(codes), "a passkey")
    take_a_finger_and_go_offline(hand)
    page.reload()
    hand.press("用指纹或面容解锁")
    hand.go("今天")
    hand.press("锁定")
    finger.refuse()
    hand.press("用指纹或面容解锁")
    expect(page.get_by_text("没有确认成功")).to_be_visible()
    hand.unlock(PIN)
    hand.expects_heading("今天")


def test_a_passkey_for_which_there_is_no_room_is_not_called_unconfirmed(
    cramped: Callable[..., Tablet], service: Service
) -> None:
    hand = cramped("no room for a finger", f"http://localhost:{service.port}")
    page = hand.page
    Finger.on(page)
    page.reload()
    hand.unlocks()
    hand.go("更多")
    page.evaluate(FILL)
    hand.press("设置指纹或面容")
    expect(page.get_by_role("main")).to_contain_text("平板存储空间已满")


def test_a_pin_that_opens_nothing_without_a_line_is_not_changed_without_one(
    window: Callable[..., Page], camera: Camera, codes: Iterator[str], service: Service
) -> None:
    page = window(800, 1280, base_url=f"http://localhost:{service.port}")
    page.clock.install()
    Finger.on(page)
    hand = Tablet(page, camera, unseen)
    hand.enrol(next(codes), "a finger after weeks")
    take_a_finger_and_go_offline(hand)
    page.clock.fast_forward(15 * 24 * 3600 * 1000)
    hand.press("用指纹或面容解锁")
    hand.press("更改 PIN 码")
    page.get_by_label("现在的 PIN 码").fill(PIN)
    page.get_by_label("新的 PIN 码").fill("975310")
    page.get_by_label("再输一次 PIN 码").fill("975310")
    page.get_by_role("button", name="更改 PIN 码").last.click()
    expect(page.get_by_role("alert")).to_contain_text("要联网一次")


def test_a_photo_that_was_not_accepted_is_taken_anew_and_its_mark_goes(
    hand: Tablet, office: Office, request: Any
) -> None:
    page = hand.page
    refused: list[str] = []

    def turn_away(route: Route) -> None:
        """Take the first photo for none, as the office does with a file that is torn."""
        said = route.request.headers.get("upload-metadata", "")
        first = refused[0] if refused else said
        if said == first and "aW1hZ2UvanBlZw" in said:
            refused.append(said)
            route.fulfill(status=422, json={"type": "/problems/not-a-picture"})
        else:
            route.continue_()

    page.route("**/api/v1/uploads/", turn_away)
    hand.open_visit(PEOPLE[14])
    hand.evaluate(PEOPLE[14], "assessor", "colleague")
    expect(hand.line()).to_have_text("需要处理")
    hand.go("发件箱")
    page.get_by_role("link", name="1 项需要处理").last.click()
    mine = page.get_by_role("listitem").filter(has_text=PEOPLE[14])
    expect(mine).to_contain_text("照片要重新拍")
    hand.press("更正后重新发送")
    page.get_by_role("button", name="照片").click()
    [words] = [one for one in PHOTOS if not page.get_by_role("img", name=f"{one} 1").count()]
    hand.shoot(words)
    page.get_by_role("button", name="提交").click()
    page.context.set_offline(True)
    hand.press("提交评定")
    expect(hand.line()).to_have_text("2 项待发送")
    page.context.set_offline(False)
    hand.line().click()
    expect(hand.line()).to_have_text("全部已送达")
    page.goto("/tablet/#/disputes")
    expect(page.get_by_text("更正并重新发送")).to_be_visible()
    label = request.node.name[:60]
    assert office("ledger", label)[-1] == [2, "submit_evaluation", "conflict"]


#: Lets the browser take no note of anything on the disk.
NO_ROOM = """() => {
  IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError') }
}"""


def test_wrong_pins_count_on_a_full_disk_also_over_a_reload(hand: Tablet) -> None:
    page = hand.page
    page.add_init_script(f"({NO_ROOM})()")
    page.reload()
    for left in (9, 8):
        hand.unlock("135790")
        expect(page.get_by_text(f"还可以再试 {left} 次。")).to_be_visible()
        page.reload()
    expect(page.get_by_text("还可以再试 8 次。")).to_be_visible()
    hand.unlock()
    expect(page.get_by_role("navigation", name="主要页面")).to_be_visible()
    page.reload()
    expect(page.get_by_text("还可以再试")).to_have_count(0)


@pytest.mark.parametrize("locked", [False, True])
def test_a_hand_in_erases_nothing_under_the_hands_of_another_window(
    hand: Tablet, locked: bool
) -> None:
    first, waiting = hand.page, list[Route]()
    first.route("**/api/v1/hand-in", lambda route: waiting.append(route))
    if locked:
        hand.press("锁定")
        first.get_by_text("忘记 PIN 码？").click()
    else:
        first.evaluate("location.hash = '#/hand-in'")
    hand.hand_in()
    expect(first.get_by_role("progressbar")).to_be_visible()
    second = Tablet(first.context.new_page(), hand.camera, unseen)
    second.page.goto("/tablet/")
    second.press("在这里使用")
    second.unlocks()
    begin(second, PEOPLE[6])
    write_remark(second, "第二个窗口里写的")
    hand.expects_heading("已在另一个窗口打开")
    first.unroute("**/api/v1/hand-in")  # what waits goes on with it
    first.wait_for_timeout(3_000)
    hand.expects_heading("已在另一个窗口打开")
    first.goto("about:blank")
    second.page.reload()
    second.unlocks()
    go_on(second, PEOPLE[6])
    reads_remark(second, "第二个窗口里写的")


def open_camera(hand: Tablet) -> Locator:
    """Open the camera for a household book, and wait until there is a picture."""
    hand.page.evaluate("location.hash = '#/nominate'")
    hand.page.get_by_role("button", name="拍照 户口簿").click()
    dialog = hand.page.get_by_role("dialog", name="户口簿")
    expect(dialog.get_by_role("button", name="拍照", exact=True)).to_be_enabled()
    return dialog


def test_a_call_that_takes_the_camera_away_leaves_no_old_picture_to_take(hand: Tablet) -> None:
    dialog = open_camera(hand)
    shutter = dialog.get_by_role("button", name="拍照", exact=True)
    tracks = "video => video.srcObject.getTracks()"
    video = dialog.locator("video")
    video.evaluate(f"video => ({tracks})(video)[0].dispatchEvent(new Event('mute'))")
    expect(shutter).to_be_disabled()
    video.evaluate(f"video => ({tracks})(video)[0].dispatchEvent(new Event('unmute'))")
    expect(shutter).to_be_enabled()
    video.evaluate(f"video => ({tracks})(video)[0].dispatchEvent(new Event('ended'))")
    expect(shutter).to_be_disabled()
    expect(dialog.get_by_text("打不开摄像头")).to_be_visible()
    dialog.get_by_role("button", name="再试一次").click()
    expect(shutter).to_be_enabled()


def test_the_viewfinder_turns_with_the_tablet(hand: Tablet) -> None:
    dialog = open_camera(hand)
    dialog.locator("video").evaluate(
        """video => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 480, height: 640 })
      canvas.getContext('2d').fillRect(0, 0, 480, 640)
      video.srcObject = canvas.captureStream(5)
      setInterval(() => canvas.getContext('2d').fillRect(0, 0, 1, 1), 50)
    }"""
    )
    expect(dialog.locator(".stage")).to_have_css("aspect-ratio", "480 / 640")


def test_a_file_that_is_no_picture_says_what_to_do_and_can_be_chosen_again(hand: Tablet) -> None:
    dialog = open_camera(hand)
    heic = {"name": "a.heic", "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic"}
    whole = picture(EvidenceKind.DOCUMENT, "cut off", age=30)
    half = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": whole[: len(whole) // 2]}
    for wrong in (heic, half, half):
        dialog.locator("input[type=file]").set_input_files(wrong)
        expect(dialog.get_by_role("alert")).to_contain_text("JPEG 或 PNG")
        expect(dialog.locator("input[type=file]")).to_have_value("")


def test_a_hand_that_rests_on_the_glass_draws_no_line_through_a_signature(hand: Tablet) -> None:
    page = hand.page
    begin(hand, PEOPLE[6])
    hand.find()
    page.get_by_role("button", name="签名").first.click()
    page.get_by_role("button", name=re.compile("^签名.*colleague|^签名")).nth(1).click()
    pad = page.get_by_role("img", name="的签名区")
    ink = pad.evaluate(
        """pad => {
      pad.setPointerCapture = () => undefined
      const box = pad.getBoundingClientRect()
      const touch = (type, pointerId, x, y) => pad.dispatchEvent(new PointerEvent(type, {
        pointerId, isPrimary: pointerId === 1, bubbles: true, pointerType: 'touch',
        clientX: box.left + x * box.width, clientY: box.top + y * box.height,
      }))
      touch('pointerdown', 1, 0.1, 0.1)
      touch('pointermove', 1, 0.2, 0.1)
      touch('pointerdown', 2, 0.9, 0.9)
      touch('pointermove', 1, 0.3, 0.1)
      const context = pad.getContext('2d')
      const dark = (x, y) => context.getImageData(x * 1200, y * 600, 1, 1).data[0] < 128
      return [dark(0.25, 0.1), dark(0.6, 0.5)]
    }"""
    )
    assert ink == [True, False]


def test_a_new_pin_is_typed_twice_and_no_easy_one(hand: Tablet) -> None:
    page = hand.page
    hand.go("更多")
    hand.press("更改 PIN 码")
    page.get_by_label("现在的 PIN 码").fill(PIN)
    for fresh, again, lack in (
        ("000000", "000000", "太容易猜到"),
        ("975310", "975301", "两次输入的 PIN 码不同"),
    ):
        page.get_by_label("新的 PIN 码").fill(fresh)
        page.get_by_label("再输一次 PIN 码").fill(again)
        hand.press("更改 PIN 码")
        expect(page.get_by_role("alert")).to_contain_text(lack)
    page.get_by_label("再输一次 PIN 码").fill("975310")
    page.get_by_role("button", name="更改 PIN 码").dblclick()
    expect(page.get_by_text("PIN 码已更改。")).to_be_visible()
    hand.press("更改 PIN 码")
    expect(page.get_by_label("新的 PIN 码")).to_have_value("")
    hand.press("锁定")
    hand.unlock("975310")
    hand.expects_heading("更多")


def test_what_is_missing_in_a_long_form_is_where_one_lands(hand: Tablet) -> None:
    page = hand.page
    page.evaluate("location.hash = '#/nominate'")
    page.get_by_label("姓名").fill("周小溪")
    hand.press("保存提名")
    number = page.get_by_label("身份证号")
    expect(number).to_be_focused()
    expect(number).to_be_in_viewport()
    expect(number).to_have_accessible_description(re.compile("身份证号不正确"))


def test_by_the_keyboard_one_goes_on_in_the_new_screen(hand: Tablet) -> None:
    hand.go("今天")
    hand.card(PEOPLE[6]).press("Enter")
    hand.expects_heading(PEOPLE[6])
    expect(hand.page.get_by_role("main")).to_be_focused()


def test_what_the_browser_was_told_to_deny_is_not_asked_for_but_its_settings_are_named(
    hand: Tablet,
) -> None:
    page = hand.page
    page.evaluate("() => { navigator.permissions.query = async () => ({ state: 'denied' }) }")
    hand.go("更多")
    page.get_by_role("link", name="出发前检查").click()
    for asked in ("摄像头", "定位"):
        line = page.get_by_role("listitem").filter(has_text=asked)
        expect(line).to_contain_text("网站设置")
        expect(line.get_by_role("button")).to_have_count(0)


def test_an_update_waits_for_what_has_no_room_on_the_disk_and_says_so(
    window: Callable[..., Page], line: Line, camera: Camera, codes: Iterator[str]
) -> None:
    page = window(800, 1280, geolocation=HOME, permissions=["geolocation"], base_url=line.address)
    hand = Tablet(page, camera, unseen)
    hand.enrol(next(codes), "updated and full")
    begin(hand, PEOPLE[6])
    bring_newer(page, line)
    page.evaluate(NO_ROOM)
    page.get_by_role("button", name="评定").click()
    page.get_by_label("备注").fill("还没有存上的")
    expect(page.get_by_text("没有存上！")).to_be_visible()
    hand.go("更多")
    hand.press("现在更新")
    expect(page.get_by_role("alert")).to_contain_text("没有存上！")
    go_on(hand, PEOPLE[6])
    reads_remark(hand, "还没有存上的")


#: Words that stand on more than one line, of what must be read at a glance.
BROKEN = """() => [...document.querySelectorAll('.brand, .tabs span, .steps button > span')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .filter((one) => !one.matches('.visually-hidden'))
  .filter((one) => {
    const range = document.createRange()
    range.selectNodeContents(one)
    const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)))
    return lines.size > one.textContent.trim().split(' ').length
  })
  .map((one) => one.textContent)"""


def test_on_a_telephone_no_word_is_broken_and_no_link_too_small(hand: Tablet) -> None:
    page = hand.page
    page.set_viewport_size({"width": 390, "height": 780})
    page.route(
        "**/api/v1/uploads/",
        lambda route: route.fulfill(status=422, json={"type": "/problems/not-a-picture"}),
    )
    begin(hand, PEOPLE[6])
    page.evaluate(SAY, "en")
    assert page.evaluate(BROKEN) == []
    top = page.get_by_role("banner").bounding_box()
    assert top is not None
    assert top["height"] < 80
    page.evaluate(SAY, "zh")
    hand.camera.show(EvidenceKind.DOCUMENT)
    photograph_book(hand)
    fill_in(hand)
    hand.press("保存提名")
    hand.go("发件箱")
    expect(page.get_by_role("link", name=re.compile("项需要处理")).last).to_be_visible()
    assert page.evaluate(SMALL, 44) == []


def test_a_report_that_was_cut_off_while_the_tablet_looked_for_its_place_is_marked(
    hand: Tablet,
) -> None:
    page = hand.page
    hand.begin_report(PEOPLE[6], "住院")
    page.evaluate("() => { navigator.geolocation.getCurrentPosition = () => undefined }")
    hand.press("保存")
    expect(page.get_by_role("button", name="正在保存…")).to_be_visible()
    page.wait_for_timeout(500)
    page.reload()  # as an empty battery does
    hand.unlocks()
    hand.go("今天")
    expect(hand.card(PEOPLE[6])).to_contain_text("未写完")
    hand.card(PEOPLE[6]).click()
    page.get_by_role("link", name="未能完成").click()
    expect(page.get_by_label("住院")).to_be_checked()


def test_where_the_browsers_data_was_cleared_no_pin_is_called_wrong(hand: Tablet) -> None:
    page = hand.page
    hand.sync()
    hand.press("锁定")
    hand.expects_heading("已锁定")
    # Every quarter of a minute it looks by itself whether anything is left: here the PIN asks.
    page.evaluate("() => { for (let id = 0; id < 10_000; id += 1) clearInterval(id) }")
    cleared = {"origin": page.evaluate("location.origin"), "storageTypes": "indexeddb"}
    page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", cleared)
    hand.unlock()
    busy = page.get_by_text("打不开这台平板上的数据")  # the browser is not through with it yet
    anew = page.get_by_role("heading", level=1, name="登记这台平板")
    expect(anew.or_(busy)).to_be_visible()
    if busy.is_visible():
        page.wait_for_timeout(1_000)
        hand.unlock()
    expect(anew).to_be_visible()


def test_a_corrected_copy_for_which_there_is_no_room_says_so(
    cramped: Callable[..., Tablet], office: Office
) -> None:
    """It stands last: the conflict that it leaves is the account's, on each of its tablets."""
    hand = cramped("full of copies")
    page, who = hand.page, PEOPLE[0]
    hand.begin_report(who, "本人不在家")
    office("postpone", who, "2018-06-14")
    hand.press("保存")
    hand.expects_heading("今天")
    hand.go("发件箱")
    page.get_by_role("link", name=re.compile(r"^\d 项需要处理$")).click()
    mine = page.get_by_role("listitem").filter(has_text=who)
    page.evaluate(FILL)
    mine.get_by_role("button", name="更正后重新发送").click()
    expect(page.get_by_role("alert")).to_contain_text("平板存储空间已满")
