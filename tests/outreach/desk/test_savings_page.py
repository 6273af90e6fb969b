"""The savings page: totals that equal the report's, and open to every line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from outreach.models import OutreachCost, User
from outreach.reports import savings_report
from tests import builders
from tests.builders import VISIT_ON

SignIn = Callable[[User], Client]


@pytest.mark.parametrize("by", ["township", "village", "category", "month"])
def test_the_page_says_what_the_report_says(
    place: builders.County, sign_in: SignIn, by: str
) -> None:
    builders.evaluated(place, 3)
    page = sign_in(place.administrator).get("/savings/", {"by": by})
    report = savings_report(within=place.county)
    assert page.context["report"].saved_fen == report.saved_fen
    assert sum(tally.saved_fen for _, tally, _, _ in page.context["rows"]) == report.saved_fen
    assert f"{report.saved_fen // 100:,}.{report.saved_fen % 100:02d}" in page.content.decode()


def test_costs_that_nobody_recorded_are_not_said_to_be_none(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.evaluated(place, 1)
    browser = sign_in(place.liaison)
    for page in ("/savings/", "/reports/"):
        shown = browser.get(page).content.decode()
        assert shown.count("未记录") == 2
    OutreachCost.objects.create(
        on=VISIT_ON, team="A", what="车辆", amount_fen=45_000, source="单据"
    )
    for page in ("/savings/", "/reports/"):
        shown = sign_in(place.administrator).get(page).content.decode()
        assert ("未记录" in shown, "450.00" in shown) == (False, True)


def test_a_total_opens_to_its_homes_and_lines(place: builders.County, sign_in: SignIn) -> None:
    builders.evaluated(place, 2)
    browser = sign_in(place.administrator)
    query = browser.get("/savings/").context["rows"][0][3]
    page = browser.get(f"/savings/lines/?{query}")
    homes = [entry for entry, _ in page.context["homes"]]
    assert len(homes) == 2
    assert sum(entry.saving.total_fen for entry in homes) == page.context["total"]
    text = page.content.decode()
    assert "511302-2018" in text
    assert "可支配收入" in text


def test_days_without_a_visit_are_said_to_be_empty(place: builders.County, sign_in: SignIn) -> None:
    builders.evaluated(place)
    page = sign_in(place.administrator).get("/savings/", {"last": "2018-05-01"})
    assert "这段时间没有上门评定" in page.content.decode()


@pytest.mark.parametrize(
    "asked", [{"first": "2018-06-02", "last": "2018-06-01"}, {"by": "moon"}, {"first": "then"}]
)
def test_a_span_that_is_none_is_explained(
    place: builders.County, sign_in: SignIn, asked: dict[str, str]
) -> None:
    assert sign_in(place.administrator).get("/savings/", asked).status_code == 422
    assert sign_in(place.administrator).get("/savings/lines/", asked).status_code == 200


def test_a_liaison_sees_the_savings_of_their_village(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.evaluated(place)
    own = sign_in(place.liaison).get("/savings/").context["report"]
    other = sign_in(place.other_liaison).get("/savings/").context["report"]
    assert (len(own.entries), len(other.entries)) == (1, 0)
