"""Mending a plan: families, roads and doctors change, what was promised should not."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from outreach.domain.planning.draft import Draft, draft_of
from outreach.domain.planning.greedy import inserted
from outreach.domain.planning.ground import Ground, ground
from outreach.domain.planning.offering import BAND
from outreach.domain.planning.problem import (
    Pin,
    Plan,
    Problem,
    Progress,
    Route,
    Shift,
    ShiftKey,
    Stop,
    Until,
    Visit,
    VisitId,
)
from outreach.domain.planning.search import search
from outreach.domain.planning.written import written

#: The share of untouched appointments that keep their day in a repair.
KEEPING = 0.92


@dataclass(frozen=True, slots=True)
class Cut:
    """A road that is closed: those visits cannot be reached on those days (None: any more)."""

    visits: frozenset[VisitId]
    days: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Disruption:
    """What happened by `minute` of `day`; everything that started earlier is done.

    `absent` people are not at home on their appointed day, `withdrawn` ones not at all. `lost`
    shifts do not go out any more, `without` names the skills a sick doctor takes out of a
    shift, and `new` visits came in.
    """

    day: int
    minute: float = 0
    absent: frozenset[VisitId] = frozenset()
    withdrawn: frozenset[VisitId] = frozenset()
    cut: tuple[Cut, ...] = ()
    lost: frozenset[ShiftKey] = frozenset()
    without: Mapping[ShiftKey, frozenset[str]] = field(default_factory=dict)
    new: tuple[Visit, ...] = ()


@dataclass(frozen=True, slots=True)
class Appointment:
    """What a family is told: team, day, start."""

    team: str
    day: int
    start: float


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody to call: the appointment before and after (None: none).

    `untouched` people could have kept theirs and are moved for the sake of others.
    """

    visit: VisitId
    before: Appointment | None
    after: Appointment | None
    untouched: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to go on: the plan of what is left, and whom to call.

    `untouched` appointments could be kept as they were; `kept` of them keep their day.
    """

    plan: Plan
    calls: tuple[Move, ...]
    untouched: int
    kept: int

    @property
    def kept_share(self) -> float:
        """Return the share of untouched appointments that keep their day."""
        return self.kept / self.untouched if self.untouched else 1.0

    @property
    def moved(self) -> int:
        """Return how many who could have stayed are moved to another day."""
        return self.untouched - self.kept


@dataclass(frozen=True, slots=True)
class Replanning:
    """Two answers side by side, for the same `problem` of what is left; `done` is behind us."""

    problem: Problem
    done: tuple[Route, ...]
    insert_only: Answer
    repair: Answer


def replan(
    problem: Problem,
    plan: Plan,
    happened: Disruption,
    *,
    seed: int,
    stop: Until,
    progress: Callable[[Progress], None] | None = None,
    band: float = BAND,
    keeping: float = KEEPING,
    promised: Collection[VisitId] = (),
    workers: int = 0,
) -> Replanning:
    """Mend a plan in two ways: insert only, and repair.

    Insert only gives the people concerned new appointments between the others', who keep team,
    day and, within `band` minutes, their time. Repair searches on from there until `stop`, and
    may move others to another day, at `prices.moved` each: at least the share `keeping` of the
    untouched keep theirs, and all keep their time of day within the band. Those of them who were
    `promised` theirs keep day and team, too.
    """
    left, done = remaining(problem, plan, happened)
    kept = _untouched(left, plan, happened)
    pins = {
        visit: Pin(each.day, each.team, _band(each.start, band)) for visit, each in kept.items()
    }
    field = ground(left, pins)
    stay = draft_of(field, _only(plan, kept))
    kept = {visit: each for visit, each in kept.items() if visit in _stops(field, stay)}
    first = inserted(field, stay)
    before = appointments(plan)
    only = _answer(written(field, first, pins), before, kept, left)

    told = {visit: each.day for visit, each in kept.items()}
    moves = math.floor((1 - keeping) * len(kept) + 1e-9)
    loose = replace(left, visits=tuple(_banded(visit, pins.get(visit.id)) for visit in left.visits))
    bound = {visit: pins[visit] for visit in promised if visit in kept}
    free = ground(loose, bound, told=told, moves=moves)

    def heard(share: float, rounds: int, best: Draft) -> None:
        if progress is not None:
            progress(Progress(share, rounds, written(free, best)))

    best = search(free, first, seed=seed, stop=stop, heard=heard, workers=workers)
    repair = _answer(written(free, best), before, kept, left)
    return Replanning(left, done, only, repair)


def appointments(plan: Plan) -> dict[VisitId, Appointment]:
    """Return what each family in a plan was told."""
    return {
        stop.visit: Appointment(route.team, route.day, stop.start)
        for route in plan.routes
        for stop in route.stops
    }


def remaining(
    problem: Problem, plan: Plan, happened: Disruption
) -> tuple[Problem, tuple[Route, ...]]:
    """Return the campaign that is left after what happened, and the routes that are done.

    A team under way goes on from its last door, at the end of the visit there.
    """
    done = tuple(filter(None, (_done(route, happened) for route in plan.routes)))
    visited = {stop.visit for route in done for stop in route.stops}
    appointed = appointments(plan)
    visits = tuple(
        _after(visit, happened, appointed.get(visit.id))
        for visit in (*problem.visits, *happened.new)
        if visit.id not in visited and visit.id not in happened.withdrawn
    )
    places = {visit.id: visit.place for visit in problem.visits}
    today = {route.key: route for route in done if route.day == happened.day}
    shifts = tuple(
        _going_on(shift, today.get(shift.key), happened, places)
        for shift in problem.shifts
        if shift.day >= happened.day and shift.key not in happened.lost
    )
    return replace(problem, visits=visits, shifts=shifts), done


def _done(route: Route, happened: Disruption) -> Route | None:
    if route.day < happened.day:
        return route
    if route.day > happened.day:
        return None
    begun = tuple(stop for stop in route.stops if stop.start < happened.minute)
    return replace(route, stops=begun) if begun else None


def _after(visit: Visit, happened: Disruption, told: Appointment | None) -> Visit:
    closed: set[int] = set()
    if visit.id in happened.absent and told is not None:
        closed.add(told.day)
    days = visit.days
    for cut in happened.cut:
        if visit.id in cut.visits:
            if cut.days is None:
                days = frozenset()
            else:
                closed |= cut.days
    return (
        replace(visit, days=_but(days, closed, happened.day))
        if closed or days != visit.days
        else visit
    )


#: Working days a campaign could last at most, to write "every day but" out.
HORIZON = 400


def _but(days: frozenset[int] | None, closed: set[int], today: int) -> frozenset[int]:
    every = frozenset(range(today, today + HORIZON)) if days is None else days
    return every - closed


def _going_on(
    shift: Shift,
    today: Route | None,
    happened: Disruption,
    places: Mapping[VisitId, tuple[float, float]],
) -> Shift:
    skills = shift.skills - happened.without.get(shift.key, frozenset())
    if shift.day != happened.day:
        return replace(shift, skills=skills)
    if today is None:
        start = min(max(shift.start, happened.minute), shift.end)
        return replace(shift, skills=skills, start=start)
    last: Stop = today.stops[-1]
    start = min(max(last.end, happened.minute), shift.end)
    eaten = today.lunch is not None and today.lunch[0] <= last.start
    return replace(
        shift,
        skills=skills,
        start=start,
        base=places[last.visit],
        finish=shift.finish or shift.base,
        lunch=shift.lunch and not eaten,
    )


def _untouched(left: Problem, plan: Plan, happened: Disruption) -> dict[VisitId, Appointment]:
    """Return the appointments that nothing that happened makes impossible by itself."""
    visits = {visit.id: visit for visit in left.visits}
    shifts = {shift.key: shift for shift in left.shifts}
    return {
        visit: told
        for visit, told in appointments(plan).items()
        if visit in visits
        and visit not in happened.absent
        and (shift := shifts.get((told.team, told.day))) is not None
        and visits[visit].skills <= shift.skills
        and ((days := visits[visit].days) is None or told.day in days)
    }


def _band(start: float, band: float) -> tuple[float, float]:
    return max(0.0, start - band), start + band


def _banded(visit: Visit, pin: Pin | None) -> Visit:
    if pin is None or pin.window is None:
        return visit
    opens = max(visit.window[0], pin.window[0])
    return replace(visit, window=(opens, max(opens, min(visit.window[1], pin.window[1]))))


def _only(plan: Plan, kept: Mapping[VisitId, Appointment]) -> Plan:
    return replace(
        plan,
        routes=tuple(
            replace(route, stops=tuple(stop for stop in route.stops if stop.visit in kept))
            for route in plan.routes
        ),
    )


def _stops(field: Ground, draft: Draft) -> set[VisitId]:
    return {field.visits[stop].id for route in draft.routes for stop in route}


def _answer(
    plan: Plan,
    before: Mapping[VisitId, Appointment],
    kept: Mapping[VisitId, Appointment],
    left: Problem,
) -> Answer:
    after = appointments(plan)
    calls = tuple(
        Move(visit.id, before.get(visit.id), after.get(visit.id), visit.id in kept)
        for visit in left.visits
        if _differs(before.get(visit.id), after.get(visit.id))
    )
    same_day = sum(visit in after and after[visit].day == told.day for visit, told in kept.items())
    return Answer(plan, calls, len(kept), same_day)


def _differs(before: Appointment | None, after: Appointment | None) -> bool:
    """Tell whether a family must be called: another day, or a time outside the band."""
    if before is None or after is None:
        return before is not after
    return before.day != after.day or abs(before.start - after.start) > BAND + 1
