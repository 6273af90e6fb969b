"""Three cheapest times for a new request, each of which can be taken and moves nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outreach.actions import offering, planning
from outreach.models import Visit
from outreach.rules import Refused
from tests import builders
from tests.outreach.planning import ASKED, hills, published, wait

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "launch", lambda plans: None)


def test_each_of_the_three_offers_can_be_taken_and_nobody_moves(place: builders.County) -> None:
    hill = hills(place, 10)
    published(hill)
    cases = wait(place, hill.villages, 3)
    for number, case in enumerate(cases):
        before = set(Visit.objects.values_list("pk", "on", "start"))
        offers = offering.offered(case, ASKED)
        assert len(offers) == 3
        assert [one.is_late for one in offers] == [False] * 3
        visit = offering.take(case, offers[number].key, by=place.administrator, at=ASKED)
        assert (visit.on, visit.start) == (offers[number].on, offers[number].start)
        assert before < set(Visit.objects.values_list("pk", "on", "start"))


def test_offers_keep_to_the_familys_hours(place: builders.County) -> None:
    hill = hills(place, 4)
    published(hill)
    friday = [{"weekday": 4, "from": "13:00", "to": "18:00"}]
    [case] = wait(place, hill.villages, 1, possible_times=friday)
    offers = offering.offered(case, ASKED)
    assert {one.on.weekday() for one in offers} == {4}
    assert min(one.start.hour for one in offers) >= 13


def test_without_a_published_plan_nothing_is_offered(place: builders.County) -> None:
    hill = hills(place, 2)
    assert offering.offered(hill.cases[0], ASKED) == []
    assert offering.campaign_for(hill.cases[0], ASKED) is None


def test_an_offer_that_is_gone_is_refused(place: builders.County) -> None:
    hill = hills(place, 2)
    published(hill)
    [case] = wait(place, hill.villages, 1)
    key = offering.offered(case, ASKED)[0].key
    later = ASKED + timedelta(days=30)
    for stale in (key.replace(":", "."), "", "x/y/z"):
        with pytest.raises(Refused, match="offer-gone"):
            offering.take(case, stale, by=place.administrator, at=ASKED)
    with pytest.raises(Refused, match="offer-gone"):
        offering.take(case, key, by=place.administrator, at=later)
