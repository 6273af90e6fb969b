"""The campaign file: a problem read from JSON, and a plan written to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from outreach.domain.planning.problem import (
    Lunch,
    MalformedProblem,
    Matrix,
    Place,
    Plan,
    Prices,
    Problem,
    Shift,
    Travel,
    Visit,
)
from outreach.domain.planning.words import sentence

T = TypeVar("T")


def read_campaign(text: str | bytes) -> Problem:
    """Read a campaign from its JSON text.

    `visits` and `shifts` are required; `lunch`, `travel`, `prices` and every field with a
    default may be absent; unknown fields are ignored. Raises `MalformedProblem` naming the
    entry and the field.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise MalformedProblem(f"this is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise MalformedProblem("a campaign is an object with visits and shifts")
    return Problem(
        visits=tuple(_each(raw, "visits", _visit)),
        shifts=tuple(_each(raw, "shifts", _shift)),
        lunch=_figures(Lunch, raw, "lunch"),
        travel=_travel(raw),
        prices=_figures(Prices, raw, "prices"),
    )


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """Write a plan as the campaign file's answer; starts in minutes after midnight."""
    return {
        "routes": [
            {
                "team": route.team,
                "day": route.day,
                "stops": [
                    {"visit": stop.visit, "start": _minutes(stop.start)} for stop in route.stops
                ],
            }
            for route in plan.routes
        ],
        "unassigned": [
            {"visit": left.visit, "reason": sentence(left.reason)} for left in plan.unassigned
        ],
        "km": round(plan.km, 1),
        "late": plan.late,
    }


def _minutes(value: float) -> int | float:
    return int(value) if value == int(value) else round(value, 2)


def _each(raw: Mapping[str, Any], key: str, read: Callable[[Any], T]) -> Sequence[T]:
    entries = raw.get(key)
    if not isinstance(entries, list):
        raise MalformedProblem(f"{key} is missing or not a list")
    return [_named(f"{key}[{n}]", read, entry) for n, entry in enumerate(entries)]


def _named(name: str, read: Callable[[Any], T], entry: Any) -> T:
    if not isinstance(entry, dict):
        raise MalformedProblem(f"{name} is not an object")
    try:
        return read(entry)
    except MalformedProblem:
        raise
    except KeyError as error:
        raise MalformedProblem(f"{name} lacks {error.args[0]}") from error
    except (TypeError, ValueError) as error:
        raise MalformedProblem(f"{name}: {error}") from error


def _visit(raw: Mapping[str, Any]) -> Visit:
    return Visit(
        id=_identifier(raw["id"]),
        lat=_number(raw["lat"]),
        lon=_number(raw["lon"]),
        minutes=_number(raw["minutes"]),
        skills=_words(raw.get("skills", [])),
        window=_pair(raw["window"]) if raw.get("window") is not None else (0, 24 * 60),
        days=None if raw.get("days") is None else frozenset(_whole(day) for day in raw["days"]),
        deadline=None if raw.get("deadline") is None else _whole(raw["deadline"]),
        priority=_whole(raw.get("priority", 1)),
        village=str(raw.get("village", "")),
        township=str(raw.get("township", "")),
    )


def _shift(raw: Mapping[str, Any]) -> Shift:
    return Shift(
        team=str(raw["team"]),
        day=_whole(raw["day"]),
        base=_pair(raw["base"]),
        skills=_words(raw["skills"]),
        start=_number(raw["start"]),
        end=_number(raw["end"]),
        finish=None if raw.get("finish") is None else _pair(raw["finish"]),
        overtime=_number(raw.get("overtime", 0)),
        lunch=bool(raw.get("lunch", True)),
        busy=tuple(sorted(_pair(span) for span in raw.get("busy", []))),
    )


def _travel(raw: Mapping[str, Any]) -> Travel:
    travel = _figures(Travel, raw, "travel", but=("matrix", "detours"))
    matrix = (raw.get("travel") or {}).get("matrix")
    if matrix is None:
        return travel
    return Travel(**{**_as_dict(travel), "matrix": _named("travel.matrix", _matrix, matrix)})


def _matrix(raw: Mapping[str, Any]) -> Matrix:
    places = tuple(_pair(place) for place in raw["places"])
    tables = [
        tuple(tuple(_whole(n) for n in row) for row in raw[key]) for key in ("metres", "seconds")
    ]
    for table in tables:
        if len(table) != len(places) or any(len(row) != len(places) for row in table):
            raise MalformedProblem("every table has a row and a column for each place")
    return Matrix(places, *tables)


def _figures(kind: type[T], raw: Mapping[str, Any], key: str, but: Sequence[str] = ()) -> T:
    given = raw.get(key) or {}
    if not isinstance(given, dict):
        raise MalformedProblem(f"{key} is not an object")
    known = {each.name for each in fields(kind)} - set(but)  # type: ignore[arg-type]
    figures = {}
    for name in known & set(given):
        try:
            figures[name] = _number(given[name])
        except (TypeError, ValueError) as error:
            raise MalformedProblem(f"{key}.{name}: {error}") from error
        if figures[name] < 0:
            raise MalformedProblem(f"{key}.{name} is negative")
    return kind(**figures)


def _as_dict(travel: Travel) -> dict[str, Any]:
    return {each.name: getattr(travel, each.name) for each in fields(travel)}


def _identifier(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError("an id is a whole number or a text")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise TypeError(f"{value!r} is not a number")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _pair(value: Any) -> Place:
    if not isinstance(value, list) or len(value) != 2:
        raise TypeError(f"{value!r} is not a pair of numbers")
    return _number(value[0]), _number(value[1])


def _words(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise TypeError(f"{value!r} is not a list of words")
    return frozenset(value)
