"""A form of the desk is sent once, and once more where the line hung and loading was stopped."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

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


def test_without_a_connection_the_form_stays_with_what_was_typed(
    place: builders.County, seat: Callable[[User | None], BrowserContext]
) -> None:
    """The browser's own page took its place, and "back" led to an empty form."""
    page = seat(place.liaison).new_page()
    page.goto("/enquiries/ask/")
    question = page.get_by_label("您的问题")
    question.fill("要带什么？")
    page.context.set_offline(True)
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("现在没有网络")
    expect(question).to_have_value("要带什么？")
    page.context.set_offline(False)
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("您的咨询编号")


def test_a_machine_without_a_network_that_is_the_server_sends_its_forms(
    place: builders.County, seat: Callable[[User | None], BrowserContext]
) -> None:
    page = seat(place.liaison).new_page()
    page.add_init_script("Object.defineProperty(navigator, 'onLine', {get: () => false})")
    page.goto("/enquiries/ask/")
    page.get_by_label("您的问题").fill("要带什么？")
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("您的咨询编号")


def test_back_leads_from_what_was_put_right_to_the_form(
    place: builders.County, seat: Callable[[User | None], BrowserContext]
) -> None:
    """It led to a page of the browser's own, which asked whether to send the mistake once more."""
    page = seat(place.liaison).new_page()
    page.on("dialog", lambda asked: asked.accept())
    page.goto(f"/cases/{builders.applied(place)[0].pk}/contact/")
    for telephone in ("12", "13912345678"):
        page.get_by_label("联系电话").fill(telephone)
        page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_contain_text("已更正")
    page.go_back()
    expect(page.get_by_label("联系电话")).to_have_value("13912345678")
