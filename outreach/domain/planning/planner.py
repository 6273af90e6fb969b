"""The one door to the solver."""

from __future__ import annotations

from collections.abc import Callable

from outreach.domain.planning.draft import Draft, draft_of, empty
from outreach.domain.planning.greedy import inserted
from outreach.domain.planning.ground import ground
from outreach.domain.planning.problem import NO_PINS, Pins, Plan, Problem, Progress, Until
from outreach.domain.planning.search import search
from outreach.domain.planning.written import written


def plan(
    problem: Problem,
    *,
    seed: int,
    stop: Until,
    progress: Callable[[Progress], None] | None = None,
    warm: Plan | None = None,
    pinned: Pins = NO_PINS,
    workers: int = 0,
) -> Plan:
    """Plan a campaign: which team goes where on which day, in which order, and when.

    Hard: qualification, possible times, allowed days, shift, lunch, pins. Soft, by
    `problem.prices`: travel, promised days, team-days, fairness, villages finished in one trip,
    overtime. What cannot be made is left out with a reason. The plan starts from `warm` (its
    stops that still fit) and greedy insertion, and only ever improves; `progress` hears of
    every round with the best so far. With `stop.rounds` alone it is the same for the same seed,
    whatever the machine and the number of `workers` (processes beside this one; 0: none).

    Raises `MalformedProblem` for pins or a matrix that do not belong to the campaign.
    """
    field = ground(problem, pinned)
    start = empty(field) if warm is None else draft_of(field, warm)

    def heard(share: float, done: int, best: Draft) -> None:
        if progress is not None:
            progress(Progress(share, done, written(field, best, pinned)))

    best = search(field, inserted(field, start), seed=seed, stop=stop, heard=heard, workers=workers)
    return written(field, best, pinned)
