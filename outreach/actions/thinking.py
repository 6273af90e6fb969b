"""The child of the solver's process: it thinks, speaks through a pipe, and knows no database.

It can be killed at any moment; what it has said before is kept by its parent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import Any

from outreach.domain.planning import (
    Disruption,
    MalformedProblem,
    Pin,
    Plan,
    Problem,
    Progress,
    Route,
    Stop,
    Until,
    Visit,
    plan,
    read_campaign,
    replan,
)
from outreach.domain.planning.offering import BAND

#: The share of its time that a plan keeps for homes that found no place at first.
SECOND_LOOK = 0.15

Say = Callable[[tuple[str, Any]], None]
Heard = Callable[[Progress], None]


def think(
    pipe: Connection,
    asked: Event,
    document: Mapping[str, Any],
    *,
    answers: bool,
    seed: int,
    seconds: float,
    workers: int = 0,
) -> None:
    """Answer the question and say `("better", plan)` on the way and `("done", plans)` at the end.

    `answers` asks for two: insert only, and repair. A question that contradicts itself is said
    as `("malformed", text)`.
    """
    try:
        made = answer(
            document,
            answers=answers,
            seed=seed,
            seconds=seconds,
            asked=asked,
            say=pipe.send,
            workers=workers,
        )
    except MalformedProblem as error:
        pipe.send(("malformed", str(error)))
    else:
        pipe.send(("done", made))
    finally:
        pipe.close()


def answer(
    document: Mapping[str, Any],
    *,
    answers: bool,
    seed: int,
    seconds: float,
    asked: Event,
    say: Say,
    workers: int = 0,
) -> list[Plan]:
    """Return the plan, or the two answers; `workers` processes search beside this one."""
    problem, pins = problem_of(document), pins_of(document)

    def hear(progress: Progress) -> None:
        say(("better", progress.best))

    def search(what: Problem, share: float, heard: Heard | None, before: list[Plan]) -> list[Plan]:
        stop = Until(seconds=seconds * share, asked=asked.is_set)
        how: dict[str, Any] = {"seed": seed, "stop": stop, "progress": heard, "workers": workers}
        if answers:
            said = replan(what, _as_told(document), Disruption(day=0), promised=pins, **how)
            return [said.insert_only.plan, said.repair.plan]
        kept = _plan_of(document.get("kept") or document["standing"], document)
        return [plan(what, warm=before[0] if before else kept, pinned=pins, **how)]

    made = search(problem, 1 - SECOND_LOOK, hear, [])
    again = with_other_hours(problem, document, made[0])
    if again is None:
        return made
    others = search(again, SECOND_LOOK, None, made)
    return [
        other if len(other.unassigned) < len(one.unassigned) else one
        for one, other in zip(made, others, strict=True)
    ]


def problem_of(document: Mapping[str, Any]) -> Problem:
    """Read the question; where a promise was made its day and hours are the only ones.

    Of a family's spans of hours the one in which its appointment stands comes first.
    """
    problem = read_campaign(json.dumps(document))
    pins, spans = pins_of(document), _spans_kept(document)
    visits = (
        _within(visit, spans[visit.id]) if visit.id in spans else visit for visit in problem.visits
    )
    return replace(problem, visits=tuple(_promised(visit, pins) for visit in visits))


def stands_in(span: Mapping[str, Any], day: int, start: float) -> bool:
    """Tell whether an appointment lies within a span of hours on its days."""
    opens, closes = span["window"]
    return day in span["days"] and opens <= start <= closes


def _spans_kept(document: Mapping[str, Any]) -> dict[int | str, Mapping[str, Any]]:
    """Return in which of the family's spans each appointment stands whose team goes that day."""
    visits = {visit["id"]: visit for visit in document["visits"]}
    shifts = {(shift["team"], shift["day"]): set(shift["skills"]) for shift in document["shifts"]}
    found = {}
    for one in document["standing"]:
        visit = visits[one["visit"]]
        if set(visit["skills"]) <= shifts.get((one["team"], one["day"]), set()):
            spans = (span for span in _spans(visit) if stands_in(span, one["day"], one["start"]))
            if span := next(spans, None):
                found[visit["id"]] = span
    return found


def _spans(visit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List a family's spans of hours, the widest first."""
    return [visit, *visit.get("also", [])]


def _within(visit: Visit, span: Mapping[str, Any]) -> Visit:
    return replace(visit, window=tuple(span["window"]), days=frozenset(span["days"]))


def _promised(visit: Visit, pins: Mapping[int | str, Pin]) -> Visit:
    pin = pins.get(visit.id)
    if pin is None or pin.window is None:
        return visit
    opens = max(visit.window[0], pin.window[0])
    closes = max(opens, min(visit.window[1], pin.window[1]))
    return replace(visit, days=frozenset({pin.day}), window=(opens, closes))


def pins_of(document: Mapping[str, Any]) -> dict[int | str, Pin]:
    """Return the promises that can still be kept: their hours are possible and the team goes."""
    spans = _spans_kept(document)
    return {
        one["visit"]: Pin(
            one["day"],
            one["team"],
            (max(0.0, one["told"] - BAND), one["told"] + BAND),
        )
        for one in document["standing"]
        if one["pinned"] and one["visit"] in spans
    }


def standing_plan(document: Mapping[str, Any]) -> Plan:
    """Return the appointments that families have, as a plan to start from."""
    return _plan_of(document["standing"], document)


def _as_told(document: Mapping[str, Any]) -> Plan:
    """Return them in their order at the times that families know: a team may come around these."""
    plan = standing_plan(document)
    told = {one["visit"]: float(one["told"]) for one in document["standing"]}
    routes = (
        replace(route, stops=tuple(replace(stop, start=told[stop.visit]) for stop in route.stops))
        for route in plan.routes
    )
    return replace(plan, routes=tuple(routes))


def _plan_of(rows: Sequence[Mapping[str, Any]], document: Mapping[str, Any]) -> Plan:
    minutes = {visit["id"]: visit["minutes"] for visit in document["visits"]}
    routes: dict[tuple[str, int], list[Stop]] = {}
    for one in sorted(rows, key=lambda row: row["start"]):
        start = float(one["start"])
        stop = Stop(one["visit"], start, start, start + minutes[one["visit"]])
        routes.setdefault((one["team"], one["day"]), []).append(stop)
    made = tuple(Route(team, day, tuple(stops), 0, 0) for (team, day), stops in routes.items())
    return Plan(made, (), 0, 0, 0, 0)


def with_other_hours(problem: Problem, document: Mapping[str, Any], made: Plan) -> Problem | None:
    """Give homes that found no place their next hours, where the family named more than one."""
    left = {one.visit for one in made.unassigned}
    spans = {visit["id"]: _spans(visit) for visit in document["visits"]}
    visits = tuple(
        _otherwise(visit, spans[visit.id]) if visit.id in left else visit
        for visit in problem.visits
    )
    return None if visits == problem.visits else replace(problem, visits=visits)


def _otherwise(visit: Visit, spans: Sequence[Mapping[str, Any]]) -> Visit:
    """Give a home the first of its hours that were not tried; none: those that it has."""
    others = (_within(visit, span) for span in spans)
    return next((other for other in others if other != visit), visit)
