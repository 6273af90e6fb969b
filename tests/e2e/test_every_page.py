"""Every page that the rights tables know, in a browser: axe, widths, nothing that was blocked.

A new address wants a row in the tables, and with its row it is looked at here. What an account
may read, one of them opens; the same page in another's hands differs by what it leaves out.
With `OUTREACH_SCREENSHOTS` each page is kept as a picture, in both languages.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import APIResponse, BrowserContext, ConsoleMessage, Page

from outreach.models import User
from tests import builders
from tests.e2e.album import Album
from tests.e2e.elsewhere import elsewhere
from tests.e2e.looking import violations
from tests.outreach.desk.rights.county import SUBJECTS, a_case_at_every_step, people
from tests.outreach.desk.rights.operations import filled, kwargs_of
from tests.outreach.desk.rights.table import ACCOUNTS, Row, rows

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]
PHONE, DESK, WALL = 360, 1280, 1920
#: Whether a page, or what scrolls within it, is wider than a telephone of twice its letters.
SIDEWAYS_AT_TWICE_THE_TEXT = """() => {
  const root = document.documentElement
  root.style.fontSize = '200%'
  const parts = [root, ...document.querySelectorAll('main')]
  const wide = parts.some((one) => one.scrollWidth > one.clientWidth + 1)
  root.style.fontSize = ''
  return wide
}"""
#: What a cell says where there is a page to look at.
READ = {"sees", "open"}
#: Answered to programs, or looked at in a story of its own (the checker runs without network).
NOT_PAGES = ("api/", "check/qr/", "healthz", "readyz", "metrics", "static/", "tablet/", "media/")
#: Fewer means that the tables were not read.
FLOOR = 80
#: While a page is being made, only those whose address begins so.
ONLY = os.environ.get("RIGHTS_ROUTES", "")


def pages() -> dict[str, list[Row]]:
    """Return what each account looks at: each page once, in the hands of who may do most."""
    found: dict[str, list[Row]] = {account: [] for account in ACCOUNTS}
    by_office = sorted(ACCOUNTS, key=lambda one: (one != "administrator", ACCOUNTS.index(one)))
    for row in rows().values():
        if row.method != "GET" or row.route.startswith(NOT_PAGES):
            continue
        if not row.route.startswith(ONLY):
            continue
        readers = [one for one in by_office if row.cells[one, "own"] in READ]
        # A page that needs no account is what a citizen sees.
        who = "stranger" if "stranger" in readers else next(iter(readers), None)
        if who is not None:
            found[who].append(row)
        if row.route == "/":  # everybody's own beginning
            for one in set(readers) - {who}:
                found[one].append(row)
    return found


@pytest.fixture
def county(place: builders.County, authority: None, tmp_path: Path, settings: Any) -> None:
    """Fill the county so that no list is empty."""
    settings.OUTREACH_FILES = tmp_path / "files"

    def fill() -> None:
        people(place)
        a_case_at_every_step(place)

    elsewhere(fill)


def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    place: builders.County,
    county: None,
    seat: Callable[[User | None], BrowserContext],
    album: Album,
) -> None:
    found: list[str] = []
    seen = 0

    def hear(said: ConsoleMessage) -> None:
        if said.type == "error" and "404" not in said.text:
            found.append(f"{said.location.get('url')}: {said.text}")

    for who, of_account in pages().items():
        page = seat(None if who == "stranger" else _account(place, who)).new_page()
        page.on("console", hear)
        for row in of_account:
            cache.clear()  # so that no door counts us as a hammering stranger
            looked = list(_look(page, row, who, album))
            seen += looked != [None]
            found += [problem for problem in looked if problem]
    print(f"{seen} pages looked at")
    assert not found, "\n".join(found)
    assert seen >= (1 if ONLY else FLOOR)


def _account(place: builders.County, who: str) -> User:
    if who == "outlet":
        return User.objects.get(username=f"counter {place.county.code}")
    return getattr(place, who)


def _look(page: Page, row: Row, who: str, album: Album) -> Iterator[str | None]:
    """Open a page at each width and name what is wrong with it; None: it is no whole page."""
    address = filled(row.route, {name: SUBJECTS[name](row.about) for name in kwargs_of(row.route)})
    page.set_viewport_size({"width": PHONE, "height": 780})
    told = page.context.request.get(address, max_redirects=0)
    if b"<html" not in told.body()[:200]:
        yield None
        return
    with _already(page, told):
        page.goto(address)
    for width in (PHONE, DESK, WALL):
        page.set_viewport_size({"width": width, "height": 800})
        if page.locator("html").evaluate("html => html.scrollWidth > html.clientWidth"):
            yield f"{who} {address} scrolls sideways at {width}"
        if width == PHONE and page.evaluate(SIDEWAYS_AT_TWICE_THE_TEXT):
            yield f"{who} {address} scrolls sideways at twice the text"
        if width != WALL:
            for one in violations(page, colours=width == DESK):
                yield f"{who} {address} at {width}: {one['id']} {one['nodes'][0]['html']}"
        album.take(page, f"{who}-{_name(row.route)}-{width}")
    if album.is_kept:
        _take_in_english(page, address, f"{who}-{_name(row.route)}", album)


@contextmanager
def _already(page: Page, told: APIResponse) -> Iterator[None]:
    """Have the browser show what was answered, so that the office draws each page once."""
    page.route(told.url, lambda route: route.fulfill(response=told))
    yield
    page.unroute(told.url)


def _take_in_english(page: Page, address: str, name: str, album: Album) -> None:
    english = {"name": "django_language", "value": "en", "url": page.url}
    page.context.add_cookies([english])  # type: ignore[list-item]
    page.goto(address)
    for width in (PHONE, DESK):
        page.set_viewport_size({"width": width, "height": 800})
        album.take(page, f"{name}-{width}-english")
    page.context.clear_cookies(name="django_language")


def _name(route: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in route).strip("-") or "home"
