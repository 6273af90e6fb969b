"""A county of 100,000 residents opens its lists with as many questions as one of three.

The ordinary run takes a slice; the whole county stands under the `long` marker.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from stdnum.iso7064 import mod_11_2

from outreach.desk import listing
from outreach.desk.views import home
from outreach.models import Application, Resident, User
from outreach.models.sealed import blind_index
from tests import builders
from tests.builders import START

SignIn = Callable[[User], Client]
PAGES = ("/", "/cases/", "/cases/?page=2", "/cases/?q=青山", "/accept/", "/accept/?page=last")
SLICE, COUNTY = 2_000, 100_000
PORTION = 5_000


def identity(serial: int) -> str:
    """Return an ID number of the neighbouring county: the builders give out those of ours."""
    day = date(1930, 1, 1) + timedelta(days=serial % 25_000)
    base = f"511303{day:%Y%m%d}{serial // 25_000 + 1:03d}"
    return base + mod_11_2.calc_check_digit(base)


def populate(place: builders.County, count: int) -> None:
    """Enter residents, each with an application that waits to be accepted."""
    for start in range(0, count, PORTION):
        serials = range(start, min(start + PORTION, count))
        residents = [
            Resident(
                name="赵青山",
                id_number=identity(serial),
                id_number_index=blind_index(identity(serial), "id_number"),
                village=place.village,
                created_at=START,
            )
            for serial in serials
        ]
        Resident.objects.bulk_create(residents)
        Application.objects.bulk_create(
            Application(
                number=f"2018-{100_000 + serial}",
                resident=resident,
                village=place.village,
                categories=["physical"],
                state="applied",
                state_since=START,
                nominated_by=place.liaison,
                created_at=START,
            )
            for serial, resident in zip(serials, residents, strict=True)
        )


def questions(browser: Client) -> dict[str, int]:
    """Count what each page asks the database."""
    found = {}
    for page in PAGES:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(page).status_code == 200
        found[page] = len(asked)
    return found


@pytest.mark.parametrize("count", [SLICE, pytest.param(COUNTY, marks=pytest.mark.long)])
def test_lists_ask_as_much_as_with_sixty_rows(
    place: builders.County, sign_in: SignIn, count: int
) -> None:
    browser = sign_in(place.administrator)
    builders.applied(place, 60)
    browser.get("/")
    few = questions(browser)
    populate(place, count)
    assert Application.objects.count() == count + 60
    assert questions(browser) == few
    print(f"{count} residents, questions per page: {few}")


def test_a_list_counts_and_pages_no_further_than_somebody_reads(
    place: builders.County, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    builders.applied(place, 3)
    browser = sign_in(place.liaison)
    shown = browser.get("/cases/").context["listing"]
    assert (shown.total, shown.is_cut) == (3, False)
    monkeypatch.setattr(listing, "MOST", 2)
    page = browser.get("/cases/?page=9")
    shown = page.context["listing"]
    assert (shown.total, len(shown), shown.is_cut) == (2, 2, True)
    assert "请按姓名或编号查找" in page.content.decode()


def test_home_lists_a_countys_day_as_far_as_somebody_reads(
    place: builders.County, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "SHOWN", 2)
    builders.scheduled(place, 3, on=builders.START.date())
    page = sign_in(place.administrator).get("/")
    assert [visit.start.hour for visit in page.context["today_visits"]] == [9, 9]
    assert page.context["more_visits"]
