"""Somebody at the desk, who reads, clicks and types; nothing is reached but through the screen."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from outreach.demo.county import DemoResident
from tests.e2e.album import Album

CLOCK_ON_THE_BAND = re.compile(r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}$")


class Desk:
    """One person in a browser of their own."""

    def __init__(self, page: Page, album: Album) -> None:
        self.page = page
        self.album = album

    def sign_in(self, username: str, password: str) -> Desk:
        """Open the service and sign in."""
        self.page.goto("/")
        self.page.get_by_label("用户名").fill(username)
        self.page.get_by_label("密码").fill(password)
        self.press("登录")
        expect(self.heading("您好")).to_be_visible()
        return self

    def heading(self, words: str) -> Locator:
        """Find the page's heading."""
        return self.page.get_by_role("heading", level=1, name=words)

    def press(self, name: str) -> None:
        """Press the one button of that name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follow the first link that is called so."""
        self.page.get_by_role("link", name=name).first.click()

    def go(self, place: str) -> None:
        """Go to a place of the main navigation."""
        main = self.page.get_by_role("navigation", name="主导航")
        link = main.get_by_role("link", name=place, exact=True)
        if not link.count():  # it is in a group that is closed
            within = main.locator("details", has_text=place)
            within.locator("summary").click()
        link.click()

    def open_step(self, title: str) -> None:
        """Come home and open the list of a step."""
        self.go("首页")
        self.follow(title)
        expect(self.heading(title)).to_be_visible()

    def tick(self, name: str) -> None:
        """Tick a person on a list."""
        self.page.get_by_role("checkbox", name=name).check()

    def take(self, step: str, name: str, button: str, done: str, picture: str) -> None:
        """Take a step with one person and read that it was done."""
        self.open_step(step)
        self.tick(name)
        self.album.take(self.page, picture)
        self.press(button)
        self.reads(done)

    def reads(self, message: str) -> None:
        """Read what was done."""
        expect(self.page.get_by_role("status").filter(has_text=message)).to_be_visible()

    def open_case(self, name: str) -> None:
        """Find a person's case in the list of cases."""
        self.go("申请名册")
        self.page.get_by_role("rowheader").get_by_role("link", name=name).click()
        expect(self.heading(name)).to_be_visible()

    def sees_every_picture(self, count: int) -> None:
        """See that so many pictures stand on the page and that none is broken."""
        pictures = self.page.get_by_role("main").get_by_role("img")
        expect(pictures).to_have_count(count)
        for picture in pictures.all():
            picture.scroll_into_view_if_needed()
            expect(picture).to_have_js_property("complete", True)
            expect(picture).not_to_have_js_property("naturalWidth", 0)

    def move_the_clock(self, to: str) -> None:
        """Move the demo's clock on to a moment, written 2018-06-01T08:30."""
        self.page.get_by_role("link", name=CLOCK_ON_THE_BAND).click()
        self.page.get_by_label("推进到").fill(to)
        self.press("推进时钟")
        self.reads(to.replace("T", " "))

    def in_english(self, picture: str) -> None:
        """Keep a picture of this page in English too, where pictures are wanted."""
        if not self.album.is_kept:
            return
        self.press("English")
        self.album.take(self.page, f"{picture}-en")
        self.press("中文")

    def make_code(self, holder: str) -> str:
        """Make a code for somebody's tablet and read it off the screen."""
        self.go("平板")
        whose = self.page.get_by_label("平板归谁使用？")
        whose.select_option(label=self.option("平板归谁使用？", holder))
        self.album.take(self.page, "desk-tablets")
        self.press("生成登记码")
        self.album.take(self.page, "desk-code")
        return self.page.locator(".code-once").inner_text().strip()

    def option(self, field: str, words: str) -> str:
        """Read the whole text of the one option of a field that has these words."""
        choices = self.page.get_by_label(field).get_by_role("option").filter(has_text=words)
        return choices.inner_text().strip()

    def save_paper(self, file: Path) -> None:
        """Save the signed paper of the one certificate on the list."""
        self.go("残疾人证")
        self.album.take(self.page, "desk-certificates")
        self.in_english("desk-certificates")
        # With Alt held down the browser saves what the link leads to, in place of showing it.
        with self.page.expect_download() as started:
            self.page.get_by_role("link", name="签章 PDF").click(modifiers=["Alt"])
        started.value.save_as(file)

    def fill_in(self, person: DemoResident, village: str) -> None:
        """Fill in the nomination form from what the village knows."""
        page = self.page
        page.get_by_label("姓名", exact=True).fill(person.name)
        page.get_by_label("身份证号", exact=True).fill(person.id_number)
        page.get_by_label("村（社区）").select_option(label=village)
        page.get_by_label("家庭住址").fill(person.address)
        page.get_by_label("联系电话").fill(person.telephone)
        page.get_by_text("家的位置（可不填）").click()
        page.get_by_label("纬度（WGS-84）").fill(str(person.latitude))
        page.get_by_label("经度（WGS-84）").fill(str(person.longitude))
        page.get_by_label("肢体").check()
        page.get_by_label("看起来有多重？").select_option(label="一级")
        page.get_by_label("已知病情").fill(person.diagnosis)
        page.get_by_label("长期卧床").check()
        page.get_by_label("能坐客车").uncheck()
        for paper in ("身份证", "户口簿", "两寸白底照片三张"):
            page.get_by_role("checkbox", name=paper, exact=True).check()
        page.get_by_label("由谁提出申请？").select_option(label="本人")
        page.get_by_label("申请人姓名").fill(person.name)
        page.get_by_label("周五上午").check()


def check_paper(page: Page, file: Path) -> None:
    """Go to the public page, as a stranger, and have a file checked."""
    page.goto("/")
    page.get_by_role("link", name="查验残疾人证真伪").click()
    page.get_by_label("证件文件（PDF）").set_input_files(file)
    page.get_by_role("button", name="核验此文件").click()
