"""Pages of the desk on a telephone, and in the colours that a reader has chosen for all pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from outreach.models import User
from tests import builders

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(place: builders.County, seat: Callable[[User | None], BrowserContext]) -> Page:
    """Return the list of a dozen applications, on the administrator's telephone."""
    builders.applied(place, 12)
    opened = seat(place.administrator).new_page()
    opened.set_viewport_size({"width": 390, "height": 700})
    opened.goto("/accept/")
    return opened


def test_the_button_of_a_long_list_stays_in_sight(page: Page) -> None:
    """It stood below the last of fifty rows."""
    page.get_by_role("checkbox").first.check()
    expect(page.get_by_role("button", name="受理所选")).to_be_in_viewport()


def test_at_four_times_the_size_the_list_is_not_hidden_behind_its_button(page: Page) -> None:
    """The bar took more than half of what a screen of 1280 by 1024 shows at 400 %."""
    page.set_viewport_size({"width": 320, "height": 256})
    page.get_by_role("rowheader").first.scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="受理所选")).not_to_be_in_viewport()


def test_with_letters_of_twice_the_size_no_button_is_broken_letter_by_letter(page: Page) -> None:
    page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
    box = page.get_by_role("button", name="English").bounding_box()
    assert box is not None
    assert box["width"] > box["height"]


def test_in_a_readers_own_colours_only_the_place_where_one_is_has_a_line(page: Page) -> None:
    """Each had one."""
    page.emulate_media(forced_colors="active", color_scheme="dark")
    page.goto("/cases/")
    places = page.get_by_role("navigation", name="主导航").get_by_role("link")
    lines = places.evaluate_all("all => all.map((one) => getComputedStyle(one).borderBottomColor)")
    assert sorted(Counter(lines).values()) == [1, len(lines) - 1]
