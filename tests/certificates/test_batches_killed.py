"""Workers in processes of their own: killed with SIGKILL, several at once, on both databases."""

from __future__ import annotations

import base64
import json
import os
import random
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import migrated
from tests.postgres import running

ROOT = Path(__file__).resolve().parents[2]
LONG = os.environ.get("OUTREACH_LONG") == "1"
PAPERS = 280 if LONG else 54
KILLS = 12 if LONG else 2
WORKERS = 4 if LONG else 2


COUNT = "SELECT count(*) FROM certificates_certificate"


class Office:
    """An office whose papers are made by processes of its own."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder = folder
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        ours = ("OUTREACH_", "DATABASE_URL", "DJANGO_")
        rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environment = rest | {
            "OUTREACH_ENV_FILE": os.devnull,
            "OUTREACH_DATA": str(folder),
            "OUTREACH_DEMO": "1",
            "OUTREACH_CLOCK": "simulated",
            "OUTREACH_SECRET_KEY": secrets.token_urlsafe(48),
            "OUTREACH_SEALING_KEYS": f"k:{key}",
            "OUTREACH_INDEX_KEY": key,
            "OUTREACH_SQLITE_SYNCHRONOUS": "NORMAL",
            "OUTREACH_LEASE_S": "1",
            "DATABASE_URL": database,
        }

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "tests.certificates.killing", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def worker(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "issue_batches"]
        silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, **silent)

    def made(self) -> int:
        """Count the certificates without starting a process: it is asked many times a second."""
        url = self.environment["DATABASE_URL"]
        if url:
            with psycopg.connect(url) as connection:
                row = connection.execute(COUNT).fetchone()
        else:
            with closing(sqlite3.connect(self.folder / "outreach.sqlite3")) as file:
                row = file.execute(COUNT).fetchone()
        assert row is not None
        return int(row[0])

    def told(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self.run("tell"))
        return found


def whole(count: int) -> dict[str, int]:
    """Return what a register says in which everything happened exactly once."""
    names = (
        *("certificates", "numbers", "cases", "whole_files", "files", "issue_events"),
        *("issued_cases", "done", "items"),
    )
    return dict.fromkeys(names, count)


def kill_and_resume(office: Office, workers: int) -> int:
    """Kill workers at random moments while they make papers; return how many died at work."""
    chance = random.Random(20180613)
    killed = 0
    for _ in range(KILLS):
        before = office.made()
        crew = [office.worker() for _ in range(workers)]
        until = time.monotonic() + 30
        while office.made() == before and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(chance.random() / 4)
        for one in crew:
            killed += one.poll() is None
            one.send_signal(signal.SIGKILL)
            one.wait()
    return killed


@pytest.mark.timeout(550 if LONG else 280)
def test_killed_at_any_moment_the_batch_is_made_once(tmp_path: Path) -> None:
    migrated.lay_into(tmp_path)
    office = Office(tmp_path)
    office.run(str(PAPERS))
    killed = kill_and_resume(office, 1)
    assert office.worker().wait(timeout=120) == 0
    assert office.told() == whole(PAPERS)
    print(f"{PAPERS} papers, {killed} workers killed at work")
    assert killed >= 1


@pytest.mark.timeout(550 if LONG else 280)
def test_several_workers_on_postgresql_make_each_paper_once(tmp_path: Path) -> None:
    if os.environ.get("DATABASE_URL"):
        pytest.skip("runs on a server of its own, beside the SQLite run")
    with running() as url:
        office = Office(tmp_path, url)
        office.run(str(PAPERS))
        killed = kill_and_resume(office, WORKERS)
        crew = [office.worker() for _ in range(WORKERS)]
        assert [one.wait(timeout=120) for one in crew] == [0] * WORKERS
        assert office.told() == whole(PAPERS)
    print(f"{PAPERS} papers, {WORKERS} workers, {killed} killed at work")
