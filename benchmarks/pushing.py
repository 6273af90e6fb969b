"""How fast evaluations are taken in, beside the same rows written by `executemany`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from datetime import time as time_of_day
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.line import Line, packed
from benchmarks.register import Player, batches, players
from benchmarks.serving import Bench, spent
from tests.builders import County

BATCHES = (1, 20, 100, 500)
CLIENTS = (1, 8, 32)
#: What a pushed evaluation writes; the order in which it can be deleted.
WRITTEN = (
    "mobile_api_ledgerentry",
    "outreach_photo",
    "outreach_evaluation_co_signers",
    "outreach_journey",
    "outreach_evaluation",
    "outreach_visitevent",
    "outreach_applicationevent",
    "outreach_auditevent",
)


@dataclass(frozen=True)
class Pushed:
    """One cell of the table."""

    batch: int
    clients: int
    per_second: float
    server_us: float
    client_us: float
    database_us: float


def push(bench: Bench, place: County, batch: int, clients: int, each: int) -> Pushed:
    """Push `each` evaluations from each client at once and measure."""
    playing = players(place, clients, each)
    work = [
        (Line(bench.port, player.tablet.state.token), [packed(body) for body in bodies])
        for player in playing
        for bodies in [batches(player, player.visits, batch)]
    ]
    before, began = bench.cpu(), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        for outcomes in pool.map(_send_all, work):
            if set(outcomes) != {"applied"}:
                raise RuntimeError(f"not all were applied: {set(outcomes)}")
    took, used = time.perf_counter() - began, spent(before, bench.cpu())
    total = clients * each
    us = {name: seconds * 1e6 / total for name, seconds in used.items()}
    return Pushed(batch, clients, total / took, us["server"], us["client"], us.get("database", 0.0))


def _send_all(work: tuple[Line, list[bytes]]) -> list[str]:
    line, bodies = work
    outcomes = [one["outcome"] for body in bodies for one in line.sync(body)["outcomes"]]
    line.close()
    return outcomes


def raw(rows: int) -> tuple[float, float]:
    """Return rows of evaluations per second, and CPU µs each, by `executemany` in one transaction.

    The newest `rows` ledger entries' worth of every table is taken out and written again: the
    same rows, tables and indexes.
    """
    held = {table: _newest(table, rows) for table in WRITTEN}
    with transaction.atomic(), connection.cursor() as cursor:
        _defer(cursor)
        for table, (names, found) in held.items():
            at = names.index("id")
            cursor.executemany(
                f'DELETE FROM "{table}" WHERE id = %s',
                [(row[at],) for row in found],
            )
    cpu, began = time.process_time(), time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        _defer(cursor)
        for table, (names, found) in reversed(held.items()):
            listed = ", ".join(f'"{name}"' for name in names)
            marks = ", ".join(["%s"] * len(names))
            cursor.executemany(f'INSERT INTO "{table}" ({listed}) VALUES ({marks})', found)
    took = time.perf_counter() - began
    return rows / took, (time.process_time() - cpu) * 1e6 / rows


def _defer(cursor: Any) -> None:
    if connection.vendor == "sqlite":
        cursor.execute("PRAGMA defer_foreign_keys = ON")
    else:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _newest(table: str, evaluations: int) -> tuple[list[str], list[Any]]:
    """Return column names and the rows that so many evaluations wrote, on average."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT COUNT(*) FROM "{table}"')
        total = cursor.fetchone()[0]
        cursor.execute("SELECT COUNT(*) FROM outreach_evaluation")
        share = total * evaluations // cursor.fetchone()[0]
        cursor.execute(f'SELECT * FROM "{table}" ORDER BY id DESC LIMIT {share}')
        names = [column[0] for column in cursor.description]
        return names, [tuple(map(_plain, row)) for row in cursor.fetchall()]


def _plain(value: Any) -> Any:
    """Return a value as SQLite stores it; its module reads times that it cannot write."""
    if connection.vendor == "sqlite" and isinstance(value, (date, time_of_day)):
        return str(value)
    return value


def statements(place: County, sizes: Iterable[int]) -> dict[int, int]:
    """Return how many statements one push takes, by the size of its batch."""
    counted = {}
    for size in sizes:
        [player] = players(place, 1, size)
        [body] = batches(player, player.visits, size)
        with CaptureQueriesContext(connection) as captured:
            answer = _in_process(player, body)
        if answer.status_code != 200:
            raise RuntimeError(answer.content[:300])
        counted[size] = len(captured)
    return counted


def _in_process(player: Player, body: dict[str, Any]) -> Any:
    return Client().generic(
        "POST",
        "/api/v1/sync",
        packed(body),
        content_type="application/json",
        headers={
            "Authorization": f"Bearer {player.tablet.state.token}",
            "Content-Encoding": "gzip",
            "Host": "127.0.0.1",
        },
    )
