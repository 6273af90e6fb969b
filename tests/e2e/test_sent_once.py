"""A form of the desk is sent once, and once more where the line hung and loading was stopped."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from outreach.models import User
from tests import builders

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: What the page lets go is counted and goes nowhere, as when loading is stopped.
LINE_THAT_HANGS = """() => {
  window.gone = 0;
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) window.gone += 1;
    event.preventDefault();
  });
}"""


def test_a_form_that_was_stopped_on_its_way_can_be_sent_once_more(
    place: builders.County, seat: Callable[[User | None], BrowserContext]
) -> None:
    """The button did nothing any more: whoever loaded the page again typed everything anew."""
    page = seat(place.liaison).new_page()
    page.clock.install()
    page.goto("/enquiries/ask/")
    page.evaluate(LINE_THAT_HANGS)
    page.get_by_label("您的问题").fill("要带什么？")
    button = page.get_by_role("main").get_by_role("button")
    button.click()
    button.click()
    assert page.evaluate("window.gone") == 1
    page.clock.fast_forward(15_000)
    button.click()
    assert page.evaluate("window.gone") == 2
