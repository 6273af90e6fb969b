"""The desk in a browser: what lives while a form is filled, and the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect
from pytest_django.live_server_helper import LiveServer

from outreach.models import User
from tests import builders
from tests.outreach.planning import hills

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Seat = Callable[[User | None], BrowserContext]


def test_the_list_of_what_is_missing_lives_while_the_form_is_filled(
    place: builders.County, seat: Seat
) -> None:
    page = seat(place.liaison).new_page()
    page.goto("/cases/nominate/")
    page.get_by_label("姓名", exact=True).fill("赵青山")
    page.get_by_label("身份证号", exact=True).fill("511302195003020018")
    missing = page.locator("#missing")
    expect(missing).to_contain_text("其中有一位不对")
    page.get_by_label("身份证号", exact=True).fill(builders.id_number())
    expect(missing).not_to_contain_text("其中有一位不对")
    page.get_by_label("精神").check()
    expect(missing).to_contain_text("监护人证明")
    page.get_by_label("身份证", exact=True).check()
    expect(missing.get_by_text("身份证", exact=True)).to_have_count(0)


def test_the_keyboard_alone_accepts_an_application(place: builders.County, seat: Seat) -> None:
    case = builders.applied(place)[0]
    page = seat(place.administrator).new_page()
    page.goto("/accept/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.locator("input[name=ids]:focus").count():
            break
    page.keyboard.press("Space")
    expect(page.locator("[data-count]")).to_have_text("已勾选 1 件")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("已受理 1 件")
    expect(page.get_by_role("status")).to_be_focused()  # so it is read aloud, and Tab goes on there
    case.refresh_from_db()
    assert case.state == "accepted"


def test_after_an_error_the_reader_lands_on_the_summary(place: builders.County, seat: Seat) -> None:
    page = seat(place.administrator).new_page()
    builders.applied(place)
    page.goto("/accept/#main")  # where the link to skip to leads
    page.get_by_role("button", name="受理所选").click()
    expect(page.locator(".summary")).to_be_focused()
    expect(page.locator(".summary")).to_contain_text("没有勾选任何一行")


def test_each_line_of_the_summary_leads_to_its_field(place: builders.County, seat: Seat) -> None:
    page = seat(place.liaison).new_page()
    page.goto("/cases/nominate/")
    page.get_by_role("button", name="登记", exact=True).click()
    summary = page.locator(".summary")
    expect(summary).to_be_focused()
    lost = summary.evaluate(
        """summary => [...summary.querySelectorAll('a')]
      .filter((link) => !link.hash.slice(1) || !document.querySelector(link.hash))
      .map((link) => link.textContent)"""
    )
    assert lost == []


def test_a_position_that_is_not_found_is_told(place: builders.County, seat: Seat) -> None:
    page = seat(place.liaison).new_page()
    page.goto("/cases/nominate/")
    page.evaluate("() => { navigator.geolocation.getCurrentPosition = (_at, lost) => lost() }")
    page.get_by_text("家的位置（可不填）").click()
    page.locator("[data-locate]").click()
    expect(page.get_by_role("alert")).to_contain_text("没有找到位置")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_days_of_a_team_are_whole_on_a_telephone(
    place: builders.County, seat: Seat, live_server: LiveServer, language: str
) -> None:
    team = hills(place, 1).north
    context = seat(place.administrator)
    cookie = {"name": "django_language", "value": language, "url": live_server.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"/teams/{team.pk}/hours/")
    for field in page.locator(".hours input[type=time]").all():
        box = field.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
    day = page.locator(".hours th label").first.bounding_box()
    assert day is not None
    assert day["height"] < 50  # one line
    assert page.locator("html").evaluate("html => html.scrollWidth <= html.clientWidth")
