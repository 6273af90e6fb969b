"""Giving way: somebody late takes the place of one who can wait, and nothing gets dearer."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.planning import Problem, Shift, Visit, check
from outreach.domain.planning.draft import Draft, draft_of, total_cost
from outreach.domain.planning.ejection import broken
from outreach.domain.planning.giving_way import given_way
from outreach.domain.planning.greedy import inserted
from outreach.domain.planning.ground import ground
from outreach.domain.planning.planner import plan
from outreach.domain.planning.problem import Until
from outreach.domain.planning.written import written
from tests.outreach.domain.planning.campaigns import campaign

HERE = (30.80, 106.09)


def test_somebody_late_takes_the_place_of_one_who_can_wait():
    """Each day has room for one visit of six hours; the first can wait, the second cannot."""
    problem = Problem(
        (Visit(1, *HERE, 360), Visit(2, *HERE, 360, deadline=0)),
        tuple(Shift("T", day, HERE, frozenset(), 510, 1050) for day in (0, 1)),
    )
    field = ground(problem)
    better = given_way(field, Draft(((0,), (1,))), 1)
    assert better == Draft(((1,), (0,)))
    assert given_way(field, better, 1) == better


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), days=st.integers(2, 3))
def test_no_exchange_breaks_a_hard_rule_or_costs_more(seed, days):
    problem = campaign(seed, people=40, teams=2, days=days)
    field = ground(problem)
    draft = inserted(field, draft_of(field, plan(problem, seed=seed, stop=Until(rounds=0))))
    for visit in broken(field, draft)[:4]:
        candidate = given_way(field, draft, visit)
        assert check(problem, written(field, candidate)) == []
        assert total_cost(field, candidate) <= total_cost(field, draft)
        draft = candidate


def test_a_told_family_gives_way_only_where_that_is_worth_its_price():
    problem = Problem(
        (Visit(1, *HERE, 360), Visit(2, *HERE, 360, deadline=0)),
        tuple(Shift("T", day, HERE, frozenset(), 510, 1050) for day in (0, 1)),
    )
    told = {1: 0}
    dear = replace(problem, prices=replace(problem.prices, moved=500))
    start = Draft(((0,), (1,)))
    assert given_way(ground(problem, told=told), start, 1) == Draft(((1,), (0,)))
    assert given_way(ground(dear, told=told), start, 1) == start
