"""A certificate's pages in a browser: its life, a batch that counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from certificates import batches
from certificates.models import Certificate
from outreach import clock
from outreach.models import User
from tests import builders
from tests.builders import VISIT_ON
from tests.e2e.album import Album
from tests.e2e.elsewhere import elsewhere
from tests.e2e.looking import Eye
from tests.outreach.desk.pictures import issued, real_media

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Seat = Callable[[User | None], BrowserContext]
AT = builders.notice_over(VISIT_ON)
SIZES = ((360, "phone"), (1280, "desktop"))


class WideEye(Eye):
    """Looks at pages in two widths, too."""

    def __init__(self, album: Album) -> None:
        super().__init__()
        self.album = album

    def __call__(self, page: Page, name: str) -> None:
        """Look at a page."""
        for width, device in SIZES:
            page.set_viewport_size({"width": width, "height": 800})
            self.sideways(page, f"{name} at {width}")
            self.album.take(page, f"{name}-{device}")
        super().__call__(page, name)


@pytest.fixture
def eye(album: Album) -> Eye:
    return WideEye(album)


def test_a_certificate_is_renewed_lost_and_cancelled_from_its_page(
    place: builders.County, authority: None, seat: Seat, eye: Eye
) -> None:
    clock.advance_to(AT)
    held = elsewhere(lambda: issued(place, AT))
    Certificate.objects.update(valid_until="2019-05-01")
    office, approver = seat(place.administrator).new_page(), seat(place.approver).new_page()
    office.goto("/certificates/renew/")
    eye(office, "renewals")
    office.goto(f"/certificates/{held.pk}/")
    eye(office, "certificate")
    office.get_by_role("link", name="申请换领").click()
    eye(office, "ask-renewal")
    office.get_by_role("button", name="申请换领").click()
    expect(office.get_by_role("status")).to_contain_text("换领已提出")
    approver.goto("/certificates/sign/")
    eye(approver, "sign-papers")
    approver.locator("input[name=ids]").check()
    approver.get_by_role("button", name="签批所选").click()
    expect(approver.get_by_role("status")).to_contain_text("已签章发证 1 本")
    new = Certificate.objects.get(replaces=held)
    office.goto("/certificates/hand-over/")
    eye(office, "hand-over-papers")
    office.goto(f"/certificates/{new.pk}/")
    office.get_by_text("挂失、冻结、注销").click()
    office.get_by_role("link", name="注销").click()
    office.get_by_role("button", name="确认注销").click()
    expect(office.get_by_role("alert").first).to_be_visible()
    eye(office, "cancel-wrong")
    office.get_by_label("持证人死亡").check()
    office.get_by_label("理由").fill("村委会证明")
    office.get_by_role("button", name="确认注销").click()
    expect(office.get_by_role("status")).to_contain_text("证件已注销")
    eye(office, "certificate-cancelled")
    office.goto("/certificates/")
    eye(office, "certificates")
    office.get_by_role("button", name="English").click()
    office.goto(f"/certificates/{new.pk}/")
    eye(office, "certificate-english")
    assert eye.found == []


#: What somebody at the desk clicks, in the order of a life: who, which step, what is written,
#: where the certificate stands then.
LIFE: list[tuple[str, str, dict[str, str], str]] = [
    ("liaison", "挂失", {"note": "赶集时遗失"}, "lost"),
    ("liaison", "已找到", {}, "valid"),
    ("administrator", "户籍已迁出", {"moved_on": "2018-06-01", "note": "迁往邻县"}, "valid"),
    ("administrator", "冻结", {"note": "核查"}, "frozen"),
    ("administrator", "恢复有效", {"note": "查清"}, "valid"),
    ("administrator", "注销", {"ground": "false_information", "note": "伪造"}, "cancelled"),
    ("approver", "撤销注销或迁出", {"note": "误销"}, "valid"),
    ("liaison", "挂失", {"note": "再次遗失"}, "lost"),
    ("approver", "签批新证", {}, "replaced"),
    ("administrator", "档案转往其他机关", {"to": "蓬安县残联"}, "moved"),
]


def test_every_step_of_a_certificates_life_is_reached_by_clicking(
    place: builders.County, authority: None, seat: Seat
) -> None:
    clock.advance_to(AT)
    held = elsewhere(lambda: issued(place, AT))
    desks = {
        who: seat(getattr(place, who)).new_page()
        for who in ("liaison", "administrator", "approver")
    }
    for who, title, written, state in LIFE:
        page = desks[who]
        page.goto("/certificates/")
        page.get_by_role("table").get_by_role("link", name="赵青山").first.click()
        if title == "签批新证":
            page.get_by_role("button", name=title).click()
        else:
            _take(page, title, written)
        expect(page.get_by_role("status")).to_be_visible()
        assert (title, Certificate.objects.get(pk=held.pk).state) == (title, state)
        if state == "cancelled":
            _cannot_be_nominated(desks["liaison"], place, held)
        if state == "replaced":
            held = Certificate.objects.get(replaces=held)
            assert held.suffix == "B1"
            page = desks["liaison"]
            page.goto(f"/certificates/{held.pk}/")
            page.get_by_role("button", name="确认已发放").click()
            expect(page.get_by_role("status")).to_contain_text("1")


def _take(page: Page, title: str, written: dict[str, str]) -> None:
    """Open a step from the certificate's page, write what it asks for, and confirm."""
    link = page.get_by_role("link", name=title, exact=True)
    if not link.is_visible():
        page.get_by_text("挂失、冻结、注销").click()
    link.click()
    for name, text in written.items():
        if name == "ground":
            page.locator(f"[name=ground][value={text}]").check()
        else:
            page.locator(f"[name={name}]").fill(text)
    page.locator("main form button").click()


def _cannot_be_nominated(page: Page, place: builders.County, held: Certificate) -> None:
    """Try to nominate whose certificate was cancelled, within the year."""
    page.goto("/cases/nominate/")
    page.locator("[name=name]").fill("赵青山")
    page.locator("[name=id_number]").fill(held.resident.id_number)
    page.get_by_label("肢体").check()
    page.locator("main form button.button--wide").click()
    expect(page.get_by_role("alert")).to_contain_text("2019-06-13")


def test_who_moves_in_is_entered_reviewed_and_signed_for(
    place: builders.County, authority: None, seat: Seat, eye: Eye, tmp_path: Path
) -> None:
    clock.advance_to(AT)
    for name, shade in (("portrait", 200), ("document", 90)):
        Image.new("RGB", (420, 590), (shade, 120, 90)).save(tmp_path / f"{name}.png")
    office, approver = seat(place.administrator).new_page(), seat(place.approver).new_page()
    office.goto("/cases/")
    office.get_by_role("link", name="登记迁入").click()
    eye(office, "move-in")
    office.get_by_role("button", name="登记迁入").click()
    expect(office.get_by_role("alert").first).to_be_visible()
    eye(office, "move-in-wrong")
    for field, text in (
        ("name", "赵青山"),
        ("id_number", builders.id_number()),
        ("address", "任家祠村一组"),
        ("office", "蓬安县残疾人联合会"),
        ("issued_on", "2014-03-05"),
        ("valid_until", "2024-03-05"),
        ("consent_name", "赵青山"),
    ):
        office.locator(f"[name={field}]").fill(text)
    office.locator("[name=village]").select_option(place.village.code)
    office.get_by_label("肢体").select_option("2")
    office.get_by_label("户籍已迁入本地").check()
    office.locator("[name=consent_by][value=resident]").check()
    office.get_by_label("证件照").set_input_files(tmp_path / "portrait.png")
    office.get_by_label("原证照片").set_input_files(tmp_path / "document.png")
    office.get_by_role("button", name="登记迁入").click()
    expect(office.get_by_role("status")).to_contain_text("请审核")
    eye(office, "moved-in")
    office.get_by_role("button", name="审核通过").click()
    expect(office.get_by_role("status")).to_contain_text("1")
    approver.goto("/sign/")
    eye(approver, "sign-moved-in")
    approver.locator("input[name=ids]").check()
    approver.get_by_role("button", name="批准并签章所选").click()
    expect(approver.get_by_role("status")).to_contain_text("已签章发证 1 本")
    made = Certificate.objects.get()
    assert (made.kind, made.grade, str(made.valid_until)) == ("move_in", 2, "2024-03-05")
    approver.goto(f"/certificates/{made.pk}/")
    eye(approver, "certificate-moved-in")
    office.goto("/cases/move-in/")
    office.get_by_role("button", name="English").click()
    eye(office, "move-in-english")
    assert eye.found == []


def test_a_batch_counts_while_its_papers_are_made(
    place: builders.County, authority: None, seat: Seat, eye: Eye
) -> None:
    clock.advance_to(builders.notice_over(VISIT_ON.replace(day=5)))
    for day in (4, 5):
        builders.reviewed(
            place, 13, on=VISIT_ON.replace(day=day), pictures=lambda index: real_media(index * 8)
        )
    page = seat(place.approver).new_page()
    page.goto("/sign/")
    page.get_by_role("link", name="勾选").click()
    page.get_by_role("button", name="批准并签章所选").click()
    expect(page.locator("[data-made]")).to_have_text("已制作 0 / 26 本")
    eye(page, "batch")
    elsewhere(lambda: batches.work(uuid4()))
    expect(page.locator("[data-made]")).to_have_text("已制作 25 / 26 本")
    elsewhere(lambda: batches.work(uuid4()))
    expect(page.get_by_role("heading", name="证件已制作完毕")).to_be_visible()
    eye(page, "batch-done")
    page.goto("/batches/")
    eye(page, "batches")
    assert eye.found == []
