"""What a poll costs with nothing new and with a hundred new rows, in registers of any size."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import timedelta

from benchmarks.line import Line, packed
from benchmarks.register import Player, due, fill, players
from benchmarks.serving import Bench, spent
from tests.builders import VISIT_ON, County

SIZES = (10_000, 100_000, 1_000_000)
SCOPE = 60
POLLS = 60


@dataclass(frozen=True)
class Pulled:
    """One row of the table."""

    rows: int
    nothing_ms: float
    nothing_cpu_us: float
    hundred_ms: float


def pull(bench: Bench, place: County, rows: int) -> Pulled:
    """Grow the register to `rows` visits and poll as one of its tablets."""
    [player] = players(place, 1, SCOPE)
    fill(place, rows)
    line = Line(bench.exchanges, player.tablet.state.token)
    _settle(line, player)
    times, before = [], bench.cpu()
    for _ in range(POLLS):
        began = time.perf_counter()
        _exchange(line, player)
        times.append(time.perf_counter() - began)
    used = spent(before, bench.cpu())
    due(place, player.user, 100, VISIT_ON + timedelta(days=1))
    began = time.perf_counter()
    _settle(line, player)
    hundred = time.perf_counter() - began
    line.close()
    cpu = (used["server"] + used.get("database", 0.0)) * 1e6 / POLLS
    return Pulled(rows, statistics.median(times) * 1e3, cpu, hundred * 1e3)


def _exchange(line: Line, player: Player) -> str:
    request = player.tablet.request()
    request["pull"]["max_bytes"] = 1_048_576
    return player.tablet.receive(request, (200, line.sync(packed(request))))


def _settle(line: Line, player: Player) -> None:
    while _exchange(line, player) == "more":
        pass
