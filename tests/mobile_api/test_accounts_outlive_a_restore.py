"""A register that is restored from an older backup gives no account back what was taken from it."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client

from outreach import clock
from outreach.actions import accounts, outlasting, outlets, second_factor
from outreach.demo.tablet import Tablet, TabletRefused
from outreach.domain.vocabulary import OutletKind, Role
from outreach.models import (
    AccountRequest,
    AuditEvent,
    Division,
    Institution,
    SecondFactor,
    User,
)
from tests import builders
from tests.mobile_api.conftest import Restore

pytestmark = pytest.mark.django_db
BackUp = Callable[[], Restore]
OWN = "春天的第一班车在八点"


@pytest.fixture(autouse=True)
def apart(on_the_day: None, tmp_path: Path, settings: LazySettings) -> None:
    settings.OUTREACH_REVOCATIONS = tmp_path / "apart" / "revocations.jsonl"


def signs_in(account: User, password: str) -> bool:
    browser = Client()
    browser.post("/sign-in/", {"username": account.username, "password": password})
    return "_auth_user_id" in browser.session


def agree(place: builders.County) -> str | None:
    wish = AccountRequest.objects.get(decided_at=None)
    return accounts.confirm(wish, by=place.approver, at=clock.now())


def test_an_account_ended_after_the_backup_stays_ended_and_its_tablet_gets_nothing(
    place: builders.County, tablet: Tablet, back_up: BackUp
) -> None:
    tablet.exchange()
    kind = AccountRequest.Kind.PASSWORD
    office: dict[str, Any] = {"by": place.administrator, "at": clock.now()}
    accounts.ask_reset(place.assessor, kind, "忘了", **office)
    restore = back_up()
    accounts.end_account(place.assessor, "离职", **office)
    restore()

    with pytest.raises(TabletRefused, match="revoked"):
        tablet.exchange()
    assert not signs_in(place.assessor, "assessorassessor")
    again = AuditEvent.objects.get(action="account.end")
    assert (again.by, again.subject_id) == (None, place.assessor.pk)
    assert not AccountRequest.objects.filter(decided_at=None).exists()


def test_the_account_of_a_counter_that_was_closed_after_the_backup_stays_ended(
    place: builders.County, back_up: BackUp
) -> None:
    office: dict[str, Any] = {"by": place.administrator, "at": clock.now()}
    counter = outlets.open_outlet("邮政所", OutletKind.BANK, place.village, **office)
    clerk, password = outlets.open_account(counter, "clerk", "柜员", **office)
    restore = back_up()
    outlets.close_outlet(counter, **office)
    restore()
    assert not signs_in(clerk, password)


def test_who_was_ended_and_let_in_again_since_is_in_with_the_newest_password(
    place: builders.County, back_up: BackUp
) -> None:
    office: dict[str, Any] = {"by": place.administrator, "at": clock.now()}
    restore = back_up()
    accounts.end_account(place.liaison, "误操作", **office)
    accounts.resume_account(place.liaison, "误操作", **office)
    password = agree(place)
    restore()
    assert password is not None
    assert not signs_in(place.liaison, "liaisonliaison")
    assert signs_in(place.liaison, password)
    assert User.objects.get(pk=place.liaison.pk).password_was_given


def test_a_password_that_was_given_up_after_the_backup_opens_nothing(
    place: builders.County, back_up: BackUp, settings: LazySettings
) -> None:
    restore = back_up()
    accounts.set_own_password(place.liaison, f"{OWN}半", at=clock.now())
    accounts.set_own_password(place.liaison, OWN, at=clock.now())
    hashed = place.liaison.password
    restore()

    assert not signs_in(place.liaison, "liaisonliaison")
    assert signs_in(place.liaison, OWN)
    assert hashed not in settings.OUTREACH_REVOCATIONS.read_text()
    again = AuditEvent.objects.filter(action="account.change").last()
    assert again is not None
    assert (again.by, again.subject_id) == (None, place.liaison.pk)


def test_a_password_that_the_operator_set_since_is_not_exchanged_for_an_older_one(
    place: builders.County, back_up: BackUp
) -> None:
    """As in a shell, which leaves no line."""
    accounts.set_own_password(place.liaison, OWN, at=clock.now())
    accounts.set_own_password(place.liaison, f"{OWN}半", at=clock.now())
    place.liaison.set_password("of the operator")
    place.liaison.save()
    back_up()()
    assert [signs_in(place.liaison, one) for one in (OWN, f"{OWN}半", "of the operator")] == [
        False,
        False,
        True,
    ]


def test_a_password_that_the_operator_exchanged_after_the_backup_opens_nothing(
    place: builders.County, back_up: BackUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Because it was known: with the restore it was back, and the trail had never said so."""
    restore = back_up()
    accounts.set_own_password(place.liaison, OWN, at=clock.now())
    monkeypatch.setattr(getpass, "getpass", lambda **_: f"{OWN}半")
    call_command("changepassword", place.liaison.username, stdout=StringIO())
    told = AuditEvent.objects.filter(subject_id=place.liaison.pk).last()
    assert told is not None
    assert (told.action, told.by) == ("account.password", None)
    restore()
    assert [signs_in(place.liaison, one) for one in (OWN, f"{OWN}半")] == [False, True]


def test_without_a_terminal_the_operator_reads_that_nothing_was_changed(
    place: builders.County, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by cron or ssh without -t: it ended in a traceback."""

    def ended(**_: str) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", ended)
    with pytest.raises(CommandError, match="Nothing was changed: there is no terminal"):
        call_command("changepassword", place.liaison.username, stdout=StringIO())


def test_one_that_was_sealed_with_a_key_of_before_holds_up_nothing(
    place: builders.County, settings: LazySettings
) -> None:
    people = (place.liaison, place.colleague)
    before = [person.password for person in people]
    accounts.set_own_password(place.liaison, OWN, at=clock.now())
    settings.OUTREACH_SEALING_KEYS = [f"t9:{'Qg' * 21}A="]
    accounts.set_own_password(place.colleague, OWN, at=clock.now())
    for person, hashed in zip(people, before, strict=True):
        User.objects.filter(pk=person.pk).update(password=hashed)
    outlasting.reapply()
    assert [signs_in(person, OWN) for person in people] == [False, True]


def moved(account: User, role: Role, area: Division, place: builders.County, **more: Any) -> None:
    office: dict[str, Any] = {"reason": "调岗", "by": place.administrator, "at": clock.now()}
    account = User.objects.get(pk=account.pk)
    duty = accounts.Duty(role, area, **more)
    if accounts.change_account(account, account.full_name, duty, **office):
        agree(place)


def stands(account: User) -> tuple[str, str, bool]:
    account = User.objects.get(pk=account.pk)
    return account.role, account.division.code, account.is_active


def test_a_role_or_an_area_taken_away_after_the_backup_stays_away(
    place: builders.County, back_up: BackUp, settings: LazySettings
) -> None:
    """A clerk who had been an approver signed again; who had left a township was in it again."""
    moved(place.auditor, Role.APPROVER, place.county, place)
    restore = back_up()
    moved(place.auditor, Role.ADMINISTRATOR, place.township, place)
    moved(place.auditor, Role.LIAISON, place.village, place)
    moved(place.liaison, Role.LIAISON, place.other_village, place)
    restore()

    assert stands(place.auditor) == ("liaison", place.village.code, True)
    assert stands(place.liaison) == ("liaison", place.other_village.code, True)
    assert "liaison" not in settings.OUTREACH_REVOCATIONS.read_text()
    again = AuditEvent.objects.filter(action="account.change", subject_id=place.auditor.pk).last()
    assert again is not None
    assert (again.by, again.detail["after"]["role"]) == (None, "liaison")


def test_a_role_that_the_operator_gave_by_other_ways_since_stays(
    place: builders.County, back_up: BackUp
) -> None:
    moved(place.liaison, Role.LIAISON, place.other_village, place)
    User.objects.filter(pk=place.liaison.pk).update(role=Role.ADMINISTRATOR, division=place.county)
    back_up()()
    assert stands(place.liaison) == ("administrator", place.county.code, True)


def test_an_account_whose_new_role_needs_what_came_after_the_backup_too_has_neither(
    place: builders.County, back_up: BackUp
) -> None:
    moved(place.auditor, Role.APPROVER, place.county, place)
    restore = back_up()
    hospital = Institution.objects.get()
    qualified: dict[str, Any] = {"institution": hospital, "categories": ["physical"]}
    moved(place.auditor, Role.ASSESSOR, place.county, place, **qualified)
    restore()
    assert stands(place.auditor) == ("approver", place.county.code, False)


def test_a_telephone_that_was_lost_after_the_backup_lets_nobody_in(
    place: builders.County, back_up: BackUp
) -> None:
    factor = second_factor.begin(place.administrator)
    SecondFactor.objects.filter(pk=factor.pk).update(confirmed_at=clock.now())
    lost_at = clock.now() + timedelta(hours=1)
    restore = back_up()
    second_factor.forget(place.administrator, by=None, at=lost_at)
    restore()
    assert not second_factor.is_set_up(place.administrator)

    factor = second_factor.begin(place.administrator)
    newer = lost_at + timedelta(hours=1)
    SecondFactor.objects.filter(pk=factor.pk).update(confirmed_at=newer)
    back_up()()
    assert second_factor.is_set_up(place.administrator)
