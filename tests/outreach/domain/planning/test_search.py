"""The group search: never breaks a hard rule, only improves, repeats itself, stops when asked."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.planning import (
    Pin,
    Plan,
    Prices,
    Problem,
    Progress,
    Shift,
    Until,
    Visit,
    check,
    plan,
)
from tests.outreach.domain.planning.campaigns import campaign


def searched(problem: Problem, rounds: int, seed: int = 1, **more) -> Plan:
    return plan(problem, seed=seed, stop=Until(rounds=rounds), **more)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    people=st.integers(0, 40),
    teams=st.integers(1, 3),
    days=st.integers(2, 5),
    overtime=st.sampled_from([0, 0, 45]),
)
def test_no_generated_problem_gets_a_plan_that_breaks_a_hard_rule(
    seed, people, teams, days, overtime
):
    problem = campaign(seed, people=people, teams=teams, days=days, overtime=overtime)
    greedy, better = searched(problem, 0, seed), searched(problem, 2, seed)
    assert check(problem, greedy) == []
    assert check(problem, better) == []
    assert better.cost <= greedy.cost


def test_the_same_seed_gives_the_same_plan_with_and_without_workers():
    problem = campaign(3, people=60, teams=3, days=8)
    alone = searched(problem, 3)
    assert searched(problem, 3) == alone
    assert searched(problem, 3, workers=2) == alone


def test_the_search_tells_every_round_and_never_gets_worse():
    heard: list[Progress] = []
    best = searched(campaign(3, people=60, teams=3, days=8), 4, progress=heard.append)
    costs = [step.best.cost for step in heard]
    assert [(step.round, step.share) for step in heard] == [
        (0, 0),
        (1, 0.25),
        (2, 0.5),
        (3, 0.75),
        (4, 1),
    ]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == best.cost < costs[0]


def test_a_search_stopped_by_somebody_gives_the_best_so_far():
    heard: list[Progress] = []
    problem = campaign(3, people=60, teams=3, days=8)
    best = plan(
        problem,
        seed=1,
        stop=Until(rounds=1000, asked=lambda: len(heard) > 2),
        progress=heard.append,
    )
    assert len(heard) == 3
    assert best == heard[-1].best


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000))
def test_pins_are_kept_and_a_warm_start_is_never_made_worse(seed):
    problem = campaign(seed, people=30)
    first = searched(problem, 1, seed)
    told = {
        stop.visit: Pin(route.day, route.team, (stop.start - 30, stop.start + 30))
        for route in first.routes
        for stop in route.stops[::2]
    }
    again = searched(problem, 2, seed + 1, warm=first, pinned=told)
    assert check(problem, again, told) == []
    assert {stop.visit for route in again.routes for stop in route.stops} >= set(told)


def test_a_promise_is_dearer_than_the_road():
    problem = campaign(5, people=40, teams=2, days=5)
    hurried = searched(replace(problem, prices=Prices(late=200, late_day=100)), 3)
    careless = searched(replace(problem, prices=Prices(late=0, late_day=0)), 3)
    assert hurried.late_days < careless.late_days


def test_a_dear_team_day_saves_team_days():
    problem = campaign(5, people=30, teams=3, days=5)
    free = searched(replace(problem, prices=Prices(team_day=0, late=0, late_day=0)), 3)
    dear = searched(replace(problem, prices=Prices(team_day=200, late=0, late_day=0)), 3)
    assert len(dear.routes) < len(free.routes)


def test_fairness_has_a_price():
    problem = campaign(7, people=40, teams=2, days=5)
    everything = frozenset({"ortho", "psych", "ent"})
    far = {"T0": (30.80, 106.09), "T1": (30.60, 106.09)}
    problem = replace(
        problem,
        shifts=tuple(
            replace(shift, skills=everything, base=far[shift.team]) for shift in problem.shifts
        ),
    )

    def spread(price: float) -> float:
        prices = Prices(fairness=price, team_day=0, late=0, late_day=0)
        return max(map(abs, searched(replace(problem, prices=prices), 8).fairness.values()))

    assert spread(100) < spread(0)


def test_overtime_is_used_when_it_is_cheaper_than_another_day():
    """Ten visits of 50 minutes are 20 minutes more than a day holds with its lunch."""
    here = (30.80, 106.09)
    problem = Problem(
        tuple(Visit(n, *here, 50) for n in range(10)),
        tuple(Shift("T", day, here, frozenset(), 510, 1050, overtime=60) for day in (0, 1)),
    )
    cheap = searched(replace(problem, prices=Prices(overtime_hour=20)), 2)
    dear = searched(replace(problem, prices=Prices(overtime_hour=200)), 2)
    assert (len(cheap.routes), cheap.overtime) == (1, 20)
    assert (len(dear.routes), dear.overtime) == (2, 0)


def test_a_campaign_without_people_or_teams_has_an_answer():
    problem = campaign(1)
    assert searched(replace(problem, visits=()), 2).routes == ()
    bare = searched(replace(problem, shifts=()), 2)
    assert {left.reason.code for left in bare.unassigned} == {"no_specialty"}


def test_a_campaign_in_which_nobody_can_be_visited_says_why():
    """The search for a group to improve died of it, and started again it died again."""
    nobody = [replace(visit, skills=frozenset({"eyes"})) for visit in campaign(1).visits]
    problem = replace(campaign(1), visits=tuple(nobody))
    for until in (Until(rounds=2), Until(seconds=60)):
        alone = plan(problem, seed=1, stop=until)
        assert {left.reason.code for left in alone.unassigned} == {"no_specialty"}
    night = [replace(visit, window=(0, 60)) for visit in campaign(1).visits]
    asleep = searched(replace(problem, visits=tuple(night)), 2)
    assert {left.reason.code for left in asleep.unassigned} <= {"no_time", "no_day"}


def test_a_search_without_an_end_is_refused():
    with pytest.raises(ValueError, match="A search needs an end"):
        Until()
