"""A campaign as arrays: what every step of the search reads, measured and priced once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from outreach.domain.planning.problem import (
    NO_PINS,
    MalformedProblem,
    Pin,
    Pins,
    Place,
    Problem,
    Shift,
    ShiftKey,
    Visit,
    VisitId,
)
from outreach.domain.planning.travel import Legs, Table, legs

#: Dearer than leaving any visit out, so that no search buys its way into a shift that must not
#: make the visit; in metres. Larger figures make the solver's integers lose the small ones.
FORBIDDEN = 1_000_000
#: What leaving a visit out costs, in metres: above any lateness, below what is forbidden.
LEFT_OUT, PER_PRIORITY, LEFT_OUT_PINNED = 250_000, 50_000, 900_000
MOST_LATE = 200_000
#: More working days than any promise is missed by.
NEVER = 1 << 30
#: The day of a family that was told none, and what each move beyond the allowed ones costs.
UNTOLD, OVERMOVED = -1, 200_000

Costs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """The seconds between which a visit may start."""

    opens: int
    closes: int


@dataclass(frozen=True)
class Ground:
    """The campaign measured: legs, seconds, and the price of each visit in each shift.

    `entry[v, s]` is what making visit v in shift s costs besides the road (metres), FORBIDDEN
    where qualification, allowed days or pins exclude it; `prize[v]` is what leaving it out
    costs; `behind[v, s]` are the working days behind the promise; `told[v]` is the day a family
    knows (`UNTOLD`: none), and `moves` of them may get another. Rows and columns below
    `len(visits)` of the legs are visits, the rest bases.
    """

    visits: tuple[Visit, ...]
    shifts: tuple[Shift, ...]
    metres: Table
    seconds: Table
    bases: tuple[tuple[int, int], ...]
    windows: tuple[Window, ...]
    service: tuple[int, ...]
    entry: Costs
    prize: Costs
    behind: Costs
    told: Costs
    village: npt.NDArray[np.int32]
    lunch_after: int
    lunch_seconds: int
    team_day: int
    village_metres: int
    overtime_metres_an_hour: int
    fairness_metres_an_hour: int
    moves: int
    metre_rows: list[memoryview] = field(init=False, repr=False, compare=False)
    second_rows: list[memoryview] = field(init=False, repr=False, compare=False)
    soonest: Costs = field(init=False, repr=False, compare=False)
    """The fewest working days behind the promise at which some shift may make each visit."""

    def __post_init__(self) -> None:
        # One leg at a time is read three times faster through these than from the arrays.
        object.__setattr__(self, "metre_rows", [memoryview(row) for row in self.metres])
        object.__setattr__(self, "second_rows", [memoryview(row) for row in self.seconds])
        possible = np.where(self.entry < FORBIDDEN, self.behind, NEVER)
        object.__setattr__(self, "soonest", possible.min(axis=1, initial=NEVER))

    def __reduce__(self) -> tuple[type[Ground], tuple[object, ...]]:
        return Ground, tuple(getattr(self, each.name) for each in fields(self) if each.init)

    def may(self, visit: int, shift: int) -> bool:
        """Tell whether qualification, allowed days and pins let that shift make that visit."""
        return bool(self.entry[visit, shift] < FORBIDDEN)

    def index(self) -> dict[VisitId, int]:
        """Return where each visit stands in the arrays."""
        return {visit.id: n for n, visit in enumerate(self.visits)}

    def shift_index(self) -> dict[ShiftKey, int]:
        """Return where each shift stands in the arrays."""
        return {shift.key: n for n, shift in enumerate(self.shifts)}


def ground(
    problem: Problem,
    pinned: Pins = NO_PINS,
    *,
    told: Mapping[VisitId, int] | None = None,
    moves: int | None = None,
    measured: Legs | None = None,
) -> Ground:
    """Measure and price a campaign once for the whole search.

    `told` names visits whose family knows a day: another day costs `prices.moved`, and beyond
    `moves` of them `OVERMOVED` more. `measured` spares measuring the legs again.
    """
    measured = measured or legs(problem)
    unknown = [visit for visit in pinned if visit not in {each.id for each in problem.visits}]
    if unknown:
        raise MalformedProblem(f"visit {unknown[0]!r} is pinned but not in the campaign")
    prices = problem.prices
    return Ground(
        visits=problem.visits,
        shifts=problem.shifts,
        metres=measured.metres,
        seconds=measured.seconds,
        bases=tuple(_base_pair(shift, measured.bases) for shift in problem.shifts),
        windows=tuple(_window(visit, pinned.get(visit.id)) for visit in problem.visits),
        service=tuple(round(visit.minutes * 60) for visit in problem.visits),
        entry=_entry(problem, pinned, told or {}),
        prize=_prize(problem.visits, pinned),
        behind=_behind(problem),
        told=np.array([(told or {}).get(each.id, UNTOLD) for each in problem.visits], np.int64),
        village=_villages(problem.visits),
        lunch_after=round(problem.lunch.after * 60),
        lunch_seconds=round(problem.lunch.minutes * 60),
        team_day=round(prices.team_day * 1000),
        village_metres=round(prices.village * 1000),
        overtime_metres_an_hour=round(prices.overtime_hour * 1000),
        fairness_metres_an_hour=round(prices.fairness * 1000),
        moves=len(problem.visits) if moves is None else moves,
    )


def _base_pair(shift: Shift, bases: Mapping[Place, int]) -> tuple[int, int]:
    return bases[shift.base], bases[shift.finish or shift.base]


def _window(visit: Visit, pin: Pin | None) -> Window:
    opens, closes = (round(minute * 60) for minute in visit.window)
    if pin is not None and pin.window is not None:
        opens = max(opens, round(pin.window[0] * 60))
        closes = min(closes, round(pin.window[1] * 60))
    return Window(opens, closes)


def _prize(visits: Sequence[Visit], pinned: Pins) -> Costs:
    return np.array(
        [
            LEFT_OUT_PINNED if visit.id in pinned else LEFT_OUT + PER_PRIORITY * visit.priority
            for visit in visits
        ],
        np.int64,
    )


def _villages(visits: Sequence[Visit]) -> npt.NDArray[np.int32]:
    known: dict[tuple[str, str], int] = {}
    return np.array(
        [
            known.setdefault((visit.township, visit.village), len(known)) if visit.village else -1
            for visit in visits
        ],
        np.int32,
    )


def _entry(problem: Problem, pinned: Pins, told: Mapping[VisitId, int]) -> Costs:
    visits, shifts, prices = problem.visits, problem.shifts, problem.prices
    days = np.array([shift.day for shift in shifts], np.int64)
    entry = np.zeros((len(visits), len(shifts)), np.int64)
    late = _behind(problem)
    able: dict[frozenset[str], npt.NDArray[np.bool_]] = {}
    for n, visit in enumerate(visits):
        if visit.skills not in able:
            able[visit.skills] = np.array([visit.skills <= shift.skills for shift in shifts], bool)
        allowed = able[visit.skills]
        if visit.days is not None:
            allowed = allowed & np.isin(days, sorted(visit.days))
        if visit.id in pinned:
            allowed = allowed & _as_pinned(pinned[visit.id], shifts)
        if visit.deadline is not None:
            behind = late[n]
            weight = 1000 * (1 + (visit.priority - 1) / 2)
            price = weight * (prices.late * (behind > 0) + prices.late_day * behind)
            entry[n] += np.minimum(np.rint(price), MOST_LATE).astype(np.int64)
        if visit.id in told:
            entry[n] += round(prices.moved * 1000) * (days != told[visit.id])
        entry[n, ~allowed] = FORBIDDEN
    return entry


def _behind(problem: Problem) -> Costs:
    days = np.array([shift.day for shift in problem.shifts], np.int64)
    deadlines = [NEVER if each.deadline is None else each.deadline for each in problem.visits]
    behind: Costs = np.maximum(days[None, :] - np.array(deadlines, np.int64)[:, None], 0)
    return behind


def _as_pinned(pin: Pin, shifts: Sequence[Shift]) -> npt.NDArray[np.bool_]:
    return np.array(
        [shift.day == pin.day and pin.team in (None, shift.team) for shift in shifts], bool
    )
