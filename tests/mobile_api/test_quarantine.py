"""A hand-in is looked into and taken in as its tablet would have sent it, or set aside."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.conf import LazySettings, settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from mobile_api import quarantine
from mobile_api.devices import revoke
from mobile_api.disputes import correction_of, entry_of
from mobile_api.disputes import decide as decide_dispute
from mobile_api.federation import FederationKeys
from mobile_api.handin import take
from mobile_api.models import (
    Decision,
    Device,
    Dispute,
    HandInPart,
    HandInVerdict,
    LedgerEntry,
    Replica,
)
from mobile_api.problems import Problem
from mobile_api.quarantine import Contents, decide, hand_ins_for, look_into
from mobile_api.tus.blobs import Blobs
from mobile_api.wire import HandInIn
from outreach import clock
from outreach.demo.tablet import Tablet
from outreach.domain.vocabulary import Level, Role
from outreach.files import files, photo_name
from outreach.models import Application, AuditEvent, Evaluation, StoredBlob, User, Visit
from outreach.rules import Refused
from tests import builders
from tests.builders import County
from tests.mobile_api.handing_in import sealed, signed_part
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args
from tests.mobile_api.uploading import digest, jpeg

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
Parts = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def keys(tmp_path: Path, settings: LazySettings) -> FederationKeys:
    """The federation's key pair, in a folder of this test's own."""
    settings.OUTREACH_KEYS_DIR = tmp_path / "keys"
    settings.OUTREACH_FILES = tmp_path / "files"
    made = FederationKeys(settings.OUTREACH_KEYS_DIR)
    made.create()
    return made


@pytest.fixture
def tablet(place: County, keys: FederationKeys, tmp_path: Path) -> Tablet:
    """A tablet with one record that the register has, stopped with two that it has not."""
    clock.advance_to(ON_THE_DAY)
    first, second, third = builders.scheduled(place, 3)
    made = enrolled(place, tmp_path)
    absent(made, first)
    made.sync()
    evaluate(made, second, place)
    absent(made, third)
    revoke(Device.objects.get(), by=place.administrator, at=clock.now())
    return made


def absent(tablet: Tablet, visit: Visit) -> None:
    """Say that nobody was at home."""
    said = {"visit": str(visit.pk), "reason": "absent", "next_step": "revisit"}
    tablet.say("record_not_done", {**said, "recorded_at": ON_THE_DAY.isoformat()}, ON_THE_DAY)


def evaluate(tablet: Tablet, visit: Visit, place: County) -> None:
    """Say what an evaluation found."""
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    tablet.say("submit_evaluation", args, ON_THE_DAY)


def hand_in(
    tablet: Tablet, keys: FederationKeys, parts: Parts | None = None, **changes: Any
) -> HandInPart:
    """Hand in the tablet's log, or these parts; return the first."""
    log = [*tablet.state.sent, *tablet.state.outbox]
    parts = parts or [("log", {"entries": log}), ("end", {"entries": len(log)})]
    receipt = str(uuid4())
    for n, (kind, plain) in enumerate(parts):
        said = {"n": n, "of": len(parts), "kind": kind, "hand_in": receipt, **changes}
        body = signed_part(tablet.key, tablet.state.replica, keys, plain, **said)
        take(HandInIn.model_validate(body), at=clock.now())
    return HandInPart.objects.get(hand_in=receipt, n=0)


def accept(first: HandInPart, keys: FederationKeys, place: County) -> dict[str, int]:
    """Take the hand-in in; return what became of it."""
    by, at = place.administrator, clock.now()
    return decide(first, Decision.ACCEPTED, reason="核对无误", keys=keys, by=by, at=at).told


def test_a_look_tells_what_is_new_and_changes_nothing(tablet: Tablet, keys: FederationKeys) -> None:
    first = hand_in(tablet, keys)
    held = look_into(first, keys)
    assert [one.name for one in held.fresh] == ["submit_evaluation", "record_not_done"]
    assert (len(held.mutations), held.drafts, held.unreadable) == (3, 0, 0)
    assert LedgerEntry.objects.count() == 1


def test_what_is_taken_in_is_entered_as_if_the_tablet_had_sent_it_and_once(
    place: County, tablet: Tablet, keys: FederationKeys
) -> None:
    first, again = hand_in(tablet, keys), hand_in(tablet, keys)
    assert accept(first, keys, place) == {"applied": 2, "here": 1}
    assert Visit.objects.filter(state="not_done").count() == 2
    (made,) = Evaluation.objects.all()
    assert (made.assessor, made.application.state) == (place.assessor, "evaluated")
    assert accept(again, keys, place) == {"here": 3}
    assert LedgerEntry.objects.count() == 3
    event = AuditEvent.objects.filter(action="handin.accepted").order_by("pk")[0]
    assert (event.by, event.subject_id) == (place.administrator, first.pk)
    assert event.detail["told"] == {"applied": 2, "here": 1}


def test_what_no_longer_fits_becomes_a_dispute(
    place: County, tablet: Tablet, keys: FederationKeys
) -> None:
    case = Visit.objects.order_by("pk")[1].application
    case.assessor = place.colleague
    case.save()
    first = hand_in(tablet, keys)
    assert accept(first, keys, place) == {"applied": 1, "here": 1, "parked": 1}
    (dispute,) = Dispute.objects.all()
    assert (dispute.code, dispute.replica.device) == ("out-of-scope", Device.objects.get())


def test_what_was_taken_in_and_comes_again_with_its_tablet_is_decided_once(
    place: County, keys: FederationKeys, tmp_path: Path
) -> None:
    """A PIN is remembered after all: what was disputed of the hand-in is a duplicate by then."""
    clock.advance_to(ON_THE_DAY)
    first, second = builders.scheduled(place, 2)
    tablet = enrolled(place, tmp_path)
    evaluate(tablet, first, place)
    absent(tablet, second)
    Application.objects.filter(pk=first.application_id).update(assessor=place.colleague)
    assert accept(hand_in(tablet, keys), keys, place) == {"applied": 1, "parked": 1}
    answer = tablet.exchange()
    told = [(one["outcome"], one["code"]) for one in answer["outcomes"]]
    assert told == [("duplicate", "known")] * 2
    (dispute,) = Dispute.objects.all()
    assert dispute.code == "out-of-scope"
    assert LedgerEntry.objects.count() == 4


def test_what_waits_for_a_person_is_not_applied_when_its_tablet_comes_back(
    place: County, keys: FederationKeys, tmp_path: Path
) -> None:
    """Even where it would fit again by then: somebody is asked about it."""
    clock.advance_to(ON_THE_DAY)
    visit = builders.scheduled(place, 1)[0]
    tablet = enrolled(place, tmp_path)
    evaluate(tablet, visit, place)
    case = Application.objects.filter(pk=visit.application_id)
    case.update(assessor=place.colleague)
    assert accept(hand_in(tablet, keys), keys, place) == {"parked": 1}
    case.update(assessor=place.assessor)
    assert [one["outcome"] for one in tablet.exchange()["outcomes"]] == ["duplicate"]
    assert not Evaluation.objects.exists()
    decide_dispute(
        Dispute.objects.get(),
        Decision.ACCEPTED,
        reason="属实",
        by=place.administrator,
        at=clock.now(),
    )
    assert Evaluation.objects.count() == 1


def test_tablets_of_hand_ins_taken_in_by_an_earlier_version_are_known_too(
    place: County, keys: FederationKeys, tmp_path: Path, tablet: Tablet
) -> None:
    accept(hand_in(tablet, keys), keys, place)
    marked = Replica.objects.get(pk=tablet.state.replica).handed_in_at
    Replica.objects.update(handed_in_at=None)
    step = import_module("mobile_api.migrations.0014_handed_in")
    step.mark_what_was_taken_in(apps, connection.schema_editor())
    assert marked
    assert Replica.objects.get(pk=tablet.state.replica).handed_in_at == marked


def test_what_the_office_changed_back_is_not_changed_again_by_a_tablet_that_comes_back(
    place: County, keys: FederationKeys, tmp_path: Path
) -> None:
    clock.advance_to(ON_THE_DAY)
    visit = builders.scheduled(place, 1)[0]
    tablet = enrolled(place, tmp_path)
    person = visit.application.resident
    seen = {"telephone": person.telephone, "address": person.address}
    said = {"application": str(visit.application_id), "seen": seen}
    to = {**seen, "telephone": "13900000001"}
    tablet.say("correct_contact", {**said, "to": to}, ON_THE_DAY)
    assert accept(hand_in(tablet, keys), keys, place) == {"applied": 1}
    person.refresh_from_db()
    assert person.telephone == to["telephone"]
    person.telephone = seen["telephone"]
    person.save()
    assert [one["outcome"] for one in tablet.exchange()["outcomes"]] == ["duplicate"]
    person.refresh_from_db()
    assert person.telephone == seen["telephone"]


def test_what_is_decided_while_it_is_cut_off_is_begun_anew(
    place: County, tablet: Tablet, keys: FederationKeys
) -> None:
    """The verdict stands, and what came after it under the same number would never be heard."""
    log = [*tablet.state.sent, *tablet.state.outbox]
    first = hand_in(tablet, keys, [("log", {"entries": log[:2]})])
    assert accept(first, keys, place) == {"applied": 1, "here": 1}
    said = {"n": 1, "of": 3, "hand_in": str(first.hand_in)}
    rest = signed_part(tablet.key, tablet.state.replica, keys, {"entries": log[2:]}, **said)
    with pytest.raises(Problem, match="hand-in-anew"):
        take(HandInIn.model_validate(rest), at=clock.now())
    assert accept(hand_in(tablet, keys), keys, place) == {"applied": 1, "here": 2}


def test_a_copy_that_had_spoken_before_is_heard_by_what_differs(
    place: County, keys: FederationKeys, tmp_path: Path
) -> None:
    clock.advance_to(ON_THE_DAY)
    first, second = builders.scheduled(place, 2)
    one = enrolled(place, tmp_path)
    shutil.copy(one.path, tmp_path / "copy.json")
    absent(one, first)
    one.sync()
    copy = Tablet(one.client, tmp_path / "copy.json")
    absent(copy, second)
    assert accept(hand_in(copy, keys, reason="fork"), keys, place) == {"applied": 1}
    assert Visit.objects.filter(state="not_done").count() == 2


def test_pictures_are_kept_when_they_are_what_they_say(
    place: County, tablet: Tablet, keys: FederationKeys
) -> None:
    photo = jpeg()
    name = digest(photo)
    whole = base64.b64encode(photo).decode()
    parts: Parts = [
        ("media", {"meta": {"sha256": name}, "body": whole}),
        ("media", {"meta": {"sha256": "0" * 64}, "body": whole}),
        ("media", {"meta": {"sha256": name}, "body": None}),
        ("end", {}),
    ]
    assert accept(hand_in(tablet, keys, parts), keys, place) == {"no_picture": 2, "picture": 1}
    assert StoredBlob.objects.get().sha256 == name
    assert files().read(photo_name(name)).read() == photo


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_the_pictures_that_are_taken_in(
    place: County, tablet: Tablet, keys: FederationKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer: with a thousand of them every tablet and desk was turned away."""
    photo, held = jpeg(), list[bool]()
    part = {"meta": {"sha256": digest(photo)}, "body": base64.b64encode(photo).decode()}
    first = hand_in(tablet, keys, [("media", part), ("end", {})])
    taking = Blobs.take

    def take(blobs: Blobs, *given: Any) -> Any:
        held.append(connection.in_atomic_block)
        return taking(blobs, *given)

    monkeypatch.setattr(Blobs, "take", take)
    assert accept(first, keys, place) == {"picture": 1}
    assert held == [False]


def test_what_came_while_it_was_taken_in_is_looked_at_first(
    place: County, tablet: Tablet, keys: FederationKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tablet goes on with a hand-in that was cut off in the moment it is decided about."""
    log = tablet.state.outbox
    receipt = str(uuid4())

    def part(n: int, kind: str, plain: dict[str, Any]) -> None:
        said = {"n": n, "of": 3, "kind": kind, "hand_in": receipt}
        body = signed_part(tablet.key, tablet.state.replica, keys, plain, **said)
        take(HandInIn.model_validate(body), at=clock.now())

    def looking(*given: Any) -> Contents:
        contents = look_into(*given)
        part(1, "log", {"entries": log[1:]})
        return contents

    part(0, "log", {"entries": log[:1]})
    first = HandInPart.objects.get()
    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "look_into", looking)
        with pytest.raises(Refused, match="stands-otherwise"):
            accept(first, keys, place)
    part(2, "end", {"entries": len(log)})
    assert accept(first, keys, place) == {"applied": 2}


def test_a_record_that_the_tablet_did_not_sign_can_only_be_set_aside(
    place: County, tablet: Tablet, keys: FederationKeys
) -> None:
    forged = {**tablet.state.outbox[1], "args": {**tablet.state.outbox[1]["args"], "note": "改"}}
    first = hand_in(tablet, keys, [("log", {"entries": [forged]}), ("end", {})])
    assert accept(first, keys, place) == {"refused": 1}
    assert Dispute.objects.get().code == "bad-signature"
    assert Visit.objects.filter(state="not_done").count() == 1


UNREADABLE: list[Any] = [
    {},
    {"seq": 2**60},
    {"seq": 5, "args": {"x": float("nan")}},
    [],
    "text",
    None,
]


def test_what_cannot_be_read_is_counted_and_stops_nothing(
    place: County, tablet: Tablet, keys: FederationKeys
) -> None:
    good = tablet.state.outbox[1]
    odd = [{**good, **one} if one and isinstance(one, dict) else one for one in UNREADABLE]
    parts: Parts = [
        ("log", {"entries": [*odd, good]}),
        ("log", {}),
        ("drafts", {"drafts": {"visit:1": {}}}),
        ("media", {"meta": 1}),
        ("end", {}),
    ]
    first = hand_in(tablet, keys, parts)
    assert look_into(first, keys).drafts == 1
    assert accept(first, keys, place) == {"applied": 1, "unreadable": len(odd) + 2}


def as_it_lies(tablet: Tablet, keys: FederationKeys, torn: int | None = None) -> Parts:
    """Return the parts of a locked tablet, of whose records one may be torn."""
    key, rows = os.urandom(32), []
    for at, one in enumerate([*tablet.state.sent, *tablet.state.outbox]):
        iv, bound = os.urandom(12), f"log|{one['seq']}|1".encode()
        body = b"\1" + iv + AESGCM(key).encrypt(iv, json.dumps(one).encode(), bound)
        kept = base64.b64encode(body[: 20 if at == torn else None]).decode()
        rows.append({"seq": one["seq"], "body": kept})
    data_key = sealed(key, str(keys.public()))
    first: Parts = [("store", {"store": "vault", "data_key": data_key, "records": []})]
    return [*first, *(("store", {"store": "log", "records": [row]}) for row in rows), ("end", {})]


def test_a_torn_record_of_a_locked_tablet_hides_no_other(
    place: County, tablet: Tablet, keys: FederationKeys, sign_in: SignIn, tmp_path: Path
) -> None:
    """The tablet has erased itself upon the receipt: what can be opened must be heard."""
    first = hand_in(tablet, keys, as_it_lies(tablet, keys, torn=1), reason="locked")
    office, address = sign_in(place.administrator), f"/tablets/handed-in/{first.pk}/"
    page = office.get(address).content.decode()
    assert ("2 条记录" in page, "打不开" in page) == (True, False)
    call_command("open_handin", str(first.hand_in), tmp_path / "out", stdout=StringIO())
    torn, last = (json.loads((tmp_path / f"out/000{n}-store.json").read_text()) for n in (2, 3))
    assert torn["records"][0]["sealed"]["seq"] == torn["records"][0]["key"]
    assert last["records"][0]["content"]["name"] == "record_not_done"
    assert accept(first, keys, place) == {"applied": 1, "here": 1, "unreadable": 1}


ODD_STORES: list[Any] = [
    *(None, 1, [], "text", {"store": "log"}, {"store": "log", "records": 5}),
    {"store": "log", "records": [5, None, [], {"body": "zz"}]},
    *({"store": "log", "records": [], "data_key": key} for key in (5, {"x": "y"})),
]


@pytest.mark.parametrize("odd", ODD_STORES)
def test_what_is_made_like_no_other_hides_nothing_beside_it(
    place: County,
    tablet: Tablet,
    keys: FederationKeys,
    sign_in: SignIn,
    tmp_path: Path,
    odd: Any,
) -> None:
    """No key signs what a locked tablet says: whoever knows its number may say anything."""
    log, media = ("log", {"entries": tablet.state.outbox}), ("media", odd)
    parts: Parts = [("store", odd), log, media, ("end", {})]
    first = hand_in(tablet, keys, parts, reason="locked")
    page = sign_in(place.administrator).get(f"/tablets/handed-in/{first.pk}/")
    assert "2 条记录" in page.content.decode()
    call_command("open_handin", str(first.hand_in), tmp_path / "out", stdout=StringIO())
    assert json.loads((tmp_path / "out/0001-log.json").read_text()) == log[1]
    assert accept(first, keys, place)["applied"] == 2


def test_a_copy_that_is_handed_in_is_shown_beside_what_it_corrects(
    place: County, keys: FederationKeys, tmp_path: Path
) -> None:
    clock.advance_to(ON_THE_DAY)
    visit = builders.scheduled(place, 1)[0]
    tablet = enrolled(place, tmp_path)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    tablet.say("submit_evaluation", {**args, "identity_checked": False}, ON_THE_DAY)
    tablet.sync()
    [sent] = tablet.state.sent
    copy = {**args, "evaluation": str(uuid4()), "corrects": sent["id"]}
    tablet.say("submit_evaluation", copy, ON_THE_DAY)
    assert accept(hand_in(tablet, keys, reason="fork"), keys, place) == {"applied": 1, "here": 1}
    shown = correction_of(entry_of(Dispute.objects.get()))
    assert shown is not None
    assert shown.args == copy


def test_set_aside_it_changes_nothing_and_stays(
    place: County, tablet: Tablet, keys: FederationKeys
) -> None:
    first = hand_in(tablet, keys)
    by, at = place.administrator, clock.now()
    decide(first, Decision.SET_ASIDE, reason="误操作", keys=keys, by=by, at=at)
    assert (LedgerEntry.objects.count(), HandInPart.objects.count()) == (1, 2)
    with pytest.raises(Refused, match="decided-already"):
        accept(first, keys, place)


@pytest.mark.parametrize("who", ["assessor", "auditor", "approver", "liaison"])
def test_only_an_administrator_of_the_area_decides(
    place: County, tablet: Tablet, keys: FederationKeys, who: str
) -> None:
    first = hand_in(tablet, keys)
    with pytest.raises(Refused) as refused:
        decide(
            first,
            Decision.ACCEPTED,
            reason="x",
            keys=keys,
            by=getattr(place, who),
            at=clock.now(),
        )
    assert refused.value.code == "not-your-step"
    assert not HandInVerdict.objects.exists()


def test_the_desk_lists_shows_and_decides(
    place: County, tablet: Tablet, keys: FederationKeys, sign_in: SignIn
) -> None:
    first = hand_in(tablet, keys)
    office = sign_in(place.administrator)
    assert "有 1 份平板交回内容待处理" in office.get("/tablets/").content.decode()
    address = f"/tablets/handed-in/{first.pk}/"
    assert address in office.get("/tablets/handed-in/").content.decode()
    page = office.get(address).content.decode()
    assert ("3 条记录" in page, "已在系统里：1" in page, "赵青山" in page) == (True,) * 3
    assert office.post(address, {"decision": "accepted"})["X-Refusal"] == "malformed-form"
    told = office.post(address, {"decision": "accepted", "reason": "核对无误"}, follow=True)
    assert ("已录入" in told.content.decode(), told.redirect_chain) == (True, [(address, 303)])
    assert "核对无误" in sign_in(place.auditor).get(address).content.decode()
    assert sign_in(place.auditor).post(address, {}).status_code == 403
    assert "待处理" not in office.get("/tablets/handed-in/").content.decode()


def test_people_of_another_area_are_not_named(
    place: County, tablet: Tablet, keys: FederationKeys, sign_in: SignIn
) -> None:
    """Whose tablet it was works in another area now; whom they had nominated was named there."""
    person = {"name": "钱新来", "id_number": builders.id_number()}
    said = {"application": str(uuid4()), "resident": person, "village": place.village.code}
    tablet.say("nominate", {**said, "categories": ["physical"], "media": []}, ON_THE_DAY, 2)
    first = hand_in(tablet, keys)
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    named = {}
    for where in (place.county, elsewhere):
        User.objects.filter(pk=place.assessor.pk).update(division=where)
        office = sign_in(builders.user(f"office {where.code}", Role.ADMINISTRATOR, where))
        page = office.get(f"/tablets/handed-in/{first.pk}/").content.decode()
        named[where] = ("4 条记录" in page, "赵青山" in page, "钱新来" in page)
    assert named == {place.county: (True, True, True), elsewhere: (True, False, False)}


def test_without_the_key_the_desk_says_so_and_can_set_it_aside(
    place: County, tablet: Tablet, keys: FederationKeys, sign_in: SignIn
) -> None:
    first = hand_in(tablet, keys)
    (settings.OUTREACH_KEYS_DIR / "hand-in.key.pem").unlink()
    office, address = sign_in(place.administrator), f"/tablets/handed-in/{first.pk}/"
    assert "不在本服务器上" in office.get(address).content.decode()
    answer = office.post(address, {"decision": "accepted", "reason": "x"})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "no-key")
    assert office.post(address, {"decision": "set_aside", "reason": "x"}).status_code == 303


def test_a_disk_that_takes_no_picture_is_not_taken_for_a_missing_key(
    place: County, tablet: Tablet, keys: FederationKeys, sign_in: SignIn, settings: LazySettings
) -> None:
    photo = jpeg()
    whole = base64.b64encode(photo).decode()
    first = hand_in(tablet, keys, [("media", {"meta": {"sha256": digest(photo)}, "body": whole})])
    settings.OUTREACH_FILES = settings.OUTREACH_KEYS_DIR / "hand-in.pub.pem" / "files"
    office, address = sign_in(place.administrator), f"/tablets/handed-in/{first.pk}/"
    office.raise_request_exception = False
    answer = office.post(address, {"decision": "accepted", "reason": "x"})
    assert (answer.status_code, "照片和证件文件暂时无法读写" in answer.content.decode()) == (
        503,
        True,
    )
    assert not HandInVerdict.objects.exists()


def test_what_was_sealed_to_another_key_cannot_be_taken_in(
    place: County, tablet: Tablet, keys: FederationKeys, tmp_path: Path, sign_in: SignIn
) -> None:
    stranger = FederationKeys(tmp_path / "stranger")
    stranger.create()
    first = hand_in(tablet, stranger)
    office, address = sign_in(place.administrator), f"/tablets/handed-in/{first.pk}/"
    assert "打不开" in office.get(address).content.decode()
    answer = office.post(address, {"decision": "accepted", "reason": "x"})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "cannot-open")


def test_one_that_was_cut_off_says_so_and_names_the_missing_parts(
    place: County, tablet: Tablet, keys: FederationKeys, sign_in: SignIn
) -> None:
    first = hand_in(tablet, keys, [("log", {"entries": tablet.state.outbox})], of=4)
    (row,) = hand_ins_for(place.administrator)
    assert (row.pk, row.parts, row.of, row.is_whole, row.decided) == (first.pk, 1, 4, False, "")
    page = sign_in(place.administrator).get(f"/tablets/handed-in/{first.pk}/").content.decode()
    assert ("1/4" in page, "没有传完" in page) == (True, True)


def test_the_unknown_are_counted_but_not_shown(
    place: County, tablet: Tablet, keys: FederationKeys, sign_in: SignIn
) -> None:
    hand_in(tablet, keys, replica=str(uuid4()), reason="unknown")
    page = sign_in(place.administrator).get("/tablets/handed-in/")
    assert (page.context["listing"].total, page.context["unknown"]) == (0, 1)
