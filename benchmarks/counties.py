"""`python -m benchmarks.counties`: what many counties in one PostgreSQL cost and notice.

First counties are admitted one after another by the operators' own recipe, each with an empty
register: the processor seconds of its `migrate` (the database's not counted), the size of the
catalogue, and the seconds and size of one county's dump. Then people work (`tests.kills.load`) in
one county alone, and in the others beside each other, each with a server of its own; in the end
each register must hold what its people were told, and nobody else's.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

CASES, VISITS = 60, 14
#: Seconds of work in each part.
WORK_S = 20.0


def main() -> int:
    """Measure, print both tables, and tell whether anything was lost or crossed over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counties", type=int, default=40)
    parser.add_argument("--beside", type=int, default=3)
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    os.environ.pop("DATABASE_URL", None)
    import django

    django.setup()
    from tests.outreach.backups.installation import another_database
    from tests.outreach.backups.province import Province
    from tests.postgres import running

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="counties-")))
        os.environ["DATABASE_URL"] = stack.enter_context(running())
        _cost(folder, Province(another_database()), chosen.counties)
        lost = _beside(folder, Province(another_database()), chosen.beside)
    print(f"\nLost, or in another county: {lost or 'nothing'}")
    return 1 if lost else 0


def _cost(folder: Path, province: Any, counties: int) -> None:
    from tests.outreach.backups.installation import Installation

    print(
        "| counties | CPU of its migrate | tables and indexes | catalogue | dump of one |\n"
        + "|---" * 5
        + "|"
    )
    for number in range(1, counties + 1):
        name = f"cost_{number:03}"
        county = Installation(folder / name, "", province.admits(name))
        began = _of_children()
        county.manage("migrate", "--no-input")
        took = _of_children() - began
        if number in {1, counties // 4, counties // 2, counties}:
            relations, size = _catalogue(province.url)
            seconds, dump = _dump(county.database_url, name)
            print(
                f"| {number} | {took:.1f} s | {relations:,} | {size / 2**20:.0f} MB |"
                f" {seconds:.2f} s, {dump / 1024:.0f} KB |",
                flush=True,
            )


def _catalogue(url: str) -> tuple[int, int]:
    import psycopg

    with psycopg.connect(url) as server:
        return server.execute(
            "SELECT count(*) FILTER (WHERE relnamespace <> 'pg_catalog'::regnamespace"
            " AND relkind IN ('r', 'i')),"
            " sum(pg_relation_size(oid)) FILTER (WHERE relnamespace = 'pg_catalog'::regnamespace)"
            " FROM pg_class"
        ).fetchone()  # type: ignore[return-value]


def _dump(url: str, schema: str) -> tuple[float, int]:
    from tests.outreach.backups.installation import TOOLS

    command = [str(TOOLS / "pg_dump"), "--format=custom", f"--schema={schema}", url]
    began = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began, len(done.stdout)


def _beside(folder: Path, province: Any, counties: int) -> dict[str, Any]:
    from tests.kills.campaign import Came, Server, losses
    from tests.kills.load import Load
    from tests.outreach.backups.installation import Installation

    offices = [
        Installation(folder / f"work_{n}", "", province.admits(f"work_{n}"))
        for n in range(counties)
    ]
    given = [
        json.loads(one.run("-m", "tests.kills.register", "prepare", str(CASES), str(VISITS)))
        for one in offices
    ]
    lost: dict[str, Any] = {}
    with (folder / "server.log").open("wb") as log, ExitStack() as stack:
        servers = [Server(one.environment() | {"OUTREACH_LEASE_S": "1"}, log) for one in offices]
        for server in servers:
            stack.callback(server.stop)
        loads = [
            Load(folder / f"tablets_{n}", [server.port], given[n])
            for n, server in enumerate(servers)
        ]
        print("\n| at work | deeds a second in each |\n|---|---|")
        _work(loads[:1])
        _work(loads[1:])
        for load in loads:
            load.end(patience_s=120)
        for n, office in enumerate(offices):
            held = _settled(office)
            if found := losses(Came(loads[n].done, held, 0)):
                lost[f"work_{n}"] = found
            known = set(given[n]["signable"]) | set(given[n]["complete"])
            foreign = set(held["certified"]) - known - set(loads[n].done.applications)
            if foreign:
                lost[f"work_{n} holds another's"] = sorted(foreign)
    return lost


def _work(loads: list[Any]) -> None:
    """Let the counties work, and print how much each did; they rest afterwards."""
    before = [load.done.total() for load in loads]
    for load in loads:
        load.begin()
    time.sleep(WORK_S)
    done = [load.done.total() - count for load, count in zip(loads, before, strict=True)]
    for load in loads:
        load.end(patience_s=120)
    rates = ", ".join(f"{count / WORK_S:.1f}" for count in done)
    print(f"| {len(loads)} | {rates} |", flush=True)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _settled(office: Any) -> dict[str, Any]:
    from tests.kills.campaign import _when_quiet

    return _when_quiet(office)


if __name__ == "__main__":
    sys.exit(main())
