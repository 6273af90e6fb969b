"""The campaign board: weeks × teams, how full each day is, and what a plan came to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from outreach.actions.adopting import visits_of
from outreach.domain.daytime import minutes_of
from outreach.domain.workflow import VisitState
from outreach.models import Campaign, Plan, PlannedStop, Shift, Team
from outreach.models.planning import PlanState

#: A day is called full from this share of its hours on.
FULL = 85


@dataclass(frozen=True)
class Cell:
    """One team's day: off, free, or with so many homes."""

    on: date
    team: Team
    homes: int = 0
    late: int = 0
    load: int | None = None
    overtime: int = 0
    is_off: bool = False

    @property
    def is_full(self) -> bool:
        """Tell whether little of the day is left."""
        return self.load is not None and self.load >= FULL

    @property
    def bar(self) -> int:
        """The bar's length out of a hundred."""
        return min(self.load or 0, 100)


@dataclass(frozen=True)
class Line:
    """One team's week."""

    team: Team
    cells: tuple[Cell, ...]

    @property
    def homes(self) -> int:
        """How many homes the week has."""
        return sum(cell.homes for cell in self.cells)


@dataclass(frozen=True)
class Week:
    """A calendar week of the campaign: its working days, and others on which a visit stands."""

    first: date
    days: tuple[date, ...]
    lines: tuple[Line, ...]
    closed: frozenset[date] = frozenset()

    @property
    def homes(self) -> int:
        """How many homes the week has."""
        return sum(line.homes for line in self.lines)


@dataclass
class _Day:
    homes: int = 0
    late: int = 0


@dataclass(frozen=True)
class TeamRow:
    """A team's share of the plan: what fairness is read from."""

    team: Team
    homes: int
    days: int
    km: float
    minutes: int
    overtime: int
    longest: int = field(default=1)

    @property
    def bar(self) -> float:
        """The bar's length out of a hundred, beside the busiest team."""
        return round(100 * self.minutes / (self.longest or 1), 1)

    @property
    def hours(self) -> float:
        """Hours of the whole plan."""
        return round(self.minutes / 60, 1)


def weeks_of(campaign: Campaign, plan: Plan | None, days: Sequence[date]) -> list[Week]:
    """Lay out the campaign's weeks, by a few queries whatever their number."""
    teams = list(campaign.teams.all())
    shifts = {
        (shift.team_id, shift.on)
        for shift in Shift.objects.filter(team__campaign=campaign).only("team", "on")
    }
    found: dict[tuple[UUID, date], _Day] = defaultdict(_Day)
    stops = stops_now(plan) if plan else []
    for stop in stops:
        so_far = found[stop.team_id, stop.on]
        so_far.homes += 1
        so_far.late += stop.late_days > 0
    # A visit stays on a day that was made a holiday until somebody moves it.
    closed = {on for _team, on in found} - set(days)
    loads = figures_now(plan, stops) if plan else {}
    weeks: dict[date, list[date]] = defaultdict(list)
    for day in sorted({*days, *closed}):
        weeks[day - timedelta(days=day.weekday())].append(day)
    return [
        Week(
            monday,
            tuple(week),
            tuple(
                Line(team, tuple(_cell(team, day, shifts, found, loads) for day in week))
                for team in teams
            ),
            frozenset(closed.intersection(week)),
        )
        for monday, week in sorted(weeks.items())
    ]


def _cell(
    team: Team,
    day: date,
    shifts: set[tuple[UUID, date]],
    found: dict[tuple[UUID, date], _Day],
    loads: Mapping[tuple[UUID, date], dict[str, Any]],
) -> Cell:
    stops = found.get((team.pk, day), _Day())
    load = loads.get((team.pk, day), {})
    return Cell(
        day,
        team,
        stops.homes,
        stops.late,
        load.get("load"),
        load.get("overtime", 0),
        is_off=(team.pk, day) not in shifts and not stops.homes,
    )


def team_rows(campaign: Campaign, plan: Plan) -> list[TeamRow]:
    """Return each team's share of a plan, from its figures."""
    shares: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for day in plan.figures.get("days", []):
        share = shares[day["team"]]
        share["days"] += 1
        for name in ("homes", "km", "minutes", "overtime"):
            share[name] += day[name]
    longest = max((int(share["minutes"]) for share in shares.values()), default=1)
    return [
        TeamRow(
            team,
            int(shares[str(team.pk)]["homes"]),
            int(shares[str(team.pk)]["days"]),
            round(shares[str(team.pk)]["km"], 1),
            int(shares[str(team.pk)]["minutes"]),
            int(shares[str(team.pk)]["overtime"]),
            longest,
        )
        for team in campaign.teams.all()
    ]


#: What a page or paper shows of a stop.
SHOWN = ("resident", "village__parent", "nominated_by")


def stops_now(
    plan: Plan, *beside: str, team: UUID | None = None, on: date | None = None
) -> list[PlannedStop]:
    """Return a plan's stops by day, team and time, with what is wanted of their cases.

    Those of a published plan are the visits of its teams as they stand in the register: what was
    moved, called off or agreed by hand since is not in the plan.
    """
    day = {} if on is None else {"on": on}
    shown = [f"application__{name}" for name in beside]
    planned = plan.stops.filter(**day).select_related("team", *shown)
    if plan.state != PlanState.PUBLISHED:
        of_team = planned if team is None else planned.filter(team=team)
        return list(of_team.order_by("on", "team__name", "order"))
    late = {(stop.application_id, stop.on): stop.late_days for stop in plan.stops.filter(**day)}
    crew = {
        one.user_id: one.team
        for one in plan.campaign.members.select_related("team")
        if team in (None, one.team_id)
    }
    rows = visits_of(plan.campaign).filter(assessor__in=crew, application__erased_at=None, **day)
    visits = list(rows.exclude(state=VisitState.CANCELLED).select_related(*shown))
    made = [
        PlannedStop(
            plan=plan,
            application_id=visit.application_id,
            team=crew[visit.assessor_id],
            on=visit.on,
            start=minutes_of(visit.start),
            minutes=visit.minutes,
            late_days=late.get((visit.application_id, visit.on), 0),
        )
        for visit in visits
    ]
    for stop, visit in zip(made, visits, strict=True) if beside else ():
        stop.application = visit.application
    return sorted(made, key=lambda stop: (stop.on, stop.team.name, stop.start))


def figures_now(
    plan: Plan, stops: Sequence[PlannedStop]
) -> dict[tuple[UUID, date], dict[str, Any]]:
    """Return the figures of the team-days that stand as the plan has them.

    How long the others take, and how far they go, nobody knows: their homes are others by now.
    """
    now, planned = _visited(stops), _visited(plan.stops.all())
    days = {
        (UUID(one["team"]), date.fromisoformat(one["on"])): one
        for one in plan.figures.get("days", [])
    }
    return {day: one for day, one in days.items() if now.get(day) == planned.get(day)}


def _visited(stops: Iterable[PlannedStop]) -> dict[tuple[UUID, date], set[tuple[UUID, int]]]:
    found: dict[tuple[UUID, date], set[tuple[UUID, int]]] = defaultdict(set)
    for stop in stops:
        found[stop.team_id, stop.on].add((stop.application_id, stop.start))
    return dict(found)


@dataclass(frozen=True)
class Measure:
    """One row of a comparison: a name, each plan's value, and which is best."""

    name: Any
    values: tuple[tuple[Any, bool], ...]
    unit: str = ""


#: (key of the figures, whether less is better, how it is written)
MEASURES: tuple[tuple[str, bool, str], ...] = (
    ("homes", False, "count"),
    ("left_out", True, "count"),
    ("late", True, "count"),
    ("late_days", True, "count"),
    ("km", True, "km"),
    ("team_days", True, "count"),
    ("overtime", True, "minutes"),
    ("overtime_fen", True, "yuan"),
    ("spread_minutes", True, "minutes"),
    ("moved", True, "count"),
    ("moved_day", True, "count"),
    ("to_call", True, "count"),
)


def compare(plans: Sequence[Plan], names: Mapping[str, Any]) -> list[Measure]:
    """Set the figures of plans side by side; the best of a row is marked unless all are equal."""
    rows = []
    for key, less, unit in MEASURES:
        values = [plan.figures.get(key) for plan in plans]
        if all(value is None for value in values):
            continue
        known = [value for value in values if value is not None]
        best = min(known) if less else max(known)
        differs = len(set(known)) > 1
        rows.append(
            Measure(
                names[key],
                tuple((value, differs and value == best) for value in values),
                unit,
            )
        )
    return rows
