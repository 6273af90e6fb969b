"""The scenarios have teeth: every planted fault is caught, and it is told how soon."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.conftest import LONG
from tests.generative.faults import FAULTS
from tests.generative.scenarios import campaign
from tests.generative.world import Beginning

#: Scenarios that a fault may survive.
PATIENCE = 400 if LONG else 120


@pytest.mark.timeout(3600 if LONG else 300)
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(
    beginning: Beginning, capsys: pytest.CaptureFixture[str], name: str
):
    with FAULTS[name]():
        played = campaign(beginning, range(PATIENCE))
    with capsys.disabled():
        found = played.broken.name if played.broken else "nothing"
        print(f"\n{connection.vendor}: {name}: {found} after {played.scenarios} scenarios", end="")
    assert played.broken is not None
