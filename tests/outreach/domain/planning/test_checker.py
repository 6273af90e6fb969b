"""The checker finds each broken rule by itself: a sound plan is spoilt in one place at a time."""

from dataclasses import replace

import pytest
from geopy.distance import geodesic
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.planning import Pin, Plan, Until, check, plan
from outreach.domain.planning.checker import vincenty_metres
from tests.outreach.domain.planning.campaigns import campaign

PROBLEM = campaign(1)
PLAN = plan(PROBLEM, seed=1, stop=Until(rounds=0))


def rules(problem, spoilt: Plan, **more) -> set[str]:
    return {violation.rule for violation in check(problem, spoilt, **more)}


def spoil(n: int, **changes) -> Plan:
    routes = list(PLAN.routes)
    routes[n] = replace(routes[n], **changes)
    return replace(PLAN, routes=tuple(routes))


def test_a_sound_plan_passes():
    assert check(PROBLEM, PLAN) == []


def test_a_team_without_the_specialty_is_found():
    bare = replace(
        PROBLEM, shifts=tuple(replace(shift, skills=frozenset()) for shift in PROBLEM.shifts)
    )
    assert "qualification" in rules(bare, PLAN)


def test_a_day_the_family_excluded_is_found():
    first = PLAN.routes[0].stops[0].visit
    closed = replace(
        PROBLEM,
        visits=tuple(
            replace(visit, days=frozenset()) if visit.id == first else visit
            for visit in PROBLEM.visits
        ),
    )
    assert rules(closed, PLAN) == {"day"}


def test_a_visit_while_somebody_of_the_team_is_elsewhere_is_found():
    away = tuple(replace(shift, busy=((600, 720),)) for shift in PROBLEM.shifts)
    assert "elsewhere" in rules(replace(PROBLEM, shifts=away), PLAN)


def test_a_plan_goes_round_what_a_team_does_elsewhere():
    away = tuple(replace(shift, busy=((560, 600), (660, 780))) for shift in PROBLEM.shifts)
    problem = replace(PROBLEM, shifts=away)
    made = plan(problem, seed=1, stop=Until(rounds=2))
    assert made.routes
    assert check(problem, made) == []


def test_a_start_outside_the_possible_time_is_found():
    stops = PLAN.routes[0].stops
    assert "time" in rules(PROBLEM, spoil(0, stops=(replace(stops[0], start=1030), *stops[1:])))


def test_a_start_before_the_team_can_be_there_is_found():
    route = next(route for route in PLAN.routes if len(route.stops) > 2)
    n = PLAN.routes.index(route)
    hasty = tuple(replace(stop, start=route.stops[0].start) for stop in route.stops)
    assert "travel" in rules(PROBLEM, spoil(n, stops=hasty))


def test_a_lunch_left_out_is_found():
    hungry = replace(PROBLEM, shifts=tuple(replace(shift, lunch=False) for shift in PROBLEM.shifts))
    through = plan(hungry, seed=1, stop=Until(rounds=0))
    assert check(hungry, through) == []
    assert "travel" in rules(PROBLEM, through)


def test_a_team_back_after_its_shift_is_found():
    short = replace(
        PROBLEM, shifts=tuple(replace(shift, end=shift.start + 30) for shift in PROBLEM.shifts)
    )
    assert "shift" in rules(short, PLAN)


def test_a_broken_pin_is_found():
    route = PLAN.routes[0]
    visit = route.stops[0].visit
    assert rules(PROBLEM, PLAN, pinned={visit: Pin(route.day, route.team)}) == set()
    assert rules(PROBLEM, PLAN, pinned={visit: Pin(route.day + 1)}) == {"pin"}
    assert rules(PROBLEM, PLAN, pinned={visit: Pin(route.day, "another")}) == {"pin"}
    late = Pin(route.day, None, (1000, 1020))
    assert rules(PROBLEM, PLAN, pinned={visit: late}) == {"pin"}


@pytest.mark.parametrize(
    "spoilt",
    [
        replace(PLAN, routes=PLAN.routes[1:]),
        replace(PLAN, routes=(*PLAN.routes, PLAN.routes[0])),
        spoil(0, stops=(*PLAN.routes[0].stops, PLAN.routes[0].stops[0])),
        spoil(0, team="unknown"),
    ],
)
def test_somebody_forgotten_or_visited_twice_is_found(spoilt):
    assert rules(PROBLEM, spoilt) & {"complete", "known"}


@pytest.mark.parametrize("change", [{"km": PLAN.km + 5}, {"late": PLAN.late + 1}])
def test_figures_that_are_not_the_plans_are_found(change):
    assert rules(PROBLEM, replace(PLAN, **change)) == {"figures"}


places = st.tuples(st.floats(18, 53), st.floats(74, 134))


@given(here=places, there=places)
def test_its_geodesic_is_geopys(here, there):
    assert vincenty_metres(here, there) == pytest.approx(geodesic(here, there).m, abs=0.01)
