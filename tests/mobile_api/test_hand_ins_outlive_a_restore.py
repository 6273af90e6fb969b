"""A register restored from an older backup has what was handed in since: no tablet has it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from mobile_api import handed
from mobile_api.federation import FederationKeys
from mobile_api.handin import take
from mobile_api.models import Device, Dispute, HandInPart, LedgerEntry, Replica
from mobile_api.photos import keep_photo
from mobile_api.quarantine import hand_ins_for
from mobile_api.wire import HandInIn
from outreach import clock
from outreach.backups.verifying import Verdict, verify_files
from outreach.demo.tablet import Tablet
from outreach.files import Folder, SealedStorage, files, photo_name
from outreach.models import AuditEvent, Evaluation, StoredBlob, User
from tests import builders
from tests.builders import County
from tests.mobile_api.conftest import Restore
from tests.mobile_api.handing_in import signed_part
from tests.mobile_api.talking import ON_THE_DAY, enrolled
from tests.mobile_api.test_quarantine import accept, evaluate, hand_in
from tests.mobile_api.test_quarantine import keys as keys
from tests.mobile_api.test_quarantine import tablet as tablet
from tests.mobile_api.uploading import jpeg

pytestmark = pytest.mark.django_db
BackUp = Callable[[], Restore]
Row = tuple[Any, ...]


class PowerCutError(Exception):
    """Everything stops here."""


@pytest.fixture(autouse=True)
def apart(settings: LazySettings, tmp_path: Path) -> None:
    settings.OUTREACH_ENROLMENTS = tmp_path / "apart" / "enrolments.jsonl"
    settings.OUTREACH_REVOCATIONS = tmp_path / "apart" / "revocations.jsonl"


def rows() -> list[Row]:
    """Return everything that the register keeps of hand-ins, but for the keys of its rows."""
    names = [field.name for field in HandInPart._meta.fields if field.name != "id"]
    return list(HandInPart.objects.order_by("hand_in", "n").values_list(*names))


def another_key() -> bytes:
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*form)


def waiting(place: County) -> list[HandInPart]:
    found = hand_ins_for(place.administrator).order_by("received_at", "pk")
    return [first for first in found if not first.decided]


def part(
    tablet: Tablet, keys: FederationKeys, receipt: str, n: int, plain: object, **changes: Any
) -> HandInIn:
    """Return part `n` of three, as its tablet sends it."""
    kind = ("log", "log", "end")[n]
    said = {"hand_in": receipt, "n": n, "of": 3, "kind": kind, **changes}
    body = signed_part(tablet.key, tablet.state.replica, keys, plain, **said)
    return HandInIn.model_validate(body)


def three(tablet: Tablet, keys: FederationKeys, **changes: Any) -> list[HandInIn]:
    """Return a hand-in of the tablet's log in three parts."""
    log, receipt = [*tablet.state.sent, *tablet.state.outbox], str(uuid4())
    plain = ({"entries": log[:1]}, {"entries": log[1:]}, {"entries": len(log)})
    return [part(tablet, keys, receipt, n, what, **changes) for n, what in enumerate(plain)]


def cut_before_the_commit(one: HandInIn) -> None:
    with suppress(PowerCutError), transaction.atomic():
        take(one, at=clock.now())
        raise PowerCutError


def test_it_is_found_again_as_it_was_and_waits_at_the_desk(
    place: County, tablet: Tablet, keys: FederationKeys, back_up: BackUp
) -> None:
    restore = back_up()
    hand_in(tablet, keys)
    before = rows()

    assert "Hand-ins found again: 1." in restore()
    assert rows() == before
    [first] = waiting(place)
    assert (first.parts, first.is_whole) == (2, True)
    assert accept(first, keys, place) == {"applied": 2, "here": 1}
    [event] = AuditEvent.objects.filter(action="device.hand_in")
    assert (event.by, event.subject_id) == (None, Device.objects.get().pk)
    call_command("begin_epoch")
    assert (rows(), waiting(place)) == (before, [])


def test_what_was_decided_since_is_decided_again_and_applied_once(
    place: County, tablet: Tablet, keys: FederationKeys, back_up: BackUp
) -> None:
    restore = back_up()
    told = accept(hand_in(tablet, keys), keys, place)
    restore()
    assert (Evaluation.objects.count(), LedgerEntry.objects.count()) == (0, 1)
    [again] = waiting(place)

    assert accept(again, keys, place) == told
    assert (Evaluation.objects.count(), LedgerEntry.objects.count()) == (1, 3)
    assert not Dispute.objects.exists()


def test_what_its_tablet_brought_meanwhile_is_not_entered_twice(
    place: County, keys: FederationKeys, back_up: BackUp, tmp_path: Path
) -> None:
    """A PIN is remembered after all, and the tablet sends again what the backup does not know."""
    clock.advance_to(ON_THE_DAY)
    [visit] = builders.scheduled(place)
    tablet = enrolled(place, tmp_path)
    restore = back_up()
    evaluate(tablet, visit, place)
    accept(hand_in(tablet, keys, reason="locked"), keys, place)
    tablet.sync()
    restore()
    tablet.sync()
    [first] = waiting(place)

    assert accept(first, keys, place) == {"here": 1}
    assert (Evaluation.objects.count(), Dispute.objects.count()) == (1, 0)


def test_what_came_before_its_tablet_was_known_again_waits_at_the_desk_whole(
    place: County, tablet: Tablet, keys: FederationKeys, settings: LazySettings
) -> None:
    """As where the file of enrolments is found a day later, between two parts or after the last."""
    [replica] = Replica.objects.values()
    LedgerEntry.objects.all().delete()
    Replica.objects.all().delete()
    whole, cut = three(tablet, keys), three(tablet, keys)
    for one in (*whole, cut[0]):
        take(one, at=clock.now())
    another = part(tablet, keys, str(uuid4()), 0, {"entries": []}, replica=str(uuid4()))
    forged = part(tablet, keys, str(uuid4()), 0, {"entries": []})
    for stranger in (another, forged.model_copy(update={"sig": another.sig})):
        take(stranger, at=clock.now())
    Replica.objects.create(**replica)
    for one in cut[1:]:
        take(one, at=clock.now())
    assert waiting(place) == []

    told = StringIO()
    call_command("begin_epoch", stdout=told)
    assert "Hand-ins found again: 2." in told.getvalue()
    assert [(one.parts, one.is_whole) for one in waiting(place)] == [(3, True)] * 2
    assert HandInPart.objects.filter(replica=None).count() == 2


def test_one_that_the_backup_knows_is_there_once(
    place: County, tablet: Tablet, keys: FederationKeys, back_up: BackUp
) -> None:
    first = hand_in(tablet, keys)
    before = rows()
    restore = back_up()
    accept(first, keys, place)

    assert "Hand-ins found again: 0." in restore()
    assert (rows(), waiting(place)) == (before, [first])
    assert accept(first, keys, place) == {"applied": 2, "here": 1}


def test_half_of_one_goes_on_where_its_tablet_was(
    place: County, tablet: Tablet, keys: FederationKeys, back_up: BackUp
) -> None:
    first, second, end = three(tablet, keys)
    take(first, at=clock.now())
    restore = back_up()
    take(second, at=clock.now())
    restore()

    assert take(end, at=clock.now())[1]
    [found] = waiting(place)
    assert (found.parts, found.is_whole) == (3, True)
    assert accept(found, keys, place) == {"applied": 2, "here": 1}


def test_of_two_both_are_found_again_and_nothing_is_entered_twice(
    place: County, tablet: Tablet, keys: FederationKeys, back_up: BackUp
) -> None:
    restore = back_up()
    hand_in(tablet, keys)
    hand_in(tablet, keys)

    assert "Hand-ins found again: 2." in restore()
    told = [accept(first, keys, place) for first in waiting(place)]
    assert told == [{"applied": 2, "here": 1}, {"here": 3}]
    assert Evaluation.objects.count() == 1


def test_a_power_cut_between_file_and_row_leaves_what_the_tablet_sends_next(
    tablet: Tablet, keys: FederationKeys, back_up: BackUp
) -> None:
    """It was told nothing and seals anew: file and row are of one sealing, whichever it is."""
    cut, *_rest = three(tablet, keys)
    restore = back_up()
    cut_before_the_commit(cut)
    assert rows() == []
    again = part(tablet, keys, str(cut.hand_in), 0, {"entries": []})
    assert take(again, at=clock.now())[1]
    restore()
    assert [row.sealed for row in HandInPart.objects.all()] == [again.sealed]


def test_what_only_the_file_has_is_a_part_like_any_other_in_a_restored_register(
    place: County, tablet: Tablet, keys: FederationKeys, back_up: BackUp
) -> None:
    first, second, end = three(tablet, keys)
    restore = back_up()
    cut_before_the_commit(first)
    restore()

    assert [take(one, at=clock.now())[1] for one in (first, second, end)] == [False, True, True]
    [found] = waiting(place)
    assert accept(found, keys, place) == {"applied": 2, "here": 1}


def test_a_lost_answer_changes_nothing(
    tablet: Tablet, keys: FederationKeys, back_up: BackUp
) -> None:
    first, *_rest = three(tablet, keys)
    restore = back_up()
    take(first, at=clock.now())
    again = part(tablet, keys, str(first.hand_in), 0, {"entries": []})
    assert not take(again, at=clock.now())[1]
    restore()
    assert [row.sealed for row in HandInPart.objects.all()] == [first.sealed]


def test_nothing_is_receipted_that_cannot_be_kept(
    tablet: Tablet, keys: FederationKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left on the disk")

    first, *_rest = three(tablet, keys)
    body, kind = first.model_dump_json(), "application/json"
    browser = Client(raise_request_exception=False)
    with monkeypatch.context() as patched:
        patched.setattr(SealedStorage, "put", full)
        answer = browser.post("/api/v1/hand-in", body, content_type=kind)
    assert (answer.status_code, answer.json()["type"]) == (507, "/problems/no-room")
    assert rows() == []
    assert browser.post("/api/v1/hand-in", body, content_type=kind).status_code == 201


def test_a_damaged_file_hides_no_other(
    tablet: Tablet, keys: FederationKeys, back_up: BackUp, settings: LazySettings
) -> None:
    restore = back_up()
    for one in three(tablet, keys):
        take(one, at=clock.now())
    _, torn, _ = list(files().names(handed.ROOM))
    file = settings.OUTREACH_FILES / torn
    file.write_bytes(file.read_bytes()[:-1])
    (file.parent / "notes.txt").write_text("not ours")

    assert "Hand-ins found again: 1." in restore()
    assert [row[1] for row in rows()] == [0, 2]


def test_what_lies_on_a_lost_sector_is_named_and_hides_no_other(
    tablet: Tablet, keys: FederationKeys, back_up: BackUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The restore ended at the first: no photo and no hand-in after it was found again."""
    restore = back_up()
    for one in three(tablet, keys):
        take(one, at=clock.now())
    _, part, _ = list(files().names(handed.ROOM))
    photos = [keep_photo(BytesIO(jpeg(seed=seed)), files()) for seed in (1, 2)]
    photo = photo_name(min(photos))
    opened = Folder.open

    def opening(place: Folder, name: str) -> BinaryIO:
        if name in (part, photo):
            raise OSError(errno.EIO, "Input/output error")
        return opened(place, name)

    monkeypatch.setattr(Folder, "open", opening)
    with pytest.raises(CommandError, match=f"2 files are not entered.*{photo}, {part}"):
        restore()
    assert [row[1] for row in rows()] == [0, 2]
    assert [one.pk for one in StoredBlob.objects.all()] == [max(photos)]
    lost = verify_files(files(), lambda *_: None).damaged
    assert lost == [part]

    monkeypatch.undo()
    told = StringIO()
    call_command("begin_epoch", stdout=told)
    assert "Photos entered again: 1. Hand-ins found again: 1." in told.getvalue()


def test_whoever_decides_sees_that_a_part_is_lost(
    place: County,
    tablet: Tablet,
    keys: FederationKeys,
    sign_in: Callable[[User], Client],
) -> None:
    """Its file was damaged, as the one of a restored register may be."""
    for one in three(tablet, keys):
        take(one, at=clock.now())
    first, middle, _end = HandInPart.objects.order_by("n")
    office, lost = sign_in(place.administrator), ("缺一部分", "这一份有一部分已丢失")
    pages = ("/tablets/handed-in/", f"/tablets/handed-in/{first.pk}/")

    def seen() -> list[bool]:
        return [
            word in office.get(page).content.decode()
            for page, word in zip(pages, lost, strict=True)
        ]

    assert seen() == [False, False]
    middle.delete()
    assert seen() == [True, True]


def test_a_file_that_rotted_is_named_by_who_reads_them_all(
    tablet: Tablet, keys: FederationKeys, settings: LazySettings
) -> None:
    hand_in(tablet, keys)
    [_first, end] = files().names(handed.ROOM)
    assert verify_files(files(), lambda *_: None).whole == 2
    body = bytearray((settings.OUTREACH_FILES / end).read_bytes())
    body[len(body) // 2] ^= 1
    (settings.OUTREACH_FILES / end).write_bytes(body)
    told = verify_files(files(), lambda *_: None)
    assert (told.whole, told.missing, told.damaged) == (1, [], [end])


def test_nothing_is_added_to_what_somebody_has_decided_about(
    place: County, tablet: Tablet, keys: FederationKeys
) -> None:
    """A power cut left a part that was never receipted: its tablet began anew."""
    first, second, _ = three(tablet, keys)
    take(first, at=clock.now())
    cut_before_the_commit(second)
    [half] = waiting(place)
    accept(half, keys, place)
    call_command("begin_epoch")
    assert [row[1] for row in rows()] == [0]


def test_a_tablet_that_was_enrolled_after_the_backup_is_known_by_what_it_handed_in(
    place: County, keys: FederationKeys, back_up: BackUp, tmp_path: Path
) -> None:
    clock.advance_to(ON_THE_DAY)
    [visit] = builders.scheduled(place)
    restore = back_up()
    tablet = enrolled(place, tmp_path)
    evaluate(tablet, visit, place)
    hand_in(tablet, keys, reason="locked")
    restore()

    [first] = waiting(place)
    assert accept(first, keys, place) == {"applied": 1}


def test_what_nobody_knows_stays_of_nobody(
    place: County, tablet: Tablet, keys: FederationKeys, back_up: BackUp
) -> None:
    """Also where the replica that it named belongs to another tablet by then."""
    replica = str(uuid4())
    restore = back_up()
    for one in three(tablet, keys, replica=replica, reason="unknown"):
        take(one, at=clock.now())
    before = rows()
    restore()
    assert rows() == before
    HandInPart.objects.all().delete()
    Device.objects.update(public_key=another_key())
    Replica.objects.create(
        id=replica, device=Device.objects.get(), chain="0" * 64, created_at=ON_THE_DAY
    )
    call_command("begin_epoch")
    assert rows() == before


def test_a_lost_file_is_named_but_none_of_before_there_were_files(
    tablet: Tablet, keys: FederationKeys
) -> None:
    """The register has the part still, and a restore of it alone would not."""
    upgrade = MigrationRecorder.Migration.objects.filter(app="mobile_api", name="0014_handed_in")
    hand_in(tablet, keys)
    [first, end] = files().names(handed.ROOM)
    files().delete(first)
    assert verify_files(files(), lambda *_: None) == Verdict(1)

    upgrade.update(applied=clock.now())
    assert verify_files(files(), lambda *_: None) == Verdict(1, missing=[first])
    files().delete(end)
    HandInPart.objects.filter(n=1).delete()
    assert verify_files(files(), lambda *_: None) == Verdict(0, missing=[first])
