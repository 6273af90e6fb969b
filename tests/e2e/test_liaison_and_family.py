"""The liaison's day on a telephone of 360 px, and the family's beside it, until the doctors' time.

Every page is looked at through axe and must not scroll sideways; with `OUTREACH_SCREENSHOTS` each
is kept as a picture in both languages, on the telephone and on a wide screen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, FilePayload, Page, expect

from outreach import clock
from outreach.actions import applications, enquiries, family, planning
from outreach.models import Application, Enquiry, PaperPhoto, User, Visit
from tests import builders
from tests.e2e.album import Album
from tests.e2e.looking import Eye
from tests.outreach.planning import ASKED, hills, published

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Seat = Callable[[User | None], BrowserContext]
PHONE, WALL = {"width": 360, "height": 780}, {"width": 1920, "height": 1080}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OUTREACH_FILES = tmp_path / "files"
    monkeypatch.setattr(planning, "launch", lambda plans: None)
    cache.clear()


class Looker(Eye):
    """Looks at every page of the story."""

    def __init__(self, album: Album) -> None:
        super().__init__()
        self.album = album

    def __call__(self, page: Page, name: str, *, languages: bool = True) -> None:
        super().__call__(page, name)
        self.sideways(page, name)
        self.album.take(page, f"{name}-360")
        if not self.album.is_kept:
            return
        page.set_viewport_size(WALL)
        self.album.take(page, f"{name}-1920")
        page.set_viewport_size(PHONE)
        if languages:
            page.get_by_role("button", name="English").click()
            self.album.take(page, f"{name}-en-360")
            page.get_by_role("button", name="中文").click()


@pytest.fixture
def look(album: Album) -> Looker:
    return Looker(album)


def phone(seat: Seat, user: User | None) -> Page:
    """Return somebody's telephone."""
    page = seat(user).new_page()
    page.set_viewport_size(PHONE)
    return page


def a_paper(words: str) -> FilePayload:
    """Return a photo of a paper."""
    out = BytesIO()
    sheet = Image.new("RGB", (900, 600), "#e8e2d0")
    ImageDraw.Draw(sheet).text((80, 80), words, fill="black")
    sheet.save(out, "JPEG")
    return {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def test_the_liaison_nominates_and_the_family_sends_papers_and_chooses_a_time(
    place: builders.County, seat: Seat, look: Looker, settings: Any
) -> None:
    hill = hills(place, 4)
    published(hill)
    clock.advance_to(ASKED)
    liaison = phone(seat, User.objects.get(username="township"))
    case = nominate(liaison, hill.villages[0].code, look)
    applications.send_back(case, ["household_book"], by=place.administrator, at=clock.now())

    address = make_link(liaison, case, look)
    liaison.wait_for_load_state("networkidle")
    family = phone(seat, None)
    path = re.sub(r"^https?://[^/]+", "", address)
    send_a_paper(family, path, look)
    accept_the_paper(liaison, case, look)
    liaison.wait_for_load_state("networkidle")
    case.refresh_from_db()
    assert (case.state, case.papers_missing) == ("applied", [])

    applications.accept([case], by=place.administrator, at=clock.now())
    choose_a_time(family, path, look)
    family.wait_for_load_state("networkidle")
    visit = Visit.objects.get(application=case, state="scheduled")
    liaison.goto(f"/cases/{case.pk}/")
    expect(liaison.get_by_text(f"{visit.on:%Y-%m-%d} {visit.start:%H:%M}")).to_be_visible()
    look(liaison, "case")
    assert look.found == []


def nominate(page: Page, village: str, look: Looker) -> Application:
    """Nominate a person, one paper photographed, with the list of what is missing alive."""
    page.goto("/cases/nominate/")
    page.get_by_label("姓名", exact=True).fill("周小溪")
    page.get_by_label("身份证号", exact=True).fill(builders.id_number(date(1948, 5, 6)))
    page.get_by_label("村（社区）").select_option(village)
    page.get_by_label("联系电话").fill("13900000001")
    page.get_by_label("肢体").check()
    page.locator("#photo-id_card").set_input_files(a_paper("ID"))
    expect(page.locator("#shots img")).to_have_count(1)
    missing = page.locator("#missing")
    expect(missing).to_contain_text("户口簿")
    expect(missing.get_by_text("身份证", exact=True)).to_have_count(0)
    page.get_by_label("户口簿", exact=True).last.check()
    page.get_by_label("两寸白底照片三张", exact=True).last.check()
    page.get_by_label("由谁提出申请？").select_option("resident")
    page.get_by_label("申请人姓名").fill("周小溪")
    expect(missing).to_contain_text("已全部齐备")
    look(page, "nominate", languages=False)
    page.get_by_role("button", name="登记").click()
    expect(page.get_by_role("status")).to_contain_text("周小溪")
    page.wait_for_load_state("networkidle")
    assert PaperPhoto.objects.get().application is not None
    return Application.objects.get(resident__name="周小溪")


def make_link(page: Page, case: Application, look: Looker) -> str:
    """Make the family's link at the case and read it off the screen."""
    page.goto(f"/cases/{case.pk}/")
    page.get_by_role("link", name="给家属的链接").click()
    look(page, "link")
    page.get_by_role("button", name="生成链接").click()
    text = page.get_by_label("长按可复制").input_value()
    look(page, "link-made", languages=False)
    found = re.search(r"https?://\S+/family/[\w-]+/", text)
    assert found is not None
    return found[0]


def send_a_paper(page: Page, path: str, look: Looker) -> None:
    """Open the link and send the missing paper; a file that is no photo is told at once."""
    with page.expect_response(lambda told: told.request.method == "POST") as told:
        page.goto(path)
    assert told.value.status == 204  # a browser says that the link has arrived
    expect(page.get_by_role("heading", level=1)).to_contain_text("周＊＊")
    book = page.get_by_label("拍照或选照片: 户口簿")
    book.set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"})
    page.get_by_role("button", name=re.compile("发送.*户口簿")).click()
    expect(page.get_by_role("alert")).to_contain_text("不是可读的照片")
    look(page, "family-refused", languages=False)
    book.set_input_files(a_paper("household"))
    page.get_by_role("button", name=re.compile("发送.*户口簿")).click()
    expect(page.get_by_role("status")).to_contain_text("照片已收到")
    look(page, "family")


def accept_the_paper(page: Page, case: Application, look: Looker) -> None:
    """See at home that a family sent papers, look, and accept."""
    page.goto("/")
    page.get_by_role("link", name="家属传来的材料").last.click()
    look(page, "papers-sent")
    page.get_by_role("link", name="查看").click()
    look(page, "case-papers")
    page.get_by_role("button", name="认可").click()
    expect(page.get_by_role("status")).to_contain_text("材料已齐")
    del case


def choose_a_time(page: Page, path: str, look: Looker) -> None:
    """Choose one of the offered times, then another, give it back, and choose again."""
    page.goto(path)
    page.get_by_role("link", name="看看有哪些时间").click()
    look(page, "family-times")
    page.locator("button.offer").first.click()
    expect(page.get_by_role("status")).to_contain_text("已约好")
    look(page, "family-agreed")
    page.get_by_role("link", name="想换个时间").click()
    look(page, "family-change")
    page.locator("button.offer").first.click()
    expect(page.get_by_role("status")).to_contain_text("已约好")
    page.get_by_role("link", name="想换个时间").click()
    page.get_by_text("这些时间都不合适").click()
    page.get_by_role("button", name="退回约好的时间").click()
    expect(page.get_by_role("status")).to_contain_text("时间已退回")
    page.locator("button.offer").first.click()
    expect(page.get_by_role("status")).to_contain_text("已约好")


def test_no_word_of_the_half_days_is_broken_on_a_narrow_phone_in_english(
    place: builders.County, seat: Seat
) -> None:
    """It read “afternoo n”, and a comma stood on a line of its own."""
    _link, secret = family.make_link(builders.accepted(place)[0], by=place.liaison, at=clock.now())
    page = phone(seat, None)
    page.set_viewport_size({"width": 320, "height": 760})
    page.goto("/welcome/")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="中文")).to_be_visible()
    page.goto(f"/family/{secret}/time/")
    labels = page.locator("#id_times label")
    heights = labels.evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    assert (len(heights), len(set(heights))) == (14, 1)


def test_a_citizen_reads_where_the_case_stands_asks_and_reads_the_reply(
    place: builders.County, seat: Seat, look: Looker
) -> None:
    case = builders.applied(place)[0]
    page = phone(seat, None)
    page.goto("/welcome/")
    look(page, "welcome")
    page.get_by_role("link", name="我的申请办到哪一步").click()
    page.get_by_label("申请编号").fill(case.number)
    page.get_by_label("身份证号后四位").fill(case.resident.id_number[-4:])
    page.get_by_role("button", name="查看").click()
    expect(page.get_by_text("已申请")).to_be_visible()
    look(page, "status")
    page.goto("/welcome/ask/")
    look(page, "ask")
    page.get_by_label("乡镇（街道）").select_option(label="灯台乡")
    page.get_by_label("您的问题").fill("上门要准备什么？")
    page.get_by_role("button", name="提交").click()
    code = page.locator(".code-once").inner_text().strip()
    look(page, "asked", languages=False)
    page.wait_for_load_state("networkidle")
    held = Enquiry.objects.get()
    enquiries.reply(held, "身份证和户口簿。", by=place.administrator, at=clock.now())
    page.goto("/welcome/")
    page.get_by_role("link", name="查看答复", exact=True).click()
    page.get_by_label("咨询编号").fill(held.number)
    page.get_by_label("查询码").fill(code)
    page.get_by_role("button", name="查看").click()
    expect(page.get_by_text("身份证和户口簿。")).to_be_visible()
    look(page, "reply")
    page.goto("/welcome/promises/")
    look(page, "promises")
    page.goto("/welcome/")
    page.get_by_role("link", name="查验残疾人证真伪").click()
    look(page, "check", languages=False)
    page.goto("/family/nobody-has-this-one/")
    look(page, "family-over", languages=False)
    assert look.found == []
