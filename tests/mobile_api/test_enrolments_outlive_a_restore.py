"""A register restored from an older backup still knows which tablets were enrolled since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import transaction

from mobile_api.devices import make_code, revoke
from mobile_api.models import Device, LedgerEntry
from outreach import clock
from outreach.demo.tablet import Tablet, TabletRefused
from outreach.models import AuditEvent, User
from tests import builders
from tests.mobile_api.conftest import Restore
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args, in_process

pytestmark = pytest.mark.django_db
BackUp = Callable[[], Restore]


@pytest.fixture(autouse=True)
def apart(on_the_day: None, settings: LazySettings, tmp_path: Path) -> Path:
    settings.OUTREACH_REVOCATIONS = tmp_path / "apart" / "revocations.jsonl"
    settings.OUTREACH_ENROLMENTS = tmp_path / "apart" / "enrolments.jsonl"
    return tmp_path / "apart"


def test_a_tablet_enrolled_after_the_backup_goes_on_without_anybody_doing_anything(
    place: builders.County, back_up: BackUp, tmp_path: Path
) -> None:
    [visit] = builders.scheduled(place)
    restore = back_up()
    tablet = enrolled(place, tmp_path)
    device, label = Device.objects.get().pk, Device.objects.get().label
    said = restore()
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    tablet.sync()

    assert "enrolled again: 1; stopped again: 0" in said
    assert [row.outcome for row in LedgerEntry.objects.all()] == ["applied"]
    again = Device.objects.get()
    assert (again.pk, again.label, again.user) == (device, label, place.assessor)
    assert AuditEvent.objects.filter(action="device.enrol", by=None, subject_id=device).exists()


def test_what_it_had_sent_is_sent_again(
    place: builders.County, back_up: BackUp, tmp_path: Path
) -> None:
    restore = back_up()
    tablet = enrolled(place, tmp_path)
    tablet.say("teleport", {}, ON_THE_DAY)
    tablet.sync()
    restore()
    assert LedgerEntry.objects.count() == 0
    tablet.sync()

    assert [row.seq for row in LedgerEntry.objects.all()] == [1]


def test_the_newest_token_counts_and_the_code_stays_used(
    place: builders.County, back_up: BackUp, tmp_path: Path
) -> None:
    code = make_code(place.assessor, by=place.administrator, at=clock.now())
    restore = back_up()
    tablet = enrolled(place, tmp_path)
    tablet.enrol(code, "Tablet one")
    restore()

    assert tablet.exchange()["pull"]
    with pytest.raises(TabletRefused, match="409 code-used"):
        Tablet(in_process(), tmp_path / "thief.json").enrol(code, "Tablet two")


def test_a_tablet_that_the_backup_knows_keeps_the_token_it_got_since(
    place: builders.County, back_up: BackUp, tmp_path: Path
) -> None:
    tablet = enrolled(place, tmp_path)
    restore = back_up()
    tablet.enrol(make_code(place.assessor, by=place.administrator, at=clock.now()), "Tablet one")

    assert "enrolled again: 0;" in restore()
    assert tablet.exchange()["pull"]
    assert Device.objects.count() == 1


def test_a_tablet_whose_first_enrolment_was_cut_before_its_commit_goes_on(
    place: builders.County, back_up: BackUp, tmp_path: Path
) -> None:
    """The server was killed, or its disk full, when the line was written already."""
    code = make_code(place.assessor, by=place.administrator, at=clock.now())
    restore = back_up()
    tablet = Tablet(in_process(), tmp_path / "one.json")
    with transaction.atomic():
        tablet.enrol(code, "Tablet one")
        transaction.set_rollback(True)
    tablet.enrol(code, "Tablet one")
    tablet.say("teleport", {}, ON_THE_DAY)
    tablet.sync()

    assert "enrolled again: 1;" in restore()
    tablet.sync()
    assert [row.seq for row in LedgerEntry.objects.all()] == [1]


def test_a_tablet_enrolled_and_stopped_after_the_backup_stays_stopped(
    place: builders.County, back_up: BackUp, tmp_path: Path
) -> None:
    restore = back_up()
    tablet = enrolled(place, tmp_path)
    revoke(Device.objects.get(), by=place.administrator, at=clock.now())
    said = restore()

    assert "enrolled again: 1; stopped again: 1" in said
    with pytest.raises(TabletRefused, match="403 revoked"):
        tablet.exchange()


def test_somebody_whose_account_is_younger_than_the_backup_signs_in_again(
    place: builders.County, back_up: BackUp, tmp_path: Path
) -> None:
    restore = back_up()
    young = User.objects.create(
        username="young", full_name="孙小石", role="assessor", division=place.county
    )
    tablet, other = enrolled(place, tmp_path, young), enrolled(place, tmp_path, name="two")

    assert "enrolled again: 1;" in restore()
    with pytest.raises(TabletRefused, match="401 expired-token"):
        tablet.exchange()
    assert other.exchange()["pull"]


def test_lines_that_cannot_be_read_hide_no_other(
    place: builders.County, apart: Path, back_up: BackUp, tmp_path: Path
) -> None:
    restore = back_up()
    apart.mkdir()
    (apart / "enrolments.jsonl").write_text('{"device": "0192\n[]\n{"device": 1}\n')
    tablet = enrolled(place, tmp_path)

    assert "enrolled again: 1;" in restore()
    assert tablet.exchange()["pull"]


def test_a_full_disk_keeps_nobody_from_enrolling(
    place: builders.County, apart: Path, tmp_path: Path
) -> None:
    apart.touch()  # a file where the folder should be

    assert enrolled(place, tmp_path).exchange()["pull"]


def test_the_file_holds_neither_token_nor_code_and_is_the_services_alone(
    place: builders.County, apart: Path, tmp_path: Path
) -> None:
    tablet = Tablet(in_process(), tmp_path / "one.json")
    code = make_code(place.assessor, by=place.administrator, at=clock.now())
    tablet.enrol(code, "Tablet one")
    file = apart / "enrolments.jsonl"
    text = file.read_text()

    assert [word for word in (tablet.state.token, code, "吴", "assessor") if word in text] == []
    assert file.stat().st_mode & 0o077 == 0
