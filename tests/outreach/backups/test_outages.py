"""What befalls a county's database and store while it works: the drills of the benchmarks."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.db import connection

from tests.outreach.backups.installation import ROOT

NOTHING = "Acknowledged, and missing in the end: nothing"
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="they bring their own servers"),
]


def played(*outage: str) -> str:
    command = [sys.executable, "-m", "benchmarks.outages", *outage]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    print(done.stdout)
    return done.stdout


def test_nothing_acknowledged_is_lost_with_the_primary() -> None:
    assert NOTHING in played("standby")


def test_tablets_send_again_what_a_late_standby_had_not_received() -> None:
    assert NOTHING in played("standby", "--asynchronous")


def test_a_spoiled_register_goes_back_to_the_moment_before() -> None:
    told = played("moment")
    assert "visits cancelled; 0 after the restore" in told
    assert NOTHING in told


def test_nothing_acknowledged_is_lost_with_the_store() -> None:
    assert NOTHING in played("store")
