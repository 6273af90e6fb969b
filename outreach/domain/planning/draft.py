"""A plan while it is made: the stops of every shift, and what they cost together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from outreach.domain.planning.ground import FORBIDDEN, OVERMOVED, UNTOLD, Ground
from outreach.domain.planning.problem import Plan
from outreach.domain.planning.schedule import metres, overtime_seconds, timed

Stops = tuple[int, ...]


@dataclass(frozen=True)
class Draft:
    """The stops of each shift, by index into the ground; what is in none is left out."""

    routes: tuple[Stops, ...]

    def left_out(self, ground: Ground) -> list[int]:
        """Return the visits nobody makes."""
        made = {stop for route in self.routes for stop in route}
        return [visit for visit in range(len(ground.visits)) if visit not in made]

    def changed(self, routes: Mapping[int, Sequence[int]]) -> Draft:
        """Return this draft with some shifts' stops replaced."""
        return Draft(
            tuple(tuple(routes.get(shift, stops)) for shift, stops in enumerate(self.routes))
        )


def empty(ground: Ground) -> Draft:
    """Return the draft in which nobody goes anywhere."""
    return Draft(((),) * len(ground.shifts))


def route_cost(ground: Ground, shift: int, stops: Sequence[int]) -> int | None:
    """Price a team-day in metres, fairness aside; None when it breaks a hard rule."""
    if not stops:
        return 0
    clock = timed(ground, shift, stops)
    prices = [int(ground.entry[stop, shift]) for stop in stops]
    if clock is None or max(prices) >= FORBIDDEN:
        return None
    overtime = overtime_seconds(ground, shift, clock) * ground.overtime_metres_an_hour // 3600
    villages = ground.village_metres * village_entries(ground, stops)
    return metres(ground, shift, stops) + sum(prices) + villages + overtime + ground.team_day


def village_entries(ground: Ground, stops: Sequence[int]) -> int:
    """Count how often a team-day enters a village; a visit without a village is one by itself."""
    before, count = -2, 0
    for stop in stops:
        village = int(ground.village[stop])
        count += village != before or village == -1
        before = village
    return count


def left_out_cost(ground: Ground, visits: Iterable[int]) -> int:
    """Price leaving those visits out, in metres."""
    return sum(int(ground.prize[visit]) for visit in visits)


def moved(ground: Ground, routes: Sequence[Sequence[int]]) -> int:
    """Count the visits that are not on the day their family was told: on another, or left out."""
    kept = sum(
        int(ground.told[stop]) == spec.day
        for spec, stops in zip(ground.shifts, routes, strict=True)
        for stop in stops
    )
    return int((ground.told != UNTOLD).sum()) - kept


def fairness_hours(ground: Ground, routes: Sequence[Sequence[int]]) -> dict[str, float]:
    """Return each team's hours of visits above (below: negative) its share.

    A team's share is the mean of all teams by the days they are there.
    """
    hours: dict[str, float] = {}
    days: dict[str, int] = {}
    for spec, stops in zip(ground.shifts, routes, strict=True):
        days[spec.team] = days.get(spec.team, 0) + 1
        seconds = sum(ground.service[stop] for stop in stops)
        hours[spec.team] = hours.get(spec.team, 0.0) + seconds / 3600
    mean = sum(hours.values()) / max(1, sum(days.values()))
    return {team: hours[team] - mean * days[team] for team in hours}


def fairness_cost(ground: Ground, routes: Sequence[Sequence[int]]) -> int:
    """Price the unevenness between teams, in metres."""
    unfair = sum(abs(hours) for hours in fairness_hours(ground, routes).values())
    return round(unfair * ground.fairness_metres_an_hour)


def total_cost(ground: Ground, draft: Draft) -> int:
    """Price a whole draft in metres. Raises `ValueError` when it breaks a hard rule."""
    total = left_out_cost(ground, draft.left_out(ground)) + fairness_cost(ground, draft.routes)
    total += OVERMOVED * max(0, moved(ground, draft.routes) - ground.moves)
    for shift, stops in enumerate(draft.routes):
        cost = route_cost(ground, shift, stops)
        if cost is None:
            raise ValueError(f"shift {ground.shifts[shift].key} breaks a hard rule")
        total += cost
    return total


def draft_of(ground: Ground, plan: Plan) -> Draft:
    """Read a plan back into a draft, without the stops that no longer fit their team-day."""
    visits, shifts = ground.index(), ground.shift_index()
    routes: list[Stops] = [()] * len(ground.shifts)
    for route in plan.routes:
        shift = shifts.get(route.key)
        if shift is not None:
            known = [visits[stop.visit] for stop in route.stops if stop.visit in visits]
            routes[shift] = longest_fit(ground, shift, known)
    return Draft(tuple(routes))


def longest_fit(ground: Ground, shift: int, stops: Sequence[int]) -> Stops:
    """Drop the fewest stops, one by one, until the team-day keeps every hard rule."""
    kept = tuple(stop for stop in stops if ground.may(stop, shift))
    while kept and timed(ground, shift, kept) is None:
        kept = _without_worst(ground, shift, kept)
    return kept


def _without_worst(ground: Ground, shift: int, stops: Stops) -> Stops:
    shorter = [stops[:n] + stops[n + 1 :] for n in range(len(stops))]
    feasible = [each for each in shorter if timed(ground, shift, each) is not None]
    return min(feasible or shorter, key=lambda each: (metres(ground, shift, each), each))
