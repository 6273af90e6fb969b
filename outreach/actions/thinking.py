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

#: The share of its time that a fresh plan keeps for homes that found no place at first.
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
    problem = problem_of(document)

    def hear(progress: Progress) -> None:
        say(("better", progress.best))

    if answers:
        stop = Until(seconds=seconds, asked=asked.is_set)
        said = replan(
            problem,
            standing_plan(document),
            Disruption(day=0),
            seed=seed,
            stop=stop,
            progress=hear,
            workers=workers,
        )
        return [said.insert_only.plan, said.repair.plan]
    pins = pins_of(document)
    warm = _plan_of(document.get("kept") or document["standing"], document)

    def search(what: Problem, share: float, start: Plan, heard: Heard | None) -> Plan:
        stop = Until(seconds=seconds * share, asked=asked.is_set)
        return plan(
            what, seed=seed, stop=stop, progress=heard, warm=start, pinned=pins, workers=workers
        )

    made = search(problem, 1 - SECOND_LOOK, warm, hear)
    again = with_other_hours(problem, document, made)
    if again is None:
        return [made]
    other = search(again, SECOND_LOOK, made, None)
    return [other if len(other.unassigned) < len(made.unassigned) else made]


def problem_of(document: Mapping[str, Any]) -> Problem:
    """Read the question; where a promise was made its day and hours are the only ones."""
    problem = read_campaign(json.dumps(document))
    pins = pins_of(document)
    return replace(problem, visits=tuple(_promised(visit, pins) for visit in problem.visits))


def _promised(visit: Visit, pins: Mapping[int | str, Pin]) -> Visit:
    pin = pins.get(visit.id)
    if pin is None or pin.window is None:
        return visit
    opens = max(visit.window[0], pin.window[0])
    closes = max(opens, min(visit.window[1], pin.window[1]))
    return replace(visit, days=frozenset({pin.day}), window=(opens, closes))


def pins_of(document: Mapping[str, Any]) -> dict[int | str, Pin]:
    """Return the promises that can still be kept: their day is possible and the team goes."""
    days = {visit["id"]: set(visit["days"]) for visit in document["visits"]}
    shifts = {(shift["team"], shift["day"]): set(shift["skills"]) for shift in document["shifts"]}
    skills = {visit["id"]: set(visit["skills"]) for visit in document["visits"]}
    return {
        one["visit"]: Pin(
            one["day"],
            one["team"],
            (max(0.0, one["told"] - BAND), one["told"] + BAND),
        )
        for one in document["standing"]
        if one["pinned"]
        and one["day"] in days[one["visit"]]
        and skills[one["visit"]] <= shifts.get((one["team"], one["day"]), set())
    }


def standing_plan(document: Mapping[str, Any]) -> Plan:
    """Return the appointments that families have, as a plan to start from."""
    return _plan_of(document["standing"], document)


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
    other = {
        visit["id"]: visit["also"][0]
        for visit in document["visits"]
        if visit["id"] in left and visit.get("also")
    }
    if not other:
        return None
    visits = tuple(
        replace(
            visit,
            window=(other[visit.id]["window"][0], other[visit.id]["window"][1]),
            days=frozenset(other[visit.id]["days"]),
        )
        if visit.id in other
        else visit
        for visit in problem.visits
    )
    return replace(problem, visits=visits)
