"""Travel times and distances by road from a server that speaks OSRM's table service.

Off unless `OUTREACH_ROUTING_URL` names one: asking sends the places of homes outside. Every
answer is checked before it is believed; whatever is wrong with it, the planner falls back to
its formula, and the board says so. OSRM HTTP API v1, table service.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

#: (latitude, longitude), WGS-84.
Place = tuple[float, float]

#: OSRM takes 100 places a request unless told otherwise: a block asks from 50 to 50.
BLOCK = 50
TIMEOUT_S = 10.0
EARTH_RADIUS_M = 6_371_008.8
#: A road is never much shorter than the straight line, and no vehicle here is faster than this.
SHORTEST_SHARE, FASTEST_M_S = 0.9, 130 / 3.6
#: Snapping to the road may move a place this far before shortness is suspicious.
SNAPPED_M = 500.0


class RoutingUnusable(Exception):
    """The routing server gave no matrix that can be believed; `reason` says in a word why."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(frozen=True)
class RoadMatrix:
    """Seconds and metres between places, by row from and column to."""

    seconds: tuple[tuple[int, ...], ...]
    metres: tuple[tuple[int, ...], ...]


def is_address(url: str) -> bool:
    """Tell whether a setting can be a server's address."""
    try:
        parts = urlsplit(url)
    except ValueError:  # as with a full-width slash
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def is_near(url: str) -> bool:
    """Tell whether the server is on this machine, so that no place leaves it."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


def ask(
    url: str,
    places: Sequence[Place],
    client: httpx.Client | None = None,
    tell: Callable[[], object] = lambda: None,
) -> RoadMatrix:
    """Return the matrix of the places, asked in blocks, each told of; raises `RoutingUnusable`.

    A block that takes longer than `TIMEOUT_S` seconds, an error, a missing or impossible value
    anywhere makes the whole answer unusable: half a matrix by road and half by formula would
    prefer one half for no reason.
    """
    own = client or httpx.Client(timeout=TIMEOUT_S)
    try:
        count = len(places)
        seconds = [[0] * count for _ in range(count)]
        metres = [[0] * count for _ in range(count)]
        for rows, columns in _blocks(count):
            table = _table(own, url, places, rows, columns)
            _enter(table, places, rows, columns, (seconds, metres))
            tell()
        return RoadMatrix(tuple(map(tuple, seconds)), tuple(map(tuple, metres)))
    finally:
        if client is None:
            own.close()


def _blocks(count: int) -> Iterator[tuple[range, range]]:
    for row in range(0, count, BLOCK):
        for column in range(0, count, BLOCK):
            yield range(row, min(row + BLOCK, count)), range(column, min(column + BLOCK, count))


def _table(
    client: httpx.Client, url: str, places: Sequence[Place], rows: range, columns: range
) -> dict[str, Any]:
    asked = [places[index] for index in (*rows, *columns)]
    spelled = ";".join(f"{longitude:.6f},{latitude:.6f}" for latitude, longitude in asked)
    half = len(rows)
    query = {
        "annotations": "duration,distance",
        "sources": ";".join(map(str, range(half))),
        "destinations": ";".join(map(str, range(half, len(asked)))),
    }
    try:
        answer = client.get(f"{url.rstrip('/')}/table/v1/driving/{spelled}", params=query)
        answer.raise_for_status()
        table = answer.json()
    except httpx.TimeoutException as error:
        raise RoutingUnusable("slow") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RoutingUnusable("unreachable", type(error).__name__) from error
    except ValueError as error:
        raise RoutingUnusable("malformed") from error
    if not isinstance(table, dict) or table.get("code") != "Ok":
        raise RoutingUnusable("refused")
    return table


def _enter(
    table: dict[str, Any],
    places: Sequence[Place],
    rows: range,
    columns: range,
    into: tuple[list[list[int]], list[list[int]]],
) -> None:
    durations = _shaped(table.get("durations"), len(rows), len(columns))
    distances = _shaped(table.get("distances"), len(rows), len(columns))
    seconds, metres = into
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            duration, distance = durations[i][j], distances[i][j]
            _check(duration, distance, places[row], places[column])
            seconds[row][column] = round(duration)
            metres[row][column] = round(distance)


def _shaped(value: Any, rows: int, columns: int) -> list[list[float]]:
    if (
        not isinstance(value, list)
        or len(value) != rows
        or any(not isinstance(row, list) or len(row) != columns for row in value)
    ):
        raise RoutingUnusable("malformed")
    for row in value:
        for cell in row:
            if cell is None:
                raise RoutingUnusable("no-road")
            if isinstance(cell, bool) or not isinstance(cell, int | float):
                raise RoutingUnusable("malformed")
            if not math.isfinite(cell) or cell < 0:
                raise RoutingUnusable("implausible")
    return value


def _check(duration: float, distance: float, start: Place, end: Place) -> None:
    """Refuse a road shorter than the straight line, or a speed that no vehicle reaches."""
    if distance + SNAPPED_M < SHORTEST_SHARE * _straight(start, end):
        raise RoutingUnusable("implausible", "shorter than the straight line")
    if distance > SNAPPED_M and distance > duration * FASTEST_M_S:
        raise RoutingUnusable("implausible", "too fast")


def _straight(start: Place, end: Place) -> float:
    """Return the metres between two places on a sphere (haversine)."""
    (phi_1, lambda_1), (phi_2, lambda_2) = (tuple(map(math.radians, one)) for one in (start, end))
    h = (
        math.sin((phi_2 - phi_1) / 2) ** 2
        + math.cos(phi_1) * math.cos(phi_2) * math.sin((lambda_2 - lambda_1) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(h))
