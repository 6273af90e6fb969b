"""A campaign by clicking: teams, a plan watched, a what-if, published, and a doctor falls ill."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.album import Album
from tests.e2e.desk import Desk
from tests.e2e.looking import violations
from tests.e2e.serving import Service, serving
from tests.e2e.tablet import Look, Tablet

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
WIDTHS = (360, 1920)
LONG = os.environ.get("OUTREACH_LONG") == "1"
#: A solver on a busy machine.
SLOWLY = 180_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve the demo county with homes that wait to be planned."""
    with serving(tmp_path_factory.mktemp("planning"), "planning") as running:
        yield running


class Eye:
    """Looks at the office's page at each width: axe, nothing sideways; keeps the picture."""

    def __init__(self, album: Album) -> None:
        self.album = album
        self.found: list[str] = []

    def __call__(self, desk: Desk, name: str, *, stays: bool = False) -> None:
        """Look at the page."""
        page = desk.page
        before = page.viewport_size
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.locator("html").evaluate("html => html.scrollWidth > html.clientWidth")
            self.found += [f"{name} scrolls sideways at {width}"] if wide else []
            for one in violations(page, colours=width == max(WIDTHS)):
                self.found.append(f"{name} at {width}: {one['id']} {one['nodes'][0]['html']}")
            self.album.take(page, f"{name}-{width}")
        assert before is not None
        page.set_viewport_size(before)
        self.album.take(page, name)
        if not stays:  # another language loads the page again
            desk.in_english(name)


def test_a_campaign_from_the_first_team_to_a_sick_doctor(
    desk: Callable[..., Desk],
    tablet: Callable[[Look], Tablet],
    album: Album,
    broken: list[str],
) -> None:
    eye = Eye(album)
    office = desk("administrator-1")
    open_campaign(office, eye)
    add_team(office, eye, "北线一组", "A", "灯台乡")
    add_team(office, eye, "西线二组", "B", "共兴镇")
    add_team(office, eye, "东线三组", "C", "搬罾镇")
    make_plan(office, eye)
    look_at_a_day(office, eye)
    wonder(office, eye)
    read_why(office, eye)
    publish(office, eye)
    take_papers(office, eye)
    doctor, day, person = whose_day(office)
    hill = tablet(lambda _page, _name: None)
    hill.enrol(office.make_code(doctor), "北线一组平板")
    hill.sync()
    hill.go("日程")
    hill.press("下一周")
    hill.page.get_by_role("button", name=re.compile(rf"^周. {int(day[-2:])}\b")).click()
    expect(hill.page.get_by_role("link", name=person)).to_be_visible()
    album.take(hill.page, "campaign-tablet", whole=False)
    doctor_falls_ill(office, eye, doctor, day)
    hill.sync()
    tell_families(office, eye)
    offer_times(office, eye)
    if LONG:
        lose_the_solver(office, eye)
    assert eye.found == []
    assert broken == []


def open_campaign(office: Desk, eye: Eye) -> None:
    """Open the campaign of June, at first with its days the wrong way round."""
    page = office.page
    office.go("行动")
    eye(office, "campaigns-empty")
    office.follow("新建行动")
    page.get_by_label("行动名称").fill("六月送证下乡")
    page.get_by_label("首日").fill("2018-06-15")
    page.get_by_label("最后一日").fill("2018-06-04")
    office.press("建立行动")
    expect(page.get_by_role("alert").first).to_be_visible()
    eye(office, "campaign-new-wrong", stays=True)
    page.get_by_label("首日").fill("2018-06-04")
    page.get_by_label("最后一日").fill("2018-06-15")
    office.press("建立行动")
    office.reads("行动已建立")
    eye(office, "campaign-without-teams")


def add_team(office: Desk, eye: Eye, name: str, letter: str, base: str) -> None:
    """Add a team of the demo's assessors of one letter."""
    page = office.page
    office.follow("添加小组")
    page.get_by_label("小组名称").fill(name)
    from outreach.demo.county import demo_county

    for user in demo_county().users:
        if user.team == letter:
            page.get_by_role("checkbox", name=re.compile(f"^{user.full_name} ")).check()
    page.get_by_label("出发与返回地").select_option(label=base)
    page.get_by_label("车辆").fill(f"川R·{letter}0001")
    if letter == "A":
        eye(office, "team-new", stays=True)
    office.press("添加")
    office.reads(f"“{name}”已就绪")


def make_plan(office: Desk, eye: Eye) -> None:
    """Make a plan, watch it, and read what it came to."""
    page = office.page
    eye(office, "campaign-with-teams")
    page.get_by_label("可以用多长时间？").select_option(label="20 秒：先看个大概")
    office.press("排方案")
    office.reads("正在排方案")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^[0-9] / 20 秒$"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^1[0-9] / 20 秒$"))).to_be_visible(timeout=SLOWLY)
    eye(office, "plan-progress", stays=True)
    expect(page.get_by_role("link", name="发布此方案")).to_be_visible(timeout=SLOWLY)
    eye(office, "plan-ready")


def look_at_a_day(office: Desk, eye: Eye) -> None:
    """Open a full day on the map and promise its first appointment."""
    page = office.page
    page.get_by_role("table").get_by_role("link", name=re.compile(r"^\d+ 户")).first.click()
    expect(page.get_by_role("img", name=re.compile("当天从村到村"))).to_be_visible()
    eye(office, "plan-day")
    page.get_by_role("checkbox").first.check()
    office.press("锁定：不再改动")
    office.reads("这些预约已锁定")
    office.follow("方案 1")


def wonder(office: Desk, eye: Eye) -> None:
    """Ask what would be with one team fewer, and see both side by side."""
    page = office.page
    office.follow("假如")
    page.get_by_label("东线三组").check()
    page.get_by_label("每天允许加班（分钟）").fill("60")
    page.get_by_label("最后一日").fill("2018-06-05")
    page.get_by_label("可以用多长时间？").select_option(label="20 秒：先看个大概")
    page.get_by_label("方案名称").fill("少一组")
    eye(office, "what-if", stays=True)
    office.press("排另一方案")
    expect(page.get_by_role("progressbar")).to_be_visible()
    stop_early(page)
    expect(page.get_by_role("table").first).to_be_visible(timeout=SLOWLY)
    eye(office, "compare")
    overtime = page.get_by_role("row").filter(has_text="加班").filter(has_text="元")
    expect(overtime.first).to_be_visible()
    page.get_by_text("展开查看").click()
    eye(office, "compare-differences", stays=True)


def stop_early(page: Page) -> None:
    """Stop the other plan in another window; the page that waits for both goes on by itself."""
    window = page.context.new_page()
    window.goto(page.url)
    window.get_by_role("link", name="方案 2").first.click()
    expect(window.get_by_text(re.compile(r"^[3-9] / 20 秒$"))).to_be_visible(timeout=SLOWLY)
    window.get_by_role("button", name="停止并保留目前最好的").click()
    expect(window.get_by_role("link", name="发布此方案")).to_be_visible(timeout=SLOWLY)
    window.close()


def read_why(office: Desk, eye: Eye) -> None:
    """Read of the smaller plan who is left out and what would help, overtime and fair shares."""
    page = office.page
    page.get_by_role("link", name="方案 2").first.click()
    expect(office.heading("方案 2")).to_be_visible()
    left = page.get_by_role("region", name=re.compile("户未排入及原因"))
    row = left.get_by_role("row").filter(has=page.get_by_role("rowheader")).first
    why, remedy = (row.get_by_role("cell").nth(n).inner_text().strip() for n in (1, 2))
    assert why
    assert remedy
    expect(page.get_by_role("heading", name="各组负担")).to_be_visible()
    expect(page.locator(".figures").get_by_text(re.compile(r"^[\d.]+ 元$"))).to_be_visible()
    eye(office, "plan-what-if")
    office.follow("六月送证下乡")
    page.get_by_role("link", name="方案 1", exact=True).click()


def publish(office: Desk, eye: Eye) -> None:
    """Publish the first plan after a look at what it changes."""
    office.follow("发布此方案")
    eye(office, "publish")
    office.press("立即发布")
    office.reads("已发布")
    eye(office, "campaign-published")


def take_papers(office: Desk, eye: Eye) -> None:
    """Take the itinerary for print, and a calendar feed that any calendar program reads."""
    page = office.page
    paper = page.get_by_role("link", name="打印行程表（PDF）")
    printed = page.request.get(paper.get_attribute("href") or "")
    assert printed.body().startswith(b"%PDF")
    eye.album.keep("itinerary.pdf", printed.body())
    page.get_by_role("link", name=re.compile("日历订阅")).first.click()
    office.press("生成网址")
    address = page.locator(".feed-address").inner_text().strip()
    eye(office, "feed", stays=True)
    feed = page.request.get(address)
    assert feed.headers["content-type"].startswith("text/calendar")
    assert feed.text().count("BEGIN:VEVENT") > 0
    eye.album.keep("feed.ics", feed.body())
    office.follow("六月送证下乡")


def lose_the_solver(office: Desk, eye: Eye) -> None:
    """Kill the process that plans: the board says so, keeps the best, and goes on from there."""
    page = office.page
    office.go("行动")
    office.follow("六月送证下乡")
    page.get_by_label("可以用多长时间？").select_option(label="1 分钟")
    office.press("排方案")
    expect(page.get_by_text(re.compile(r"^1[1-9] / 60 秒$"))).to_be_visible(timeout=SLOWLY)
    [solver] = planners()
    os.kill(solver, signal.SIGKILL)
    expect(page.get_by_text("排方案中断")).to_be_visible(timeout=SLOWLY)
    expect(page.get_by_role("link", name="发布此方案")).to_be_visible()
    eye(office, "plan-interrupted")
    office.press("从这里继续优化")
    expect(page.get_by_role("progressbar")).to_be_visible()
    office.press("停止并保留目前最好的")
    expect(page.get_by_role("link", name="发布此方案")).to_be_visible(timeout=SLOWLY)


def planners() -> list[int]:
    """Find the processes that make a plan."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended as it was looked at
            if b"make_plan" in one.read_bytes():
                found.append(int(one.parent.name))
    return found


def whose_day(office: Desk) -> tuple[str, str, str]:
    """Return who visits whom on which day, from the first of the calls."""
    page = office.page
    office.follow("电话名单")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader")).first
    day = re.findall(r"2018-06-\d\d", row.inner_text())[0]
    doctor = row.locator("small").last.inner_text().strip()
    return doctor, day, row.get_by_role("link").first.inner_text().strip()


def doctor_falls_ill(office: Desk, eye: Eye, doctor: str, day: str) -> None:
    """Tell that the doctor cannot come, wait for two answers, choose the second."""
    page = office.page
    office.go("行动")
    office.follow("六月送证下乡")
    office.follow("遇到变故")
    eye(office, "hindrance")
    page.get_by_label("道路中断").check()
    expect(page.get_by_label("第一天从几点起？")).to_be_hidden()
    page.get_by_label("有医生不能来").check()
    expect(page.get_by_label("第一天从几点起？")).to_be_visible()
    page.get_by_label("哪位医生？").select_option(label=doctor)
    page.get_by_label("自", exact=True).fill(day)
    page.get_by_label("至（含当天）").fill(day)
    page.get_by_label("已知情况").fill("发烧")
    office.press("算两个办法")
    expect(office.heading("两个办法")).to_be_visible()
    expect(page.get_by_role("link", name="选用这个办法")).to_have_count(2, timeout=SLOWLY)
    eye(office, "two-answers")
    page.get_by_role("link", name="选用这个办法").last.click()
    office.press("立即发布")
    office.reads("已发布")
    eye(office, "campaign-repaired")


def tell_families(office: Desk, eye: Eye) -> None:
    """Call the first family and tick it off."""
    page = office.page
    office.follow("电话名单")
    eye(office, "calls")
    before = page.get_by_role("checkbox").count()
    page.get_by_role("checkbox").first.check()
    office.press("所选已告知")
    office.reads("已告知 1 家")
    expect(page.get_by_role("checkbox")).to_have_count(max(before - 1, 50 if before == 50 else 0))


def offer_times(office: Desk, eye: Eye) -> None:
    """Cancel one visit and offer the family the three cheapest times."""
    page = office.page
    office.go("申请名册")
    page.get_by_role("rowheader").get_by_role("link").first.click()
    office.follow("取消上门")
    page.get_by_label("理由").fill("家人住院")
    office.press("取消上门")
    office.follow("安排上门")
    expect(page.get_by_role("heading", name="守住所有承诺的三个最省时间")).to_be_visible()
    eye(office, "offers")
    page.get_by_role("button", name=re.compile(r"^06-\d\d")).first.click()
    office.reads("已安排")
