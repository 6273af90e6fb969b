"""PyVRP behind one function: a few team-days with their visits, solved together.

Each team-day is a vehicle type with its own matrix. What may not or should not be is a cost on
entering a visit in that matrix, durations stay true: with edges left out instead, the solver
hangs on most site-dependent instances. Visits are optional at a prize, so there is always an
answer. Lunch is squeezed out of the clock: a rest of fixed length at a fixed moment maps real
time to compressed time and back.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyvrp import (
    Client,
    Depot,
    IteratedLocalSearch,
    IteratedLocalSearchParams,
    Location,
    PenaltyManager,
    PenaltyParams,
    ProblemData,
    RandomNumberGenerator,
    Route,
    Solution,
    SolveParams,
    VehicleType,
)
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.search import (
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)

from outreach.domain.planning.ground import FORBIDDEN, UNTOLD, Ground

#: What a second too late costs at first, in metres; the search adapts it within the bounds.
PENALTY = 20.0
PENALTIES = PenaltyParams(min_penalty=1.0, max_penalty=1000.0, solutions_between_updates=100)
NEIGHBOURS = NeighbourhoodParams(num_neighbours=20)
#: Few changes at a time: with up to 25, the solver's default for large problems, each step on a
#: group of a hundred visits takes three times as long and the plan is worse after the same time.
PERTURBATION = PerturbationParams(max_perturbations=5)


@dataclass(frozen=True)
class Group:
    """Some shifts with their stops now, and visits that nobody makes and that might fit."""

    shifts: tuple[int, ...]
    routes: tuple[tuple[int, ...], ...]
    extra: tuple[int, ...]
    bias: tuple[int, ...]
    """Metres per hour of visits for each shift, against teams above their fair share."""
    settled: frozenset[int] = frozenset()
    """Visits that do not pay it: only as many leave such a team as make it even."""
    moving: int = 0
    """Metres that another day than the one told costs besides, when few more may move."""

    @property
    def visits(self) -> tuple[int, ...]:
        return tuple(stop for route in self.routes for stop in route) + self.extra


def solve_group(
    ground: Ground, group: Group, *, seed: int, iterations: int, stop: Callable[[], bool]
) -> dict[int, tuple[int, ...]]:
    """Solve some team-days together from their stops now; return the stops of each shift.

    Ends after `iterations` or when `stop` says so; the same for the same seed and iterations.
    The answer keeps the solver's compressed clock and costs: the caller judges it by the real
    ones.
    """
    visits = group.visits
    data = _data(ground, group, visits)
    position = {visit: n for n, visit in enumerate(visits)}
    start = Solution(
        data,
        [
            Route(data, [position[stop] for stop in stops], vehicle_type=n)
            for n, stops in enumerate(group.routes)
            if stops
        ],
    )
    best = improve(data, start, seed=seed, iterations=iterations, stop=stop)
    solved: dict[int, tuple[int, ...]] = dict.fromkeys(group.shifts, ())
    for route in best.routes():
        shift = group.shifts[route.vehicle_type()]
        stops = (visits[each.idx] for each in route if each.is_client())
        solved[shift] = tuple(each for each in stops if ground.may(each, shift))
    return solved


def improve(
    data: ProblemData,
    start: Solution,
    *,
    seed: int,
    iterations: int,
    stop: Callable[[], bool],
    params: SolveParams | None = None,
    history: int = 100,
) -> Solution:
    """Search on from a solution by iterated local search; a feasible start only gets better."""
    rng = RandomNumberGenerator(seed=seed)
    params = params or SolveParams(
        penalty=PENALTIES, neighbourhood=NEIGHBOURS, perturbation=PERTURBATION
    )
    local = LocalSearch(
        data,
        rng,
        compute_neighbours(data, params.neighbourhood),
        PerturbationManager(params.perturbation),
    )
    for operator in params.operators:
        if operator.supports(data):
            local.add_operator(operator(data))
    loads = [PENALTY] * data.num_load_dimensions
    penalties = PenaltyManager((loads, PENALTY, PENALTY), params.penalty)
    ils = IteratedLocalSearchParams(history_length=history)
    done = 0

    def over(best_cost: int) -> bool:  # noqa: ARG001 - the solver's signature
        nonlocal done
        done += 1
        return done > iterations or stop()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        search = IteratedLocalSearch(data, penalties, local, start, ils)
        return search.run(over, collect_stats=False).best


def _data(ground: Ground, group: Group, visits: Sequence[int]) -> ProblemData:
    bases = sorted({base for shift in group.shifts for base in ground.bases[shift]})
    rows = np.array([*visits, *bases], int)
    depot = {base: n for n, base in enumerate(bases)}
    seconds: Any = ground.seconds[np.ix_(rows, rows)].astype(np.int64)
    roads = _roads(ground, rows, len(visits))
    lunch = ground.shifts[group.shifts[0]].lunch
    hours = np.array(
        [0 if visit in group.settled else ground.service[visit] for visit in visits], float
    )
    told = ground.told[list(visits)]
    matrices: list[Any] = []  # the stubs mistake the shape, each release of numpy differently
    for shift, bias in zip(group.shifts, group.bias, strict=True):
        matrix = roads.copy()
        entry = ground.entry[list(visits), shift]
        other_day = (told != UNTOLD) & (told != ground.shifts[shift].day)
        entry = np.minimum(entry + group.moving * other_day, FORBIDDEN)
        matrix[:, : len(visits)] += entry + np.rint(bias * hours / 3600).astype(np.int64)
        np.fill_diagonal(matrix, 0)
        matrices.append(matrix)
    return ProblemData(
        locations=[Location(0, 0) for _ in rows],
        clients=[_client(ground, n, visit, lunch) for n, visit in enumerate(visits)],
        depots=[Depot(len(visits) + n) for n in range(len(bases))],
        vehicle_types=[
            _vehicle(ground, shift, n, depot, lunch) for n, shift in enumerate(group.shifts)
        ],
        distance_matrices=matrices,
        duration_matrices=[seconds] * len(group.shifts),
    )


def _roads(ground: Ground, rows: npt.NDArray[np.int_], clients: int) -> npt.NDArray[np.int64]:
    """Return metres, plus the price of entering another village."""
    metres = ground.metres[np.ix_(rows, rows)].astype(np.int64)
    village = np.full(len(rows), -2, np.int64)
    village[:clients] = ground.village[rows[:clients]]
    enters = (village[:, None] != village[None, :]) | (village[None, :] == -1)
    enters[:, clients:] = False
    return np.asarray(metres + ground.village_metres * enters)


def _client(ground: Ground, place: int, visit: int, lunch: bool) -> Client:
    opens, closes = ground.windows[visit].opens, ground.windows[visit].closes
    if lunch:
        opens, closes = squeezed_window(ground, opens, closes)
    return Client(
        place,
        service_duration=ground.service[visit],
        tw_early=opens,
        tw_late=closes,
        prize=int(ground.prize[visit]),
        required=False,
    )


def _vehicle(
    ground: Ground, shift: int, profile: int, depot: dict[int, int], lunch: bool
) -> VehicleType:
    spec = ground.shifts[shift]
    start, end = round(spec.start * 60), round(spec.end * 60)
    last = round((spec.end + spec.overtime) * 60)
    if lunch:
        end, last = squeezed_end(ground, end), squeezed_end(ground, last)
    first, finish = ground.bases[shift]
    return VehicleType(
        start_depot=depot[first],
        end_depot=depot[finish],
        fixed_cost=ground.team_day,
        tw_early=min(start, last),
        tw_late=last,
        start_late=min(start, last),
        shift_duration=max(0, end - start),
        max_overtime=max(0, last - end),
        unit_overtime_cost=-(-ground.overtime_metres_an_hour // 3600) if last > end else 0,
        profile=profile,
    )


def squeezed_window(ground: Ground, opens: int, closes: int) -> tuple[int, int]:
    """Return a window on the clock without lunch.

    A window inside the hour of lunch means that lunch came before it.
    """
    due, length = ground.lunch_after, ground.lunch_seconds
    if due <= opens and closes < due + length:
        return max(0, opens - length), max(0, closes - length)
    squeezed_opens = opens if opens < due else max(due, opens - length)
    if closes < due:
        return squeezed_opens, closes
    return squeezed_opens, due - 1 if closes < due + length else closes - length


def squeezed_end(ground: Ground, end: int) -> int:
    """Return the end of a shift on the clock without lunch."""
    due, length = ground.lunch_after, ground.lunch_seconds
    return end if end <= due else max(due, end - length)
