"""What offices do without a planner: list order, township by township, nearest neighbour.

Every practice obeys the same hard rules by the same clock as the planner; a team takes the next
person it may and can still visit, until nobody fits any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from outreach.domain.planning.draft import Draft
from outreach.domain.planning.ground import Ground, ground
from outreach.domain.planning.problem import Plan, Problem
from outreach.domain.planning.schedule import timed
from outreach.domain.planning.written import written

#: Seconds a team waits at a door; it looks for somebody else before it waits longer.
PATIENCE = 15 * 60

Order = Callable[[Ground, int, Sequence[int]], Sequence[int]]


def list_order(problem: Problem) -> Plan:
    """Go down the list as it was filed."""
    return _followed(problem, lambda _ground, _at, left: sorted(left))


def township_by_township(problem: Problem) -> Plan:
    """Finish a township before the next, in the order in which they appear in the list."""
    first: dict[str, int] = {}
    for n, visit in enumerate(problem.visits):
        first.setdefault(visit.township, n)
    rank = [(first[visit.township], n) for n, visit in enumerate(problem.visits)]
    return _followed(problem, lambda _ground, _at, left: sorted(left, key=rank.__getitem__))


def nearest_neighbour(problem: Problem) -> Plan:
    """Go to whoever lives nearest to where the team is."""

    def nearest(field: Ground, at: int, left: Sequence[int]) -> Sequence[int]:
        row = field.metre_rows[at]
        return sorted(left, key=lambda visit: (row[visit], visit))

    return _followed(problem, nearest)


def _followed(problem: Problem, order: Order) -> Plan:
    field = ground(problem)
    left = set(range(len(field.visits)))
    routes: list[tuple[int, ...]] = [()] * len(field.shifts)
    by_day = sorted(range(len(field.shifts)), key=lambda n: (field.shifts[n].day, n))
    for shift in by_day:
        stops: tuple[int, ...] = ()
        while (stop := _next(field, shift, stops, left, order)) is not None:
            stops = (*stops, stop)
            left.discard(stop)
        routes[shift] = stops
    return written(field, Draft(tuple(routes)))


def _next(
    field: Ground, shift: int, stops: tuple[int, ...], left: set[int], order: Order
) -> int | None:
    at = stops[-1] if stops else field.bases[shift][0]
    able = [visit for visit in left if field.may(visit, shift)]
    waiting: int | None = None
    for visit in order(field, at, able):
        clock = timed(field, shift, (*stops, visit))
        if clock is None:
            continue
        if clock.starts[-1] - clock.arrivals[-1] <= PATIENCE:
            return visit
        waiting = visit if waiting is None else waiting
    return waiting


PRACTICES: dict[str, Callable[[Problem], Plan]] = {
    "list order": list_order,
    "township by township": township_by_township,
    "nearest neighbour": nearest_neighbour,
}
