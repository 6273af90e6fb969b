"""The search: groups of team-days taken out, solved together, put back when that is better.

Never the whole month at once: that needs a gigabyte and is worse after the same time. Each
round takes a few groups that share no team-day, so that processors can work side by side and
the result depends only on the seed and the number of rounds.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np

from outreach.domain.planning.draft import Draft, fairness_hours, moved, route_cost, total_cost
from outreach.domain.planning.ejection import broken, promises_kept
from outreach.domain.planning.giving_way import given_way
from outreach.domain.planning.greedy import insert_all
from outreach.domain.planning.ground import FORBIDDEN, Ground
from outreach.domain.planning.pool import Job, Pool
from outreach.domain.planning.problem import Until
from outreach.domain.planning.solver import Group

Heard = Callable[[float, int, Draft], None]

GROUP = 10
#: Groups of one round; they share no team-day, so that processors need not wait for each other.
AT_ONCE = 4
ITERATIONS = 300
#: Visits nobody makes that are tried in a group besides its own.
EXTRA = 12
#: Shifts in a group that could keep the promise of the visit it was chosen for.
HELPERS = 4
#: The metres that moving a family costs besides, when at most so many more may move.
SCARCE = ((0, 100_000), (3, 25_000))
#: Rounds between two looks for room for who is left out or late, and the ejections of one.
REMINDED, CHAIN = 4, 400
#: In a large campaign each look is dearer, and rounds must not wait for it: chains are shorter and
#: fewer are tried one by one, in proportion.
LOOKED_AT, ONE_BY_ONE = 200_000, 10_000


@dataclass
class Clock:
    """How far the search is, by rounds or by time."""

    stop: Until
    began: float

    def over(self, done: int) -> bool:
        return self.share(done) >= 1 or self.stop.asked()

    def share(self, done: int) -> float:
        shares = [0.0]
        if self.stop.rounds is not None:
            shares.append(done / self.stop.rounds if self.stop.rounds else 1.0)
        if self.stop.seconds is not None:
            spent = monotonic() - self.began
            shares.append(spent / self.stop.seconds if self.stop.seconds else 1.0)
        return min(1.0, max(shares))

    def left(self) -> float | None:
        """Return the seconds left, None when only rounds count."""
        if self.stop.seconds is None:
            return None
        return max(0.0, self.began + self.stop.seconds - monotonic())


def search(
    ground: Ground, draft: Draft, *, seed: int, stop: Until, heard: Heard, workers: int = 0
) -> Draft:
    """Improve a draft round by round until `stop`; the answer is never worse than the start."""
    clock = Clock(stop, monotonic())
    heard(clock.share(0), 0, draft)
    if not (ground.entry < FORBIDDEN).any():  # nobody may be visited by any team on any day
        return draft
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    done = 0
    draft = reminded(ground, draft, chance, lambda: clock.over(0))
    with Pool(ground, workers) as pool:
        while not clock.over(done):
            groups = choose(ground, draft, chance)
            jobs = [Job(group, chance.randrange(1 << 31), ITERATIONS) for group in groups]
            for group, solved in pool.solve(jobs, clock.left(), stop.asked):
                draft = accepted(ground, draft, group, solved)
            done += 1
            if done % REMINDED == 0:
                draft = reminded(ground, draft, chance, lambda: clock.over(0))
            heard(clock.share(done), done, draft)
    return draft


def reminded(
    ground: Ground, draft: Draft, chance: random.Random, over: Callable[[], bool]
) -> Draft:
    """Look for room for who is left out or late, across the whole campaign; never worse."""
    people = max(1, len(ground.visits))
    steps = min(CHAIN, LOOKED_AT // people)
    draft = _made_room(ground, draft, broken(ground, draft), steps, chance, over)
    waiting = broken(ground, draft)
    most = ONE_BY_ONE // people
    for visit in waiting if len(waiting) <= most else chance.sample(waiting, most):
        if over():
            break
        draft = _made_room(ground, draft, [visit], CHAIN // 20, chance, over)
        if visit in broken(ground, draft):
            draft = given_way(ground, draft, visit)
    return draft


def _made_room(
    ground: Ground,
    draft: Draft,
    visits: Sequence[int],
    steps: int,
    chance: random.Random,
    over: Callable[[], bool],
) -> Draft:
    seed = chance.randrange(1 << 31)
    candidate = promises_kept(ground, draft, visits, seed=seed, steps=steps, stop=over)
    better = total_cost(ground, candidate) < total_cost(ground, draft)
    return candidate if better else draft


def accepted(
    ground: Ground, draft: Draft, group: Group, solved: dict[int, tuple[int, ...]] | None
) -> Draft:
    """Put a solved group back into the draft if that is feasible and costs less."""
    if solved is None:
        return draft
    made = {stop for stops in solved.values() for stop in stops}
    candidate = draft.changed(solved)
    lost = [visit for visit in group.visits if visit not in made]
    if any(route_cost(ground, shift, stops) is None for shift, stops in solved.items()):
        return draft
    if lost:
        candidate = insert_all(ground, candidate, lost)
    better = total_cost(ground, candidate) < total_cost(ground, draft)
    return candidate if better else draft


def choose(ground: Ground, draft: Draft, chance: random.Random) -> list[Group]:
    """Pick a few groups of team-days near each other that share none."""
    free = set(range(len(ground.shifts)))
    groups: list[Group] = []
    left = draft.left_out(ground)
    unfair = fairness_hours(ground, draft.routes) if ground.fairness_metres_an_hour else {}
    moving = _moving(ground, draft)
    for _ in range(AT_ONCE):
        if not free or (groups and len(free) < GROUP):
            break
        shifts = _neighbours(ground, draft, free, left, chance)
        if not shifts:
            break
        free -= set(shifts)
        extra = _extra(ground, left, shifts, chance)
        left = [visit for visit in left if visit not in extra]
        group = Group(
            shifts=tuple(shifts),
            routes=tuple(draft.routes[shift] for shift in shifts),
            extra=tuple(extra),
            bias=tuple(
                2 * ground.fairness_metres_an_hour * (unfair.get(ground.shifts[n].team, 0) > 0)
                for n in shifts
            ),
            settled=_settled(ground, draft, shifts, unfair, chance),
            moving=moving,
        )
        if group.visits:
            groups.append(group)
    return groups


def _moving(ground: Ground, draft: Draft) -> int:
    """Return the metres that moving a family costs besides while few more may be moved."""
    left = ground.moves - moved(ground, draft.routes)
    return next((metres for most, metres in SCARCE if left <= most), 0)


def _settled(
    ground: Ground,
    draft: Draft,
    shifts: Sequence[int],
    unfair: dict[str, float],
    chance: random.Random,
) -> frozenset[int]:
    """Return the visits of teams above their share that may stay: all but the surplus."""
    settled: set[int] = set()
    part = chance.uniform(0.3, 1)  # the whole surplus at once draws others after it
    surplus = {team: hours * part for team, hours in unfair.items()}
    for stop, team in chance.sample(
        made := [(stop, ground.shifts[n].team) for n in shifts for stop in draft.routes[n]],
        len(made),
    ):
        surplus[team] = surplus.get(team, 0) - ground.service[stop] / 3600
        if unfair.get(team, 0) > 0 and surplus[team] < 0:
            settled.add(stop)
    return frozenset(settled)


def _neighbours(
    ground: Ground, draft: Draft, free: set[int], left: Sequence[int], chance: random.Random
) -> list[int]:
    """Return team-days with stops near one place, with some noise; a few of them unused."""
    seed = _troubled(ground, draft, free, left, chance)
    if seed is None:
        return []
    lunch = chance.choice(sorted({ground.shifts[n].lunch for n in free}))
    able = sorted(n for n in free if ground.shifts[n].lunch == lunch)
    near = ground.metres[seed]
    helpers = _helpers(ground, draft, able, seed)
    used, unused = [], []
    for shift in able:
        stops = draft.routes[shift]
        if stops:
            distance = int(np.min(near[list(stops)])) + 2000
            used.append((distance * chance.uniform(0.3, 1.7), shift))
        else:
            unused.append(shift)
    used.sort()
    first = [shift for _, shift in used if shift in helpers][:HELPERS]
    chosen = first + [shift for _, shift in used if shift not in first]
    chance.shuffle(unused)
    spare = unused[: 2 if used else GROUP]
    return sorted(chosen[: GROUP - len(spare)] + spare)


def _helpers(ground: Ground, draft: Draft, able: Sequence[int], visit: int) -> set[int]:
    """Return, for a visit left out or late, the shift it is in and those that keep the promise.

    Only some of them go into a group: room is made on those days by giving others' visits to
    teams nearby.
    """
    best = int(ground.entry[visit].min())
    made_at = next((n for n in able if visit in draft.routes[n]), None)
    if made_at is not None and ground.entry[visit, made_at] == best:
        return set()
    return {n for n in able if n == made_at or ground.entry[visit, n] == best}


def _troubled(
    ground: Ground, draft: Draft, free: set[int], left: Sequence[int], chance: random.Random
) -> int | None:
    """Return a visit to search around: often one left out or late, or one of a short day."""
    made = [(stop, shift) for shift in sorted(free) for stop in draft.routes[shift]]
    late = [stop for stop, shift in made if 0 < ground.entry[stop, shift] < FORBIDDEN]
    which = chance.random()
    if left and which < 0.3:
        return chance.choice(list(left))
    if late and which < 0.6:
        return chance.choice(late)
    if not made:
        return chance.choice(list(left)) if left else None
    if which > 0.85:
        shortest = min((len(draft.routes[n]), chance.random(), n) for n in free if draft.routes[n])
        return chance.choice(draft.routes[shortest[2]])
    return chance.choice(made)[0]


def _extra(
    ground: Ground, left: Sequence[int], shifts: Sequence[int], chance: random.Random
) -> list[int]:
    possible = [n for n in left if any(ground.may(n, shift) for shift in shifts)]
    chance.shuffle(possible)
    return possible[:EXTRA]
