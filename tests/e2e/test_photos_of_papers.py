"""Photos of papers in the nomination form: one that did not arrive, one removed by keyboard."""

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
