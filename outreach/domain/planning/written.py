"""A draft written out as the plan that people read."""

from __future__ import annotations

from outreach.domain.planning.draft import Draft, fairness_hours, total_cost
from outreach.domain.planning.ground import Ground
from outreach.domain.planning.problem import NO_PINS, Pins, Plan, Unassigned
from outreach.domain.planning.reasons import reason
from outreach.domain.planning.schedule import as_route


def written(ground: Ground, draft: Draft, pinned: Pins = NO_PINS) -> Plan:
    """Write a draft out: routes by day and team, reasons, kilometres, lateness, cost."""
    made = [shift for shift, stops in enumerate(draft.routes) if stops]
    made.sort(key=lambda shift: (ground.shifts[shift].day, ground.shifts[shift].team))
    routes = tuple(as_route(ground, shift, draft.routes[shift]) for shift in made)
    behind = [
        ground.shifts[shift].day - deadline
        for shift in made
        for stop in draft.routes[shift]
        if (deadline := ground.visits[stop].deadline) is not None
    ]
    return Plan(
        routes=routes,
        unassigned=tuple(
            Unassigned(ground.visits[visit].id, reason(ground, draft, visit, pinned))
            for visit in draft.left_out(ground)
        ),
        km=sum(route.km for route in routes),
        late=sum(days > 0 for days in behind),
        late_days=sum(max(0, days) for days in behind),
        cost=total_cost(ground, draft) / 1000,
        overtime=sum(route.overtime for route in routes),
        fairness=fairness_hours(ground, draft.routes),
    )
