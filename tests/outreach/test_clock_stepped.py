"""The server's clock is set back or forth under a running service: what people and machines see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from certificates import batches, worker
from certificates.actions import issue
from certificates.models import BatchItem, Certificate, CertificateEvent
from outreach.actions import applications, evaluations, second_factor
from outreach.actions.audit import record
from outreach.actions.notifying.delivery import deliver
from outreach.actions.trail import number_trail, verify_trail
from outreach.models import Application, AuditEvent, Notification
from outreach.models.ids import new_id
from tests import builders
from tests.certificates.conftest import keys as keys
from tests.certificates.issuing import approved

pytestmark = pytest.mark.django_db
NOON = datetime(2018, 6, 20, 4, 0, tzinfo=UTC)
DAY, YEAR = timedelta(days=1), timedelta(days=365)
Step = Callable[[timedelta], datetime]


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Step:
    """Let the machine's clock stand at noon, and set it by so much; it is the process edge."""
    settings.OUTREACH_CLOCK = "real"
    standing = [NOON]
    monkeypatch.setattr(timezone, "now", lambda: standing[0])

    def set_by(much: timedelta) -> datetime:
        standing[0] += much
        return standing[0]

    return set_by


@pytest.fixture
def office(settings: Any, tmp_path: Path, keys: Path) -> Path:
    settings.OUTREACH_KEYS_DIR = keys
    settings.OUTREACH_FILES = tmp_path / "files"
    return tmp_path / "files"


def signed_in(place: builders.County) -> Client:
    browser = Client()
    answer = browser.post("/sign-in/", {"username": "liaison", "password": "liaisonliaison"})
    assert answer.status_code == 302
    return browser


def test_a_clock_set_back_signs_nobody_out(place: builders.County, step: Step) -> None:
    browser = signed_in(place)
    step(-DAY)
    assert browser.get("/").status_code == 200


def test_a_clock_set_forth_asks_everybody_to_sign_in_again(
    place: builders.County, step: Step
) -> None:
    browser = signed_in(place)
    step(DAY)
    answer = browser.get("/cases/", follow=True)
    assert answer.redirect_chain == [("/sign-in/?next=/cases/", 302)]
    assert "登录" in answer.content.decode()


def test_no_code_is_taken_twice_after_the_clock_was_set_back(
    place: builders.County, step: Step
) -> None:
    """Codes of before are used up; those of the right time count once the clock is right again."""
    user = place.administrator
    totp = pyotp.TOTP(second_factor.begin(user).secret)
    spare = second_factor.confirm(
        user, totp.at(NOON - timedelta(minutes=5)), at=NOON - timedelta(minutes=5)
    )
    assert spare
    assert second_factor.accept(user, totp.at(NOON), at=NOON)
    before = step(-timedelta(minutes=10))
    assert not second_factor.accept(user, totp.at(before), at=before)
    assert not second_factor.accept(user, totp.at(NOON), at=before)
    assert second_factor.accept(user, spare[0], at=before)
    later = step(timedelta(minutes=11))
    assert second_factor.accept(user, totp.at(later), at=later)


def test_numbers_of_cases_and_certificates_stay_single(
    place: builders.County, office: Path, step: Step
) -> None:
    """A case's number names the year it was given in; each year's counter only grows."""
    first = approved(place, office, 2)
    for much in (-YEAR, YEAR, -YEAR, 2 * YEAR):
        at = step(much)
        wanted = [builders.nomination(place)]
        applications.nominate(wanted, by=place.liaison, at=at)
    assert Application.objects.count() == 6
    assert len(set(Application.objects.values_list("number", flat=True))) == 6
    issue(first[:1], by=place.approver, at=step(-YEAR))
    issue(first[1:], by=place.approver, at=step(YEAR))
    numbers = [one.number for one in Certificate.objects.all()]
    assert len(set(numbers)) == len(numbers) == 2


def test_keys_made_after_a_step_back_are_new_ones() -> None:
    made = [new_id() for _ in range(1_000)]
    assert len(set(made)) == len(made)


def test_trail_and_feed_follow_the_commits_whatever_the_clock_says(
    place: builders.County, step: Step
) -> None:
    """Who read up to a number misses nothing that is dated before it."""
    read: list[str] = []
    last = 0
    for name, much in [("a", DAY), ("b", -2 * DAY), ("c", YEAR), ("d", -YEAR)]:
        record(f"test.{name}", [place.county], by=place.liaison, at=step(much))
        number_trail()
        rows = list(AuditEvent.objects.filter(number__gt=last).order_by("number"))
        read += [event.action for event in rows]
        last = int(rows[-1].number or 0)
    assert [name for name in read if name.startswith("test.")] == [
        f"test.{name}" for name in "abcd"
    ]
    assert verify_trail().broken_at is None


def test_a_lease_does_not_last_for_as_long_as_the_clock_was_set_back(
    place: builders.County, office: Path, step: Step
) -> None:
    """Before, the papers of a dead worker lay until the clock came there again."""
    batches.start(approved(place, office, 2), by=place.approver, at=NOON)
    dead, living = uuid4(), uuid4()
    assert len(batches._claim(dead, None)) == 2
    assert batches._claim(living, None) == []
    step(-timedelta(seconds=30))  # as two machines' clocks may differ
    assert batches._claim(living, None) == []
    step(-DAY)
    assert batches.work(living) == 2
    assert set(BatchItem.objects.values_list("state", flat=True)) == {"done"}


class Told:
    """Keeps what is sent; it is the process edge."""

    is_idempotent = True

    def __init__(self) -> None:
        self.keys: list[str] = []

    def send(self, *, key: str, telephone: str, text: str) -> None:
        self.keys.append(key)


def test_a_message_that_waited_for_its_next_try_goes_out_after_a_step_back(
    place: builders.County, step: Step
) -> None:
    case = builders.applied(place)[0]
    for key, state, waits in [
        ("tried", "waiting", {"next_at": NOON + timedelta(minutes=5)}),
        ("cut", "sending", {"leased_until": NOON + timedelta(minutes=5)}),
    ]:
        Notification.objects.create(
            key=key,
            kind="custom",
            application=case,
            telephone="13900000000",
            text="x",
            state=state,
            due_at=NOON - 3 * DAY,
            created_at=NOON - 3 * DAY,
            **waits,
        )
    sender = Told()
    assert deliver(sender, at=NOON).sent == 0
    at = step(-2 * DAY)
    assert deliver(sender, at=at).sent == 2
    assert len(sender.keys) == 2


def test_a_correction_stands_over_what_it_corrects_after_a_step_back(
    place: builders.County, step: Step
) -> None:
    [first] = builders.evaluated(place)
    assert first.visit is not None
    part = evaluations.Part("physical", {"independence": "mostly", "condition": "4a"}, 4)
    said = builders.submission(place, first.visit, parts=[part], grade=4)
    before = first.received_at - DAY
    [again] = evaluations.submit(
        [said], by=place.assessor, at=before, admitted_by=place.administrator
    )
    assert again.corrects_id == first.pk
    case = first.application_id
    assert evaluations.current_evaluation([case]) == {case: again}


def test_what_a_day_brings_is_not_undone_by_an_earlier_one(
    place: builders.County, office: Path, step: Step
) -> None:
    cache.clear()
    issue(approved(place, office, 1), by=place.approver, at=NOON)
    for much in (5 * YEAR, -5 * YEAR):
        step(much)
        call_command("settle_certificates", "--clock-is-right", stdout=StringIO())
    assert Certificate.objects.get().state == "valid"


def test_a_clock_that_jumped_ahead_ends_no_certificate(
    place: builders.County, office: Path, step: Step, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine that started years ahead cancelled who had moved a week before, for good."""
    issue(approved(place, office, 2), by=place.approver, at=NOON)
    certificate, other = Certificate.objects.all()
    moved = Certificate.objects.filter(pk=certificate.pk)
    moved.update(household_moved_on=(NOON - 7 * DAY).date())
    ahead = step(11 * YEAR)
    record("session.sign_in", [place.liaison], by=place.liaison, at=ahead)
    day = worker._settle(None)
    assert worker._settle(day) == ahead.date()
    (warning,) = [one.getMessage() for one in caplog.records if one.name == worker.log.name]
    assert "says 2029-06-17, and the trail knows of nothing from 2018-06-20" in warning
    assert "settle_certificates --clock-is-right" in warning
    told = StringIO()
    with pytest.raises(CommandError, match="No certificate was frozen, cancelled or expired"):
        call_command("settle_certificates", stdout=told)
    assert told.getvalue() == ""
    assert not CertificateEvent.objects.filter(name__in=("freeze", "cancel", "expire")).exists()
    step(-11 * YEAR)
    worker._settle(day)
    assert set(Certificate.objects.values_list("state", flat=True)) == {"valid"}
    step(11 * YEAR)
    call_command("settle_certificates", "--clock-is-right", stdout=told)
    assert told.getvalue() == "0 frozen, 1 cancelled, 1 expired.\n"
    assert other.events.filter(name="expire").exists()


def test_the_worker_of_an_office_at_work_settles_by_itself(
    place: builders.County, office: Path, step: Step
) -> None:
    issue(approved(place, office, 1), by=place.approver, at=NOON)
    Certificate.objects.update(household_moved_on=(NOON - 7 * DAY).date())
    step(YEAR)
    record("session.sign_in", [place.liaison], by=place.liaison, at=step(30 * DAY))
    step(30 * DAY)
    worker._settle(None)
    assert Certificate.objects.get().state == "cancelled"


def test_a_clock_that_jumped_ahead_erases_nothing_by_term(
    place: builders.County, office: Path, step: Step, settings: Any, tmp_path: Path
) -> None:
    """A machine that started a year ahead erased at once what was due a year later."""
    (terms := tmp_path / "terms.toml").touch()
    settings.OUTREACH_RETENTION = terms
    case = builders.applied(place)[0]
    applications.advance([case], "withdraw", by=place.liaison, at=NOON)
    record("session.sign_in", [place.liaison], by=place.liaison, at=step(3 * YEAR))
    with pytest.raises(CommandError, match="says 2021-06-19, and the trail knows of nothing from"):
        call_command("erase_due", stdout=StringIO())
    assert Application.objects.get().erased_at is None
    call_command("erase_due", "--clock-is-right", stdout=StringIO())
    assert Application.objects.get().erased_at


def test_an_office_at_work_needs_to_say_nothing_of_its_clock(
    place: builders.County, step: Step, settings: Any, tmp_path: Path
) -> None:
    (terms := tmp_path / "terms.toml").touch()
    settings.OUTREACH_RETENTION = terms
    builders.applied(place)
    step(3 * YEAR)
    record("session.sign_in", [place.liaison], by=place.liaison, at=step(30 * DAY))
    step(30 * DAY)
    call_command("erase_due", stdout=StringIO())
