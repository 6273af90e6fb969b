"""Instances in Solomon's format, read, drawn and solved, beside their best-known values.

Convention of the DIMACS challenge: Euclidean distances truncated to one decimal, distance is
minimised, the number of vehicles is only bounded.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, process_time

import numpy as np
from pyvrp import (
    Client,
    Depot,
    Location,
    ProblemData,
    RandomNumberGenerator,
    Solution,
    SolveParams,
    VehicleType,
)
from pyvrp.search import PerturbationParams

from outreach.domain.planning.solver import improve

SCALE = 10
#: Fewer changes at a time and a longer memory than the solver's own defaults (25 and 300): on
#: the instances with the largest gaps that halves them within 20 s. Above so many customers
#: there are too few steps for a long memory.
SMALL = 200
PERTURBATION = {True: PerturbationParams(max_perturbations=8), False: PerturbationParams()}
HISTORY = {True: 1000, False: 300}


class MalformedInstance(ValueError):
    """A file that is not in Solomon's format."""


@dataclass(frozen=True)
class Customer:
    """One line: place, demand, ready time, due date, service time."""

    x: float
    y: float
    demand: int
    ready: int
    due: int
    service: int


@dataclass(frozen=True)
class Instance:
    """A VRPTW instance; the first customer is the depot."""

    name: str
    vehicles: int
    capacity: int
    customers: tuple[Customer, ...]


def read(file: Path) -> Instance:
    """Read an instance. Raises `MalformedInstance` naming the file."""
    try:
        return parsed(file.read_text(), str(file))
    except UnicodeDecodeError as error:
        raise MalformedInstance(f"{file}: not in Solomon's format") from error


def parsed(text: str, source: str) -> Instance:
    """Read an instance from text. Raises `MalformedInstance` naming its source."""
    try:
        lines = [line.split() for line in text.splitlines() if line.strip()]
        rows = [line for line in lines if all(_is_number(word) for word in line)]
        (vehicles, capacity), *customers = [tuple(map(float, row)) for row in rows]
        read_customers = tuple(
            Customer(row[1], row[2], *(int(each) for each in row[3:7])) for row in customers
        )
    except (ValueError, TypeError) as error:
        raise MalformedInstance(f"{source}: not in Solomon's format") from error
    if not read_customers:
        raise MalformedInstance(f"{source}: no customers")
    return Instance(lines[0][0], int(vehicles), int(capacity), read_customers)


def drawn(customers: int, seed: int) -> str:
    """Draw an instance of that size and write it in Solomon's format.

    In the manner of Gehring and Homberger's R1: places spread over a square, short windows that
    can be reached from the depot, ten units a customer on average, vehicles for twenty.
    """
    chance = random.Random(seed)
    side = round(14 * math.sqrt(customers))
    horizon, centre = 5 * side, side / 2
    rows = [(0, centre, centre, 0, 0, horizon, 0)]
    for number in range(1, customers + 1):
        x, y = chance.randint(0, side), chance.randint(0, side)
        far = math.ceil(math.hypot(x - centre, y - centre))
        opens = chance.randint(far, horizon - far - 70)
        rows.append((number, x, y, chance.randint(1, 19), opens, opens + 60, 10))
    lines = [" ".join(f"{each:g}" for each in row) for row in rows]
    head = [f"D{customers}-{seed}", "", "VEHICLE", "NUMBER CAPACITY", f"{customers // 4} 200"]
    titles = "CUST NO. XCOORD. YCOORD. DEMAND READY DUE SERVICE"
    return "\n".join([*head, "", "CUSTOMER", titles, "", *lines, ""])


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def best_known(folder: Path) -> dict[str, float]:
    """Read `best_known.csv`: the instance and its value in the first two columns."""
    file = folder / "best_known.csv"
    if not file.exists():
        return {}
    with file.open() as stream:
        return {row[0]: float(row[1]) for row in list(csv.reader(stream))[1:] if len(row) > 1}


def data_of(instance: Instance) -> ProblemData:
    """Write an instance down for the solver, in tenths."""
    xy = np.array([(each.x, each.y) for each in instance.customers])
    exact = np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
    tenths = np.floor(exact * SCALE + 1e-9).astype(np.int64)
    depot, *customers = instance.customers
    return ProblemData(
        locations=[Location(each.x, each.y) for each in instance.customers],
        clients=[
            Client(
                place,
                delivery=[each.demand],
                service_duration=each.service * SCALE,
                tw_early=each.ready * SCALE,
                tw_late=each.due * SCALE,
            )
            for place, each in enumerate(customers, 1)
        ],
        depots=[Depot(0)],
        vehicle_types=[
            VehicleType(
                instance.vehicles,
                capacity=[instance.capacity],
                tw_early=depot.ready * SCALE,
                tw_late=depot.due * SCALE,
            )
        ],
        distance_matrices=[tenths],
        duration_matrices=[tenths],
    )


@dataclass(frozen=True)
class Effort:
    """How long one process searches, by the wall's clock or by its own processor time."""

    seconds: float
    processor: bool = False


def solve(instance: Instance, effort: Effort, seeds: Sequence[int], pool: Executor) -> float:
    """Search from every seed side by side; return the distance of the best plan.

    Every plan is driven line by line without the solver before it counts.
    """
    tries = [pool.submit(search, instance, effort, seed) for seed in seeds]
    return min(distance(instance, each.result()) for each in tries)


def search(instance: Instance, effort: Effort, seed: int) -> list[list[int]]:
    """Search for that long from one seed; return each route's customers in order."""
    data = data_of(instance)
    clock = process_time if effort.processor else monotonic
    end = clock() + effort.seconds
    start = Solution.make_random(data, RandomNumberGenerator(seed))
    small = data.num_clients <= SMALL
    found = improve(
        data,
        start,
        seed=seed,
        iterations=1 << 40,
        stop=lambda: clock() > end,
        params=SolveParams(perturbation=PERTURBATION[small]),
        history=HISTORY[small],
    )
    return [[each.idx + 1 for each in route if each.is_client()] for route in found.routes()]


def distance(instance: Instance, routes: list[list[int]]) -> float:
    """Drive the routes without the solver. Raises `ValueError` where one breaks a rule."""
    stops = sorted(stop for route in routes for stop in route)
    if stops != list(range(1, len(instance.customers))):
        raise ValueError(f"{instance.name}: somebody is forgotten or visited twice")
    if len(routes) > instance.vehicles:
        raise ValueError(f"{instance.name}: too many vehicles")
    return sum(_driven(instance, route) for route in routes) / SCALE


def _driven(instance: Instance, route: list[int]) -> int:
    places = instance.customers
    if sum(places[stop].demand for stop in route) > instance.capacity:
        raise ValueError(f"{instance.name}: overloaded")
    clock, total, at = places[0].ready * SCALE, 0, places[0]
    for stop in (*route, 0):
        there = places[stop]
        leg = math.floor(math.hypot(at.x - there.x, at.y - there.y) * SCALE + 1e-9)
        clock = max(clock + leg, there.ready * SCALE)
        if clock > there.due * SCALE:
            raise ValueError(f"{instance.name}: too late at {stop}")
        clock += there.service * SCALE
        total += leg
        at = there
    return total
