"""How fast evaluations are taken in, beside the same rows written by `executemany`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
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
from mobile_api.chain import canonical, is_signed
from tests.builders import County

Rows = tuple[list[str], list[tuple[Any, ...]]]
BATCHES = (1, 20, 100, 500)
CLIENTS = (1, 8, 32)
#: More than a long week of home visits.
TABLET_HOLDS = 100
#: A tablet's token and the body it sends.
Sent = tuple[str, bytes]
_NEWEST = "SELECT {} FROM outreach_evaluation ORDER BY id DESC LIMIT {}"
#: What a pushed evaluation writes, in the order in which it can be deleted, and which column of
#: those rows names which of the evaluation's; a ledger entry is sealed and names none.
WRITTEN = {
    "mobile_api_ledgerentry": None,
    "outreach_photo": ("evaluation_id", ["id"]),
    "outreach_evaluation_co_signers": ("evaluation_id", ["id"]),
    "outreach_journey": ("evaluation_id", ["id"]),
    "outreach_evaluation": ("id", ["id"]),
    "outreach_visitevent": ("visit_id", ["visit_id"]),
    "outreach_applicationevent": ("application_id", ["application_id"]),
    "outreach_auditevent": ("subject_id", ["id", "visit_id", "application_id"]),
}


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
    """Push `each` evaluations from each client at once and measure.

    A client plays one tablet after another: no tablet is away for longer than `TABLET_HOLDS`
    evaluations, and what an exchange costs grows with the photos that its tablet still owes. Each
    client has pushed one before: threads, connections and what they keep stand by then.
    """
    first = players(place, clients, 1)
    lines = [Line(bench.exchanges) for _ in first]
    _send(lines, [_packed(player, 1) for player in first])
    holds = max(batch, TABLET_HOLDS)
    work = [
        [
            one
            for at in range(0, each, holds)
            for one in _packed(players(place, 1, min(holds, each - at))[0], batch)
        ]
        for _ in lines
    ]
    before, began = bench.cpu(), time.perf_counter()
    _send(lines, work)
    took, used = time.perf_counter() - began, spent(before, bench.cpu())
    for line in lines:
        line.close()
    total = clients * each
    us = {name: seconds * 1e6 / total for name, seconds in used.items()}
    return Pushed(batch, clients, total / took, us["server"], us["client"], us.get("database", 0.0))


def _packed(player: Player, batch: int) -> list[Sent]:
    token = player.tablet.state.token
    return [(token, packed(body)) for body in batches(player, player.visits, batch)]


def _send(lines: Sequence[Line], work: Iterable[Sequence[Sent]]) -> None:
    """Send to each line its bodies, all lines at once; every mutation must be applied."""
    with ThreadPoolExecutor(len(lines)) as pool:
        for outcomes in pool.map(_send_all, lines, work):
            if set(outcomes) != {"applied"}:
                raise RuntimeError(f"not all were applied: {set(outcomes)}")


def _send_all(line: Line, sent: Sequence[Sent]) -> list[str]:
    outcomes = []
    for line.token, body in sent:
        outcomes += [one["outcome"] for one in line.sync(body)["outcomes"]]
    return outcomes


def raw(rows: int, repeats: int = 5) -> tuple[float, float]:
    """Return rows of evaluations per second, and CPU µs each, by `executemany` in one transaction.

    All that the newest `rows` evaluations wrote is taken out and written again: the same rows,
    tables and indexes. The best of `repeats`.
    """
    held = {table: newest(table, rows) for table in WRITTEN}
    best = [_once(held) for _ in range(repeats)]
    return rows / min(took for took, _ in best), min(used for _, used in best) * 1e6 / rows


def _once(held: dict[str, Rows]) -> tuple[float, float]:
    """Return the seconds that writing the rows again takes, and the seconds of CPU."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table, (names, found) in held.items():
            at = names.index("id")
            keys = [(row[at],) for row in found]
            cursor.executemany(f'DELETE FROM "{table}" WHERE id = %s', keys)
    cpu, began = time.process_time(), time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for table, (names, found) in reversed(held.items()):
            listed = ", ".join(f'"{name}"' for name in names)
            marks = ", ".join(["%s"] * len(names))
            cursor.executemany(f'INSERT INTO "{table}" ({listed}) VALUES ({marks})', found)
    return time.perf_counter() - began, time.process_time() - cpu


def newest(table: str, evaluations: int) -> Rows:
    """Return column names, and the rows that so many of the newest evaluations wrote."""
    link = WRITTEN[table]
    if link is None:
        which = f"ORDER BY id DESC LIMIT {evaluations}"
    else:
        named = (f"({_NEWEST.format(column, evaluations)})" for column in link[1])
        which = "WHERE " + " OR ".join(f"{link[0]} IN {one}" for one in named)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{table}" {which}')
        names = [column[0] for column in cursor.description]
        return names, [tuple(map(_plain, row)) for row in cursor.fetchall()]


def _plain(value: Any) -> Any:
    """Return a value as SQLite stores it; its module reads times that it cannot write."""
    if connection.vendor == "sqlite" and isinstance(value, (date, time_of_day)):
        return str(value)
    return value


def checking(place: County, repeats: int = 500) -> float:
    """Return the CPU µs that checking the signature of one evaluation takes, and nothing else."""
    [player] = players(place, 1, 1)
    [body] = batches(player, player.visits, 1)
    [said] = body["push"]["mutations"]
    key, signed = player.tablet.key.public_key(), canonical(said)
    cpu = time.process_time()
    if not all(is_signed(key, signed, said["sig"]) for _ in range(repeats)):
        raise RuntimeError("the tablet's own signature does not hold")
    return (time.process_time() - cpu) * 1e6 / repeats


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
