"""Kill the servers of a county at random moments while everybody works, and count what is lost.

The issue's figure: `python -m tests.kills --kills 50`, and the same with `--postgresql`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from outreach.demo.server import ServerDied, free_port, serving
from tests.kills.load import Acknowledged, Load
from tests.outreach.backups.installation import Installation

#: What is prepared for each kill, so that nobody runs out of work.
CASES_A_KILL, VISITS = 4, 14


@dataclass(frozen=True)
class Came:
    """What people were told, what the register holds, and how many kills met a busy server."""

    told: Acknowledged
    held: dict[str, Any]
    kills: int


class Server:
    """A server that is killed and started again on the same port."""

    def __init__(self, environment: dict[str, str], log: IO[bytes]) -> None:
        self.port = free_port(0)
        self._environment, self._log = environment, log
        self._life = ExitStack()
        self.start()

    def start(self) -> None:
        """Begin a life and wait until it answers."""
        self._life = ExitStack()
        life = serving(self.port, threads=8, environment=self._environment, log=self._log)
        self._process = self._life.enter_context(life)

    def kill(self) -> None:
        """Send SIGKILL to the server and to its workers."""
        for pid in (*_children(self._process.pid), self._process.pid):
            os.kill(pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        """End the life, in peace if it still runs."""
        self._life.close()


def campaign(folder: Path, *, kills: int, servers: int, seed: int, database_url: str = "") -> Came:
    """Let everybody work on `servers` servers that are killed `kills` times; tell what came."""
    office, chance = Installation(folder, "", database_url), random.Random(seed)
    cases = str(CASES_A_KILL * kills + 8)
    given = json.loads(office.run("-m", "tests.kills.register", "prepare", cases, str(VISITS)))
    environment = office.environment() | {"OUTREACH_LEASE_S": "1"}
    (folder / "static").mkdir(exist_ok=True)
    with (folder / "server.log").open("wb") as log:
        lives = [Server(environment, log) for _ in range(servers)]
        load = Load(folder / "tablets", [one.port for one in lives], given)
        load.begin()
        try:
            for number in range(1, kills + 1):
                before = load.done.total()
                time.sleep(chance.uniform(0.2, 4))
                victim = chance.choice(lives)
                victim.kill()
                victim.start()
                print(
                    f"kill {number}: {load.done.total() - before} deeds since the last,"
                    f" {load.done.cut} answers cut in all",
                    flush=True,
                )
            load.end(patience_s=180)
            held = _when_quiet(office)
        except ServerDied as died:
            died.add_note((folder / "server.log").read_text(encoding="utf-8")[-3000:])
            raise
        finally:
            load.let_go()
            for one in lives:
                one.stop()
    return Came(load.done, held, kills)


def losses(came: Came) -> dict[str, Any]:
    """Return what was acknowledged and is not there, or is there twice; empty where all is well."""
    told, held = came.told, came.held
    numbers = held["numbers"]
    found = {
        "applications": sorted(set(told.applications) - set(held["applications"])),
        "evaluations": sorted(set(told.evaluations) - set(held["evaluations"])),
        "photos": sorted(set(told.blobs) - set(held["blobs"])),
        "accepted": sorted(set(told.accepted) - set(held["accepted"])),
        "accepted twice": sorted(one for one, count in held["accepted"].items() if count != 1),
        "signed": sorted(set(told.signed) - set(held["certified"])),
        "certified twice": len(held["certified"]) - len(set(held["certified"])),
        "numbered twice": len(numbers) - len(set(numbers)),
        "papers": len(numbers) - held["papers"],
        "unmade": held["unmade"],
        "trail": held["trail_broken_at"],
        "numbers of tablets": {
            replica: seq
            for replica, seq in told.seqs.items()
            if held["last_seq"][replica] < seq
            or held["ledger"][replica] != list(range(1, held["last_seq"][replica] + 1))
        },
    }
    return {what: lost for what, lost in found.items() if lost}


def _when_quiet(office: Installation) -> dict[str, Any]:
    """Tell what the register holds once the papers of the last batches are made."""
    until = time.monotonic() + 120
    while True:
        held: dict[str, Any] = json.loads(office.run("-m", "tests.kills.register", "tell"))
        if not held["unmade"] or time.monotonic() > until:
            return held
        time.sleep(1)


def _children(pid: int) -> list[int]:
    """Return the processes that any thread of a process began."""
    told = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for child in " ".join(told).split()]
