"""Greedy insertion: a first plan in a moment, and the way a single visit finds its place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outreach.domain.planning.draft import Draft, Stops
from outreach.domain.planning.ground import FORBIDDEN, Ground
from outreach.domain.planning.schedule import timed

#: Working days in a week.
WEEK = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where a visit could go: before which stop of which shift, and the metres it adds."""

    shift: int
    position: int
    added: int


class Slots:
    """Every gap between two stops of a draft, priced for one visit at once."""

    def __init__(self, ground: Ground, draft: Draft) -> None:
        self.ground = ground
        self.routes = [list(stops) for stops in draft.routes]
        self._gaps = [self._of(shift) for shift in range(len(self.routes))]

    def draft(self) -> Draft:
        return Draft(tuple(tuple(stops) for stops in self.routes))

    def _of(self, shift: int) -> npt.NDArray[np.int64]:
        start, finish = self.ground.bases[shift]
        chain = [start, *self.routes[shift], finish]
        gaps = np.empty((4, len(chain) - 1), np.int64)
        gaps[0], gaps[1], gaps[2] = chain[:-1], chain[1:], shift
        gaps[3] = range(len(chain) - 1)
        return gaps

    def places(self, visit: int) -> Iterator[Place]:
        """Yield the feasible places for a visit, cheapest first."""
        if not self._gaps:
            return
        before, after, shift, position = np.concatenate(self._gaps, axis=1)
        added = self._added(visit, before, after, shift)
        # A stable order makes equal prices fall to the earlier shift, on every machine.
        able = np.flatnonzero(self.ground.entry[visit, shift] < FORBIDDEN)
        for n in able[np.argsort(added[able], kind="stable")]:
            place = Place(int(shift[n]), int(position[n]), int(added[n]))
            if timed(self.ground, place.shift, self.with_visit(visit, place)) is not None:
                yield place

    def _added(
        self,
        visit: int,
        before: npt.NDArray[np.int64],
        after: npt.NDArray[np.int64],
        shift: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.int64]:
        ground = self.ground
        legs = ground.metres
        empty = np.array([not stops for stops in self.routes], bool)[shift]
        detour = legs[before, visit].astype(np.int64) + legs[visit, after]
        # An empty team-day has no road yet, even where it starts and ends in two places.
        gone = np.where(empty, 0, legs[before, after])
        village = np.append(ground.village, np.full(len(legs) - len(ground.village), -2, np.int32))
        alone = (village[before] != village[visit]) & (village[after] != village[visit])
        return np.asarray(
            detour
            - gone
            + ground.entry[visit, shift]
            + ground.team_day * empty
            + ground.village_metres * alone
        )

    def with_visit(self, visit: int, place: Place) -> Stops:
        """Return the stops of a shift with the visit in its place."""
        stops = self.routes[place.shift]
        return (*stops[: place.position], visit, *stops[place.position :])

    def insert(self, visit: int, place: Place) -> None:
        """Put a visit into its place for good."""
        self.routes[place.shift].insert(place.position, visit)
        self._gaps[place.shift] = self._of(place.shift)

    def reset(self, shift: int, stops: Sequence[int]) -> None:
        """Give a shift other stops."""
        self.routes[shift] = list(stops)
        self._gaps[shift] = self._of(shift)

    def remove(self, shift: int, visit: int) -> None:
        """Take a visit out of a shift."""
        self.routes[shift].remove(visit)
        self._gaps[shift] = self._of(shift)


def insert_all(ground: Ground, draft: Draft, visits: Iterable[int]) -> Draft:
    """Put each visit where it costs least, in a good order; what fits nowhere stays out."""
    slots = Slots(ground, draft)
    for visit in sorted(visits, key=lambda each: _sweep(ground, each)):
        place = next(slots.places(visit), None)
        if place is not None and place.added < ground.prize[visit]:
            slots.insert(visit, place)
    return slots.draft()


def _sweep(ground: Ground, visit: int) -> tuple[int, float, int]:
    """Order visits by the week of their promised day, and within it around the first base.

    By promised day alone every day criss-crosses the county; by direction alone promises
    break. Both together save the search half of its way.
    """
    each = ground.visits[visit]
    week = each.deadline // WEEK if each.deadline is not None else 1 << 30
    lat, lon = ground.shifts[0].base if ground.shifts else (0.0, 0.0)
    return week, math.atan2(each.lat - lat, each.lon - lon), visit


def inserted(ground: Ground, draft: Draft, only: Sequence[int] | None = None) -> Draft:
    """Fill a draft with what it leaves out (or `only` some of it)."""
    return insert_all(ground, draft, draft.left_out(ground) if only is None else only)
