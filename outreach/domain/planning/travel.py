"""Distances and times of every leg of a campaign at once.

A local-plane formula (the radii of curvature of WGS-84 at the middle latitude) stands in for
the geodesic: at 40 km they differ by less than a millionth, and it takes 0.02 s where
geodesics take 13 s for 500 places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outreach.domain.planning.problem import MalformedProblem, Matrix, Place, Problem, Travel

_A = 6_378_137.0
_F = 1 / 298.257223563
_E2 = _F * (2 - _F)

Table = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Legs:
    """Metres and seconds between all places: first the visits, then each distinct base."""

    metres: Table
    seconds: Table
    bases: dict[Place, int]


def legs(problem: Problem) -> Legs:
    """Measure every leg of the campaign, in whole metres and whole seconds."""
    ends = {place: None for shift in problem.shifts for place in _ends(shift.base, shift.finish)}
    places = [visit.place for visit in problem.visits] + list(ends)
    bases = {place: len(problem.visits) + n for n, place in enumerate(ends)}
    travel = problem.travel
    if travel.matrix is None:
        metres = road_metres(places, travel.road_factor)
        seconds = road_seconds(metres, travel)
    else:
        metres, seconds = _picked(travel.matrix, places)
    for detour in travel.detours:
        inside = np.zeros(len(places), bool)
        inside[: len(problem.visits)] = [visit.id in detour.visits for visit in problem.visits]
        across = inside[:, None] != inside[None, :]
        metres = metres + across * (detour.km * 1000)
        seconds = seconds + across * (detour.km / travel.fast_kmh * 3600)
    return Legs(np.rint(metres).astype(np.int32), np.rint(seconds).astype(np.int32), bases)


def _ends(base: Place, finish: Place | None) -> tuple[Place, ...]:
    return (base,) if finish is None else (base, finish)


def road_metres(places: Sequence[Place], road_factor: float) -> npt.NDArray[np.float64]:
    """Return metres by road between all places: the geodesic on WGS-84 × the road factor."""
    degrees = np.asarray(places, float).reshape(-1, 2)
    lat, lon = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
    middle = (lat[:, None] + lat[None, :]) / 2
    squeezed = 1 - _E2 * np.sin(middle) ** 2
    north = _A * (1 - _E2) / squeezed**1.5 * (lat[:, None] - lat[None, :])
    turn = (lon[:, None] - lon[None, :] + np.pi) % (2 * np.pi) - np.pi
    east = _A / np.sqrt(squeezed) * np.cos(middle) * turn
    return np.asarray(np.hypot(north, east) * road_factor)


def road_seconds(metres: npt.NDArray[np.float64], travel: Travel) -> npt.NDArray[np.float64]:
    """Return the seconds of legs of that many metres, by the speed profile; 0 for none."""
    km = metres / 1000
    slow = np.minimum(km, travel.slow_km)
    hours = slow / travel.slow_kmh + (km - slow) / travel.fast_kmh
    return np.asarray(np.where(km > 0, np.rint(hours * 3600 + travel.park_minutes * 60), 0))


def _picked(
    matrix: Matrix, places: Sequence[Place]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    index = {place: n for n, place in enumerate(matrix.places)}
    missing = [place for place in places if place not in index]
    if missing:
        raise MalformedProblem(f"the travel matrix lacks the place {list(missing[0])}")
    rows = np.array([index[place] for place in places], int)
    cut = np.ix_(rows, rows)
    return np.asarray(matrix.metres, float)[cut], np.asarray(matrix.seconds, float)[cut]
