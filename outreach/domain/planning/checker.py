"""An independent check of plans against the hard rules.

It shares only the dataclasses with the planner: own distances (Vincenty 1975 on WGS-84, no
plane), own clock, own reading of the rules. A plan it passes can be driven.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from outreach.domain.planning.problem import (
    NO_PINS,
    Pins,
    Place,
    Plan,
    Problem,
    Route,
    Shift,
    Stop,
    Violation,
    Visit,
    VisitId,
)

#: Starts are compared with a tolerance of one minute.
TOLERANCE = 1.0


def check(problem: Problem, plan: Plan, pinned: Pins = NO_PINS) -> list[Violation]:
    """Return every hard rule the plan breaks; an empty list for a plan that can be driven.

    Rules: `known` (visit and shift exist, each once), `complete` (assigned or left out, not
    both), `qualification`, `day`, `time`, `elsewhere`, `pin`, `travel` (a start earlier than
    arrival and lunch allow), `shift` (back too late), `figures` (kilometres or lateness misstated).
    """
    return [*_inventory(problem, plan), *_driven(problem, plan, pinned), *_figures(problem, plan)]


def _inventory(problem: Problem, plan: Plan) -> Iterator[Violation]:
    known = {visit.id for visit in problem.visits}
    shifts = {shift.key for shift in problem.shifts}
    seen: set[VisitId] = set()
    keys = [route.key for route in plan.routes]
    for route in plan.routes:
        if route.key not in shifts:
            yield _of(route, None, "known", "no such shift")
        if keys.count(route.key) > 1:
            yield _of(route, None, "known", "two routes of one shift")
        for stop in route.stops:
            if stop.visit not in known:
                yield _of(route, stop, "known", "no such visit")
            if stop.visit in seen:
                yield _of(route, stop, "known", "visited twice")
            seen.add(stop.visit)
    left = [each.visit for each in plan.unassigned]
    for visit in sorted(known, key=str):
        if left.count(visit) + (visit in seen) != 1:
            yield Violation("complete", None, None, visit, "neither visited nor left out once")


def _driven(problem: Problem, plan: Plan, pinned: Pins) -> Iterator[Violation]:
    visits = {visit.id: visit for visit in problem.visits}
    shifts = {shift.key: shift for shift in problem.shifts}
    for route in plan.routes:
        shift = shifts.get(route.key)
        if shift is None or any(stop.visit not in visits for stop in route.stops):
            continue
        for stop in route.stops:
            yield from _allowed(route, stop, visits[stop.visit], shift)
            yield from _pin_kept(route, stop, pinned)
        yield from _clock(problem, route, shift, visits)


def _allowed(route: Route, stop: Stop, visit: Visit, shift: Shift) -> Iterator[Violation]:
    missing = sorted(visit.skills - shift.skills)
    if missing:
        yield _of(route, stop, "qualification", f"the team lacks {', '.join(missing)}")
    if visit.days is not None and route.day not in visit.days:
        yield _of(route, stop, "day", f"allowed days are {sorted(visit.days)}")
    opens, closes = visit.window
    if not opens - TOLERANCE <= stop.start <= closes + TOLERANCE:
        yield _of(route, stop, "time", f"{stop.start:.1f} is outside {opens} to {closes}")
    for begins, ends in shift.busy:
        if stop.start < ends - TOLERANCE and begins + TOLERANCE < stop.start + visit.minutes:
            yield _of(route, stop, "elsewhere", f"somebody is away from {begins} to {ends}")


def _pin_kept(route: Route, stop: Stop, pinned: Pins) -> Iterator[Violation]:
    pin = pinned.get(stop.visit)
    if pin is None:
        return
    if pin.day != route.day or pin.team not in (None, route.team):
        yield _of(route, stop, "pin", f"the family was told day {pin.day}")
    if pin.window is not None and not (
        pin.window[0] - TOLERANCE <= stop.start <= pin.window[1] + TOLERANCE
    ):
        yield _of(route, stop, "pin", f"the family was told {pin.window[0]} to {pin.window[1]}")


def _clock(
    problem: Problem, route: Route, shift: Shift, visits: dict[VisitId, Visit]
) -> Iterator[Violation]:
    """Drive the day by its own stated starts: each must leave time for the road and for lunch.

    Within the tolerance around the hour of lunch a rest is believed where there was time for it.
    """
    place, here = shift.base, None
    ready = shift.start
    rested = not shift.lunch
    for stop in route.stops:
        visit = visits[stop.visit]
        arrival = ready + _minutes(problem, place, here, visit.place, stop.visit)
        earliest = max(arrival, visit.window[0])
        natural = max(earliest, stop.start)
        if not rested and natural >= problem.lunch.after - TOLERANCE:
            fed = max(arrival + problem.lunch.minutes, visit.window[0])
            if natural >= problem.lunch.after + TOLERANCE or stop.start >= fed - TOLERANCE:
                rested, earliest = True, fed
        if stop.start < earliest - TOLERANCE:
            yield _of(route, stop, "travel", f"cannot start before {earliest:.1f}")
        ready = max(stop.start, earliest) + visit.minutes
        place, here = visit.place, stop.visit
    finish = shift.finish or shift.base
    back = ready + _minutes(problem, place, here, finish, None) if route.stops else shift.start
    if back > shift.end + shift.overtime + TOLERANCE:
        yield _of(route, None, "shift", f"back at {back:.1f}, the shift ends at {shift.end}")


def _figures(problem: Problem, plan: Plan) -> Iterator[Violation]:
    visits = {visit.id: visit for visit in problem.visits}
    shifts = {shift.key: shift for shift in problem.shifts}
    km, late, late_days = 0.0, 0, 0
    for route in plan.routes:
        shift = shifts.get(route.key)
        if shift is None or any(stop.visit not in visits for stop in route.stops):
            return
        km += _route_km(problem, route, shift, visits)
        for stop in route.stops:
            deadline = visits[stop.visit].deadline
            behind = 0 if deadline is None else max(0, route.day - deadline)
            late += behind > 0
            late_days += behind
    if abs(km - plan.km) > 0.001 * km + 0.1:
        yield Violation("figures", None, None, None, f"{plan.km:.1f} km stated, {km:.1f} driven")
    if (late, late_days) != (plan.late, plan.late_days):
        yield Violation("figures", None, None, None, f"{late} late by {late_days} days")


def _route_km(problem: Problem, route: Route, shift: Shift, visits: dict[VisitId, Visit]) -> float:
    if not route.stops:
        return 0.0
    total, place, here = 0.0, shift.base, None
    for stop in route.stops:
        there = visits[stop.visit].place
        total += _leg(problem, place, here, there, stop.visit)[0]
        place, here = there, stop.visit
    return total + _leg(problem, place, here, shift.finish or shift.base, None)[0]


def _minutes(
    problem: Problem, here: Place, visit: VisitId | None, there: Place, other: VisitId | None
) -> float:
    return _leg(problem, here, visit, there, other)[1]


def _leg(
    problem: Problem, here: Place, visit: VisitId | None, there: Place, other: VisitId | None
) -> tuple[float, float]:
    """Return kilometres and minutes of one leg; minutes of whole seconds."""
    travel = problem.travel
    if travel.matrix is not None:
        row, column = travel.matrix.places.index(here), travel.matrix.places.index(there)
        km = travel.matrix.metres[row][column] / 1000
        seconds = float(travel.matrix.seconds[row][column])
    else:
        km = vincenty_metres(here, there) * travel.road_factor / 1000
        hours = min(km, travel.slow_km) / travel.slow_kmh
        hours += max(0.0, km - travel.slow_km) / travel.fast_kmh
        seconds = 0.0 if here == there else round(hours * 3600 + travel.park_minutes * 60)
    for detour in travel.detours:
        if (visit in detour.visits) != (other in detour.visits):
            km += detour.km
            seconds += round(detour.km / travel.fast_kmh * 3600)
    return km, seconds / 60


def _of(route: Route, stop: Stop | None, rule: str, detail: str) -> Violation:
    return Violation(rule, route.team, route.day, stop.visit if stop else None, detail)


def vincenty_metres(here: Place, there: Place) -> float:
    """Return the geodesic on WGS-84 in metres (Vincenty, Survey Review 1975, inverse formula).

    Nearly antipodal places, where it does not converge, raise `ValueError`.
    """
    if here == there:
        return 0.0
    a, f = 6_378_137.0, 1 / 298.257223563
    b = a * (1 - f)
    u1, u2 = (math.atan((1 - f) * math.tan(math.radians(place[0]))) for place in (here, there))
    su1, cu1, su2, cu2 = math.sin(u1), math.cos(u1), math.sin(u2), math.cos(u2)
    difference = math.radians(there[1] - here[1])
    lam = difference
    for _ in range(100):
        sl, cl = math.sin(lam), math.cos(lam)
        ss = math.hypot(cu2 * sl, cu1 * su2 - su1 * cu2 * cl)
        cs = su1 * su2 + cu1 * cu2 * cl
        sigma = math.atan2(ss, cs)
        sa = cu1 * cu2 * sl / ss if ss else 0.0
        c2a = 1 - sa * sa
        c2m = cs - 2 * su1 * su2 / c2a if c2a else 0.0
        c = f / 16 * c2a * (4 + f * (4 - 3 * c2a))
        before = lam
        lam = difference + (1 - c) * f * sa * (
            sigma + c * ss * (c2m + c * cs * (2 * c2m * c2m - 1))
        )
        if abs(lam - before) < 1e-12:
            break
    else:
        raise ValueError("The places are nearly antipodal.")
    up = c2a * (a * a - b * b) / (b * b)
    big_a = 1 + up / 16384 * (4096 + up * (-768 + up * (320 - 175 * up)))
    big_b = up / 1024 * (256 + up * (-128 + up * (74 - 47 * up)))
    delta = (
        big_b
        * ss
        * (
            c2m
            + big_b
            / 4
            * (cs * (2 * c2m * c2m - 1) - big_b / 6 * c2m * (4 * ss * ss - 3) * (4 * c2m * c2m - 3))
        )
    )
    return b * big_a * (sigma - delta)
