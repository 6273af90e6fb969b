"""An assessor with the tablet: what a finger does, and what stands on the screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from outreach.demo.pictures import picture
from outreach.domain.vocabulary import EvidenceKind

PIN = "246813"
#: What a physical evaluation asks for, by the words on the screen.
PHOTOS = {
    "证件照": EvidenceKind.PORTRAIT,
    "全身照": EvidenceKind.WHOLE_BODY,
    "患处照片": EvidenceKind.AFFECTED_PART,
    "居住环境": EvidenceKind.ENVIRONMENT,
}
CAMERA_REST_MS = 300
Look = Callable[[Page, str], None]


class Camera:
    """What stands before the lens: the browser plays this file in place of a camera."""

    def __init__(self, film: Path) -> None:
        self.film = film
        self.shown = 0
        self.edge = 0
        self.show(EvidenceKind.PORTRAIT)

    def show(self, kind: EvidenceKind) -> None:
        """Put a scene before the lens; it is seen when the camera is opened the next time.

        No two scenes are the same: the tablet takes the same picture only once. Where `edge` is
        set, the camera is a poor one with so many pixels on the long edge.
        """
        self.shown += 1
        frame = picture(kind, f"e2e {self.shown}", age=88)
        if self.edge:
            frame = _smaller(frame, self.edge)
        self._film(frame)

    def show_png(self, drawn: bytes) -> None:
        """Hold a picture in the middle of a white wall before the lens."""
        wall = Image.new("RGB", (960, 720), "white")
        with Image.open(BytesIO(drawn)) as small:
            small.thumbnail((480, 480))
            wall.paste(small.convert("RGB"), (240, 120))
        out = BytesIO()
        wall.save(out, "JPEG", quality=90)
        self._film(out.getvalue())

    def _film(self, frame: bytes) -> None:
        draft = self.film.with_suffix(".draft")
        draft.write_bytes(frame * 2)
        draft.replace(self.film)


def _smaller(frame: bytes, edge: int) -> bytes:
    with Image.open(BytesIO(frame)) as whole:
        scale = edge / max(whole.size)
        # A camera's frames are even in both directions; the browser takes no others.
        size = [round(side * scale / 4) * 4 for side in whole.size]
        out = BytesIO()
        whole.resize((size[0], size[1])).save(out, "JPEG", quality=85)
    return out.getvalue()


@dataclass
class Tablet:
    """One tablet in somebody's hands; `look` is called at every screen."""

    page: Page
    camera: Camera
    look: Look
    drawn: int = 0

    def enrol(self, code: str, label: str) -> None:
        """Open the app, enrol with the one-time code and set the PIN."""
        self.page.goto("/tablet/")
        self.expects_heading("登记这台平板")
        self.look(self.page, "enrol")
        self.fill_enrolment(code, label)
        self.expects_heading("今天")

    def fill_enrolment(self, code: str, label: str) -> None:
        """Fill in code, name and PIN, and send them."""
        page = self.page
        page.get_by_label("登记码").fill(code)
        page.get_by_label("平板名称").fill(label)
        page.get_by_label("设置 PIN 码").fill(PIN)
        page.get_by_label("再输一次 PIN 码").fill(PIN)
        self.press("登记")

    def unlock(self, pin: str = PIN) -> None:
        """Type the PIN."""
        self.page.get_by_label("PIN 码").fill(pin)
        self.press("解锁")

    def unlocks(self) -> None:
        """Open with the PIN."""
        self.look(self.page, "locked")
        self.unlock()
        expect(self.page.get_by_role("navigation", name="主要页面")).to_be_visible()

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def hand_in(self) -> None:
        """Hand in and erase, which is asked about once."""
        self.press("密封上交")
        self.press("密封上交并清除本机")

    def go(self, place: str) -> None:
        """Go to a place of the tab bar."""
        tabs = self.page.get_by_role("navigation", name="主要页面")
        tabs.get_by_role("link", name=re.compile(f"^{place}")).click()
        self.expects_heading(place)

    def expects_heading(self, words: str) -> None:
        """See that the screen has this heading."""
        expect(self.page.get_by_role("heading", level=1, name=words)).to_be_visible()

    def card(self, person: str) -> Locator:
        """Find the card of a visit, beside which stands the link that calls the family."""
        stop = self.page.get_by_role("listitem").filter(has_text=person)
        return stop.get_by_role("link").first

    def line(self) -> Locator:
        """Find the mark at the top that tells how the exchange with the office stands."""
        return self.page.get_by_title("立即同步")

    def sync(self) -> None:
        """Press the mark, and see that everything is where it should be."""
        self.line().click()
        expect(self.line()).to_have_text("全部已送达")

    def read_certificate(self, person: str) -> None:
        """Show the paper, which came by itself, and read that it is the one that was issued."""
        self.go("证件")
        mine = self.page.get_by_role("listitem").filter(has_text=person)
        expect(mine).to_contain_text("肢体 一级")
        self.press("打开")
        expect(self.page.get_by_text("已核对：文件与服务器签发的完全一致。")).to_be_visible()
        self.look(self.page, "certificate")

    def schedule(self, person: str, on: str, start: str) -> None:
        """Choose a waiting case in the calendar and set day and time."""
        page = self.page
        self.go("日程")
        expect(page.get_by_role("link", name=person)).to_be_visible()
        self.look(page, "calendar")
        page.get_by_role("link", name=person).click()
        self.expects_heading("安排走访")
        page.get_by_label("日期").fill(on)
        page.get_by_label("开始时间").fill(start)
        expect(page.get_by_text("这个时间合适。")).to_be_visible()
        self.look(page, "schedule")
        self.press("安排")
        self.expects_heading("日程")

    def open_visit(self, person: str) -> None:
        """Open a visit of today."""
        self.go("今天")
        self.look(self.page, "today")
        self.card(person).click()
        self.expects_heading(person)
        self.look(self.page, "visit")

    def evaluate(self, person: str, doctor: str, colleague: str) -> None:
        """Record the evaluation of the open visit from the door to the last signature."""
        self.page.get_by_role("link", name="开始评残").click()
        self.arrive()
        self.find()
        self.photograph()
        self.conclude(colleague)
        self.sign(person, doctor, colleague)
        expect(self.page.get_by_text("都齐了，可以提交。")).to_be_visible()
        self.look(self.page, "review")
        self.press("提交评定")

    def arrive(self) -> None:
        """Arrive, compare the card, read the consent aloud."""
        page = self.page
        self.expects_heading("到场")
        self.press("我已到达")
        expect(page.get_by_text("位置已记录")).to_be_visible()
        page.get_by_label("已看身份证或户口簿，与本人相符").check()
        page.get_by_label("已宣读以上内容，同意评定").check()
        self.look(page, "arrive")
        self.press("下一步")

    def find(self) -> None:
        """Enter what was found: both arms beyond use, no independence."""
        page = self.page
        self.expects_heading("检查")
        condition = "1i 双上肢功能极重度障碍或三肢功能重度障碍"
        page.get_by_label("肢体状况").select_option(label=condition)
        page.get_by_label("不能独立实现日常生活活动", exact=True).check()
        expect(page.get_by_role("status").filter(has_text="一级")).to_be_visible()
        self.look(page, "findings")
        self.press("下一步")

    def photograph(self) -> None:
        """Take the photos that are asked for, with the camera."""
        self.expects_heading("照片")
        for words in PHOTOS:
            self.shoot(words)
        self.look(self.page, "photos")
        self.press("下一步")

    def shoot(self, words: str) -> None:
        """Take the photo that is called so on the screen."""
        self.camera.show(PHOTOS[words])
        # The browser lets go of the camera a moment after the page did; only then it sees anew.
        self.page.wait_for_timeout(CAMERA_REST_MS)
        self.press(re.compile(f"^拍照.*{words}"))
        dialog = self.page.get_by_role("dialog", name=words)
        expect(dialog.get_by_role("button", name="拍照", exact=True)).to_be_enabled()
        self.look(self.page, f"camera-{PHOTOS[words]}")
        dialog.get_by_role("button", name="拍照", exact=True).click()
        expect(self.page.get_by_role("img", name=f"{words} 1")).to_be_visible()

    def has_saved(self) -> None:
        """Read that the form is on the tablet's disk."""
        expect(self.page.get_by_text("已保存在本机", exact=True)).to_be_visible()

    def report_not_done(self, person: str, reason: str) -> None:
        """Report that a visit of today assessed nobody."""
        self.begin_report(person, reason)
        self.press("保存")
        self.expects_heading("今天")

    def begin_report(self, person: str, reason: str) -> None:
        """Say why a visit of today comes to nothing, and do not save it yet."""
        self.open_visit(person)
        self.page.get_by_role("link", name="未能完成").click()
        self.page.get_by_label(reason).check()

    def conclude(self, colleague: str) -> None:
        """See the grade and who signs beside."""
        page = self.page
        self.expects_heading("评定")
        expect(page.get_by_role("radio", name="一级")).to_be_checked()
        page.get_by_role("checkbox", name=colleague).check()
        self.look(page, "result")
        self.press("下一步")

    def sign(self, *names: str) -> None:
        """Let everybody sign with a finger, each in their own hand."""
        self.expects_heading("签名")
        for name in names:
            self.press(re.compile(f"^签名.*{name}"))
            self.draw()
            self.press("确认签名")
            signed = self.page.get_by_role("img", name=f"{name} 的签名", exact=True)
            expect(signed).to_be_visible()
        self.look(self.page, "signed")
        self.press("下一步")

    def draw(self) -> None:
        """Draw a name on the open pad."""
        self.drawn += 1
        area = self.page.get_by_role("img", name="的签名区")
        box = area.bounding_box()
        assert box is not None
        step, middle = box["width"] / 9, box["y"] + box["height"] / 2
        mouse = self.page.mouse
        mouse.move(box["x"] + step, middle)
        mouse.down()
        for point in range(2, 8):
            # Nobody signs twice in the very same way.
            lift = (point * (self.drawn + 1) % 5 - 2) * box["height"] / 8 + self.drawn * 2
            mouse.move(box["x"] + point * step, middle + lift, steps=4)
        mouse.up()
        if self.drawn == 1:
            self.look(self.page, "signature")
