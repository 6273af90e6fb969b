"""Giving way: somebody late takes the place of one who can as well be visited later.

What the chains of ejections do for promises that can still be kept, this does for those that
are missed already: a fortnight late becomes two days. Every place and everybody who might leave
it are tried and priced, moves of told families with them, and the cheapest exchange is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations

import numpy as np

from outreach.domain.planning.draft import Draft, total_cost
from outreach.domain.planning.greedy import Slots
from outreach.domain.planning.ground import Ground
from outreach.domain.planning.schedule import metres, timed

#: How many may give way to one.
MOST = 2


def given_way(ground: Ground, draft: Draft, visit: int) -> Draft:
    """Return the draft in which a visit left out or late stands better, or the same draft.

    The visit goes to a team-day that costs it less, into a gap or in place of one or two
    others, who go where that adds least. The answer keeps every hard rule and never costs more.
    """
    made = next((n for n, stops in enumerate(draft.routes) if visit in stops), None)
    now = ground.prize[visit] if made is None else ground.entry[visit, made]
    without = {} if made is None else {made: [n for n in draft.routes[made] if n != visit]}
    start = draft.changed(without)
    if made is not None and timed(ground, made, start.routes[made]) is None:
        return draft  # lunch comes elsewhere without this visit
    slots = Slots(ground, start)
    best, least = draft, total_cost(ground, draft)
    for shift in np.flatnonzero(ground.entry[visit] < now).tolist():
        for others in _some(start.routes[shift]):
            candidate = _exchanged(ground, slots, visit, shift, others)
            if candidate is not None and (cost := total_cost(ground, candidate)) < least:
                best, least = candidate, cost
    return best


def _some(stops: Sequence[int]) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(stops, size) for size in range(MOST + 1))


def _exchanged(
    ground: Ground, slots: Slots, visit: int, shift: int, others: tuple[int, ...]
) -> Draft | None:
    """Put the visit into the shift, without the others, who go elsewhere; None: no room."""
    before = list(slots.routes[shift])
    kept = tuple(stop for stop in before if stop not in others)
    stops = _with(ground, shift, kept, visit)
    if stops is None:
        return None
    slots.reset(shift, stops)
    changed: list[tuple[int, list[int]]] = [(shift, before)]
    for other in others:
        place = next(slots.places(other), None)
        if place is None:
            break
        changed.append((place.shift, list(slots.routes[place.shift])))
        slots.insert(other, place)
    found = slots.draft() if len(changed) == 1 + len(others) else None
    for each, was in reversed(changed):
        slots.reset(each, was)
    return found


def _with(ground: Ground, shift: int, stops: tuple[int, ...], visit: int) -> tuple[int, ...] | None:
    """Return the stops with the visit where that is shortest; None where it fits nowhere."""
    longer = [(*stops[:n], visit, *stops[n:]) for n in range(len(stops) + 1)]
    fitting = [each for each in longer if timed(ground, shift, each) is not None]
    return min(fitting, key=lambda each: metres(ground, shift, each), default=None)
