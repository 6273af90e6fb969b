"""Keeping promises: chains of ejections that make room for visits left out or late.

Guided ejection search (Nagata and Bräysy, Operations Research Letters 37, 2009): a visit that
fits nowhere in time takes the place of those that found a place most easily so far, who look
for another. What groups of team-days near each other cannot do, room passed on from day to day
across the county, it does in moments; roads are only watched, the search shortens them again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, islice

import numpy as np

from outreach.domain.planning.draft import Draft
from outreach.domain.planning.greedy import Place, Slots, insert_all
from outreach.domain.planning.ground import FORBIDDEN, NEVER, UNTOLD, Ground
from outreach.domain.planning.schedule import timed

#: How many may make room for one.
MOST = 2
#: How much harder to place those count at first who were told a day.
TOLD = 3
#: Visits given another place after each ejection, so that chains do not run in circles.
SHAKEN = 3
#: How many of a visit's cheapest places are drawn from.
CHOICE = 4


def broken(ground: Ground, draft: Draft) -> list[int]:
    """Return the visits left out or later than they could be."""
    behind = [
        stop
        for shift, stops in enumerate(draft.routes)
        for stop in stops
        if ground.behind[stop, shift] > ground.soonest[stop]
    ]
    return behind + [
        visit for visit in draft.left_out(ground) if ground.entry[visit].min() < FORBIDDEN
    ]


def promises_kept(
    ground: Ground,
    draft: Draft,
    visits: Sequence[int],
    *,
    seed: int,
    steps: int,
    stop: Callable[[], bool],
) -> Draft:
    """Give visits left out or late a place in time, in `steps` at most.

    The answer keeps every hard rule and, for as many as were found room, the promised day; the
    same for the same seed and steps. Whether it is worth its roads is the caller's to judge.
    """
    chain = _Chain(_in_time(ground, draft, visits), draft, visits, seed)
    for _ in range(steps):
        if not chain.waiting or stop():
            break
        chain.step()
    return insert_all(ground, *chain.best)


def _in_time(ground: Ground, draft: Draft, visits: Sequence[int]) -> Ground:
    """Return the ground on which nobody may be later than need be, or than he is already."""
    latest = ground.soonest.copy()
    for visit in set(broken(ground, draft)) - set(visits):
        made = [shift for shift, stops in enumerate(draft.routes) if visit in stops]
        latest[visit] = ground.behind[visit, made[0]] if made else NEVER
    late = ground.behind > latest[:, None]
    return replace(ground, entry=np.where(late, FORBIDDEN, ground.entry))


class _Chain:
    """The state of one search: the draft, who waits, and how hard each is to place."""

    def __init__(self, ground: Ground, draft: Draft, waiting: Sequence[int], seed: int) -> None:
        self.ground = ground
        self.chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
        gone = set(waiting)
        routes = tuple(tuple(n for n in stops if n not in gone) for stops in draft.routes)
        self.slots = Slots(ground, Draft(routes))
        self.waiting = self.chance.sample(list(waiting), len(waiting))
        able = (ground.entry < FORBIDDEN).sum(axis=1)
        told = TOLD * (ground.told != UNTOLD)
        self.hardness = [
            1 + len(ground.shifts) / max(1, int(each)) + float(more)
            for each, more in zip(able, told, strict=True)
        ]
        self.best = self.slots.draft(), list(self.waiting)

    def step(self) -> None:
        """Place one who waits, with ejections where there is no room."""
        visit = self.waiting.pop()
        place = next(self.slots.places(visit), None)
        if place is not None:
            self.slots.insert(visit, place)
        else:
            self._eject_for(visit)
        if len(self.waiting) < len(self.best[1]):
            self.best = self.slots.draft(), list(self.waiting)

    def _eject_for(self, visit: int) -> None:
        self.hardness[visit] += 1
        found = self._easiest(visit)
        if found is None:
            self.waiting.insert(0, visit)
            return
        place, ejected = found
        for each in ejected:
            self.slots.remove(place.shift, each)
        self.slots.insert(visit, place)
        self.waiting += self.chance.sample(ejected, len(ejected))
        for _ in range(SHAKEN):
            self._shake()

    def _easiest(self, visit: int) -> tuple[Place, tuple[int, ...]] | None:
        """Return the place for which those leave who are easiest to place elsewhere."""
        found: tuple[Place, tuple[int, ...]] | None = None
        least = float("inf")
        shifts = np.flatnonzero(self.ground.entry[visit] < FORBIDDEN).tolist()
        for shift in self.chance.sample(shifts, len(shifts)):
            for hardness, ejected in self._ejections(shift):
                if hardness >= least:
                    break
                place = self._room(visit, shift, ejected)
                if place is not None:
                    found, least = (place, ejected), hardness
                    break
        return found

    def _ejections(self, shift: int) -> Iterator[tuple[float, tuple[int, ...]]]:
        stops = self.slots.routes[shift]
        chosen = [
            (sum(self.hardness[each] for each in some), some)
            for size in range(1, MOST + 1)
            for some in combinations(stops, size)
        ]
        return iter(sorted(chosen))

    def _room(self, visit: int, shift: int, ejected: Sequence[int]) -> Place | None:
        stops = tuple(each for each in self.slots.routes[shift] if each not in ejected)
        for position in range(len(stops) + 1):
            if timed(self.ground, shift, (*stops[:position], visit, *stops[position:])):
                return Place(shift, position, 0)
        return None

    def _shake(self) -> None:
        """Move somebody to another of the places that add least."""
        shift = self.chance.randrange(len(self.slots.routes))
        if not self.slots.routes[shift]:
            return
        visit = self.chance.choice(self.slots.routes[shift])
        position = self.slots.routes[shift].index(visit)
        self.slots.remove(shift, visit)
        if timed(self.ground, shift, self.slots.routes[shift]) is None:  # lunch comes elsewhere
            self.slots.insert(visit, Place(shift, position, 0))
            return
        places = list(islice(self.slots.places(visit), CHOICE))
        self.slots.insert(visit, self.chance.choice(places))
