"""What the outreach cost is recorded at the desk, by the county, and stands beside the savings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from outreach.domain.vocabulary import Level, Role
from outreach.models import AuditEvent, OutreachCost, User
from outreach.reports import savings_report
from tests import builders

SignIn = Callable[[User], Client]
SPENT = {
    "on": builders.START.date().isoformat(),
    "team": "一队",
    "what": "车辆",
    "amount": "450.05",
    "source": "派车单 17 号",
}


@pytest.fixture
def office(place: builders.County, sign_in: SignIn) -> Client:
    """Return the county's administrator after a day of visits."""
    builders.evaluated(place)
    return sign_in(place.administrator)


def test_what_is_recorded_stands_beside_the_savings_and_on_the_trail(
    place: builders.County, office: Client
) -> None:
    assert "/savings/costs/" in office.get("/savings/").content.decode()
    answer = office.post("/savings/costs/", SPENT, follow=True)
    shown = answer.content.decode()
    assert ("450.05" in shown, "派车单 17 号" in shown) == (True, True)
    report = savings_report(within=place.county)
    assert (report.cost_fen, report.net_fen) == (45_005, report.saved_fen - 45_005)
    event = AuditEvent.objects.get(action="cost.record")
    assert (event.by, event.detail["amount_fen"]) == (place.administrator, 45_005)
    assert 'value="一队"' in shown  # which is offered for the next one


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount": ""}, "malformed-form"),
        ({"amount": "-1"}, "malformed-form"),
        ({"amount": "1.005"}, "malformed-form"),
        ({"amount": "NaN"}, "malformed-form"),
        ({"on": "2018-13-01"}, "malformed-form"),
        ({"on": "2999-01-01"}, "cost-to-come"),
        ({"source": "\0"}, "malformed-form"),
    ],
)
def test_what_cannot_be_is_refused_and_stays_in_the_form(
    office: Client, wrong: dict[str, str], code: str
) -> None:
    answer = office.post("/savings/costs/", SPENT | wrong)
    assert (answer.status_code, answer["X-Refusal"]) == (422, code)
    assert 'value="车辆"' in answer.content.decode()
    assert not OutreachCost.objects.exists()


def test_the_same_thing_of_a_day_is_not_recorded_twice(office: Client) -> None:
    office.post("/savings/costs/", SPENT)
    again = office.post("/savings/costs/", SPENT | {"amount": "9"})
    assert (again["X-Refusal"], OutreachCost.objects.get().amount_fen) == ("cost-known", 45_005)


def test_a_slip_is_taken_back_once(office: Client) -> None:
    office.post("/savings/costs/", SPENT)
    address = f"/savings/costs/{OutreachCost.objects.get().pk}/take-back/"
    assert office.post(address).status_code == 303
    assert not OutreachCost.objects.exists()
    assert AuditEvent.objects.get(action="cost.take_back").detail["source"] == "派车单 17 号"
    assert office.post(address).status_code == 404
    assert office.post("/savings/costs/", SPENT | {"amount": "45"}).status_code == 303


def test_one_county_neither_sees_nor_counts_what_another_spent(
    place: builders.County, office: Client, sign_in: SignIn
) -> None:
    office.post("/savings/costs/", SPENT)
    [cost] = OutreachCost.objects.all()
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    stranger = sign_in(builders.user("stranger", Role.ADMINISTRATOR, elsewhere))
    assert "派车单" not in stranger.get("/savings/costs/").content.decode()
    assert stranger.post(f"/savings/costs/{cost.pk}/take-back/").status_code == 404
    assert stranger.post("/savings/costs/", SPENT).status_code == 303
    assert savings_report(within=elsewhere).cost_fen == 45_005
    assert savings_report(within=place.county).cost_fen == 45_005
    assert savings_report().cost_fen == 90_010


def test_the_administrator_of_a_township_has_none_to_record(
    place: builders.County, sign_in: SignIn
) -> None:
    browser = sign_in(builders.user("township", Role.ADMINISTRATOR, place.township))
    assert "/savings/costs/" not in browser.get("/savings/").content.decode()
    assert browser.get("/savings/costs/").status_code == 404
