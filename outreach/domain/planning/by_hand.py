"""A plan made by hand, measured as it is."""

from __future__ import annotations

from dataclasses import replace

from outreach.domain.planning.draft import fairness_hours
from outreach.domain.planning.ground import Ground, ground
from outreach.domain.planning.problem import Plan, Problem, Route
from outreach.domain.planning.schedule import metres


def measured(problem: Problem, plan: Plan) -> Plan:
    """Give a plan made by hand its kilometres, returns, overtime, lateness and fairness.

    Starts stay as they are and nothing is judged: whether a team can be everywhere in time is
    for `check` to say. The plan has no `cost`, and lunch is not placed.
    """
    field = ground(problem)
    visits, shifts = field.index(), field.shift_index()
    routes: list[tuple[int, ...]] = [()] * len(field.shifts)
    made = []
    late_days = []
    for route in plan.routes:
        shift = shifts[route.key]
        routes[shift] = tuple(visits[stop.visit] for stop in route.stops)
        made.append(_measured(field, shift, route, routes[shift]))
        late_days += [max(0, int(field.behind[stop, shift])) for stop in routes[shift]]
    made.sort(key=lambda route: (route.day, route.team))
    return replace(
        plan,
        routes=tuple(made),
        km=sum(route.km for route in made),
        late=sum(days > 0 for days in late_days),
        late_days=sum(late_days),
        overtime=sum(route.overtime for route in made),
        fairness=fairness_hours(field, routes),
    )


def _measured(field: Ground, shift: int, route: Route, stops: tuple[int, ...]) -> Route:
    _base, finish = field.bases[shift]
    back = route.stops[-1].end + field.second_rows[stops[-1]][finish] / 60
    return replace(
        route,
        km=metres(field, shift, stops) / 1000,
        back=back,
        overtime=max(0.0, back - field.shifts[shift].end),
    )
