"""What a page of the desk loses on paper: nobody scrolls there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from outreach.models import User
from tests import builders

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHEET = 718
"""Points of CSS between the usual margins of an A4 sheet."""
CUT = """[...document.querySelectorAll('.table-wrap')]
    .filter((wrap) => wrap.scrollWidth > wrap.clientWidth).length"""


@pytest.mark.parametrize("address", ["/savings/", "/reports/?month=2018-06"])
def test_every_column_of_a_printed_table_stands_on_the_sheet(
    address: str, place: builders.County, seat: Callable[[User | None], BrowserContext]
) -> None:
    builders.evaluated(place, 3)
    page = seat(place.administrator).new_page()
    page.set_viewport_size({"width": SHEET, "height": 1000})
    page.goto(address)
    assert page.locator(".table-wrap").count()
    page.emulate_media(media="print")
    assert page.evaluate(CUT) == 0
