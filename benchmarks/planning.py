"""How good plans are: published instances, and campaigns beside naive practice, in one run.

    python -m benchmarks.planning --instances DIR --seconds 20
    python -m benchmarks.planning --draw 1000 --seconds 60
    python -m benchmarks.planning --campaign FILE --generate 500 --seconds 120
    python -m benchmarks.planning --scaling --seconds 60
    python -m benchmarks.planning --replan FILE --seconds 25

Instances are Solomon's text format with `best_known.csv` beside them; without `--instances` a
few small ones of our own making are read. Every plan is examined by the independent checker.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from time import monotonic

from benchmarks import marks, solomon
from benchmarks.campaigns import campaign
from benchmarks.practice import PRACTICES
from benchmarks.processors import processor_seconds, until
from outreach.domain.planning import (
    Cut,
    Disruption,
    Plan,
    Problem,
    Progress,
    Replanning,
    Until,
    check,
    plan,
    read_campaign,
    replan,
)

OWN_INSTANCES = Path(__file__).parent / "instances"
SIZES = (100, 500, 1000, 2000)


def main(arguments: list[str]) -> int:
    """Run what was asked for; exit status 1 when a plan breaks a hard rule."""
    asked = _parser().parse_args(arguments)
    sound = True
    if asked.campaign or asked.generate:
        for name, problem in _problems(asked):
            sound &= beside_practice(name, problem, asked)
    elif asked.scaling:
        sound = scaling(asked)
    elif asked.replan:
        sound = replanning(read_campaign(asked.replan.read_bytes()), asked)
    else:
        published(asked)
    return 0 if sound else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning", description=__doc__)
    parser.add_argument("--instances", type=Path, default=OWN_INSTANCES, metavar="DIR")
    parser.add_argument("--only", default="", help="instances whose name starts so")
    parser.add_argument("--draw", type=int, metavar="CUSTOMERS", help="one of that size instead")
    parser.add_argument("--campaign", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--generate", type=int, action="append", default=[], metavar="PEOPLE")
    parser.add_argument("--scaling", action="store_true", help="100 to 2,000 visits in a table")
    parser.add_argument("--replan", type=Path, metavar="FILE", help="a campaign to disturb")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument(
        "--processor", action="store_true", help="count seconds of free processors, not the wall's"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    return parser


def published(asked: argparse.Namespace) -> None:
    """Solve each instance and print the gap to its best-known value, and the mean."""
    known = solomon.best_known(asked.instances)
    effort = solomon.Effort(asked.seconds, asked.processor)
    processes = max(1, asked.workers)
    seeds = range(asked.seed, asked.seed + processes)
    gaps = []
    print(f"{'instance':12} {'distance':>9} {'best known':>10} {'gap %':>7}")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for name, instance in _instances(asked):
            found = solomon.solve(instance, effort, seeds, pool)
            best = known.get(name)
            gap = None if best is None else 100 * (found / best - 1)
            gaps += [] if gap is None else [gap]
            print(f"{name:12} {found:9.1f} {best or '–':>10} {_shown(gap):>7}", flush=True)
    if gaps:
        print(f"{len(gaps)} instances, {asked.seconds:g} s each: mean gap {fmean(gaps):.3f} %")


def _instances(asked: argparse.Namespace) -> Iterator[tuple[str, solomon.Instance]]:
    if asked.draw:
        instance = solomon.parsed(solomon.drawn(asked.draw, asked.seed), "drawn")
        yield instance.name, instance
        return
    files = [each for each in asked.instances.glob("*.txt") if each.name.startswith(asked.only)]
    for file in sorted(files, key=lambda each: each.name.lower()):
        yield file.stem, solomon.read(file)


def _shown(gap: float | None) -> str:
    return "–" if gap is None else f"{gap:.2f}"


def _problems(asked: argparse.Namespace) -> Iterator[tuple[str, Problem]]:
    for file in asked.campaign:
        yield file.name, read_campaign(file.read_bytes())
    for people in asked.generate:
        yield f"{people} people, seed {asked.seed}", campaign(people, asked.seed)


HEAD = f"{'':28} {'visited':>7} {'late':>5} {'days':>5} {'km':>7} {'team-days':>9} {'s':>5}"


def beside_practice(name: str, problem: Problem, asked: argparse.Namespace) -> bool:
    """Print the planner beside what offices do without one, on one campaign."""
    print(f"{name}: {len(problem.visits)} visits, {len(problem.shifts)} team-days\n{HEAD}")
    sound = True
    naive = {}
    for practice, follow in PRACTICES.items():
        began = monotonic()
        naive[practice] = follow(problem)
        sound &= _row(practice, problem, naive[practice], monotonic() - began)
    began, used = monotonic(), processor_seconds()
    best = plan(problem, seed=asked.seed, stop=_until(asked), workers=asked.workers)
    sound &= _row("planned", problem, best, monotonic() - began)
    print(f"{processor_seconds() - used:.0f} processor seconds")
    _judge(marks.missed_by_plan(problem, best, naive, name))
    return sound


def _judge(missed: list[str]) -> None:
    print(f"{'every mark met' if not missed else 'missed: ' + '; '.join(missed)}\n", flush=True)


def _row(name: str, problem: Problem, made: Plan, seconds: float) -> bool:
    broken = check(problem, made)
    visited = sum(len(route.stops) for route in made.routes)
    print(
        f"{name:28} {visited:7} {made.late:5} {made.late_days:5} {made.km:7.0f}"
        f" {len(made.routes):9} {seconds:5.1f}  {'sound' if not broken else broken[0]}",
        flush=True,
    )
    return not broken


def _until(asked: argparse.Namespace) -> Until:
    return until(asked.seconds, asked.workers, processor=asked.processor)


@dataclass
class _Watched:
    """What was seen while a search was watched: when the first plan, and every cost."""

    began: float
    first: float = 0.0

    def __post_init__(self) -> None:
        self.costs: list[float] = []

    def heard(self, step: Progress) -> None:
        self.first = self.first or monotonic() - self.began
        self.costs.append(step.best.cost)


def scaling(asked: argparse.Namespace) -> bool:
    """Print time and memory against the number of visits; each size in a process of its own."""
    print(
        f"{'visits':>6} {'team-days':>9} {'first s':>7} {'all s':>6} {'MB':>5} {'left out':>8}"
        f" {'late':>5} {'km':>7} {'better %':>8} {'rounds':>6}",
        flush=True,
    )
    codes = []
    for people in SIZES:
        child = os.fork()
        if child == 0:
            os._exit(0 if _scaled(people, asked) else 1)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    return not any(codes)


def _scaled(people: int, asked: argparse.Namespace) -> bool:
    problem = campaign(people, asked.seed)
    watched = _Watched(monotonic())
    best = plan(
        problem,
        seed=asked.seed,
        stop=_until(asked),
        workers=asked.workers,
        progress=watched.heard,
    )
    took = monotonic() - watched.began
    # What the largest worker needed, for each of them, beside this process.
    own, worker = (
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    kilobytes = own + asked.workers * worker
    better = 100 * (1 - best.cost / watched.costs[0])
    print(
        f"{people:6} {len(best.routes):9} {watched.first:7.1f} {took:6.1f} {kilobytes / 1024:5.0f}"
        f" {len(best.unassigned):8} {best.late:5} {best.km:7.0f} {better:8.1f}"
        f" {len(watched.costs) - 1:6}",
        flush=True,
    )
    return not check(problem, best)


def replanning(problem: Problem, asked: argparse.Namespace) -> bool:
    """Disturb a planned campaign as the issue says, and print both answers side by side."""
    made = plan(problem, seed=asked.seed, stop=_until(asked), workers=asked.workers)
    _row("planned", problem, made, asked.seconds)
    chance = random.Random(asked.seed)
    happened = disturbed(problem, made, chance)
    began = monotonic()
    mended = replan(
        problem,
        made,
        happened,
        seed=asked.seed,
        stop=_until(asked),
        workers=asked.workers,
    )
    print(f"mended in {monotonic() - began:.1f} s")
    return _answers(mended)


def disturbed(problem: Problem, made: Plan, chance: random.Random, day: int = 4) -> Disruption:
    """Draw 5 % absences, a township cut off for three days, and a lost team-day."""
    later = [stop.visit for route in made.routes if route.day >= day for stop in route.stops]
    township = chance.choice(sorted({visit.township for visit in problem.visits}))
    cut = frozenset(visit.id for visit in problem.visits if visit.township == township)
    soon = [route.key for route in made.routes if route.day in (day, day + 1)]
    return Disruption(
        day=day,
        absent=frozenset(chance.sample(later, round(0.05 * len(problem.visits)))),
        cut=(Cut(cut, frozenset(range(day, day + 3))),),
        lost=frozenset([chance.choice(soon)]),
    )


def _answers(mended: Replanning) -> bool:
    sound = True
    for name, answer in (("insert only", mended.insert_only), ("repair", mended.repair)):
        broken = check(mended.problem, answer.plan)
        sound &= not broken
        print(
            f"{name:12} {answer.untouched} untouched, {answer.kept_share:.1%} keep their day,"
            f" {answer.moved} moved, {len(answer.calls)} to call, {answer.plan.late} late by"
            f" {answer.plan.late_days} days, {len(answer.plan.unassigned)} left out,"
            f" {answer.plan.km:.0f} km  {'sound' if not broken else broken[0]}"
        )
    _judge(marks.missed_by_repair(mended))
    return sound


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
