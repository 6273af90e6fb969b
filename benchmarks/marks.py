"""What a plan must reach beside naive practice, and a repair beside inserting only."""

from __future__ import annotations

from collections.abc import Mapping

from outreach.domain.planning import Plan, Problem, Replanning

#: Of the visits of a campaign at most so many late, and together by so many working days.
LATE, LATE_DAYS = 0.01, 10
#: The reference campaign, which can be planned with nobody late.
NOBODY_LATE = "campaign-500.json"
KM_NEAREST, KM_TOWNSHIP = 1.05, 0.6
KEPT, LATENESS = 0.92, 0.5


def missed_by_plan(
    problem: Problem, made: Plan, naive: Mapping[str, Plan], name: str = ""
) -> list[str]:
    """Name the marks that a plan misses beside nearest neighbour and township by township."""
    nearest, township = naive["nearest neighbour"], naive["township by township"]
    people = len(problem.visits)
    late, days = (0, 0) if name == NOBODY_LATE else (LATE * people, LATE_DAYS)
    visited = sum(len(route.stops) for route in made.routes)
    return _missed(
        {
            f"{visited} of {people} visited": visited == people,
            f"{made.late} late": made.late <= late,
            f"{made.late_days} working days late": made.late_days <= days,
            f"{made.km / nearest.km:.3f} x the km of nearest neighbour": (
                made.km <= KM_NEAREST * nearest.km
            ),
            f"{made.km / township.km:.3f} x the km of township by township": (
                made.km <= KM_TOWNSHIP * township.km
            ),
            f"{len(made.routes)} team-days": len(made.routes) < len(nearest.routes),
        }
    )


def missed_by_repair(mended: Replanning) -> list[str]:
    """Name the marks that a repair misses: appointments kept, lateness beside insert only."""
    insert, repair = mended.insert_only.plan, mended.repair.plan
    return _missed(
        {
            f"{mended.repair.kept_share:.1%} keep their day": mended.repair.kept_share >= KEPT,
            f"{repair.late_days} of {insert.late_days} late days": (
                repair.late_days <= LATENESS * insert.late_days
            ),
            f"{len(repair.unassigned)} left out": (
                len(repair.unassigned) <= len(insert.unassigned)
            ),
        }
    )


def _missed(marks: Mapping[str, bool]) -> list[str]:
    return [said for said, met in marks.items() if not met]
