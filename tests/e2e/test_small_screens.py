"""A tablet as it is held and heard: on a telephone, with large letters, by a reader's voice."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.looking import SAY
from tests.e2e.office import Office
from tests.e2e.preparing import CERTIFIED, LONG_NAME
from tests.e2e.serving import Service, serving
from tests.e2e.tablet import Tablet

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
Held = tuple[tuple[int, int, str], ...]
#: Width and height, and how large the letters are.
HELD: Held = (
    (390, 780, "100%"),
    (390, 780, "200%"),
    (320, 640, "100%"),
    (800, 1280, "200%"),
    (1280, 800, "100%"),
)
#: A small telephone, and a tablet of seven inches on its side.
NARROW: Held = ((360, 640, "200%"), (1024, 600, "200%"))
#: What stands beyond the edge, also inside a box that draws nothing outside itself, or out of one.
BEYOND = """() => {
  const { scrollWidth, clientWidth } = document.documentElement
  for (const part of document.querySelectorAll('.part')) part.style.contentVisibility = 'visible'
  const seen = [...document.querySelectorAll('main *, .top *, .tabs *')]
    .filter((one) => one.checkVisibility() && !one.closest('.visually-hidden, .skip, svg'))
  const found = seen
    .filter((one) => one.getBoundingClientRect().right > clientWidth + 1)
    .map((one) => `${one.tagName}.${one.className} ${one.textContent.slice(0, 30)}`)
  if (scrollWidth > clientWidth + 1) found.unshift(`${scrollWidth - clientWidth} pixels of words`)
  return found.slice(0, 3)
}"""
LARGE = "(letters) => (document.documentElement.style.fontSize = letters)"
#: Buttons in which a word is broken, or that are taller than they are wide.
BROKEN = """() => [...document.querySelectorAll('button, .button')]
  .filter((one) => one.checkVisibility() && !one.closest('.week, .week-head, .steps, .stop'))
  .filter((one) => {
    const { width, height } = one.getBoundingClientRect()
    return one.textContent.trim().length > 1 && height > width * 1.2
  })
  .map((one) => one.textContent.trim().slice(0, 30))"""
#: Where one signs or looks through the camera, and each button: what is not whole on the glass.
CUT = """() => [...document.querySelectorAll('dialog :is(.signature, .viewfinder, .actions > *)')]
  .map((one) => [one.getBoundingClientRect(), one])
  .filter(([{ top, bottom, height }, one]) =>
    top < 0 || bottom > innerHeight + 1 || (height < 96 && !one.closest('.actions')))
  .map(([{ bottom }, one]) => `${one.className || one.textContent.trim()} ends at ${bottom}`)"""
#: Keeps what a reader would speak.
LISTEN = """() => {
  window.heard = []
  new MutationObserver((all) => {
    for (const { target } of all) {
      const at = target.nodeType === 1 ? target : target.parentElement
      const live = at?.closest('[aria-live], [role=status], [role=alert]')
      if (live?.textContent.trim()) window.heard.push(live.textContent.trim())
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true })
}"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve the small county with names and lists that no screen was drawn for."""
    with serving(tmp_path_factory.mktemp("crowded"), "crowded") as running:
        yield running


class Reach:
    """Notes what cannot be reached on a screen, however it is held."""

    def __init__(
        self, page: Page, looks: tuple[str, ...] = (BEYOND, BROKEN), held: Held = HELD
    ) -> None:
        self.page, self.looks, self.held = page, looks, held
        self.found: list[str] = []

    def __call__(self, name: str) -> None:
        """Look at the screen in both languages, in each size."""
        size = self.page.viewport_size
        assert size is not None
        for language in ("zh", "en"):
            self.page.evaluate(SAY, language)
            for width, height, letters in self.held:
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.evaluate(LARGE, letters)
                what = [one for look in self.looks for one in self.page.evaluate(look)]
                self.found += [f"{name} {language} {width} {letters}: {one}" for one in what]
        self.page.evaluate(LARGE, "")
        self.page.evaluate(SAY, "zh")
        self.page.set_viewport_size(size)


def test_nothing_stands_beyond_the_edge_of_any_screen(hand: Tablet) -> None:
    page = hand.page
    reach = Reach(page)
    hand.sync()
    hand.go("今天")
    reach("today")
    page.context.set_offline(True)
    expect(hand.line()).to_contain_text("没有网络")
    hand.card(LONG_NAME).click()
    hand.expects_heading(LONG_NAME)
    reach("visit")
    visit = page.url.rsplit("/", 1)[1]
    for place in ("contact", "move", "not-done"):
        page.evaluate("(to) => (location.hash = to)", f"#/{place}/{visit}")
        expect(page.locator("main form")).to_be_visible()
        reach(place)
    hand.go("日程")
    page.get_by_role("button", name=re.compile("周二 12")).click()
    reach("calendar")
    page.get_by_role("link", name=re.compile("安排$")).click()
    hand.expects_heading("安排走访")
    reach("schedule")
    hand.go("证件")
    hand.press("登记送达")
    reach("certificates")
    hand.go("发件箱")
    reach("outbox")
    for place in ("disputes", "ready", "hand-in", "renew", "nominate"):
        page.evaluate("(to) => (location.hash = to)", f"#/{place}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        reach(place)
    hand.go("更多")
    hand.press("更改 PIN 码")
    reach("more")
    page.evaluate("(to) => (location.hash = to)", f"#/evaluate/{visit}")
    for step in ("到场", "检查", "照片", "评定", "签名", "提交"):
        hand.expects_heading(step)
        reach(step)
        if step != "提交":
            hand.press("下一步")
    hand.go("今天")
    reach("today, begun")
    hand.press("锁定")
    hand.unlock("000000")
    expect(page.get_by_text("PIN 码不对。")).to_be_visible()
    reach("locked")
    assert reach.found == [], "\n".join(reach.found)


def test_one_signs_and_photographs_without_moving_the_dialog_also_with_large_letters(
    hand: Tablet,
) -> None:
    page = hand.page
    reach = Reach(page, (CUT,), (*HELD, *NARROW))
    hand.card(LONG_NAME).click()
    page.get_by_role("link", name=re.compile("评残$")).click()
    page.get_by_label("本人同意").check()
    steps = page.get_by_role("navigation", name="评残步骤")
    steps.get_by_role("button", name="检查").click()
    for _ in range(5):
        parts = page.get_by_role("region").filter(has_not=page.get_by_role("heading", name="肢体"))
        parts.get_by_role("button", name="删去这一类").first.click()
    hand.find()
    hand.press(re.compile("^拍照.*居住环境"))
    expect(page.get_by_role("dialog").get_by_role("button", name="拍照")).to_be_enabled()
    reach("camera")
    page.get_by_role("dialog").get_by_role("button", name="取消").click()
    steps.get_by_role("button", name="签名").click()
    hand.press(re.compile(f"^签名.*{LONG_NAME}"))
    reach("pad")
    assert reach.found == [], "\n".join(reach.found)


def test_a_reader_is_told_what_changed_and_not_each_minute_that_nothing_did(hand: Tablet) -> None:
    page = hand.page
    hand.sync()
    page.evaluate(LISTEN)
    with page.expect_response("**/api/v1/sync"):
        page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(hand.line()).to_have_text("全部已送达")
    assert page.evaluate("window.heard") == []
    hand.card(LONG_NAME).click()
    page.get_by_role("link", name="开始评残").click()
    hand.press("我已到达")
    page.get_by_role("button", name="评定").click()
    page.evaluate("window.heard = []")
    for word in ("屋内", "屋内很暗", "屋内很暗，电线垂着"):
        page.get_by_label("备注").fill(word)
        hand.has_saved()
    assert page.evaluate("window.heard") == []
    hand.line().click()
    page.wait_for_function("() => window.heard.includes('全部已送达')")
    page.context.set_offline(True)
    page.wait_for_function("() => window.heard.some((one) => one.startsWith('没有网络'))")


def test_a_finger_that_pulls_the_page_down_does_not_lock_the_tablet(hand: Tablet) -> None:
    pulled = "getComputedStyle(document.documentElement).overscrollBehaviorY"
    assert hand.page.evaluate(pulled) == "none"


def test_a_file_is_chosen_among_the_files_and_not_taken_anew(hand: Tablet) -> None:
    page = hand.page
    hand.card(LONG_NAME).click()
    page.get_by_role("link", name="开始评残").click()
    page.get_by_role("button", name="照片").click()
    page.get_by_role("button", name=re.compile("^拍照.*居住环境")).click()
    chosen = page.get_by_label("从文件选择")
    expect(chosen).to_have_attribute("accept", "image/*")
    # With `capture`, Android opens its camera and shows no files.
    assert chosen.get_attribute("capture") is None


def test_a_paper_that_was_made_anew_is_opened_anew_also_in_the_version_before(
    hand: Tablet, office: Office
) -> None:
    page = hand.page
    hand.go("证件")
    mine = page.get_by_role("listitem").filter(has_text=CERTIFIED)
    expect(mine).to_contain_text("已存本机")
    hand.press("打开")
    expect(page.get_by_role("link", name="查看 PDF")).to_be_visible()
    office("lose_newest", CERTIFIED)
    hand.line().click()
    expect(page.get_by_role("link", name="查看 PDF")).to_have_count(0)
    expect(mine).to_contain_text("已存本机")
    hand.press("打开")
    expect(page.get_by_role("link", name="查看 PDF")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
