"""A register is not served under other keys than its own, and one is told so at the start."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from outreach.models.other_keys import check_register
from tests import builders
from tests.outreach.backups.installation import KEY, Installation, a_register, another_database

OTHER = base64.b64encode(b"o" * 32).decode()
A_PERSON = "from tests import builders; builders.applied(builders.county())"


@pytest.fixture
def ring(settings: Any) -> Any:
    settings.OUTREACH_SEALING_KEYS = [f"t1:{KEY}"]
    return settings


def found() -> list[str]:
    return [one.msg for one in check_register(databases=["default"])]


@pytest.mark.django_db
def test_keys_that_open_nothing_or_find_nobody_are_named(ring: Any) -> None:
    assert found() == []
    builders.applied(builders.county())
    assert found() == []
    ring.OUTREACH_SEALING_KEYS = [f"t1:{OTHER}"]
    assert found() == ["OUTREACH_SEALING_KEYS does not open what the register holds."]
    ring.OUTREACH_SEALING_KEYS = [f"t1:{KEY}"]
    ring.OUTREACH_INDEX_KEY = OTHER
    assert found() == ["OUTREACH_INDEX_KEY finds nobody of the register."]


@pytest.mark.django_db
def test_a_key_that_was_taken_out_too_early_is_named(ring: Any) -> None:
    """The first person opens, as rotate_sealing_key has been there; the last does not."""
    place = builders.county()
    ring.OUTREACH_SEALING_KEYS = [f"t2:{OTHER}", f"t1:{KEY}"]
    builders.applied(place)
    ring.OUTREACH_SEALING_KEYS = [f"t1:{KEY}", f"t2:{OTHER}"]
    builders.applied(place)
    assert found() == []
    ring.OUTREACH_SEALING_KEYS = [f"t2:{OTHER}"]
    assert found() == ["OUTREACH_SEALING_KEYS does not open what the register holds."]


def test_the_server_does_not_start_under_them(tmp_path: Path) -> None:
    """It did: people were entered a second time, under a key that nobody else has."""
    office = a_register(tmp_path)
    office.manage_in_turn(("migrate", "-v", "0"), ("shell", "-v", "0", "-c", A_PERSON))
    office.run("-c", "import outreach.wsgi", OUTREACH_WORKER="0", **SERVED)
    told = office.run("-c", "import outreach.wsgi", code=1, OUTREACH_INDEX_KEY=OTHER, **SERVED)
    assert "outreach.E015: OUTREACH_INDEX_KEY finds nobody" in told
    assert "outreach.E015" in office.manage("migrate", code=1, OUTREACH_INDEX_KEY=OTHER)


SERVED = {"DJANGO_SETTINGS_MODULE": "outreach.settings"}


def test_where_no_register_stands_yet_no_key_is_wrong(tmp_path: Path) -> None:
    nobody = Installation(tmp_path, "", another_database())
    nobody.manage("check", "--database", "default")
