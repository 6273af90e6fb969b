"""Servers killed at random moments of a mixed load lose nothing that they had acknowledged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.kills.campaign import campaign, losses
from tests.outreach.backups.installation import a_register

LONG = os.environ.get("OUTREACH_LONG") == "1"
KILLS = 50 if LONG else 2


@pytest.mark.timeout(3600 if LONG else 280)
def test_nothing_acknowledged_is_lost_and_nothing_numbered_twice(tmp_path: Path) -> None:
    url = a_register(tmp_path).database_url
    came = campaign(tmp_path, kills=KILLS, servers=2 if url else 1, seed=1, database_url=url)
    print(f"{came.kills} kills, {came.told.total()} deeds, {came.told.cut} answers cut")
    assert losses(came) == {}
    assert came.told.cut >= KILLS
    # A load that does nothing proves nothing.
    assert came.told.total() >= 3 * KILLS
    assert came.held["numbers"] != []


def test_the_count_finds_what_was_lost_or_is_there_twice(tmp_path: Path) -> None:
    from tests.kills.campaign import Came
    from tests.kills.load import Acknowledged

    told = Acknowledged(["a"], ["e"], ["b"], ["a"], ["s"], {"r": 3})
    held = {
        "applications": [], "evaluations": [], "blobs": [], "accepted": {"a": 2},
        "certified": ["x", "x"], "numbers": ["1", "1"], "papers": 1, "unmade": 1,
        "trail_broken_at": 7, "last_seq": {"r": 2}, "ledger": {"r": [1, 2]},
    }  # fmt: skip
    assert set(losses(Came(told, held, 1))) == {
        *("applications", "evaluations", "photos", "accepted twice", "signed"),
        *("certified twice", "numbered twice", "papers", "unmade", "trail", "numbers of tablets"),
    }
