"""Issuing: once, whole, resumable, and refused with a reason before anything is made."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certificates import actions
from certificates.actions import hand_over, issue, issuing
from certificates.authority import Trust
from certificates.examination import Examination, Verdict, examine
from certificates.founding import SIGNER_YEARS, create_authority
from certificates.life import cancel
from certificates.models import Certificate, CertificateEvent, CertificateFile
from certificates.steps import Ground
from outreach.actions import contacts
from outreach.domain.workflow import ApplicationState
from outreach.files import local_files
from outreach.models import Application, AuditEvent, Guardian, Photo, Resident, StoredBlob
from outreach.models.sealed import blind_index
from outreach.rules import Refused
from tests import builders
from tests.certificates.conftest import NAMES
from tests.certificates.issuing import ISSUED_AT, approved, issued, paper_of, put_portraits
from tests.certificates.making import text_of

pytestmark = pytest.mark.django_db


def kept(files: Path) -> list[Path]:
    return sorted((files / "certificates").rglob("*")) if (files / "certificates").exists() else []


def test_an_approved_case_gets_its_signed_certificate(
    place: builders.County, files: Path, trust: Trust
) -> None:
    (case,) = approved(place, files)
    (made,) = issue([case], by=place.approver, at=ISSUED_AT)
    paper = paper_of(made)
    assert examine(paper, trust) == Examination(Verdict.INTACT)
    assert (made.issued_on, made.valid_until) == (date(2018, 6, 13), date(2028, 6, 13))
    assert made.number == f"{case.resident.id_number}41"
    words = [made.number, "赵青山", "肢体Physical", "壹级Grade1"]
    text = text_of(paper)
    assert [word for word in words if word not in text] == []
    case.refresh_from_db()
    assert case.state == ApplicationState.ISSUED


def test_a_file_lies_under_its_own_sha256(place: builders.County, files: Path) -> None:
    (made,) = issued(place, files)
    row = made.files.get()
    paper = local_files(files).read(row.path).read()
    digest = hashlib.sha256(paper).hexdigest()
    assert (row.sha256, row.size, row.version) == (digest, len(paper), 1)
    assert row.path == f"certificates/{digest[:2]}/{digest}.pdf"


def test_the_number_is_sealed_and_found_by_its_blind_index(
    place: builders.County, files: Path
) -> None:
    (made,) = issued(place, files)
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM certificates_certificate")
        (stored,) = cursor.fetchone()
    assert made.number.encode() not in bytes(stored)
    found = Certificate.objects.get(number_index=blind_index(made.number, "certificate"))
    assert found.number == made.number


def test_issuing_again_makes_nothing_more(place: builders.County, files: Path) -> None:
    cases = approved(place, files, 3)
    first = issue(cases, by=place.approver, at=ISSUED_AT)
    again = list(Application.objects.filter(pk__in=[case.pk for case in cases]))
    assert issue(again, by=place.approver, at=ISSUED_AT) == []
    assert issue(cases, by=place.approver, at=ISSUED_AT) == []
    assert Certificate.objects.count() == len(first) == 3


def test_what_another_worker_issued_meanwhile_is_left_alone(
    place: builders.County, files: Path
) -> None:
    cases = approved(place, files, 2)
    mine = list(Application.objects.filter(pk__in=[case.pk for case in cases]))
    issue(cases[:1], by=place.approver, at=ISSUED_AT)
    made = issue(mine, by=place.approver, at=ISSUED_AT)
    assert [one.application_id for one in made] == [cases[1].pk]
    assert Certificate.objects.count() == 2


def test_a_batch_that_was_killed_goes_on_where_it_was(
    place: builders.County, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = approved(place, files, 5)
    monkeypatch.setattr(actions, "BATCH", 2)
    running = issuing(cases, by=place.approver, at=ISSUED_AT)
    next(running)  # the first batch is entered, the second not begun
    running.close()
    assert Certificate.objects.count() == 2
    resumed = list(Application.objects.order_by("number"))
    assert len(issue(resumed, by=place.approver, at=ISSUED_AT)) == 3
    assert CertificateFile.objects.values("sha256").distinct().count() == 5


def test_a_batch_that_fails_before_it_is_entered_leaves_only_unreferenced_files(
    place: builders.County, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = approved(place, files, 2)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(actions, "advance", fail)
        with pytest.raises(OSError, match="power"):
            issue(cases, by=place.approver, at=ISSUED_AT)
    assert Certificate.objects.count() == 0
    assert len(issue(cases, by=place.approver, at=ISSUED_AT)) == 2


def test_a_batch_takes_as_many_statements_as_one_certificate(
    place: builders.County, files: Path
) -> None:
    counts = []
    for cases in (approved(place, files, 1), approved(place, files, 3)):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            issue(cases, by=place.approver, at=ISSUED_AT)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_photos_still_on_their_way_stop_the_batch(place: builders.County, files: Path) -> None:
    cases = approved(place, files, 2)
    photo = Photo.objects.filter(evaluation__application=cases[1]).first()
    assert photo
    StoredBlob.objects.filter(pk=photo.sha256).delete()
    with pytest.raises(Refused, match="awaiting-media") as refused:
        issue(cases, by=place.approver, at=ISSUED_AT)
    assert cases[1].number in str(refused.value.message)
    assert (Certificate.objects.count(), kept(files)) == (0, [])


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_a_portrait_that_is_no_picture_stops_its_batch(
    place: builders.County, files: Path, content: bytes
) -> None:
    cases = approved(place, files)
    put_portraits(files, cases, content)
    with pytest.raises(Refused, match="no-portrait"):
        issue(cases, by=place.approver, at=ISSUED_AT)
    assert Certificate.objects.count() == 0


def test_a_name_no_font_prints_stops_the_batch_and_is_named(
    place: builders.County, files: Path
) -> None:
    cases = approved(place, files, 2)
    person = Resident.objects.get(applications=cases[1])
    person.name = "王\U000323b0"
    person.save()
    with pytest.raises(Refused, match="unprintable") as refused:
        issue(cases, by=place.approver, at=ISSUED_AT)
    assert cases[1].number in str(refused.value.message)
    assert "\U000323b0" in str(refused.value.message)
    assert (Certificate.objects.count(), kept(files)) == (0, [])


def test_an_address_too_long_for_the_paper_stops_the_batch(
    place: builders.County, files: Path
) -> None:
    cases = approved(place, files)
    person = Resident.objects.get(applications=cases[0])
    person.address = "长" * 300
    person.save()
    with pytest.raises(Refused, match="does-not-fit"):
        issue(cases, by=place.approver, at=ISSUED_AT)


def test_an_address_in_several_lines_stands_on_the_paper_in_one(
    place: builders.County, files: Path
) -> None:
    """A tablet has room for several lines, and a line end is a character that no font prints."""
    cases = approved(place, files)
    told = contacts.Contact("13900000000", "任家祠村一组\n老学校\t旁")
    seen = contacts.Contact("13900000000", "任家祠村一组")
    correction = contacts.Correction(cases[0], told, seen)
    contacts.correct_contacts([correction], by=place.liaison, at=ISSUED_AT)
    (made,) = issue(cases, by=place.approver, at=ISSUED_AT)
    assert "任家祠村一组老学校旁" in text_of(paper_of(made))


def test_marks_that_nobody_sees_in_an_address_stop_no_paper(
    place: builders.County, files: Path
) -> None:
    """They come with what was copied from a message, and no font prints them."""
    cases = approved(place, files)
    person = Resident.objects.get(applications=cases[0])
    person.address = "\u202a任家祠村\u200b一组\u202c"
    person.save()
    (made,) = issue(cases, by=place.approver, at=ISSUED_AT)
    assert "任家祠村一组" in text_of(paper_of(made))


def test_the_guardian_stands_on_the_paper(place: builders.County, files: Path) -> None:
    (case,) = approved(place, files)
    Guardian.objects.create(
        resident=case.resident,
        name="赵大山",
        telephone="13700000000",
        relation="父亲",
        created_at=ISSUED_AT,
    )
    (made,) = issue([case], by=place.approver, at=ISSUED_AT)
    text = text_of(paper_of(made))
    assert {word for word in ("赵大山", "13700000000") if word in text} == {"赵大山", "13700000000"}


@pytest.mark.parametrize(("category", "stands"), [("physical", False), ("mental", True)])
def test_a_childs_guardian_stands_on_the_paper_of_an_adult_only_where_the_category_asks_for_one(
    place: builders.County, files: Path, category: str, *, stands: bool
) -> None:
    """A certificate of a child is renewed for somebody who has come of age."""
    (case,) = approved(place, files)
    evaluation = case.evaluations.get()
    evaluation.category = category
    evaluation.parts = [evaluation.parts[0] | {"category": category}]
    evaluation.save()
    Guardian.objects.create(
        resident=case.resident,
        name="赵大山",
        telephone="13700000000",
        relation="父亲",
        created_at=ISSUED_AT.replace(year=case.resident.identity.birth_on.year + 10),
    )
    (made,) = issue([case], by=place.approver, at=ISSUED_AT)
    assert ("赵大山" in text_of(paper_of(made))) is stands


@pytest.mark.parametrize("who", ["administrator", "assessor", "liaison", "auditor"])
def test_only_the_approver_issues(place: builders.County, files: Path, who: str) -> None:
    cases = approved(place, files)
    with pytest.raises(Refused, match="not-your-step"):
        issue(cases, by=getattr(place, who), at=ISSUED_AT)
    assert Certificate.objects.count() == 0


def test_an_office_without_a_key_is_told_what_to_run(
    place: builders.County, files: Path, settings: Any, tmp_path: Path
) -> None:
    cases = approved(place, files)
    settings.OUTREACH_KEYS_DIR = tmp_path / "no keys"
    with pytest.raises(Refused, match="no-signing-key"):
        issue(cases, by=place.approver, at=ISSUED_AT)


def test_a_key_whose_certificate_ended_while_the_server_ran_signs_nothing(
    place: builders.County, files: Path, tmp_path: Path, settings: Any
) -> None:
    """The checks look at it when the server starts; a reader would call each such paper invalid."""
    cases = approved(place, files)
    settings.OUTREACH_KEYS_DIR = tmp_path / "ended"
    long_ago = timezone.now() - timedelta(days=round(365.25 * SIGNER_YEARS) + 1)
    create_authority(tmp_path / "ended", NAMES, at=long_ago)
    with pytest.raises(Refused, match="signing-key-unsound"):
        issue(cases, by=place.approver, at=ISSUED_AT)
    assert (Certificate.objects.count(), kept(files)) == (0, [])


def test_a_person_who_holds_this_very_certificate_is_not_issued_another(
    place: builders.County, files: Path
) -> None:
    (made,) = issued(place, files)
    (case,) = approved(place, files)
    Certificate.objects.filter(pk=made.pk).update(
        number_index=blind_index(f"{case.resident.id_number}41", "certificate")
    )
    with pytest.raises(Refused, match="number-taken"):
        issue([case], by=place.approver, at=ISSUED_AT)


def test_every_step_is_an_event_and_in_the_trail(place: builders.County, files: Path) -> None:
    made = issued(place, files)
    later = ISSUED_AT + timedelta(days=2)
    hand_over(made, by=place.liaison, at=later)
    end = later + timedelta(days=1)
    cancel(made, ground=Ground.DEATH, reason="死亡", by=place.administrator, at=end)
    events = CertificateEvent.objects.order_by("at").values_list("name", "by__username")
    assert list(events) == [
        ("issue", "approver"),
        ("hand_over", "liaison"),
        ("cancel", "administrator"),
    ]
    trail = AuditEvent.objects.filter(subject="certificate").order_by("at")
    assert [event.action for event in trail] == [
        "certificate.issue",
        "certificate.hand_over",
        "certificate.cancel",
    ]
