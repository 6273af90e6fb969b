"""What renews itself in the nomination form, by keyboard and voice: photos, what is missing."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, FilePayload, Page, expect

from outreach.models import User
from tests import builders

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COUNT_WHAT_IS_READ = """() => {
  window.read = 0;
  const heard = new MutationObserver(() => (window.read += 1));
  heard.observe(document.getElementById("missing"), { childList: true });
}"""


@pytest.fixture
def page(
    place: builders.County,
    seat: Callable[[User | None], BrowserContext],
    tmp_path: Path,
    settings: Any,
) -> Page:
    """Return the liaison's nomination form."""
    settings.OUTREACH_FILES = tmp_path / "files"
    opened = seat(place.liaison).new_page()
    opened.goto("/cases/nominate/")
    return opened


def a_photo() -> FilePayload:
    out = BytesIO()
    Image.new("RGB", (60, 90), "white").save(out, "JPEG")
    return {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def test_a_photo_that_did_not_arrive_is_said_so(page: Page) -> None:
    """The words that it is being sent went away, and nothing stood in their place."""
    page.context.set_offline(True)
    page.locator("#photo-id_card").set_input_files(a_photo())
    expect(page.get_by_role("alert")).to_contain_text("照片没有传到")


def test_who_removes_a_photo_by_keyboard_goes_on_at_its_paper(page: Page) -> None:
    """The focus fell back to the top of the page."""
    page.locator("#photo-household_book").set_input_files(a_photo())
    page.get_by_role("button", name="去掉").press("Enter")
    expect(page.locator("#shots img")).to_have_count(0)
    expect(page.locator("#photo-household_book")).to_be_focused()


def test_what_is_missing_is_read_aloud_where_it_changed(page: Page) -> None:
    """A reader's voice began the whole list anew at each pause in typing."""
    page.evaluate(COUNT_WHAT_IS_READ)
    missing = page.locator("#missing")
    for words in ("赵", "赵青", "赵青山"):
        with page.expect_response("**/nominate/missing/"):
            page.get_by_label("姓名", exact=True).fill(words)
        expect(missing).to_contain_text("哪一类残疾")
    page.wait_for_timeout(200)
    assert page.evaluate("window.read") == 1
    with page.expect_response("**/nominate/missing/"):
        page.get_by_label("肢体").check()
    expect(missing).not_to_contain_text("哪一类残疾")
    assert page.evaluate("window.read") == 2
