"""The page that checks QR codes, in Chromium with the network off."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from certificates import actions, life
from certificates.models import Certificate
from certificates.steps import Ground
from outreach import clock
from outreach.models import User
from tests import builders
from tests.e2e.album import Album
from tests.e2e.elsewhere import elsewhere
from tests.e2e.looking import violations
from tests.e2e.tablet import Camera
from tests.outreach.desk.pictures import issued

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Seat = Callable[[User | None], BrowserContext]
AT = builders.notice_over(builders.VISIT_ON)


@pytest.fixture
def held(place: builders.County, authority: None) -> Certificate:
    clock.advance_to(AT)
    return elsewhere(lambda: issued(place, AT))


@pytest.fixture
def photo(held: Certificate, tmp_path: Path) -> Path:
    """Return a rendering of the paper at print size and 150 dpi."""
    with actions.open_file(held) as paper:
        (tmp_path / "paper.pdf").write_bytes(paper.read())
    command = ["pdftoppm", "-r", "150", "-png", "-l", "1", "paper.pdf", "page"]
    subprocess.run(command, cwd=tmp_path, check=True)
    (page,) = tmp_path.glob("page*.png")
    return page


def opened(context: BrowserContext) -> Page:
    """Open the page and wait until it works without network."""
    page = context.new_page()
    page.goto("/check/qr/")
    expect(page.locator("#known")).to_contain_text("可离线查验")
    expect(page.locator("#known")).to_contain_text("作废名单")
    return page


def show(page: Page, picture: Path, answer: str) -> None:
    page.locator("#picture").set_input_files(picture)
    expect(page.locator("#finding")).to_have_text(answer)


def test_a_code_is_verified_with_the_network_off(
    held: Certificate, photo: Path, place: builders.County, seat: Seat, album: Album
) -> None:
    context = seat(None)
    page = opened(context)
    blocked: list[str] = []
    page.on("console", lambda said: blocked.append(said.text) if "Policy" in said.text else None)
    context.set_offline(True)
    page.reload()
    expect(page.locator("#known")).to_contain_text("今天")
    show(page, photo, "由本机关签发，有效")
    facts = page.locator("#facts").inner_text()
    assert held.number in facts
    assert "赵青山" in facts
    for width, name in ((360, "phone"), (1280, "desktop")):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        album.take(page, f"checker-{name}")
    assert violations(page) == []

    life.cancel([held], ground=Ground.OWN_WISH, reason="自愿", by=place.administrator, at=AT)
    show(page, photo, "由本机关签发，有效")  # nobody can know without network
    context.set_offline(False)
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-ready", "yes")
    context.set_offline(True)
    page.reload()
    show(page, photo, "由本机关签发，但已注销")
    album.take(page, "checker-cancelled")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#finding")).to_have_text("Ours, but cancelled")
    album.take(page, "checker-english")
    assert violations(page) == []
    assert blocked == []


def test_a_page_that_stays_open_hears_what_was_cancelled_since(
    held: Certificate, photo: Path, place: builders.County, seat: Seat
) -> None:
    context = seat(None)
    context.clock.install()
    page = opened(context)
    show(page, photo, "由本机关签发，有效")
    life.cancel([held], ground=Ground.OWN_WISH, reason="自愿", by=place.administrator, at=AT)
    context.clock.fast_forward("02:00:00")
    show(page, photo, "由本机关签发，但已注销")


@pytest.mark.parametrize(
    "shut",
    [
        "delete Navigator.prototype.serviceWorker; CacheStorage.prototype.open = refuse",
        "Cache.prototype.put = refuse",
    ],
    ids=["a private window", "a full disk"],
)
def test_a_browser_that_keeps_nothing_checks_on_the_line(
    held: Certificate, photo: Path, seat: Seat, shut: str
) -> None:
    context = seat(None)
    refuse = "const refuse = () => Promise.reject(new DOMException('', 'QuotaExceededError'));"
    context.add_init_script(refuse + shut)
    page = context.new_page()
    page.goto("/check/qr/")
    expect(page.locator("#known")).to_contain_text("尚未准备好离线使用")
    show(page, photo, "由本机关签发，有效")


def test_a_photograph_that_is_turned_and_small_is_read(
    held: Certificate, photo: Path, seat: Seat, tmp_path: Path
) -> None:
    page = opened(seat(None))
    with Image.open(photo) as whole:
        turned = whole.convert("RGB").rotate(9, expand=True, fillcolor="white")
        turned.resize((turned.width * 2 // 3, turned.height * 2 // 3)).save(tmp_path / "t.jpg")
    show(page, tmp_path / "t.jpg", "由本机关签发，有效")


def _close_to_the_code(photo: Path) -> Image.Image:
    """Return what a camera sees that is held a hand's breadth from the code."""
    with Image.open(photo) as whole:
        (found,) = zxingcpp.read_barcodes(whole, formats=zxingcpp.BarcodeFormat.QRCode)
        at = found.position.top_left
        side = found.position.bottom_right.x - at.x
        box = (at.x - side, at.y - side // 2, at.x + 2 * side, at.y + 3 * side // 2)
        return whole.convert("RGB").crop(box).resize((960, 640))


def test_the_camera_reads_the_code(
    held: Certificate, photo: Path, seat: Seat, camera: Camera
) -> None:
    film = camera.film.with_suffix(".draft")
    _close_to_the_code(photo).save(film, "JPEG", quality=92)
    film.write_bytes(film.read_bytes() * 2)
    film.replace(camera.film)
    context = seat(None)
    context.grant_permissions(["camera"])
    page = opened(context)
    page.get_by_role("button", name="用摄像头扫码").click()
    expect(page.locator("#finding")).to_have_text("由本机关签发，有效")


def test_what_is_not_ours_is_told(held: Certificate, seat: Seat, tmp_path: Path) -> None:
    page = opened(seat(None))
    page.get_by_text("手工粘贴二维码内容").click()
    for text, answer in (
        ("https://example.org", "这不是残疾人证的二维码"),
        ("DPC1:%%%", "这不是残疾人证的二维码"),
    ):
        page.locator("#paste").fill(text)
        page.get_by_role("button", name="查验", exact=True).click()
        expect(page.locator("#finding")).to_have_text(answer)
    Image.new("RGB", (300, 300), "white").save(tmp_path / "white.png")
    page.locator("#picture").set_input_files(tmp_path / "white.png")
    expect(page.locator("#note")).to_contain_text("没有找到二维码")
