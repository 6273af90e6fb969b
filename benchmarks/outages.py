"""`python -m benchmarks.outages`: the database is lost, or spoiled, while a county works.

`standby` kills the primary while everybody works, promotes a streaming standby and lets the same
web process go on with it: what was acknowledged must be there. With `--asynchronous` the standby is
some seconds behind, as on a bad line: it tells what is lost then, and what tablets bring back.

`store` takes the object store off the line four times under work: moto's, or the one that
`OUTREACH_TEST_STORE` names.

`moment` archives the log of a primary, spoils the register by a command nobody wanted, and restores
it to the moment before: `begin_epoch`, and the tablets send again what came after it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg

from benchmarks.clusters import Cluster

#: Seconds of work before the outage, and after it.
BEFORE_S, AFTER_S = 12.0, 12.0
#: Seconds by which an asynchronous standby is behind.
BEHIND_S = 3.0
CASES, VISITS = 120, 14
#: Times that the store is off the line.
OUTAGES = 4
Told = dict[str, str]
PRIMARY = {"wal_level": "replica", "max_wal_senders": "4", "max_connections": "60"}


def main() -> int:
    """Play one outage, print its table, and tell whether anything is missing that must not be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("outage", choices=("standby", "moment", "store"))
    parser.add_argument("--asynchronous", action="store_true")
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    os.environ.pop("DATABASE_URL", None)
    import django

    django.setup()
    with _folder() as folder:
        if chosen.outage == "moment":
            told, lost = moment(folder)
        elif chosen.outage == "store":
            told, lost = store(folder)
        else:
            told, lost = standby(folder, is_synchronous=not chosen.asynchronous)
    print("| | |\n|---|---|")
    print("\n".join(f"| {name} | {value} |" for name, value in told.items()))
    print(f"\nAcknowledged, and missing in the end: {lost or 'nothing'}")
    return 1 if lost else 0


@contextmanager
def _folder() -> Iterator[Path]:
    """Yield a folder that the database's account may pass through, for its sockets below it."""
    folder = Path(tempfile.mkdtemp(prefix="outage-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class County:
    """A county at work: its installation, and the people of `tests.kills.load`."""

    office: Any
    load: Any
    tablets: Path

    @classmethod
    def prepared(cls, folder: Path, url: str) -> tuple[Any, dict[str, Any]]:
        """Enter a county with work for everybody; return it and what its people know."""
        from tests.outreach.backups.installation import Installation

        office = Installation(folder / "office", "", url)
        office.data.mkdir()
        (office.data / "static").mkdir()
        prepared = office.run("-m", "tests.kills.register", "prepare", str(CASES), str(VISITS))
        return office, json.loads(prepared.strip().splitlines()[-1])


def standby(folder: Path, *, is_synchronous: bool) -> tuple[Told, dict[str, Any]]:
    """Kill the primary under work, go on with its standby; return a table and what is missing."""
    from benchmarks.drill import counted, heal, paced, photos_of
    from tests.kills.campaign import Came, Server, losses

    first, second = Cluster(folder / "first"), Cluster(folder / "second")
    with ExitStack() as stack:
        for one in (first, second):
            stack.callback(one.remove)
        first.create(PRIMARY)
        first.start()
        office, given = County.prepared(folder, first.url(beside=second))
        began = time.perf_counter()
        _follow(first, second)
        copied = time.perf_counter() - began
        if is_synchronous:
            first.set({"synchronous_standby_names": "*"})
            first.control("reload")
        log = stack.enter_context((folder / "server.log").open("wb"))
        server = Server(office.environment() | {"OUTREACH_LEASE_S": "1"}, log)
        stack.callback(server.stop)
        load = paced(folder / "tablets", [server.port], given)
        load.begin()
        stack.callback(load.let_go)
        time.sleep(BEFORE_S)
        if not is_synchronous:
            _hold_up(second)
            time.sleep(BEHIND_S)
        first.kill()
        killed = time.perf_counter()
        then = counted(load.done)
        if not is_synchronous:
            _let_on(second)
        second.control("promote", "-w")
        promoted = time.perf_counter() - killed
        again = _until(lambda: counted(load.done) != then) - killed
        time.sleep(AFTER_S)
        since = {name: n - then[name] for name, n in counted(load.done).items()}
        told = {
            "standby": "synchronous" if is_synchronous else f"{BEHIND_S:.0f} s behind",
            "copied to the standby": f"{copied:.1f} s",
            "acknowledged before": _listed(then),
            "from the kill to the promotion": f"{promoted:.1f} s",
            "from the kill to the next acknowledgement": f"{again:.1f} s",
            "acknowledged after, by the same web process": _listed(since),
        }
        load.end(patience_s=120)
        if not is_synchronous:
            office.manage("begin_epoch")
        base = f"http://127.0.0.1:{server.port}"
        with httpx.Client(base_url=base, timeout=60) as client:
            records, photos = heal(client, folder / "tablets")
        told["sent again by the tablets"] = f"{records} records, {photos} photos"
        held = _held(office)
        lost = losses(Came(load.done, held, 1))
        if not is_synchronous:  # what only the desk knew is gone, and must be done again
            gone = {name: len(lost.pop(name, [])) for name in ("accepted", "signed")}
            told["lost at the desk"] = _listed(gone)
            # No record of the load names the photos that its liaison sends, so no tablet is asked.
            of_records = set(photos_of(VISITS))
            photos_lost = [one for one in lost.pop("photos", []) if one in of_records]
            lost |= {"photos": photos_lost} if photos_lost else {}
        return told, lost


def moment(folder: Path) -> tuple[Told, dict[str, Any]]:
    """Spoil the register, restore it to the moment before; return a table and what is missing."""
    from benchmarks.drill import counted, heal, missing, paced, served
    from tests.kills.campaign import Server

    cluster, there = Cluster(folder / "first"), Cluster(folder / "there")
    archive = folder / "archive"
    archive.mkdir()
    cluster.give(archive)
    with ExitStack() as stack:
        for one in (cluster, there):
            stack.callback(one.remove)
        keep = f"test ! -f {archive}/%f && cp %p {archive}/%f"
        cluster.create(PRIMARY | {"archive_mode": "on", "archive_command": keep})
        cluster.start()
        office, given = County.prepared(folder, cluster.url())
        began = time.perf_counter()
        there.room()
        there.tool("pg_basebackup", "--pgdata", str(there.data), "--dbname", cluster.url(),
                   "--checkpoint=fast", "--wal-method=none")  # fmt: skip
        based = time.perf_counter() - began
        log = stack.enter_context((folder / "server.log").open("wb"))
        server = Server(office.environment(), log)
        stack.callback(server.stop)
        load = paced(folder / "tablets", [server.port], given)
        load.begin()
        stack.callback(load.let_go)
        time.sleep(BEFORE_S)
        then = counted(load.done)
        with psycopg.connect(cluster.url(), autocommit=True) as database:
            [(before,)] = database.execute("SELECT now()::text").fetchall()
            time.sleep(0.5)
            spoiled = database.execute("UPDATE outreach_visit SET state = 'cancelled'").rowcount
        time.sleep(AFTER_S)
        load.end(patience_s=120)
        since = {name: n - then[name] for name, n in counted(load.done).items()}
        server.kill()
        with psycopg.connect(cluster.url(), autocommit=True) as database:
            database.execute("SELECT pg_switch_wal()")
            [(last,)] = database.execute(
                "SELECT pg_walfile_name(pg_current_wal_lsn() - 1)"
            ).fetchall()
        _until((archive / last).exists)
        cluster.kill()
        began = time.perf_counter()
        there.set(
            {
                "restore_command": f"cp {archive}/%f %p",
                "recovery_target_time": before,
                "recovery_target_action": "promote",
                "archive_mode": "off",
            }
        )
        (there.data / "recovery.signal").touch()
        there.give(there.data / "recovery.signal")
        there.start()
        _until(lambda: not _is_recovering(there))
        recovered = time.perf_counter() - began
        restored = type(office)(office.data, "", there.url())
        restored.manage("migrate", "--no-input")
        restored.manage("begin_epoch")
        with psycopg.connect(there.url()) as database:
            [(still,)] = database.execute(
                "SELECT count(*) FROM outreach_visit WHERE state = 'cancelled'"
            ).fetchall()
        with served(restored.environment()) as client:
            answering = time.perf_counter() - began
            records, photos = heal(client, folder / "tablets")
        held = json.loads(restored.run("-m", "tests.kills.register", "tell"))
        again = {
            "acceptances": len(set(load.done.accepted) - set(held["accepted"])),
            "signatures": len(set(load.done.signed) - set(held["certified"])),
        }
        segments = [file.stat().st_size for file in archive.iterdir()]
        told = {
            "base backup": f"{based:.1f} s, {_size(there.data):.0f} MB",
            "archived log": f"{len(segments)} segments, {sum(segments) / 2**20:.0f} MB",
            "spoiled by one command": f"{spoiled} visits cancelled; {still} after the restore",
            "acknowledged before the moment": _listed(then),
            "acknowledged after it": _listed(since),
            "until the database stood at the moment": f"{recovered:.1f} s",
            "until the server answered": f"{answering:.1f} s",
            "sent again by the tablets": f"{records} records, {photos} photos",
            "to be done again at the desk": _listed(again),
        }
        return told, missing(load.done, held) | ({"spoiled": still} if still else {})


def store(folder: Path) -> tuple[Told, dict[str, Any]]:
    """Take the store off the line under work; return a table and what is missing."""
    from benchmarks.drill import counted, paced
    from tests.e2e.line import a_line
    from tests.kills.campaign import Came, Server, losses
    from tests.outreach.files.test_bucket import OWN, Store

    office, given = County.prepared(folder, "")
    with ExitStack() as stack:
        kept = Store(OWN)
        stack.callback(kept.close)
        name = f"outreach-drill-{uuid4().hex[:12]}"
        address = urlsplit(kept.new_bucket(name))
        files = office.data / "files"  # portraits that were laid there come along
        for file in (one for one in files.rglob("*") if one.is_file()):
            kept.client.upload_file(str(file), name, f"511302/{file.relative_to(files)}")
        line = stack.enter_context(a_line(address.port or 80))
        place = {
            "OUTREACH_BUCKET": f"{line.address}/{name}/511302?{address.query}",
            "OUTREACH_BUCKET_KEY": kept.key,
            "OUTREACH_BUCKET_SECRET": kept.secret,
        }
        log = stack.enter_context((folder / "server.log").open("wb"))
        server = Server(office.environment() | place | {"OUTREACH_LEASE_S": "1"}, log)
        stack.callback(server.stop)
        load = paced(folder / "tablets", [server.port], given)
        load.begin()
        stack.callback(load.let_go)
        meanwhile = 0
        for _ in range(OUTAGES):
            time.sleep(BEFORE_S / 2)
            before, line.is_down = load.done.total(), True
            time.sleep(BEFORE_S / 2)
            meanwhile += load.done.total() - before
            line.is_down = False
        time.sleep(AFTER_S / 2)
        load.end(patience_s=180)
        held = _held(office, place)
        told = {
            "store": "named by OUTREACH_TEST_STORE" if OWN else "moto's",
            "off the line": f"{OUTAGES} times {BEFORE_S / 2:.0f} s",
            "acknowledged": _listed(counted(load.done)),
            "of which while it was off (text alone)": f"{meanwhile} deeds",
            "papers made": str(held["papers"]),
        }
        return told, losses(Came(load.done, held, OUTAGES))


def _follow(first: Cluster, second: Cluster) -> None:
    """Make the second a streaming standby of the first, with a slot that keeps what it wants."""
    second.room()
    second.tool("pg_basebackup", "--pgdata", str(second.data), "--dbname", first.url(),
                "--checkpoint=fast", "--wal-method=stream", "--create-slot", "--slot=second",
                "--write-recovery-conf")  # fmt: skip
    second.start()

    def is_streaming() -> bool:
        with psycopg.connect(first.url()) as database:
            asked = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
            return bool(database.execute(asked).fetchall()[0][0])

    _until(is_streaming)


def _hold_up(standby: Cluster) -> None:
    for pid in _receivers(standby):
        os.kill(pid, signal.SIGSTOP)


def _let_on(standby: Cluster) -> None:
    """Let it find that its primary is gone, without what it had not received."""
    for pid in _receivers(standby):
        os.kill(pid, signal.SIGKILL)


def _receivers(standby: Cluster) -> list[int]:
    postmaster = (standby.data / "postmaster.pid").read_text().split()[0]
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    named = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
    return [pid for pid, name in named.items() if "walreceiver" in name]


def _is_recovering(cluster: Cluster) -> bool:
    with psycopg.connect(cluster.url()) as database:
        return bool(database.execute("SELECT pg_is_in_recovery()").fetchall()[0][0])


def _until(happened: Callable[[], bool], patience_s: float = 120) -> float:
    """Wait for something, and return when it happened."""
    began = time.perf_counter()
    while not happened():
        if time.perf_counter() - began > patience_s:
            raise TimeoutError("it did not happen")
        time.sleep(0.05)
    return time.perf_counter()


def _held(office: Any, settings: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """Tell what the register holds once the papers of the last batches are made."""
    until = time.monotonic() + 120
    while True:
        said = office.run("-m", "tests.kills.register", "tell", **settings)
        held: dict[str, Any] = json.loads(said)
        if not held["unmade"] or time.monotonic() > until:
            return held
        time.sleep(1)


def _size(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


if __name__ == "__main__":
    sys.exit(main())
