"""The solver's process: it claims plans, watches the child that thinks, and keeps the best.

The child may overrun its time, crash or be killed; whatever it said before stands in the
register, at most `KEEP_EVERY_S` old, so that a machine that stops loses seconds.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from outreach.actions.thinking import think
from outreach.domain.daytime import clock_time, full_minute
from outreach.domain.planning import Plan as Answer
from outreach.domain.planning import Reason, Route, Unassigned
from outreach.domain.planning.offering import BAND
from outreach.models import LeftOut, Plan, PlannedStop
from outreach.models.planning import PlanKind, PlanQuerySet, PlanState
from outreach.road_matrix import RoutingUnusable, ask

log = logging.getLogger("outreach.planning")

BEAT_S = 1.0
KEEP_EVERY_S = 10.0
#: How long the child may go on after it was asked to end, or its time was over.
GRACE_S = 8.0
NICENESS = 5
#: Processes that search side by side; more than two groups a round wait for each other.
WORKERS = min(2, os.cpu_count() or 1)


def make(plans: Sequence[UUID]) -> None:
    """Make the plans: one, or two that answer the same question as insert only and repair."""
    claimed = [plan for pk in plans if (plan := _claim(pk))]
    if len(claimed) != len(plans):
        return
    for plan in claimed[1:]:
        assert plan.problem == claimed[0].problem, "two answers have one question"
    os.nice(NICENESS)
    try:
        _watch(claimed)
    except GivenUp:
        log.warning("plans %s were given up meanwhile", claimed)


class GivenUp(Exception):
    """The plan was taken for dead after a long silence; another solver may be making it by now."""


def _claim(pk: UUID) -> Plan | None:
    rows = Plan.objects.filter(pk=pk, state=PlanState.WAITING)
    if not rows.update(state=PlanState.RUNNING, beat_at=timezone.now()):
        return None
    return Plan.objects.select_related("campaign").get(pk=pk)


@dataclass
class _Heard:
    """What the child said so far."""

    first: Answer | None = None
    best: Answer | None = None
    done: list[Answer] | None = None
    malformed: str = ""
    improvements: int = 0
    is_over: bool = False
    kept_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class _Child:
    """The process that thinks: what it says, and how it is asked to end."""

    process: SpawnProcess
    hears: Connection
    asked: Event


def _watch(plans: list[Plan]) -> None:
    question = plans[-1]
    document = dict(question.problem) | {"kept": _kept(question)}
    travel = put_roads(document, lambda: _give_sign(plans))
    heard = _Heard()
    child = _start(plans, document)
    try:
        _listen_to_the_end(plans, child, heard, document, travel)
    finally:
        if heard.done is not None:
            child.process.join(1)
        child.process.kill()
        child.process.join()
    _end(plans, heard, document, travel, stopped=heard.is_over or _is_asked(plans))


def _start(plans: Sequence[Plan], document: Mapping[str, Any]) -> _Child:
    context = multiprocessing.get_context("spawn")
    hears, says = context.Pipe(duplex=False)
    asked = context.Event()
    how = {
        "answers": plans[-1].kind in (PlanKind.INSERT, PlanKind.REPAIR),
        "seed": plans[-1].seed,
        "seconds": float(sum(plan.seconds for plan in plans)),
        "workers": WORKERS,
    }
    # No daemon: it has workers of its own, which end when its pipe to them closes.
    process = context.Process(target=think, args=(says, asked, document), kwargs=how)
    process.start()
    says.close()
    return _Child(process, hears, asked)


def _listen_to_the_end(
    plans: list[Plan], child: _Child, heard: _Heard, document: Mapping[str, Any], travel: str
) -> None:
    """Hear the child until it is done, gone, or over its time; keep what it says meanwhile."""
    seconds = float(sum(plan.seconds for plan in plans))
    started = time.monotonic()
    ends: float | None = None
    while heard.done is None and not heard.malformed:
        said = _listen(child.hears, heard)
        elapsed = time.monotonic() - started
        if not said and not child.process.is_alive():
            break
        if ends is None and (elapsed > seconds or _is_asked(plans)):
            child.asked.set()
            ends = elapsed + GRACE_S
        if ends is not None and elapsed > ends:
            heard.is_over = True
            break
        _beat(plans, heard, elapsed, seconds)
        if heard.best and time.monotonic() - heard.kept_at > KEEP_EVERY_S:
            _keep(plans[-1], heard.best, document, travel)
            heard.kept_at = time.monotonic()


def _kept(plan: Plan) -> list[dict[str, Any]]:
    """Return what a plan that broke off had found, to go on from there."""
    days = {day: number for number, day in enumerate(plan.problem["days"])}
    return [
        {
            "visit": str(stop.application_id),
            "team": str(stop.team_id),
            "day": days[stop.on.isoformat()],
            "start": stop.start,
        }
        for stop in plan.stops.order_by("on", "start", "pk")
    ]


def _listen(pipe: Any, heard: _Heard) -> bool:
    """Take in what the child says within a beat; tell whether the pipe still speaks."""
    until = time.monotonic() + BEAT_S
    while (left := until - time.monotonic()) > 0:
        if not pipe.poll(left):
            return True
        try:
            word, content = pipe.recv()
        except (EOFError, OSError):  # it ended: between two messages, or in the middle of one
            return False
        if word == "better":
            heard.first = heard.first or content
            better = heard.best is None or content.cost < heard.best.cost
            heard.improvements += better
            heard.best = content if better else heard.best
        elif word == "done":
            heard.done = content
            return True
        else:
            heard.malformed = content
            return True
    return True


def _is_asked(plans: Sequence[Plan]) -> bool:
    return Plan.objects.filter(pk__in=[plan.pk for plan in plans], stop_asked=True).exists()


def _beat(plans: Sequence[Plan], heard: _Heard, elapsed: float, seconds: float) -> None:
    best = heard.best
    progress = {
        "homes": len(plans[-1].problem["visits"]),
        "elapsed": min(round(elapsed), round(seconds)),
        "seconds": round(seconds),
        "improvements": heard.improvements,
        "placed": sum(len(route.stops) for route in best.routes) if best else 0,
        "km": round(best.km, 1) if best else None,
        "late": best.late if best else None,
    }
    _give_sign(plans, progress=progress)


def _give_sign(plans: Sequence[Plan], **said: Any) -> None:
    """Give a sign of life after one's own last one; whoever else gave one has the plan now."""
    for plan in plans:
        now = timezone.now()
        if not _mine(plan).update(beat_at=now, **said):
            raise GivenUp
        plan.beat_at = now


def _mine(plan: Plan) -> PlanQuerySet:
    return Plan.objects.filter(pk=plan.pk, state=PlanState.RUNNING, beat_at=plan.beat_at)


def _keep(plan: Plan, answer: Answer, document: Mapping[str, Any], travel: str) -> None:
    """Keep what was found, unless the plan was given up meanwhile: it may be published by now."""
    with transaction.atomic():
        if _mine(plan).select_for_update().values_list("pk").first():
            keep(plan, answer, document, travel)


def _end(
    plans: Sequence[Plan], heard: _Heard, document: Mapping[str, Any], travel: str, *, stopped: bool
) -> None:
    for plan in plans:
        answer = _answer_to(plan, heard)
        if answer is None:
            log.error("plan %s was not made: %s", plan.pk, heard.malformed or "the child ended")
            state, message = PlanState.FAILED, "failed"
        else:
            _keep(plan, answer, document, travel)
            early = stopped or heard.done is None
            state = PlanState.STOPPED if early else PlanState.READY
            message = ("stopped" if stopped else "interrupted") if early else ""
        _mine(plan).update(
            state=state, message=message, finished_at=timezone.now(), beat_at=timezone.now()
        )


def _answer_to(plan: Plan, heard: _Heard) -> Answer | None:
    """Return what the child found for this plan: of two answers, insert only comes first."""
    if heard.done is not None:
        return heard.done[0 if plan.kind == PlanKind.INSERT else -1]
    return heard.first if plan.kind == PlanKind.INSERT else heard.best


def put_roads(document: dict[str, Any], tell: Callable[[], object] = lambda: None) -> str:
    """Add the road server's matrix to the question where one is set; say what travel rests on.

    A county's roads take longer than a solver may be silent, so each answer is told of.
    """
    url = settings.OUTREACH_ROUTING_URL
    if not url:
        return "formula"
    places = list(
        dict.fromkeys(
            [(visit["lat"], visit["lon"]) for visit in document["visits"]]
            + [
                (end[0], end[1])
                for shift in document["shifts"]
                for end in (shift["base"], shift.get("finish", shift["base"]))  # older: base only
            ]
        )
    )
    try:
        roads = ask(url, places, tell=tell)
    except RoutingUnusable as error:
        log.warning("the road server is not used: %s", error)
        return error.reason
    matrix = {
        "places": [list(place) for place in places],
        "metres": [list(row) for row in roads.metres],
        "seconds": [list(row) for row in roads.seconds],
    }
    document["travel"] = document["travel"] | {"matrix": matrix}
    return "road"


@transaction.atomic
def keep(plan: Plan, answer: Answer, document: Mapping[str, Any], travel: str) -> None:
    """Put an answer into the register in place of what the plan held before."""
    days = [date.fromisoformat(day) for day in document["days"]]
    visits = {visit["id"]: visit for visit in document["visits"]}
    names = {str(team.pk): team.name for team in plan.campaign.teams.all()}
    plan.stops.all().delete()
    plan.left_out.all().delete()
    PlannedStop.objects.bulk_create(
        [
            PlannedStop(
                plan=plan,
                application_id=UUID(str(stop.visit)),
                team_id=UUID(route.team),
                on=days[route.day],
                order=order,
                start=full_minute(stop.start),
                minutes=visits[str(stop.visit)]["minutes"],
                late_days=_late_days(visits[str(stop.visit)], route.day),
            )
            for route in answer.routes
            for order, stop in enumerate(route.stops, start=1)
        ],
        batch_size=80,
    )
    LeftOut.objects.bulk_create(
        [
            LeftOut(
                plan=plan,
                application_id=UUID(str(left.visit)),
                **_why(left, visits[str(left.visit)], document, names, days),
            )
            for left in answer.unassigned
        ]
        + [
            LeftOut(plan=plan, application_id=UUID(pk), **_reason("no_place"))
            for pk in document.get("unplaced", [])  # older questions have none
        ],
        batch_size=100,
    )
    plan.figures = figures_of(plan, answer, document, travel)
    plan.save(update_fields=["figures"])


def _late_days(visit: Mapping[str, Any], day: int) -> int:
    """Return by how many working days a visit misses its promise, those before the first too."""
    deadline = visit.get("deadline")
    late = 0 if deadline is None else max(0, day - deadline)
    return late and late + visit.get("overdue", 0)  # older questions do not say


def _why(
    left: Unassigned,
    visit: Mapping[str, Any],
    document: Mapping[str, Any],
    names: Mapping[str, str],
    days: Sequence[date],
) -> dict[str, Any]:
    """Explain why nobody comes; the planner knows closed days, and not what closed them."""
    if visit.get("cut_off"):
        return _reason("road_cut")
    return _explain(left.reason, document, names, days)


def _reason(code: str) -> dict[str, Any]:
    """Return a reason that the planner does not know, with the remedy of its own name."""
    return {"reason": code, "detail": {}, "remedies": [{"code": code, "detail": {}}]}


def _explain(
    reason: Reason, document: Mapping[str, Any], names: Mapping[str, str], days: Sequence[date]
) -> dict[str, Any]:
    """Translate a reason's figures: days become dates, teams names, minutes times of day."""

    def said(data: Mapping[str, Any]) -> dict[str, Any]:
        return {key: _said(key, value, names, days) for key, value in data.items()}

    if reason.code == "no_specialty" and _knows_some_team(document, reason.data["skills"]):
        return _reason("impartial")
    return {
        "reason": reason.code,
        "detail": said(reason.data),
        "remedies": [{"code": one.code, "detail": said(one.data)} for one in reason.remedies],
    }


def _knows_some_team(document: Mapping[str, Any], skills: Any) -> bool:
    """Tell whether a team knows all that is asked for, and only may not rate the person."""
    asked = set(_known_by_name(skills))
    return any(asked <= set(shift["skills"]) for shift in document["shifts"])


def _known_by_name(skills: Sequence[str]) -> list[str]:
    """Return the skills without that of who is neither related nor nominated the person."""
    return [one for one in skills if not one.startswith("impartial:")]


def _said(key: str, value: Any, names: Mapping[str, str], days: Sequence[date]) -> Any:
    if key == "skills":
        return _known_by_name(value)
    if key == "team":
        return names.get(str(value), str(value))
    if key == "day" and isinstance(value, int) and 0 <= value < len(days):
        return days[value].isoformat()
    if key == "days":
        return [days[one].isoformat() for one in value if 0 <= one < len(days)]
    if key in ("earliest", "closes", "start"):
        return clock_time(round(float(value)))
    return round(value) if isinstance(value, float) else value


def figures_of(
    plan: Plan, answer: Answer, document: Mapping[str, Any], travel: str
) -> dict[str, Any]:
    """Sum a plan up as the board shows it: whole minutes, kilometres, fen."""
    days = document["days"]
    visits = {visit["id"]: visit for visit in document["visits"]}
    shifts = {(shift["team"], shift["day"]): shift for shift in document["shifts"]}
    made = [
        _day(route, shifts[route.team, route.day], days[route.day], visits)
        for route in answer.routes
    ]
    overtime = sum(day["overtime"] for day in made)
    fairness = answer.fairness.values()
    return {
        "homes": sum(len(route.stops) for route in answer.routes),
        "left_out": len(answer.unassigned) + len(document.get("unplaced", [])),
        "km": round(answer.km, 1),
        "team_days": len(answer.routes),
        "late": answer.late,
        "late_days": sum(
            _late_days(visits[str(stop.visit)], route.day)
            for route in answer.routes
            for stop in route.stops
        ),
        "overtime": overtime,
        "overtime_fen": round(overtime * plan.campaign.overtime_fen_per_hour / 60),
        "spread_minutes": round((max(fairness) - min(fairness)) * 60) if fairness else 0,
        "travel": travel,
        "minutes": document.get("minutes"),
        **_moves(answer, document),
        "days": made,
    }


def _day(
    route: Route, shift: Mapping[str, Any], on: str, visits: Mapping[str, Any]
) -> dict[str, Any]:
    late = sum(_late_days(visits[str(stop.visit)], route.day) > 0 for stop in route.stops)
    length = shift["end"] - shift["start"]
    back = math.ceil(round(route.back, 3))
    return {
        "team": route.team,
        "on": on,
        "homes": len(route.stops),
        "km": round(route.km, 1),
        "leave": math.floor(shift["start"]),
        "back": back,
        "minutes": round(route.back - shift["start"]),
        "overtime": max(0, back - shift["end"]),
        "late": late,
        "load": round(100 * (min(route.back, shift["end"]) - shift["start"]) / length),
    }


def _moves(answer: Answer, document: Mapping[str, Any]) -> dict[str, int]:
    """Count the families whose told appointment changes, and those among them on another day."""
    told = {one["visit"]: one for one in document["standing"]}
    if not told:
        return {}
    after = {
        str(stop.visit): (route.day, stop.start) for route in answer.routes for stop in route.stops
    }
    other_day = sum(pk in after and after[pk][0] != one["day"] for pk, one in told.items())
    other_time = sum(
        pk in after and after[pk][0] == one["day"] and abs(after[pk][1] - one["told"]) > BAND
        for pk, one in told.items()
    )
    gone = sum(pk not in after for pk in told)
    new = sum(pk not in told for pk in after)
    return {
        "moved": other_day + other_time,
        "moved_day": other_day,
        "to_call": other_day + other_time + gone + new,
    }
