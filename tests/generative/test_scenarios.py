"""No scenario breaks a promise, and the scenarios reach what they must to mean anything."""

from __future__ import annotations

import os

import pytest
from django.db import connection

from tests.conftest import LONG
from tests.generative.scenarios import campaign, told
from tests.generative.world import Beginning

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {"sqlite": 30, "postgresql": 24}
FULL = {"sqlite": 2000, "postgresql": 300}


def seeds() -> range:
    """Return the seeds to play: a slice, all, or a piece that `SCENARIO_SEEDS=a:b` names."""
    if piece := os.environ.get("SCENARIO_SEEDS"):
        first, _, last = piece.partition(":")
        return range(int(first), int(last))
    return range((FULL if LONG else QUICK)[connection.vendor])


@pytest.mark.timeout(7200 if LONG else 600)
def test_no_scenario_breaks_a_promise(beginning: Beginning, capsys: pytest.CaptureFixture[str]):
    played = campaign(beginning, seeds())
    with capsys.disabled():
        reached = ", ".join(f"{name} {count}" for name, count in sorted(played.reached.items()))
        print(f"\n{connection.vendor}: {played.scenarios} scenarios; {reached}")
    assert played.broken is None, told(beginning, played)
    assert played.below_floor() == {}
