"""What a hand-in brought goes after its term, with its files, and no restore brings it back."""

from __future__ import annotations

from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command

from mobile_api import handed
from mobile_api.federation import FederationKeys
from mobile_api.models import Decision, HandInPart, HandInVerdict
from mobile_api.quarantine import decide
from outreach import clock
from outreach.demo.tablet import Tablet
from outreach.files import files
from outreach.models import AuditEvent
from tests import builders
from tests.builders import County
from tests.mobile_api.test_quarantine import accept, hand_in
from tests.mobile_api.test_quarantine import keys as keys
from tests.mobile_api.test_quarantine import tablet as tablet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def terms(settings: Any, tmp_path: Path) -> None:
    settings.OUTREACH_RETENTION = tmp_path / "terms.toml"
    settings.OUTREACH_RETENTION.touch()


def run(command: str) -> str:
    out = StringIO()
    call_command(command, stdout=out)
    return out.getvalue()


def in_year(year: int) -> None:
    clock.advance_to(datetime(year, 7, 1, 9, tzinfo=builders.SHANGHAI))


def names() -> list[str]:
    return list(files().names(handed.ROOM))


def test_what_was_decided_goes_after_its_term_and_what_waits_stays(
    place: County, tablet: Tablet, keys: FederationKeys
) -> None:
    taken, aside, waits = (hand_in(tablet, keys) for _ in range(3))
    accept(taken, keys, place)
    decide(
        aside,
        Decision.SET_ASIDE,
        reason="误操作",
        keys=keys,
        by=place.administrator,
        at=clock.now(),
    )
    in_year(2027)
    assert "hand_ins" not in run("erase_due")
    assert len(names()) == 6
    in_year(2029)
    assert "511302 hand_ins: 4 erased" in run("erase_due")
    assert {row.hand_in for row in HandInPart.objects.all()} == {waits.hand_in}
    assert {name.split("/")[1] for name in names()} == {str(waits.hand_in)}
    assert HandInVerdict.objects.count() == 2
    erased = AuditEvent.objects.filter(action="hand_ins.erase")
    assert {event.subject_id for event in erased} == {taken.pk, aside.pk}
    assert "Hand-ins found again: 0." in run("begin_epoch")
    assert HandInPart.objects.count() == 2


def test_what_a_tablet_handed_in_that_nobody_knows_goes_after_the_term_with_its_files(
    place: County, tablet: Tablet, keys: FederationKeys
) -> None:
    """It stayed for ever, and took the room of all such tablets to come."""
    hand_in(tablet, keys, replica=str(uuid4()), reason="unknown")
    in_year(2027)
    assert "hand_ins" not in run("erase_due")
    in_year(2029)
    assert "unknown hand_ins: 2 erased" in run("erase_due")
    assert (HandInPart.objects.count(), names()) == (0, [])
    assert "Hand-ins found again: 0." in run("begin_epoch")


@pytest.mark.parametrize("command", ["erase_due", "begin_epoch"])
def test_a_kill_between_rows_and_files_leaves_nothing_that_comes_back(
    place: County, tablet: Tablet, keys: FederationKeys, command: str
) -> None:
    accept(hand_in(tablet, keys), keys, place)
    HandInPart.objects.all().delete()

    run(command)
    assert (HandInPart.objects.count(), names()) == (0, [])
