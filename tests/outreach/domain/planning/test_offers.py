"""Offers: the cheapest times for one new request that keep every promise."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.planning import Pin, Until, Visit, check, offers, plan
from tests.outreach.domain.planning.campaigns import campaign

PROBLEM = campaign(2, people=30, teams=2, days=5)
PLAN = plan(PROBLEM, seed=1, stop=Until(rounds=2))
ASKED = Visit("new", 30.85, 106.1, 30, frozenset({"ortho"}), deadline=4)


def test_three_offers_on_three_team_days_cheapest_first():
    found = offers(PROBLEM, PLAN, ASKED)
    assert len({(offer.team, offer.day) for offer in found}) == 3
    assert [offer.cost for offer in found] == sorted(offer.cost for offer in found)
    assert all(offer.day <= 4 for offer in found)


@settings(max_examples=15, deadline=None)
@given(
    lat=st.floats(30.7, 31.0),
    lon=st.floats(105.95, 106.25),
    skill=st.sampled_from(["ortho", "psych", "ent"]),
    deadline=st.one_of(st.none(), st.integers(0, 5)),
)
def test_an_accepted_offer_keeps_every_promise(lat, lon, skill, deadline):
    visit = Visit("new", lat, lon, 30, frozenset({skill}), deadline=deadline)
    asked = replace(PROBLEM, visits=(*PROBLEM.visits, visit))
    told = {
        stop.visit: Pin(route.day, route.team, (stop.start - 60, stop.start + 60))
        for route in PLAN.routes
        for stop in route.stops
    }
    for offer in offers(PROBLEM, PLAN, visit):
        pins = {**told, "new": Pin(offer.day, offer.team, (offer.start - 1, offer.start + 60))}
        accepted = plan(asked, seed=1, stop=Until(rounds=0), warm=PLAN, pinned=pins)
        assert check(asked, accepted, pins) == []
        assert {left.visit for left in accepted.unassigned} == {
            left.visit for left in PLAN.unassigned
        }
        assert accepted.late == PLAN.late


def test_a_missed_promise_is_offered_only_when_asked_for():
    hopeless = replace(ASKED, days=frozenset({4}), deadline=0)
    assert offers(PROBLEM, PLAN, hopeless) == []
    assert {offer.day for offer in offers(PROBLEM, PLAN, hopeless, late_too=True)} == {4}


def test_nobody_can_offer_a_specialty_that_no_team_has():
    assert offers(PROBLEM, PLAN, replace(ASKED, skills=frozenset({"ophth"}))) == []
