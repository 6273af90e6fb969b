"""A small storm on the real server, killed in the middle: what was acknowledged is there, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LONG

ROOT = Path(__file__).resolve().parents[2]
KILLS = 6 if LONG else 2


def storm(database: str, *more: str) -> dict[str, Any]:
    """Let a small storm pass over a server of its own and return what it reached."""
    command = [sys.executable, "-m", "benchmarks.storm", "--json", "--database", database]
    command += ["--tablets", "6", "--visits", "2", "--photos", "3", "--photo-kb", "40"]
    command += [
        "--liaisons",
        "2",
        "--administrators",
        "2",
        "--minutes",
        "0.4",
        "--spread",
        "2",
        *more,
    ]
    ours = ("OUTREACH_", "DJANGO_")
    rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        command, cwd=ROOT, env=rest, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("seed", range(3 if LONG else 1))
def test_nothing_acknowledged_is_lost_or_doubled_by_a_killed_server(database: str, seed: int):
    told = storm(database, "--kill", str(KILLS), "--seed", str(seed))

    assert (told["broken"], told["errors"]) == ([], [])
    assert (told["killed"], told["all_safe"], told["text_safe"]) == (KILLS, 6, 6)
    assert told["evaluations"] == 12
    assert told["files"] == 60
    assert told["desk_changes"] > 0
