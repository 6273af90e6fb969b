"""What a tablet said of a person is erased with them, also where somebody has to decide on it."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute, LedgerEntry
from mobile_api.photos import keep_photo
from outreach.actions import applications
from outreach.actions.trail import number_trail, verify_trail
from outreach.actions.visits import leave
from outreach.domain.retention import Holding
from outreach.files import files, photo_name
from outreach.models import Application, AuditEvent, PaperPhoto, Resident
from outreach.models.ids import new_id
from outreach.retention.blanks import NAMELESS
from outreach.retention.requests import erase_on_request, note, reapply
from outreach.rules import Refused
from tests import builders
from tests.mobile_api.conftest import on_the_day as on_the_day
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args
from tests.mobile_api.uploading import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]


def test_a_record_that_waits_for_a_person_is_decided_first_and_then_erased_with_the_case(
    place: builders.County, tmp_path: Path, settings: Any
) -> None:
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    [case] = builders.accepted(place)
    tablet = enrolled(place, tmp_path)
    contact = {"telephone": "13900000009", "address": "桥头第二家"}
    seen = {"telephone": "13900000008", "address": ""}
    said = {"application": str(case.pk), "to": contact, "seen": seen}
    tablet.say("correct_contact", said, ON_THE_DAY)
    tablet.sync()
    applications.advance([case], "withdraw", by=place.administrator, at=ON_THE_DAY)

    def ask() -> str:
        out = StringIO()
        call_command(
            "erase_person", case.number, "--by", "administrator", "--request", "7", stdout=out
        )
        return out.getvalue()

    assert f"{case.number} stays: a tablet's record of it waits at the desk: decide" in ask()
    dispute = Dispute.objects.get()
    decide(dispute, Decision.SET_ASIDE, reason="撤回", by=place.administrator, at=ON_THE_DAY)
    assert f"{case.number} erased (unfinished)\nrecords of tablets erased: 1" in ask()
    assert Resident.objects.get().name == NAMELESS
    assert LedgerEntry.objects.get().args == {"erased": True}
    assert AuditEvent.objects.get(action="dispute.set_aside").detail == {}
    number_trail()
    assert verify_trail().broken_at is None


def test_what_the_trail_says_of_a_case_since_it_was_last_numbered_is_erased_too(
    place: builders.County, tmp_path: Path, settings: Any
) -> None:
    """Also where a restored register erases again what was asked for."""
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    [case] = builders.accepted(place)
    applications.advance([case], "withdraw", by=place.administrator, at=ON_THE_DAY)
    note(case, Holding.UNFINISHED, place.administrator, ON_THE_DAY, "7")
    assert reapply(ON_THE_DAY) == 1
    assert AuditEvent.objects.get(action="application.assign").detail == {}
    number_trail()
    assert verify_trail().broken_at is None


def test_a_tablet_is_not_asked_for_the_photos_of_who_was_erased(
    place: builders.County, tmp_path: Path, settings: Any
) -> None:
    """They were on their way still when the family gave up and asked to be forgotten."""
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    tablet = enrolled(place, tmp_path, place.liaison)
    photo = {"sha256": "ab" * 32, "kind": "paper", "paper": "id_card", "size": 10}
    said = {"resident": {"name": "孙长河", "id_number": builders.id_number()}}
    case = {"application": str(new_id()), "village": place.village.code, "categories": ["physical"]}
    media = [{**photo, "type": "image/jpeg", "taken_at": ON_THE_DAY.isoformat()}]
    tablet.say("nominate", {**said, **case, "media": media}, ON_THE_DAY, 2)
    assert tablet.exchange()["blobs_missing"] == ["ab" * 32]
    leave(Application.objects.get(), "withdraw", by=place.administrator, at=ON_THE_DAY, note="")
    erase_on_request(Resident.objects.get(), by=place.administrator, at=ON_THE_DAY, request="7")
    assert LedgerEntry.objects.get().args == {"erased": True}
    assert tablet.exchange()["blobs_missing"] == []


def test_what_was_said_of_a_case_that_stays_is_not_erased_with_another_of_the_same_person(
    place: builders.County, tmp_path: Path, settings: Any
) -> None:
    """Its nomination names the ID number too: its words went, its photos were not asked for."""
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    tablet = enrolled(place, tmp_path, place.liaison)
    said = {"resident": {"name": "孙长河", "id_number": builders.id_number()}}
    area = {"village": place.village.code, "categories": ["physical"]}

    def nominated(sha256: str) -> Application:
        photo = {"sha256": sha256, "kind": "paper", "paper": "id_card", "size": 10}
        media = [{**photo, "type": "image/jpeg", "taken_at": ON_THE_DAY.isoformat()}]
        named = {"application": str(new_id()), "media": media}
        tablet.say("nominate", {**said, **area, **named}, ON_THE_DAY, 2)
        tablet.sync()
        return Application.objects.get(pk=named["application"])

    first = nominated("ab" * 32)
    leave(first, "withdraw", by=place.administrator, at=ON_THE_DAY, note="")
    again = nominated("cd" * 32)
    answer = erase_on_request(first.resident, by=place.administrator, at=ON_THE_DAY, request="7")
    assert ([number for number, _ in answer.erased], answer.records) == ([first.number], 1)
    words = [entry.args.get("application") for entry in LedgerEntry.objects.order_by("seq")]
    assert words == [None, str(again.pk)]
    assert tablet.exchange()["blobs_missing"] == ["cd" * 32]

    leave(again, "withdraw", by=place.administrator, at=ON_THE_DAY, note="")
    erase_on_request(again.resident, by=place.administrator, at=ON_THE_DAY, request="8")
    assert [entry.args for entry in LedgerEntry.objects.all()] == [{"erased": True}] * 2


def test_what_a_tablet_says_too_late_of_who_was_erased_goes_in_the_night_once_it_is_decided(
    place: builders.County, tmp_path: Path, settings: Any
) -> None:
    """It was away with the record while the family gave up and asked to be forgotten."""
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    [visit] = builders.scheduled(place)
    [other] = builders.accepted(place)
    tablet = enrolled(place, tmp_path)
    tablet.sync()
    said = {"reason": "absent", "next_step": "revisit", "note": "孙长河搬去女儿家"}
    of_visit = {**said, "visit": str(visit.pk), "recorded_at": ON_THE_DAY.isoformat()}
    tablet.say("record_not_done", of_visit, ON_THE_DAY)
    contact = {"telephone": "13900000009", "address": ""}
    about_another = {"application": str(other.pk), "to": contact, "seen": contact}
    tablet.say(
        "correct_contact", {**about_another, "seen": {**contact, "address": "x"}}, ON_THE_DAY
    )
    leave(visit.application, "withdraw", by=place.administrator, at=ON_THE_DAY, note="")
    person = visit.application.resident
    assert erase_on_request(person, by=place.administrator, at=ON_THE_DAY, request="7").erased
    tablet.sync()

    def words() -> list[bool]:
        call_command("erase_due", stdout=StringIO())
        return [entry.args != {"erased": True} for entry in LedgerEntry.objects.order_by("seq")]

    assert words() == [True, True]
    for dispute in Dispute.objects.all():
        decide(dispute, Decision.SET_ASIDE, reason="孙长河", by=place.administrator, at=ON_THE_DAY)
    assert words() == [False, True]
    assert next(dispute.reason for dispute in Dispute.objects.order_by("seq")) == ""
    tablet.sync()
    number_trail()
    assert verify_trail().broken_at is None


def test_a_photo_that_comes_after_its_case_was_erased_goes_in_the_night(
    place: builders.County, tmp_path: Path, settings: Any
) -> None:
    """It was on its way, or in a hand-in, when the family asked to be forgotten."""
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    settings.OUTREACH_FILES, settings.OUTREACH_RETENTION = tmp_path / "files", None
    case, other = builders.accepted(place, 2)
    names = [keep_photo(BytesIO(jpeg(8, size)), files()) for size in (8, 9)]
    for one, name in ((case, names[0]), (case, names[1]), (other, names[1])):
        photographed(one, name)
    leave(case, "withdraw", by=place.administrator, at=ON_THE_DAY, note="")
    by = place.administrator
    assert erase_on_request(case.resident, by=by, at=ON_THE_DAY, request="7").erased
    builders.store(names)
    call_command("erase_due", stdout=StringIO())
    assert [files().exists(photo_name(name)) for name in names] == [False, True]


def photographed(case: Application, sha256: str) -> None:
    PaperPhoto.objects.create(
        application=case,
        paper="id_card",
        sha256=sha256,
        size=1000,
        content_type="image/jpeg",
        sent_at=ON_THE_DAY,
    )


def test_the_files_of_whom_a_tablet_brings_back_go_too_where_no_terms_are_decided(
    place: builders.County, tmp_path: Path, settings: Any
) -> None:
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    settings.OUTREACH_FILES, settings.OUTREACH_RETENTION = tmp_path / "files", None
    [case] = builders.accepted(place)
    sha256 = keep_photo(BytesIO(jpeg()), files())
    builders.store([sha256])
    photographed(case, sha256)
    before = case.created_at - timedelta(days=1)
    note(case, Holding.UNFINISHED, place.administrator, before, "7")
    call_command("erase_due", stdout=StringIO())
    case.refresh_from_db()
    assert (case.erased_under, files().exists(photo_name(sha256))) == ("unfinished", False)


def test_whom_a_tablet_brings_back_after_a_restore_is_erased_again(
    place: builders.County, tmp_path: Path, settings: Any
) -> None:
    """Nominated, given up and erased since the backup, and said again by the tablet."""
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    gone, number = Application(pk=new_id()), builders.id_number()
    note(gone, Holding.UNFINISHED, place.administrator, builders.START, "7")
    tablet = enrolled(place, tmp_path, place.liaison)
    assert reapply(ON_THE_DAY) == 0
    said = {"resident": {"name": "孙长河", "id_number": number}, "village": place.village.code}
    more = {"application": str(gone.pk), "categories": ["physical"], "media": []}
    tablet.say("nominate", {**said, **more}, ON_THE_DAY, 2)
    other = {"application": str(new_id()), "categories": ["physical"], "media": []}
    said["resident"] = {"name": "钱小河", "id_number": builders.id_number()}
    tablet.say("nominate", {**said, **other}, ON_THE_DAY, 2)
    tablet.sync()
    assert Application.objects.count() == 2
    out = StringIO()
    call_command("erase_due", stdout=out)
    assert "erased again at request, after a restore: 1\n" in out.getvalue()
    case = Application.objects.select_related("resident").get(pk=gone.pk)
    assert (case.state, case.erased_under, case.resident.name) == (
        "withdrawn",
        "unfinished",
        NAMELESS,
    )
    assert [entry.args == {"erased": True} for entry in LedgerEntry.objects.order_by("seq")] == [
        True,
        False,
    ]


def test_an_evaluation_that_comes_too_late_is_said_to_be_of_who_was_erased(
    place: builders.County, tmp_path: Path, settings: Any
) -> None:
    """Whoever accepted it read that the tablet's clock was before the person's birth."""
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    [visit] = builders.scheduled(place)
    tablet = enrolled(place, tmp_path)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    leave(visit.application, "withdraw", by=place.administrator, at=ON_THE_DAY, note="")
    person = visit.application.resident
    assert erase_on_request(person, by=place.administrator, at=ON_THE_DAY, request="7").erased
    tablet.sync()
    dispute = Dispute.objects.get()
    with pytest.raises(Refused, match="erased"):
        decide(dispute, Decision.ACCEPTED, reason="属实", by=place.administrator, at=ON_THE_DAY)
