"""Appointment offers: where one new request fits without breaking a promise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from outreach.domain.planning.draft import draft_of
from outreach.domain.planning.greedy import Slots
from outreach.domain.planning.ground import ground
from outreach.domain.planning.problem import Pin, Pins, Plan, Problem, ShiftKey, Visit
from outreach.domain.planning.schedule import metres, timed

#: Minutes around the time a family was told within which the team may still arrive.
BAND = 60.0


@dataclass(frozen=True, slots=True)
class Offer:
    """A time to offer: the team's day, the expected start, what it adds in km and in price."""

    team: str
    day: int
    start: float
    added_km: float
    cost: float
    opens_team_day: bool


def promises(plan: Plan, band: float = BAND) -> dict[int | str, Pin]:
    """Read a plan as what families were told: team, day, and the start within the band."""
    return {
        stop.visit: Pin(route.day, route.team, (max(0.0, stop.start - band), stop.start + band))
        for route in plan.routes
        for stop in route.stops
    }


def offers(
    problem: Problem,
    plan: Plan,
    visit: Visit,
    n: int = 3,
    *,
    pinned: Pins | None = None,
    late_too: bool = False,
) -> list[Offer]:
    """Find the `n` cheapest times for a new request that keep every promise, cheapest first.

    Everybody in the plan keeps team, day and, within the band, the time (or `pinned` instead);
    no promised day is missed, unless `late_too` lets the request's own be. One offer a
    team-day. An empty list means that only moving somebody, or a longer campaign, would help.
    """
    kept = promises(plan) if pinned is None else dict(pinned)
    kept.pop(visit.id, None)
    others = tuple(each for each in problem.visits if each.id != visit.id)
    asked = replace(problem, visits=(*others, visit))
    field = ground(asked, kept)
    draft = draft_of(field, _without(plan, visit))
    slots = Slots(field, draft)
    found: dict[ShiftKey, Offer] = {}
    new = len(others)
    for place in slots.places(new):
        spec = field.shifts[place.shift]
        late = visit.deadline is not None and spec.day > visit.deadline
        if spec.key in found or (late and not late_too):
            continue
        stops = slots.with_visit(new, place)
        clock = timed(field, place.shift, stops)
        assert clock is not None, "only feasible places are yielded"
        before = metres(field, place.shift, draft.routes[place.shift])
        found[spec.key] = Offer(
            team=spec.team,
            day=spec.day,
            start=clock.starts[place.position] / 60,
            added_km=(metres(field, place.shift, stops) - before) / 1000,
            cost=place.added / 1000,
            opens_team_day=not draft.routes[place.shift],
        )
        if len(found) == n:
            break
    return list(found.values())


def _without(plan: Plan, visit: Visit) -> Plan:
    return replace(
        plan,
        routes=tuple(
            replace(route, stops=tuple(stop for stop in route.stops if stop.visit != visit.id))
            for route in plan.routes
        ),
    )
