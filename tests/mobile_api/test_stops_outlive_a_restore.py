"""A register that is restored from an older backup still knows who was stopped since."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client

from mobile_api.changes import make_integration, revoke_integration
from mobile_api.devices import revoke
from mobile_api.models import Device, Epoch, Hook, Integration
from mobile_api.webhooks import end_hook, post_changes, set_hook
from outreach import clock
from outreach.actions import campaigns, family
from outreach.demo.tablet import Tablet, TabletRefused
from outreach.models import AuditEvent
from tests import builders
from tests.builders import START
from tests.mobile_api.conftest import Restore
from tests.mobile_api.talking import enrolled
from tests.outreach.planning import hills

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def apart(on_the_day: None, tmp_path: Path, settings: LazySettings) -> None:
    settings.OUTREACH_REVOCATIONS = tmp_path / "apart" / "revocations.jsonl"


def restored() -> None:
    """Put the tablets back as they were before anybody was stopped."""
    Device.objects.update(revoked_at=None)
    call_command("begin_epoch", stdout=StringIO())


def test_a_tablet_stopped_after_the_backup_stays_stopped(
    place: builders.County, tablet: Tablet, tmp_path: Path
) -> None:
    other = enrolled(place, tmp_path, place.colleague, "two")
    epoch = Epoch.current()
    revoke(Device.objects.get(user=place.assessor), by=place.administrator, at=START)
    restored()

    with pytest.raises(TabletRefused, match="revoked"):
        tablet.exchange()
    other.exchange()
    assert Epoch.current() != epoch
    assert Device.objects.get(user=place.assessor).revoked_at == START
    again = AuditEvent.objects.filter(action="device.revoke").order_by("pk").last()
    assert again is not None
    assert (again.by, again.subject_id) == (None, Device.objects.get(user=place.assessor).pk)


@pytest.mark.parametrize("end", ["\n", "", '\n{"device": "0192', "\n\0\0\0"])
def test_a_line_that_a_power_failure_cut_hides_no_other(
    place: builders.County, tablet: Tablet, settings: LazySettings, end: str
) -> None:
    file = settings.OUTREACH_REVOCATIONS
    file.parent.mkdir()
    file.write_text('{"device": "0192\n[]\n{"device": 1, "at": 2}' + end)
    revoke(Device.objects.get(), by=place.administrator, at=START)
    restored()

    with pytest.raises(TabletRefused, match="revoked"):
        tablet.exchange()


def test_a_full_disk_keeps_nobody_from_stopping_a_tablet(
    place: builders.County, tablet: Tablet, settings: LazySettings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings.OUTREACH_REVOCATIONS = tmp_path / "file" / "revocations.jsonl"
    revoke(Device.objects.get(), by=place.administrator, at=START)

    with pytest.raises(TabletRefused, match="revoked"):
        tablet.exchange()


def test_without_the_file_nobody_is_stopped(place: builders.County, tablet: Tablet) -> None:
    restored()

    assert tablet.exchange()["pull"]


def reads(token: str) -> int:
    """Read the feed, and return the answer's status."""
    answer = Client().get("/api/v1/changes", headers={"authorization": f"Bearer {token}"})
    return answer.status_code


def test_a_system_revoked_after_the_backup_reads_and_gets_nothing(
    place: builders.County, back_up: Callable[[], Restore]
) -> None:
    token = make_integration("bank", place.county, at=START)
    set_hook(Integration.objects.get(), "https://bank.example/", at=START)
    restore = back_up()
    revoke_integration("bank", at=START)
    restore()

    assert (reads(token), Hook.objects.count()) == (401, 0)
    assert Integration.objects.get().revoked_at == START


def test_a_token_replaced_after_the_backup_opens_nothing_and_its_hook_waits_for_another(
    place: builders.County, back_up: Callable[[], Restore]
) -> None:
    lost = make_integration("bank", place.county, at=START)
    set_hook(Integration.objects.get(), "https://bank.example/", at=START)
    restore = back_up()
    newer = make_integration("bank", place.county, at=START)
    restore()
    assert (reads(lost), reads(newer), post_changes().later) == (401, 401, 0)

    newest = make_integration("bank", place.county, at=START)
    call_command("begin_epoch", stdout=StringIO())
    assert (reads(lost), reads(newest), Hook.objects.count()) == (401, 200, 1)


@pytest.mark.parametrize("anew", [False, True])
def test_a_familys_link_that_was_ended_after_the_backup_opens_nothing(
    place: builders.County, back_up: Callable[[], Restore], anew: bool
) -> None:
    """It went to somebody else: they would read of the case, and give its appointment back."""
    [case] = builders.applied(place)
    link, secret = family.make_link(case, by=place.liaison, at=clock.now())
    restore = back_up()
    if anew:
        family.make_link(case, by=place.liaison, at=clock.now())
    else:
        family.revoke_link(case, by=place.liaison, at=clock.now())
    assert "stopped again: 0" in restore()
    assert family.link_of(secret, clock.now()) is None
    again = AuditEvent.objects.get(action="family_link.revoke")
    assert (again.by, again.subject_id) == (None, link.pk)


@pytest.mark.parametrize("anew", [False, True])
def test_a_calendar_address_that_was_revoked_after_the_backup_shows_nobodys_homes(
    place: builders.County, back_up: Callable[[], Restore], anew: bool
) -> None:
    team = hills(place, 1).north
    lost = campaigns.open_feed(team, by=place.administrator, at=START)
    restore = back_up()
    if anew:
        campaigns.open_feed(team, by=place.administrator, at=START)
    else:
        campaigns.close_feed(team, by=place.administrator, at=START)
    assert "stopped again: 0" in restore()
    assert Client().get(f"/calendar/{lost}.ics").status_code == 404
    again = AuditEvent.objects.get(action="team.feed_revoked")
    assert (again.by, again.subject_id) == (None, team.pk)


def test_who_had_signed_out_since_the_backup_is_not_in_again(
    place: builders.County, back_up: Callable[[], Restore]
) -> None:
    browser = Client()
    browser.force_login(place.administrator)
    copied = browser.cookies["sessionid"].value
    restore = back_up()
    browser.post("/sign-out/")
    restore()
    browser.cookies["sessionid"] = copied
    assert browser.get("/cases/").status_code == 302


@pytest.mark.parametrize("anew", [False, True])
def test_an_address_taken_back_or_changed_after_the_backup_gets_nothing(
    place: builders.County, back_up: Callable[[], Restore], anew: bool
) -> None:
    make_integration("bank", place.county, at=START)
    bank = Integration.objects.get()
    set_hook(bank, "https://bank.example/", at=START)
    restore = back_up()
    if anew:
        set_hook(bank, "https://new.example/", at=START)
    else:
        assert end_hook(bank, at=START)
    restore()
    assert (Hook.objects.count(), Integration.objects.get().revoked_at) == (0, None)

    set_hook(bank, "https://new.example/", at=START)
    call_command("begin_epoch", stdout=StringIO())
    assert Hook.objects.get().url == "https://new.example/"
