"""`python -m benchmarks.drill`: a county loses its disk in the middle of its work, and restores it.

People nominate, evaluate, accept and sign (`tests.kills.load`) while `manage.py backup` runs, and
go on for a while after it. Then the server is killed and its folder is gone: `manage.py restore`
makes the register of the backup elsewhere, and the tablets exchange once. The table says how long
each part took, how large things are, what the tablets brought back by themselves, and what people
must do again. What was enrolled and stopped since lies on another disk, as the how-to asks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

#: Seconds of work before the backup, and after it.
BEFORE_S, AFTER_S = 10.0, 15.0
#: Seconds between two records of a tablet: an assessor's day of visits must last that long.
PACE_S = 1.5
CASES, VISITS = 120, 14


def main() -> int:
    """Play the drill, print its table, and tell whether anything a tablet said is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--photos", type=int, default=2_000, help="that were there before")
    parser.add_argument("--photo-kb", type=int, default=150)
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    os.environ.pop("DATABASE_URL", None)
    import django

    django.setup()
    from tests.postgres import running

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drill-")))
        if chosen.postgresql:
            os.environ["DATABASE_URL"] = stack.enter_context(running())
        told, lost = _drill(folder, chosen.photos, chosen.photo_kb)
    print(f"\n{'PostgreSQL' if chosen.postgresql else 'SQLite'}, {chosen.photos:,} photos before\n")
    print("| | |\n|---|---|")
    print("\n".join(f"| {name} | {value} |" for name, value in told.items()))
    print(f"\nSaid by a tablet and missing in the end: {lost or 'nothing'}")
    return 1 if lost else 0


@dataclass
class Prober:
    """Somebody who asks for a page again and again: how long it took, and in which phase."""

    port: int
    ms: dict[str, list[float]] = field(default_factory=dict)
    phase: str = "before"
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        """Ask for the ready check, which reads the database, until told to stop."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60) as client:
            while not self.over.wait(0.05):
                began = time.perf_counter()
                with suppress(httpx.TransportError):
                    client.get("/readyz")
                    took = (time.perf_counter() - began) * 1e3
                    self.ms.setdefault(self.phase, []).append(took)

    def worst(self, phase: str) -> str:
        """Return median and worst of a phase."""
        ordered = sorted(self.ms.get(phase, [0.0]))
        return f"{ordered[len(ordered) // 2]:.0f} / {ordered[-1]:.0f} ms"


def _drill(folder: Path, photos: int, photo_kb: int) -> tuple[dict[str, str], dict[str, Any]]:
    from outreach.backups.archive import new_identity
    from tests.kills.campaign import Server
    from tests.outreach.backups.installation import Installation, another_database

    secret, public = new_identity()
    (identity := folder / "backup.key").write_text(f"{secret}\n")
    office = Installation(folder / "office", public, another_database())
    office.data.mkdir()
    outlasts = {
        "OUTREACH_ENROLMENTS": str(folder / "enrolments.jsonl"),
        "OUTREACH_REVOCATIONS": str(folder / "revocations.jsonl"),
    }
    prepared = office.run("-m", "tests.kills.register", "prepare", str(CASES), str(VISITS))
    given = json.loads(prepared.strip().splitlines()[-1])
    office.run("-m", "benchmarks.drill", "ballast", str(photos), str(photo_kb))
    told: dict[str, str] = {"before": f"{photos * photo_kb / 1024:,.0f} MB of photos"}
    with (folder / "server.log").open("wb") as log:
        server = Server(office.environment() | outlasts, log)
        prober, load = Prober(server.port), paced(folder / "tablets", [server.port], given)
        asking = threading.Thread(target=prober.ask)
        asking.start()
        load.begin()
        time.sleep(BEFORE_S)
        began, deeds = time.perf_counter(), load.done.total()
        prober.phase = "meanwhile"
        office.manage("backup", str(folder / "backups"))
        took, done = time.perf_counter() - began, load.done.total() - deeds
        prober.phase = "after"
        then = counted(load.done)
        time.sleep(AFTER_S)
        load.end(patience_s=120)
        prober.over.set()
        asking.join()
        since = {name: count - then[name] for name, count in counted(load.done).items()}
        server.kill()
    (backup,) = (folder / "backups").iterdir()
    told |= {
        "the backup took": f"{took:.1f} s, and {done} deeds were done meanwhile",
        "its size": f"{backup.stat().st_size / 2**20:,.0f} MB",
        "answers before it, median / worst": prober.worst("before"),
        "answers meanwhile, median / worst": prober.worst("meanwhile"),
        "acknowledged after it": ", ".join(f"{count} {name}" for name, count in since.items()),
    }
    there = Installation(folder / "there", "", another_database())
    began = time.perf_counter()
    there.manage("restore", str(backup), "--identity", str(identity), **outlasts)
    told["the restore took"] = f"{time.perf_counter() - began:.1f} s"
    with served(there.environment() | outlasts) as client:
        told["until the server answered"] = f"{time.perf_counter() - began:.1f} s"
        healed, asked = heal(client, folder / "tablets")
        told["until the tablets had exchanged"] = f"{time.perf_counter() - began:.1f} s"
        told["sent again by the tablets"] = f"{healed} records, {asked} photos"
    held = json.loads(there.run("-m", "tests.kills.register", "tell"))
    told["to be done again at the desk"] = (
        f"{len(set(load.done.accepted) - set(held['accepted']))} acceptances,"
        f" {len(set(load.done.signed) - set(held['certified']))} signatures"
    )
    return told, missing(load.done, held)


def paced(folder: Path, ports: list[int], given: dict[str, Any]) -> Any:
    """Return the people of the load, whose tablets rest between two records."""
    from tests.kills.load import Load

    class Paced(Load):
        def _exchange(self, tablet: Any) -> None:
            super()._exchange(tablet)
            self._home.wait(PACE_S)

    return Paced(folder, ports, given)


def counted(done: Any) -> dict[str, int]:
    """Count what people were told is done, by kind."""
    return {
        "nominations": len(done.applications),
        "evaluations": len(done.evaluations),
        "photos": len(done.blobs),
        "acceptances": len(done.accepted),
        "signatures": len(done.signed),
    }


def missing(done: Any, held: dict[str, Any]) -> dict[str, Any]:
    """Return what a tablet was told is safe and is not there; empty where all is well."""
    found = {
        "nominations": sorted(set(done.applications) - set(held["applications"])),
        "evaluations": sorted(set(done.evaluations) - set(held["evaluations"])),
        "records": [name for name, seq in done.seqs.items() if held["last_seq"][name] < seq],
        "trail": held["trail_broken_at"],
    }
    return {what: lost for what, lost in found.items() if lost}


@contextmanager
def served(environment: dict[str, str]) -> Iterator[httpx.Client]:
    """Serve an installation for the block; yield a way to ask it."""
    from outreach.demo.server import free_port, serving

    port = free_port(0)
    address = f"http://127.0.0.1:{port}"
    with (
        serving(port, threads=8, environment=environment),
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


def heal(client: httpx.Client, folder: Path) -> tuple[int, int]:
    """Let every tablet exchange, then send the photos it is asked for; count both."""
    from outreach.demo.tablet import Tablet

    records, asked = 0, 0
    for file in sorted(folder.glob("*.json")):
        tablet = Tablet(client, file)
        before = tablet.state.acked
        answer = tablet.exchange()
        records += max(0, before - answer["last_seq"]) if answer["last_seq"] < before else 0
        tablet.sync()
        photos = photos_of(len(tablet.state.sent)) if tablet.state.blobs_missing else {}
        for name in tablet.state.blobs_missing:
            tablet.upload(photos[name])
            asked += 1
        tablet.sync()
        if tablet.state.blobs_missing:
            raise RuntimeError(f"{file.stem} is still asked for photos")
    return records, asked


def photos_of(evaluations: int) -> dict[str, bytes]:
    """Return the photos that the assessor of the load took, by name."""
    from tests.kills.load import KINDS
    from tests.mobile_api.uploading import jpeg

    seeds = (10_000 + 10 * n + kind for n in range(evaluations) for kind in range(len(KINDS)))
    made = [jpeg(200, 150, seed=seed) for seed in seeds]
    return {hashlib.sha256(one).hexdigest(): one for one in made}


def _ballast(count: int, kilobytes: int) -> None:
    """Lay photos among the files of this installation, sealed, as earlier days left them."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
    django.setup()
    from io import BytesIO

    from django.conf import settings

    from outreach.files import local_files, photo_name

    shelf = local_files(settings.OUTREACH_FILES)
    for _ in range(count):
        content = os.urandom(kilobytes * 1024)
        shelf.put(photo_name(hashlib.sha256(content).hexdigest()), BytesIO(content).read)


if __name__ == "__main__":
    if sys.argv[1:2] == ["ballast"]:
        _ballast(int(sys.argv[2]), int(sys.argv[3]))
        raise SystemExit(0)
    raise SystemExit(main())
