"""The figures a county's campaign must reach, at full length, by processor seconds."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from time import process_time

import pytest

from benchmarks import marks
from benchmarks.campaigns import campaign
from benchmarks.planning import OWN_INSTANCES, disturbed
from benchmarks.practice import PRACTICES
from benchmarks.processors import processor_seconds, until
from outreach.domain.planning import Plan, Problem, check, offers, plan, read_campaign, replan

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
REFERENCE = marks.NOBODY_LATE
WORKERS = 2


def problem_of(name: str | int) -> Problem:
    if isinstance(name, int):
        return campaign(500, name)
    return read_campaign((Path(OWN_INSTANCES) / name).read_bytes())


@cache
def planned(name: str | int) -> Plan:
    """Return the plan that two free processors make in two minutes."""
    stop = until(120, WORKERS, processor=True)
    return plan(problem_of(name), seed=1, stop=stop, workers=WORKERS)


@pytest.mark.parametrize("name", [REFERENCE, 1, 2, 3])
def test_five_hundred_visits_meet_every_mark_beside_both_practices(name: str | int) -> None:
    problem, made = problem_of(name), planned(name)
    naive = {practice: follow(problem) for practice, follow in PRACTICES.items()}
    assert check(problem, made) == []
    assert marks.missed_by_plan(problem, made, naive, str(name)) == []


@pytest.mark.parametrize("seed", range(1, 11))
def test_a_disturbed_campaign_is_repaired_within_every_mark(seed: int) -> None:
    problem, made = problem_of(REFERENCE), planned(REFERENCE)
    happened = disturbed(problem, made, random.Random(seed))
    stop = until(25, WORKERS, processor=True)
    mended = replan(problem, made, happened, seed=seed, stop=stop, workers=WORKERS)
    for answer in (mended.insert_only, mended.repair):
        assert check(mended.problem, answer.plan) == []
    assert mended.insert_only.moved == 0
    assert marks.missed_by_repair(mended) == []


def test_two_thousand_visits_are_feasible_within_a_minute_and_get_better() -> None:
    problem = campaign(2000, 1)
    heard: list[tuple[float, float]] = []
    began = processor_seconds()
    best = plan(
        problem,
        seed=1,
        stop=until(60, WORKERS, processor=True),
        workers=WORKERS,
        progress=lambda step: heard.append((processor_seconds() - began, step.best.cost)),
    )
    assert check(problem, best) == []
    assert heard[0][0] < 60
    assert len({cost for _, cost in heard}) > 3
    assert best.cost < heard[0][1]


def test_three_times_are_offered_in_under_a_second() -> None:
    problem, made = problem_of(REFERENCE), planned(REFERENCE)
    took = []
    for visit in random.Random(1).sample(problem.visits, 10):
        began = process_time()
        offers(problem, made, visit)
        took.append(process_time() - began)
    assert max(took) < 1
