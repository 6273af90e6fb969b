"""A full disk, or a database that is away, is said in a line by whatever command meets it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.outreach.backups.installation import Installation

#: Runs a command as on a disk that is nearly full.
LITTLE_ROOM = """
import resource, sys
from manage import main
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
main()
"""
AWAY = "postgresql://outreach:secret@127.0.0.1:9/outreach?connect_timeout=5"


def test_an_upgrade_on_a_full_disk_says_so(tmp_path: Path) -> None:
    """It ended in a Python traceback of a hundred lines."""
    told = Installation(tmp_path, "", "").run("-c", LITTLE_ROOM, "migrate", code=1)
    assert "The database or a disk refused: " in told
    assert "Traceback" not in told


def test_a_database_that_is_away_is_said_by_any_command(tmp_path: Path) -> None:
    told = Installation(tmp_path, "", AWAY).manage("summary", code=1)
    assert "The database or a disk refused: " in told
    assert "Traceback" not in told
    assert "secret" not in told


def test_what_a_command_writes_is_for_its_own_account_alone(tmp_path: Path) -> None:
    """Papers exported, or a hand-in opened, into a folder that was there lay open to everybody."""
    file = tmp_path / "paper.pdf"
    before = os.umask(0o022)
    try:
        Installation(tmp_path, "", "").manage("shell", "-c", f"open({str(file)!r}, 'w').close()")
    finally:
        os.umask(before)
    assert oct(file.stat().st_mode & 0o777) == "0o600"
