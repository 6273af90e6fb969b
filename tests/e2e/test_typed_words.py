"""What was typed into a long form is not lost by a press on something else of the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect

from outreach.models import User
from tests import builders

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Seat = Callable[[User | None], BrowserContext]


def watched(page: Page) -> list[str]:
    """Note each question that the browser asks, and stay on the page."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    return asked


def test_the_other_language_takes_nothing_that_was_typed_unasked(
    place: builders.County, seat: Seat
) -> None:
    """The page came anew in the other language, and everything typed was gone, as by “back”."""
    page = seat(place.liaison).new_page()
    page.goto("/cases/")
    page.goto("/cases/nominate/")
    asked = watched(page)
    name = page.get_by_label("姓名", exact=True)
    name.click()
    page.keyboard.type("赵青山")
    other = page.get_by_role("button", name="English")
    for press in range(1, 3):
        other.click()
        expect(name).to_have_value("赵青山")
        assert asked == ["beforeunload"] * press
    page.evaluate("history.back()")
    page.wait_for_timeout(500)
    expect(name).to_have_value("赵青山")
    assert len(asked) == 3
    page.get_by_role("button", name="登记", exact=True).click()  # sending it is not leaving it
    expect(page.locator(".summary")).to_be_visible()
    assert len(asked) == 3
    other.click()  # nor is what came back to be mended
    assert len(asked) == 4


def test_who_sends_another_form_of_the_page_is_not_asked_about_one_that_is_untouched(
    place: builders.County, seat: Seat
) -> None:
    page = seat(place.administrator).new_page()
    page.goto(f"/accounts/{place.liaison.pk}/")
    asked = watched(page)
    ends = page.locator("form[action$='/end/']")
    page.locator("summary", has_text="停用账号").click()
    for _ in range(2):
        ends.get_by_role("button").click()
        expect(page.locator(".summary")).to_be_visible()
    ends.get_by_role("textbox").fill("调走")
    ends.get_by_role("button").click()
    expect(page.get_by_role("status")).to_be_visible()
    assert asked == []


def test_who_typed_nothing_is_not_asked(place: builders.County, seat: Seat) -> None:
    page = seat(place.liaison).new_page()
    page.goto("/cases/nominate/")
    asked = watched(page)
    page.get_by_label("姓名", exact=True).click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Nominate a person")).to_be_visible()
    assert asked == []
