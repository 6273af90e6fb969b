"""Batches: approved with one decision, made by any worker, taken up again, never twice."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from django.utils.translation import override

from certificates import actions, batches, life, worker
from certificates.authority import AuthorityUnsound, Signer
from certificates.keys import KeyUnusable, SigningKey, TokenAway
from certificates.models import Batch, BatchItem, Certificate, ItemState, PaperRequest
from certificates.steps import Kind
from outreach import clock
from outreach.actions import accounts, applications
from outreach.domain.vocabulary import EvidenceKind, Role
from outreach.domain.workflow import ApplicationState
from outreach.files import photo_name
from outreach.models import Application, DeclaredRelative, Photo, Resident
from outreach.rules import Refused
from tests import builders
from tests.certificates.issuing import ISSUED_AT, approved, flipped, issued, put_portraits
from tests.certificates.test_life import assessed_again

pytestmark = pytest.mark.django_db


def reviewed(place: builders.County, files: Path, count: int) -> list[Application]:
    """Return cases that wait for the approver, their portraits in the files."""
    cases = builders.reviewed(place, count)
    put_portraits(files, cases)
    return cases


def started(place: builders.County, files: Path, count: int) -> Batch:
    return batches.start(reviewed(place, files, count), by=place.approver, at=ISSUED_AT)


def far(batch: Batch) -> tuple[int, int, int]:
    """Return how many are made, refused and waiting."""
    found = batches.progress(batch)
    return found.done, found.refused, found.waiting


def test_signing_for_many_approves_them_and_a_worker_makes_the_papers(
    place: builders.County, files: Path
) -> None:
    batch = started(place, files, 30)
    assert Application.objects.standing(ApplicationState.APPROVED).count() == 30
    assert far(batch) == (0, 0, 30)
    me = uuid4()
    assert [batches.work(me), batches.work(me), batches.work(me)] == [25, 5, 0]
    assert far(batch) == (30, 0, 0)
    made = Certificate.objects.all()
    assert len({one.number for one in made}) == 30
    assert {(one.issued_by, one.issued_at) for one in made} == {(place.approver, ISSUED_AT)}


def test_a_few_are_made_at_once(place: builders.County, files: Path) -> None:
    batch = batches.sign(reviewed(place, files, 3), by=place.approver, at=ISSUED_AT)
    assert far(batch) == (3, 0, 0)


def test_papers_that_are_being_made_do_not_wait_for_a_key(
    place: builders.County, files: Path
) -> None:
    """Whoever looked at the batch meanwhile was told to call the one who runs the server."""
    cases = builders.reviewed(place, 2)
    batch = batches.start(cases, by=place.approver, at=ISSUED_AT, leased_by=uuid4())
    assert not batches.rests(batch)


def test_many_are_left_to_the_workers(place: builders.County, files: Path) -> None:
    batch = batches.sign(reviewed(place, files, 26), by=place.approver, at=ISSUED_AT)
    assert far(batch) == (0, 0, 26)


def test_only_an_approver_signs_and_only_what_they_may(place: builders.County, files: Path) -> None:
    cases = reviewed(place, files, 1)
    with pytest.raises(Refused, match="not-your-step"):
        batches.start(cases, by=place.administrator, at=ISSUED_AT)
    assert not Batch.objects.exists()


def test_a_lease_keeps_others_off_until_it_ends(place: builders.County, files: Path) -> None:
    batch = started(place, files, 2)
    dead = uuid4()
    held = batches._claim(dead, None)
    assert len(held) == 2
    assert batches.work(uuid4()) == 0
    batch.items.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert batches.work(uuid4()) == 2
    assert far(batch) == (2, 0, 0)


def test_what_a_killed_worker_had_entered_is_recognised(
    place: builders.County, files: Path
) -> None:
    batch = started(place, files, 3)
    batches._claim(uuid4(), None)
    actions.issue(list(Application.objects.all())[:2], by=place.approver, at=ISSUED_AT)
    batch.items.update(leased_until=timezone.now() - timedelta(seconds=1))
    batches.work(uuid4())
    assert far(batch) == (3, 0, 0)
    assert Certificate.objects.count() == 3


def test_a_worker_whose_lease_ended_meanwhile_spoils_nothing(
    place: builders.County, files: Path
) -> None:
    batch = started(place, files, 2)
    slow = batches._claim(uuid4(), None)
    batch.items.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert batches.work(uuid4()) == 2
    batches._work_on(slow)
    assert far(batch) == (2, 0, 0)
    assert Certificate.objects.count() == 2


class Killed(BaseException):
    """What the worker's process met."""


def test_a_paper_that_kills_its_worker_is_found_out_and_holds_up_no_other(
    place: builders.County, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = started(place, files, 4)
    deadly, make = batch.items.order_by("pk")[1], batches._work_on

    def work_on(items: Sequence[BatchItem]) -> None:
        if deadly in items:
            raise Killed
        make(items)

    monkeypatch.setattr(batches, "_work_on", work_on)
    for _ in range(batches.DEADLY + 4):
        with suppress(Killed):
            batches.work(uuid4())
        batch.items.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert far(batch) == (3, 1, 0)
    assert batch.items.get(pk=deadly.pk).code == "unforeseen"


def test_who_is_a_relative_signs_neither_a_renewal_nor_for_what_a_colleague_approved(
    place: builders.County, files: Path
) -> None:
    [held] = issued(place, files)
    life.declare_lost([held], by=place.liaison, at=ISSUED_AT)
    asked = PaperRequest.objects.select_related("certificate__application").get()
    [case] = approved(place, files)
    for resident in (held.resident, case.resident):
        DeclaredRelative.objects.create(
            user=place.approver, resident=resident, declared_at=ISSUED_AT
        )
    with pytest.raises(Refused, match="relative-signs"):
        batches.sign(requests=[asked], by=place.approver, at=ISSUED_AT)
    with pytest.raises(Refused, match="approver-involved"):
        batches.sign([case], by=place.approver, at=ISSUED_AT)
    other = builders.user("other_approver", Role.APPROVER, place.county)
    assert far(batches.sign([case], [asked], by=other, at=ISSUED_AT)) == (2, 0, 0)


def test_nothing_more_is_signed_for_an_account_that_was_ended(
    place: builders.County, files: Path
) -> None:
    """Whoever stole a password had signed for hundreds, and the server made them all."""
    batch = started(place, files, 2)
    accounts.end_account(place.approver, "口令被盗", by=place.administrator, at=ISSUED_AT)
    batches.work(uuid4())
    assert far(batch) == (0, 2, 0)
    other = builders.user("other_approver", Role.APPROVER, place.county)
    cases = list(Application.objects.all())
    assert far(batches.sign(cases, by=other, at=ISSUED_AT)) == (2, 0, 0)


def test_one_bad_case_does_not_hold_up_the_others_and_is_named(
    place: builders.County, files: Path
) -> None:
    cases = reviewed(place, files, 4)
    person = Resident.objects.get(applications=cases[1])
    person.name = "王\U000323b0"
    person.save()
    batch = batches.sign(cases, by=place.approver, at=ISSUED_AT)
    assert far(batch) == (3, 1, 0)
    item = batch.items.get(state=ItemState.REFUSED)
    assert (item.application_id, item.code) == (cases[1].pk, "unprintable")
    with override("en"):
        assert item.reason.startswith(f"No font prints “\U000323b0” in case {cases[1].number};")
    with override("zh-hans"):
        assert item.reason.startswith(f"{cases[1].number} 号申请中的“\U000323b0”")
    person.name = "王青山"
    person.save()
    case = Application.objects.get(pk=cases[1].pk)
    again = batches.sign([case], by=place.approver, at=ISSUED_AT)
    assert far(again) == (1, 0, 0)


def test_a_case_whose_portrait_is_lost_is_sent_back_to_be_assessed_again(
    place: builders.County, files: Path
) -> None:
    """It is approved by then: the assessor could not be asked for the new portrait."""
    [case] = builders.reviewed(place)
    batch = batches.sign([case], by=place.approver, at=ISSUED_AT)
    assert (far(batch), batch.items.get().code) == ((0, 1, 0), "no-portrait")
    case.refresh_from_db()
    applications.advance([case], "send_back", by=place.approver, at=ISSUED_AT, note="照片遗失")
    assert Application.objects.get().state == ApplicationState.ACCEPTED


def test_a_portrait_that_the_disk_damaged_is_asked_for_like_a_lost_one(
    place: builders.County, files: Path
) -> None:
    cases = reviewed(place, files, 2)
    photo = Photo.objects.get(evaluation__application=cases[0], kind=EvidenceKind.PORTRAIT)
    kept = files / photo_name(photo.sha256)
    kept.write_bytes(flipped(kept.read_bytes()))
    batch = batches.sign(cases, by=place.approver, at=ISSUED_AT)
    assert far(batch) == (1, 1, 0)
    assert batch.items.get(application=cases[0]).code == "no-portrait"


def test_a_case_that_was_sent_back_while_its_paper_waited_gets_none(
    place: builders.County, files: Path
) -> None:
    batch = started(place, files, 2)
    gone = Application.objects.order_by("pk")[0]
    applications.advance([gone], "send_back", by=place.approver, at=ISSUED_AT, note="等级存疑")
    batches.work(uuid4())
    assert far(batch) == (1, 1, 0)
    assert batch.items.get(application=gone).code == "wrong-state"
    assert Certificate.objects.get().application != gone


def test_a_case_at_work_is_not_entered_a_second_time(place: builders.County, files: Path) -> None:
    first = started(place, files, 2)
    cases = list(Application.objects.all())
    second = batches.start(cases, by=place.approver, at=ISSUED_AT)
    assert (first.items.count(), second.items.count()) == (2, 0)


def test_something_unforeseen_is_tried_again_and_then_shown(
    place: builders.County, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = started(place, files, 1)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(actions.storage, "keep", fail)
        for attempt in (1, 2):
            batches.work(uuid4())
            assert (far(batch), batch.items.get().attempts) == ((0, 0, 1), attempt)
            batch.items.update(leased_until=timezone.now() - timedelta(seconds=1))
        batches.work(uuid4())
    assert far(batch) == (0, 1, 0)
    assert batch.items.get().code == "unforeseen"


def test_papers_wait_as_long_as_files_cannot_be_kept_and_are_then_made(
    place: builders.County, files: Path, settings: Any
) -> None:
    batch = started(place, files, 3)
    settings.OUTREACH_BUCKET = "http://127.0.0.1:9/away?region=us-east-1"
    settings.OUTREACH_BUCKET_KEY, settings.OUTREACH_BUCKET_SECRET = "k", "s"
    for _ in range(batches.ATTEMPTS + 1):
        batches.work(uuid4())
        assert far(batch) == (0, 0, 3)
        assert set(batch.items.values_list("attempts", flat=True)) == {0}
        batch.items.update(leased_until=timezone.now() - timedelta(seconds=1))
    settings.OUTREACH_BUCKET = ""
    batches.work(uuid4())
    assert far(batch) == (3, 0, 0)


def all_wait(batch: Batch) -> None:
    """See that three papers wait, however often they are tried."""
    for _ in range(batches.ATTEMPTS + 1):
        batches.work(uuid4())
        assert far(batch) == (0, 0, 3)
        batch.items.update(leased_until=timezone.now() - timedelta(seconds=1))


def test_papers_wait_while_the_disk_has_room_for_a_few_bytes_only(
    place: builders.County, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = started(place, files, 3)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(actions.storage, "keep", fail)
        all_wait(batch)
    batches.work(uuid4())
    assert far(batch) == (3, 0, 0)


def test_papers_wait_as_long_as_the_token_does_not_sign_and_are_then_made(
    place: builders.County, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = started(place, files, 3)

    def away(_data: bytes) -> bytes:
        raise KeyUnusable("the token does not sign: DeviceRemoved")

    with monkeypatch.context() as unplugged:
        key = SigningKey(away, "token")
        signer = replace(actions.open_signer(), key=key)
        unplugged.setattr(actions, "open_signer", lambda: signer)
        all_wait(batch)
    batches.work(uuid4())
    assert far(batch) == (3, 0, 0)


def test_papers_wait_for_a_token_that_comes_up_after_the_server(
    place: builders.County, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a power cut; what is wrong with a key otherwise is said to who signs."""
    batch = started(place, files, 3)

    def opened(_folder: Path) -> Signer:
        raise AuthorityUnsound("the token does not answer") from TokenAway("no such token")

    with monkeypatch.context() as early:
        early.setattr(actions, "load_signer", opened)
        batches.work(uuid4())
        assert far(batch) == (0, 0, 3)
        batch.items.update(leased_until=timezone.now() - timedelta(seconds=1))
    batches.work(uuid4())
    assert far(batch) == (3, 0, 0)


def test_renewals_and_replacements_are_signed_for_alike(
    place: builders.County, files: Path
) -> None:
    made = issued(place, files, 2)
    late = ISSUED_AT.replace(year=2027)
    life.declare_lost(made[:1], by=place.liaison, at=late)
    life.ask_renewal(made[1:], by=place.liaison, at=late)
    asked = list(PaperRequest.objects.select_related("certificate__application"))
    batch = batches.sign(requests=asked, by=place.approver, at=late)
    assert far(batch) == (2, 0, 0)
    kinds = Certificate.objects.exclude(kind=Kind.FIRST).order_by("kind")
    assert [one.kind for one in kinds] == [Kind.REISSUE, Kind.RENEWAL]
    assert not PaperRequest.objects.open().exists()


def test_a_replacement_that_an_assessment_forestalled_is_refused_and_says_so(
    place: builders.County, files: Path
) -> None:
    [held] = issued(place, files)
    actions.hand_over([held], by=place.liaison, at=ISSUED_AT)
    case = assessed_again(place, files, held, 2, date(2018, 8, 6))
    over = builders.notice_over(date(2018, 8, 6))
    life.declare_lost([held], by=place.liaison, at=over)
    asked = PaperRequest.objects.select_related("certificate__application").get()
    first = batches.start(requests=[asked], by=place.approver, at=over)
    second = batches.sign([case], by=place.approver, at=over)
    batches.work(uuid4(), first)
    assert (far(second), far(first)) == ((1, 0, 0), (0, 1, 0))
    assert first.items.get().code == "wrong-state"


def test_a_request_that_a_colleague_signed_in_this_very_moment_is_refused_and_says_so(
    place: builders.County, files: Path
) -> None:
    [held] = issued(place, files)
    life.declare_lost([held], by=place.liaison, at=ISSUED_AT)
    asked = PaperRequest.objects.select_related("certificate__application").get()
    mine = batches.sign(requests=[asked], by=place.approver, at=ISSUED_AT)
    theirs = batches.sign(requests=[asked], by=place.approver, at=ISSUED_AT)
    assert (far(mine), far(theirs)) == ((1, 0, 0), (0, 1, 0))
    assert theirs.items.get().code == "wrong-state"


def test_the_servers_worker_makes_what_waits_and_settles_the_day(
    place: builders.County, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = started(place, files, 2)
    monkeypatch.setattr(worker, "PAUSE_S", 0.01)
    monkeypatch.setattr(worker.connection, "close", lambda: None)
    settled = []
    monkeypatch.setattr(worker.life, "settle", lambda *, at: settled.append(at.date()))
    rounds = iter([True, True, False])
    worker.run(lambda: next(rounds))
    assert far(batch) == (2, 0, 0)
    assert settled == [clock.today()]


def test_the_servers_worker_settles_when_the_countys_day_begins_not_that_of_utc(
    place: builders.County, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[date] = []
    monkeypatch.setattr(worker.life, "settle", lambda *, at: settled.append(at.date()))
    day = None
    for minute in ("15:59", "16:01", "23:59"):  # midnight in the county is 16:00 of UTC
        clock.advance_to(datetime.fromisoformat(f"2018-06-20T{minute}:00+00:00"))
        day = worker._settle(day)
    clock.advance_to(datetime.fromisoformat("2018-06-21T00:01:00+00:00"))
    assert worker._settle(day) == date(2018, 6, 21)
    assert settled == [date(2018, 6, 20), date(2018, 6, 21)]


def test_the_worker_survives_a_database_that_is_away(
    place: builders.County, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = started(place, files, 1)
    monkeypatch.setattr(worker, "PAUSE_S", 0.01)
    monkeypatch.setattr(worker.connection, "close", lambda: None)
    real, calls = batches.work, []

    def sometimes(me: Any) -> int:
        calls.append(me)
        if len(calls) == 1:
            raise OSError("the database is away")
        return real(me)

    monkeypatch.setattr(worker.batches, "work", sometimes)
    rounds = iter([True, True, False])
    worker.run(lambda: next(rounds))
    assert far(batch) == (1, 0, 0)


def test_items_know_nothing_of_a_number(place: builders.County, files: Path) -> None:
    started(place, files, 1)
    texts = [str(value) for value in BatchItem.objects.values().get().values()]
    number = Resident.objects.get().id_number
    assert [text for text in texts if number in text] == []
