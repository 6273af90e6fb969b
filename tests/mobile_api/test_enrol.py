"""POST /api/v1/devices/enrol: a one-time code makes a tablet somebody's."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mobile_api import devices
from mobile_api.devices import CODE_LIFETIME, make_code
from mobile_api.models import Device
from outreach import clock
from outreach.actions.accounts import end_account
from outreach.demo.tablet import Tablet, TabletRefused
from outreach.rules import Refused
from tests import builders
from tests.builders import START
from tests.mobile_api.talking import in_process

pytestmark = pytest.mark.django_db


@pytest.fixture
def code(place: builders.County) -> str:
    return make_code(place.assessor, by=place.administrator, at=START)


def test_a_code_enrols_one_tablet(code: str, tmp_path: Path) -> None:
    Tablet(in_process(), tmp_path / "a.json").enrol(code, "Tablet 1")
    with pytest.raises(TabletRefused, match="409 code-used"):
        Tablet(in_process(), tmp_path / "b.json").enrol(code, "Tablet 2")
    assert Device.objects.get().label == "Tablet 1"


def test_the_tablet_whose_answer_was_lost_enrols_again(code: str, tmp_path: Path) -> None:
    tablet = Tablet(in_process(), tmp_path / "a.json")
    tablet.enrol(code, "Tablet 1")
    first = tablet.state.token
    tablet.enrol(code, "Tablet 1")
    assert tablet.state.token != first
    tablet.sync()
    assert Device.objects.count() == 1


def test_a_known_tablet_goes_on_with_a_new_code(
    place: builders.County, code: str, tmp_path: Path
) -> None:
    tablet = Tablet(in_process(), tmp_path / "a.json")
    tablet.enrol(code, "Tablet 1")
    tablet.say("teleport", {}, START)
    tablet.sync()
    tablet.enrol(make_code(place.assessor, by=place.administrator, at=START), "Tablet 1")
    tablet.say("teleport", {}, START)
    tablet.sync()
    assert (Device.objects.count(), tablet.state.acked) == (1, 2)


def test_a_tablet_stopped_while_it_enrols_again_stays_stopped(
    place: builders.County, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tablet = Tablet(in_process(), tmp_path / "a.json")
    tablet.enrol(code, "Tablet 1")
    check = devices._check

    def meanwhile(*args: Any) -> None:
        """Let the office stop the tablet once it has been looked at."""
        check(*args)
        devices.revoke(Device.objects.get(), by=place.administrator, at=START)

    monkeypatch.setattr(devices, "_check", meanwhile)
    tablet.enrol(code, "Tablet 1")
    assert Device.objects.get().revoked_at == START
    with pytest.raises(TabletRefused, match="revoked"):
        tablet.sync()


def test_a_known_replica_is_not_handed_to_somebody_else(
    place: builders.County, code: str, tmp_path: Path
) -> None:
    tablet = Tablet(in_process(), tmp_path / "a.json")
    tablet.enrol(code, "Tablet 1")
    other = make_code(place.colleague, by=place.administrator, at=START)
    with pytest.raises(TabletRefused, match="409 fork"):
        tablet.enrol(other, "Tablet 1")


def test_an_unknown_code(place: builders.County, tmp_path: Path) -> None:
    with pytest.raises(TabletRefused, match="404 unknown-code"):
        Tablet(in_process(), tmp_path / "a.json").enrol("AAAA-BBBB", "Tablet 1")


def test_an_expired_code(code: str, tmp_path: Path) -> None:
    clock.advance_to(START + CODE_LIFETIME + timedelta(minutes=1))
    with pytest.raises(TabletRefused, match="410 code-expired"):
        Tablet(in_process(), tmp_path / "a.json").enrol(code, "Tablet 1")
    assert Device.objects.count() == 0


def test_the_code_of_an_account_that_was_ended_enrols_nothing(
    place: builders.County, code: str, tmp_path: Path
) -> None:
    end_account(place.assessor, "离任", by=place.administrator, at=START)
    with pytest.raises(TabletRefused, match="410 code-expired"):
        Tablet(in_process(), tmp_path / "a.json").enrol(code, "Tablet 1")
    assert Device.objects.count() == 0


def test_only_an_administrator_makes_codes(place: builders.County) -> None:
    with pytest.raises(Refused):
        make_code(place.assessor, by=place.liaison, at=START)


def test_token_and_code_are_stored_as_fingerprints_only(code: str, tmp_path: Path) -> None:
    tablet = Tablet(in_process(), tmp_path / "a.json")
    tablet.enrol(code, "Tablet 1")
    device = Device.objects.get()
    assert len(device.token_sha256) == 64
    assert device.token_sha256 != tablet.state.token
