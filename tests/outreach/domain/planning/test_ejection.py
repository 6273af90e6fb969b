"""Ejection chains make room in time, break no rule, and answer alike for the same seed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.planning import Problem, check
from outreach.domain.planning.draft import Draft, empty
from outreach.domain.planning.ejection import broken, promises_kept
from outreach.domain.planning.greedy import insert_all
from outreach.domain.planning.ground import Ground, ground
from outreach.domain.planning.written import written
from tests.outreach.domain.planning.campaigns import campaign


def started(problem: Problem) -> tuple[Ground, Draft]:
    field = ground(problem)
    return field, insert_all(field, empty(field), range(len(problem.visits)))


def chained(field: Ground, draft: Draft, seed: int = 1, steps: int = 60) -> Draft:
    return promises_kept(
        field, draft, broken(field, draft), seed=seed, steps=steps, stop=lambda: False
    )


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    people=st.integers(1, 36),
    teams=st.integers(1, 2),
    days=st.integers(2, 4),
)
def test_chains_break_no_hard_rule_and_repeat_themselves(
    seed: int, people: int, teams: int, days: int
) -> None:
    problem = campaign(seed, people=people, teams=teams, days=days)
    field, draft = started(problem)
    mended = chained(field, draft, seed)
    assert check(problem, written(field, mended)) == []
    assert chained(field, draft, seed) == mended


def test_who_fits_only_today_takes_the_place_of_those_who_can_wait() -> None:
    """One team-day is full; those without a promise of that day can go on the next."""
    problem = campaign(5, people=16, teams=1, days=2)
    visits = tuple(
        replace(
            visit,
            skills=frozenset({"ortho"}),
            days=None,
            window=(510, 1020),
            deadline=0 if n % 6 == 0 else 1,
        )
        for n, visit in enumerate(problem.visits)
    )
    field = ground(replace(problem, visits=visits))
    urgent = [n for n in range(16) if n % 6 == 0]
    draft = insert_all(field, empty(field), [n for n in range(16) if n not in urgent])
    assert broken(field, insert_all(field, draft, urgent)) == urgent
    assert broken(field, chained(field, draft, steps=400)) == []


@pytest.mark.parametrize("steps", [0, 1])
def test_a_chain_that_is_stopped_answers_with_what_it_has(steps: int) -> None:
    problem = campaign(7, people=40, teams=1, days=2)
    field, draft = started(problem)
    assert check(problem, written(field, chained(field, draft, steps=steps))) == []
