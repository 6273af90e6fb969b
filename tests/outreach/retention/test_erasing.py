"""What was kept long enough is erased; what is signed, chained and counted stays provable."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as service
from django.contrib.sessions.models import Session
from django.core.cache.backends.db import DatabaseCache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from certificates.actions import hand_over, open_file
from certificates.life import ask_renewal
from certificates.models import Certificate
from certificates.verdicts import judge
from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute, LedgerEntry
from mobile_api.photos import keep_photo, remove_files
from outreach import clock
from outreach.actions import applications
from outreach.actions.audit import record
from outreach.actions.contacts import Contact, Correction, correct_contacts
from outreach.actions.notifying.outbox import fill_outbox
from outreach.actions.notifying.senders import Shelf
from outreach.actions.photos import take_again
from outreach.actions.trail import number_trail, verify_trail
from outreach.demo.tablet import Tablet
from outreach.files import SealedStorage, photo_name
from outreach.files import files as kept_files
from outreach.models import (
    Application,
    AuditEvent,
    Enquiry,
    Evaluation,
    Guardian,
    ImportDraft,
    Notification,
    PaperPhoto,
    Photo,
    Resident,
    StoredBlob,
    User,
    Visit,
)
from outreach.models.ids import new_id
from outreach.reports import savings_report
from outreach.retention.blanks import NAMELESS
from outreach.retention.requests import reapply
from outreach.rules import Refused
from tests import builders
from tests.certificates.issuing import issued
from tests.mobile_api.conftest import Restore
from tests.mobile_api.conftest import back_up as back_up
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args
from tests.mobile_api.uploading import digest, jpeg
from tests.outreach.planning import ASKED, hills, made

pytestmark = pytest.mark.django_db
SECRETS = ("13900000000", "任家祠村一组", "下肢缺失")


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.OUTREACH_FILES = tmp_path / "files"
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    settings.OUTREACH_RETENTION = tmp_path / "terms.toml"
    settings.OUTREACH_RETENTION.touch()
    return tmp_path / "files"


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def in_year(year: int) -> None:
    clock.advance_to(datetime(year, 7, 1, 9, tzinfo=builders.SHANGHAI))


def withdrawn(place: builders.County, **changes: Any) -> Application:
    [case] = builders.applied(place, 1, **changes)
    applications.advance([case], "withdraw", by=place.liaison, at=builders.START, note="下肢缺失")
    return case


def handed_over(place: builders.County, folder: Path) -> Any:
    [certificate] = issued(place, folder)
    hand_over([certificate], by=place.liaison, at=clock.now())
    return certificate


def test_nothing_is_due_before_its_day(place: builders.County) -> None:
    withdrawn(place)
    clock.advance_to(datetime(2020, 5, 14, 23, tzinfo=builders.SHANGHAI))
    assert run("erase_due", "--dry-run") == "in all: 0 due\n"
    clock.advance_to(datetime(2020, 5, 15, 0, tzinfo=builders.SHANGHAI))
    assert run("erase_due", "--dry-run") == "511302 unfinished: 1 due\nin all: 1 due\n"
    assert Application.objects.filter(erased_at=None).count() == 1


def test_until_the_office_has_decided_its_terms_nothing_is_erased(
    place: builders.County, settings: Any
) -> None:
    withdrawn(place)
    in_year(2021)
    settings.OUTREACH_RETENTION = None
    counted, said = run("erase_due").rsplit("in all: ", 1)
    assert counted == "511302 unfinished: 1 due\n"
    assert "name it in OUTREACH_RETENTION" in said
    assert Application.objects.filter(erased_at=None).count() == 1


def test_sessions_and_counts_whose_time_is_over_go_also_before_any_term_is_decided(
    place: builders.County, settings: Any
) -> None:
    """They stayed for ever, counts of before with what had been typed."""
    settings.OUTREACH_RETENTION = None
    counts = DatabaseCache("outreach_counts", {})
    counts.set("over", 1, 60)
    counts.set("lasts", 1, 7200)
    browsers = Client(), Client()
    for browser in browsers:
        browser.force_login(place.liaison)
    hour = timedelta(hours=1)
    Session.objects.filter(pk=browsers[0].session.session_key).update(
        expire_date=timezone.now() - hour
    )
    with connection.cursor() as cursor:
        gone = connection.ops.adapt_datetimefield_value(timezone.now() - hour)
        cursor.execute("UPDATE outreach_counts SET expires = %s WHERE cache_key LIKE %s",
                       [gone, "%over"])  # fmt: skip
    run("erase_due")
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM outreach_counts")
        assert cursor.fetchall() == [(":1:lasts",)]
    assert [one.pk for one in Session.objects.all()] == [browsers[1].session.session_key]


def test_what_a_killed_server_left_of_a_file_goes_in_the_night(folder: Path) -> None:
    """It was half a photo, sealed, that no name led to: whoever was erased, it stayed."""
    rooms = (folder / room / "ab" for room in ("blobs", "sent"))
    drafts = [room / f"name.{days}.new" for room in rooms for days in (0, 2)]
    for draft in drafts:
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(b"half a photo")
        then = (timezone.now() - timedelta(days=int(draft.suffixes[-2][1:]))).timestamp()
        os.utime(draft, (then, then))
    kept_files().put("blobs/ab/name", BytesIO(b"whole").read)
    run("erase_due")
    assert [draft.exists() for draft in drafts] == [True, False] * 2
    assert kept_files().exists("blobs/ab/name")


def test_of_a_withdrawn_case_only_number_states_and_days_stay(place: builders.County) -> None:
    case = withdrawn(place, guardian=builders.guarded(place).guardian)
    before = case.resident.id_number
    in_year(2021)
    assert run("erase_due").splitlines()[0] == "511302 unfinished: 1 erased"
    case.refresh_from_db()
    person = Resident.objects.get()
    assert (case.number, case.state, case.erased_under) == (case.number, "withdrawn", "unfinished")
    assert (person.name, person.id_number, person.telephone, person.address, person.place) == (
        *(NAMELESS, "", "", ""),
        None,
    )
    assert (case.diagnosis, case.consent) == ("", {"by": "resident"})
    assert [event.note for event in case.events.all()] == ["", "", ""]
    assert not Guardian.objects.exists()
    assert not Resident.objects.with_id_number(before).exists()
    assert run("erase_due").splitlines()[0] == "in all: 0 erased"


def test_the_same_person_can_be_registered_anew(place: builders.County) -> None:
    number = builders.id_number()
    withdrawn(place, id_number=number)
    in_year(2021)
    run("erase_due")
    [again] = builders.applied(place, 1, id_number=number)
    assert again.resident.id_number == number
    assert Resident.objects.count() == 2


def test_an_erased_case_goes_no_further_and_says_so(place: builders.County) -> None:
    case = withdrawn(place)
    in_year(2021)
    run("erase_due")
    client = Client()
    client.force_login(place.administrator)
    page = client.get(f"/cases/{case.pk}/")
    assert page.status_code == 200
    assert "已于 2021-07-01 清除" in page.content.decode()
    Application.objects.filter(pk=case.pk).update(state="nominated")
    with pytest.raises(Refused, match="erased"):
        applications.advance([case], "apply", by=place.liaison, at=clock.now())


def test_a_certificates_case_is_kept_while_it_lives_and_its_paper_for_ever(
    place: builders.County,
    folder: Path,
    keys: Path,
    settings: Any,
) -> None:
    settings.OUTREACH_KEYS_DIR = keys
    certificate = handed_over(place, folder)
    saved = savings_report(None, None).saved_fen
    number = certificate.number
    in_year(2027)
    assert run("erase_due", "--dry-run") == "in all: 0 due\n"

    in_year(2059)  # valid until 2028, and thirty years
    assert "511302 assessed: 1 erased" in run("erase_due")
    certificate.refresh_from_db()
    with open_file(certificate) as paper:
        assert judge(paper.read(), on=clock.today()).certificate == certificate
    assert certificate.number == number
    person = Resident.objects.get()
    assert (person.name, person.id_number) == ("赵青山", number[:18])
    assert (person.telephone, person.address) == ("", "")
    [evaluation] = Evaluation.objects.all()
    assert [(part["category"], part["grade"], part["findings"]) for part in evaluation.parts] == [
        ("physical", 1, {})
    ]
    assert savings_report(None, None).saved_fen == saved > 0
    names = [photo_name(one) for one in Photo.objects.values_list("sha256", flat=True)]
    assert [kept_files().exists(name) for name in names] == [False] * len(names)


def test_whose_certificate_was_erased_is_registered_anew_like_anybody(
    place: builders.County, folder: Path, keys: Path, settings: Any
) -> None:
    """Nobody could correct their telephone, and a guardian of stars stood on the next paper."""
    settings.OUTREACH_KEYS_DIR = keys
    certificate = handed_over(place, folder)
    person = certificate.resident
    Guardian.objects.create(resident=person, name="赵大山", created_at=builders.START)
    in_year(2059)
    assert Certificate.objects.renewable(clock.today()).exists()
    run("erase_due")
    certificate = Certificate.objects.get()
    assert not Certificate.objects.renewable(clock.today()).exists()
    with pytest.raises(Refused, match="erased"):
        ask_renewal([certificate], by=place.administrator, at=clock.now())

    again = builders.nomination(place, id_number=person.id_number, name=person.name)
    [case] = applications.nominate([again], by=place.liaison, at=clock.now())
    assert (case.resident, Guardian.objects.count()) == (person, 0)
    seen = Contact("13900000000", "任家祠村一组")
    asked = Correction(case, Contact("13900000001", "任家祠村二组"), seen)
    correct_contacts([asked], by=place.liaison, at=clock.now())
    person.refresh_from_db()
    assert (person.telephone, person.address) == ("13900000001", "任家祠村二组")


def test_the_trail_is_unbroken_after_its_details_were_erased(place: builders.County) -> None:
    case = withdrawn(place)
    record("test.note", [case], by=place.liaison, at=builders.START, detail={"why": SECRETS[2]})
    number_trail()
    last = verify_trail()
    in_year(2021)
    run("erase_due")
    assert AuditEvent.objects.get(action="test.note").detail == {}
    number_trail()
    verdict = verify_trail()
    assert (verdict.broken_at, verdict.erased) == (None, 1)
    assert AuditEvent.objects.get(number=last.events).digest == last.digest
    assert "1 of them keep who, what and when" in run("verify_audit")


@pytest.mark.parametrize(
    "changes",
    [{"detail": {"why": "another"}}, {"detail": {}}, {"salt": "", "detail": {"why": "another"}}],
)
def test_a_detail_that_was_exchanged_is_found(
    place: builders.County, changes: dict[str, Any]
) -> None:
    record("test.note", [place.county], by=place.liaison, at=builders.START, detail={"why": "x"})
    number_trail()
    event = AuditEvent.objects.get(action="test.note")
    for name, value in changes.items():
        setattr(event, name, value)
    event.save(update_fields=list(changes))
    assert verify_trail().broken_at == event.number


def test_photos_that_nobody_needs_go_with_their_small_pictures(
    place: builders.County, folder: Path
) -> None:
    [evaluation] = builders.evaluated(place)
    Application.objects.update(state="handed_over")
    kinds = dict(evaluation.photos.values_list("kind", "sha256"))
    for sha256 in kinds.values():
        kept_files().put(photo_name(sha256), BytesIO(b"a photo").read)
    in_year(2028)
    Application.objects.update(state_since=clock.now())
    assert "511302 evidence: 3 erased" in run("erase_due")
    assert {kind for kind, name in kinds.items() if kept_files().exists(photo_name(name))} == {
        "portrait"
    }
    assert list(Evaluation.objects.awaiting_media()) == []


def test_pictures_of_another_countys_file_are_kept_from_their_taking_in(
    place: builders.County,
) -> None:
    """The certificate left may be nine years old on the day on which it is entered."""
    builders.evaluated(place)
    Evaluation.objects.update(evaluated_at=datetime(2009, 3, 5, 12, tzinfo=builders.SHANGHAI))
    Application.objects.update(state="handed_over")
    in_year(2020)
    assert "evidence" not in run("erase_due", "--dry-run")
    in_year(2029)
    assert "511302 evidence: 3 due" in run("erase_due", "--dry-run")


def test_a_file_that_another_case_shows_stays(place: builders.County) -> None:
    first, second = builders.evaluated(place, 2)
    shared = first.photos.get(kind="whole_body").sha256
    own = second.photos.filter(kind="whole_body")
    StoredBlob.objects.filter(pk__in=own.values("sha256")).delete()
    own.update(sha256=shared)
    Application.objects.filter(pk=first.application_id).update(state="not_met")
    Application.objects.filter(pk=second.application_id).update(state="accepted")
    in_year(2030)
    run("erase_due")
    gone = set(StoredBlob.objects.exclude(erased_at=None).values_list("pk", flat=True))
    assert gone == set(first.photos.values_list("sha256", flat=True)) - {shared}


def test_of_an_erased_case_no_photo_is_shown_though_another_keeps_its_file(
    place: builders.County, sign_in: Callable[[User], Client]
) -> None:
    """Whoever had its address saw it still, as where two children have one household book."""
    first, second = builders.evaluated(place, 2)
    photo, other = (one.photos.get(kind="whole_body") for one in (first, second))
    other.sha256 = photo.sha256
    other.save()
    paper = PaperPhoto.objects.create(
        application=first.application,
        sent_by=place.liaison,
        sent_at=builders.START,
        paper="household_book",
        sha256=photo.sha256,
        size=photo.size,
        content_type="image/jpeg",
    )
    kept_files().put(photo_name(photo.sha256), BytesIO(jpeg()).read)
    Application.objects.filter(pk=first.application_id).update(erased_at=builders.START)
    browser = sign_in(place.administrator)
    addresses = [f"/photos/{photo.pk}/", f"/papers/{paper.pk}/small/", f"/photos/{other.pk}/"]
    answers = [browser.get(one) for one in addresses]
    assert [answer.status_code for answer in answers] == [404, 404, 200]
    answers[-1].close()


@pytest.mark.parametrize("years", [(2030,), (2030, 2032)])
def test_a_file_that_erased_cases_alone_show_goes(
    place: builders.County, years: tuple[int, ...]
) -> None:
    """As the household book of two children, whose cases end together or one after the other."""
    first, second = builders.evaluated(place, 2)
    shared = first.photos.get(kind="portrait").sha256
    second.photos.filter(kind="portrait").update(sha256=shared)
    Application.objects.update(state="not_met")
    if len(years) > 1:
        Application.objects.filter(pk=second.application_id).update(state="accepted")
    for year in years:
        in_year(year)
        run("erase_due")
        Application.objects.update(state="not_met")
    assert StoredBlob.objects.get(pk=shared).erased_at is not None


def kept_photo(content: bytes) -> str:
    """Keep a photo that nothing names, as of a draft in a hand-in that was taken in."""
    sha256 = keep_photo(BytesIO(content), kept_files())
    StoredBlob.objects.create(
        sha256=sha256,
        size=len(content),
        content_type="image/jpeg",
        width=64,
        height=48,
        stored_at=clock.now(),
    )
    return sha256


def test_photos_of_a_nomination_given_up_go_also_where_nobody_takes_another(
    place: builders.County,
) -> None:
    browser = Client()
    browser.force_login(place.liaison)
    photo = SimpleUploadedFile("card.jpg", jpeg(), "image/jpeg")
    browser.post("/cases/nominate/photo/", {"photo-id_card": photo})
    name = photo_name(PaperPhoto.objects.get().sha256)
    assert kept_files().exists(name)
    clock.advance_to(builders.START + timedelta(hours=23))
    run("erase_due")
    assert kept_files().exists(name)
    clock.advance_to(builders.START + timedelta(hours=25))
    run("erase_due")
    assert (PaperPhoto.objects.count(), kept_files().exists(name)) == (0, False)


def test_a_file_that_nothing_names_goes_after_three_months(place: builders.County) -> None:
    name = photo_name(kept_photo(jpeg()))
    for days, is_here in [(89, True), (2, False)]:
        clock.advance_to(clock.now() + timedelta(days=days))
        run("erase_due")
        assert kept_files().exists(name) == is_here


def test_a_list_that_was_read_in_goes_and_what_comes_after_it_too(place: builders.County) -> None:
    read = {"by": place.liaison, "filename": "list.xlsx", "read_at": clock.now()}
    ImportDraft.objects.create(**read, rows=[{"name": "赵青山"}], total=1, good=1)
    in_year(2020)
    said = run("erase_due")
    assert "511302 lists: 1 erased" in said
    assert said.endswith("files removed: 0\n")
    assert not ImportDraft.objects.exists()


def test_what_is_brought_anew_while_others_are_removed_stays(place: builders.County) -> None:
    first, second = sorted(kept_photo(jpeg(seed=number)) for number in range(2))
    StoredBlob.objects.update(erased_at=clock.now())

    class Busy(SealedStorage):
        def delete(self, name: str) -> None:
            super().delete(name)
            take_again(second)

    assert remove_files(clock.now(), Busy(kept_files().place)) == 1
    assert [kept_files().exists(photo_name(one)) for one in (first, second)] == [False, True]
    assert StoredBlob.objects.get(pk=second).removed_at is None


@pytest.fixture
def tablet(place: builders.County, tmp_path: Path) -> Tablet:
    clock.advance_to(ON_THE_DAY)
    return enrolled(place, tmp_path)


def test_a_tablet_that_says_it_all_again_is_known_and_brings_nothing_back(
    place: builders.County, tablet: Tablet, folder: Path
) -> None:
    [visit] = builders.scheduled(place)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    pictures = [jpeg(seed=number) for number in range(4)]
    for entry, picture in zip(args["media"], pictures, strict=True):
        entry.update(sha256=digest(picture), size=len(picture))
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    said = list(tablet.state.outbox)
    tablet.exchange()
    for picture in pictures:
        tablet.upload(picture)
    Application.objects.update(state="not_met")

    in_year(2031)
    told = run("erase_due")
    assert ("511302 not_met: 1 erased" in told, "511302 records: 1 erased" in told) == (True, True)
    assert LedgerEntry.objects.get().args == {"erased": True}
    assert "files removed: 4" in told

    tablet.state.outbox, tablet.state.acked_chain = said, "0" * 64
    answer = tablet.exchange()
    assert [(one["outcome"], one["was"]) for one in answer["outcomes"]] == [
        ("duplicate", "applied")
    ]
    assert answer["blobs_missing"] == []
    tablet.upload(pictures[0])  # an old program that did not get its receipt
    run("erase_due")
    assert not any(kept_files().exists(photo_name(digest(one))) for one in pictures)
    assert (Evaluation.objects.count(), LedgerEntry.objects.count()) == (1, 1)


def test_what_the_county_sets_holds_for_it_alone(
    place: builders.County, settings: Any, tmp_path: Path
) -> None:
    withdrawn(place)
    in_year(2021)
    settings.OUTREACH_RETENTION = tmp_path / "terms.toml"
    service.OUTREACH_RETENTION.write_text('[county."511302".unfinished]\nmonths = 0\n')
    assert run("erase_due", "--dry-run") == "in all: 0 due\n"
    service.OUTREACH_RETENTION.write_text('[county."511303".unfinished]\nmonths = 0\n')
    assert run("erase_due", "--dry-run").endswith("in all: 1 due\n")
    assert "511303 unfinished: for ever" in run("erase_due", "--terms")


@pytest.mark.parametrize(
    "text",
    [
        "[county.511302.unfinished]\nmonths = -1",
        "[county.511302.unfinished]\nmonths = '2'",
        "[county.511302.unfinishd]\nmonths = 2",
        "[county.511302.unfinished]\nmonth = 2",
        "[default.papers]\non_request = 3",
        "[counties.511302]",
        "county = 3",
        "[[",
    ],
)
def test_terms_that_are_misspelt_erase_nothing(
    place: builders.County, settings: Any, tmp_path: Path, text: str
) -> None:
    withdrawn(place)
    in_year(2040)
    settings.OUTREACH_RETENTION = tmp_path / "terms.toml"
    settings.OUTREACH_RETENTION.write_text(text)
    with pytest.raises(CommandError):
        run("erase_due")
    assert Application.objects.filter(erased_at=None).count() == 1
    with pytest.raises(CommandError, match=r"outreach\.E009"):
        call_command("check")


def question(case: Application) -> None:
    Enquiry.objects.create(
        number="q1",
        division=case.village,
        application=case,
        name="赵青山",
        question="什么时候来?",
        asked_at=builders.START,
        replied_at=builders.START,
    )


def ask(case: Application, *more: str, by: str = "administrator") -> str:
    return run("erase_person", case.number, "--by", by, "--request", "2018-7", *more)


def test_a_person_who_asks_is_erased_at_once_where_nothing_stands_against_it(
    place: builders.County, tablet: Tablet
) -> None:
    case = withdrawn(place)
    question(case)
    assert ask(case, "--dry-run").startswith(f"{case.number} would be erased (unfinished)")
    assert Resident.objects.get().name == "赵青山"
    assert ask(case).startswith(f"{case.number} erased (unfinished)")
    assert (Resident.objects.get().name, Enquiry.objects.get().question) == (NAMELESS, "")
    event = AuditEvent.objects.get(action="case.erase")
    assert (event.by, event.detail) == (
        place.administrator,
        {"under": "unfinished", "request": "2018-7"},
    )
    assert ask(case).startswith("records of tablets erased: 0\nNothing is kept")


@pytest.mark.parametrize("how", ["at request", "by its term"])
def test_where_the_home_is_goes_from_the_plans_too_and_they_go_on(
    place: builders.County, sign_in: Callable[[User], Client], how: str
) -> None:
    """A plan's question is kept for two years, with the place of every home."""
    campaign = hills(place)
    plan = made(campaign)
    case, *others = campaign.cases
    before = {one["id"]: (one["lat"], one["lon"]) for one in plan.problem["visits"]}
    applications.advance([case], "withdraw", by=place.administrator, at=ASKED)
    if how == "at request":
        assert ask(case).startswith(f"{case.number} erased")
    else:
        service.OUTREACH_RETENTION.write_text('[county."511302".unfinished]\nmonths = 1\n')
        clock.advance_to(ASKED + timedelta(days=90))
        assert run("erase_due").startswith("511302 unfinished: 1 erased")
    plan.refresh_from_db()
    after = {one["id"]: (one["lat"], one["lon"]) for one in plan.problem["visits"]}
    assert before.keys() == after.keys()
    assert [pk for pk in before if after[pk] != before[pk]] == [str(case.pk)]
    assert len(others) == 5
    assert sign_in(place.administrator).get(f"/plans/{plan.pk}/").status_code == 200


def test_a_message_laid_among_the_files_goes_with_its_row(place: builders.County) -> None:
    case = withdrawn(place)
    for key, said in [("visit:one", "erased"), ("visit:two", "kept")]:
        Shelf(kept_files()).send(key=key, telephone="13900000000", text=said)
    Notification.objects.create(
        key="visit:one",
        kind="visit",
        application=case,
        text="erased",
        state="sent",
        due_at=builders.START,
        created_at=builders.START,
    )
    assert "files removed: 1" in ask(case)
    assert list(Shelf(kept_files()).keys()) == ["visit:two"]


def test_the_families_of_others_are_told_although_one_was_erased_the_same_week(
    place: builders.County,
) -> None:
    [case] = builders.applied(place)
    applications.advance([case], "return", by=place.administrator, at=clock.now())
    applications.advance([case], "withdraw", by=place.liaison, at=clock.now())
    ask(case)
    [visit] = builders.scheduled(place)
    assert fill_outbox(clock.now()) == 3
    assert {one.application for one in Notification.objects.all()} == {visit.application}


def test_what_stays_is_named_with_its_reason_and_its_day(
    place: builders.County,
    folder: Path,
    keys: Path,
    settings: Any,
) -> None:
    settings.OUTREACH_KEYS_DIR = keys
    certificate = handed_over(place, folder)
    assert f"{certificate.application.number} stays: the original archive" in ask(
        certificate.application
    )
    [case] = builders.applied(place, 1)
    assert f"{case.number} stays: it is open" in ask(case)
    question(certificate.application)
    told = ask(certificate.application)
    assert f"{certificate.application.number} erased (enquiries)" in told
    assert Enquiry.objects.get().question == ""
    [evaluation] = builders.evaluated(place, on=date(2018, 6, 20))
    Application.objects.filter(pk=evaluation.application_id).update(
        state="not_met", state_since=clock.now()
    )
    last = clock.today() + timedelta(days=30)
    told = ask(Application.objects.get(pk=evaluation.application_id))
    assert f"stays: the family may appeal still; until {last}" in told
    assert Application.objects.exclude(erased_at=None).count() == 0


@pytest.mark.parametrize("state", ["not_met", "appeal_dismissed"])
def test_who_did_not_meet_the_standard_is_erased_once_they_may_apply_again(
    place: builders.County, state: str
) -> None:
    """Erased before, the same person was taken for somebody new, and assessed again at once."""
    [evaluation] = builders.evaluated(place)
    Evaluation.objects.update(met=False)
    case = evaluation.application
    Application.objects.update(state=state)
    clock.advance_to(datetime(2019, 6, 4, 12, tzinfo=builders.SHANGHAI))
    assert "nobody may apply for the person again until then; until 2019-06-04" in ask(case)
    again = builders.nomination(place, id_number=case.resident.id_number)
    with pytest.raises(Refused, match="barred"):
        applications.nominate([again], by=place.liaison, at=clock.now())
    clock.advance_to(datetime(2019, 6, 5, 12, tzinfo=builders.SHANGHAI))
    assert f"{case.number} erased" in ask(case)


@pytest.mark.parametrize(("state", "waits"), [("not_met", True), ("withdrawn", False)])
def test_no_term_of_a_county_ends_before_the_year_of_a_bar(
    place: builders.County, state: str, waits: bool
) -> None:
    """The nightly job erased whom the register could not know again, and who applied at once."""
    builders.evaluated(place)
    Evaluation.objects.update(met=False)
    Application.objects.update(state=state, state_since=ON_THE_DAY)
    service.OUTREACH_RETENTION.write_text('[county."511302".not_met]\nmonths = 6\n')
    clock.advance_to(datetime(2019, 6, 4, 12, tzinfo=builders.SHANGHAI))
    run("erase_due")
    assert Application.objects.filter(erased_at=None).exists() is waits
    clock.advance_to(datetime(2019, 6, 5, 12, tzinfo=builders.SHANGHAI))
    run("erase_due")
    assert not Application.objects.filter(erased_at=None).exists()


def test_photos_of_a_record_that_was_set_aside_go_with_its_case(
    place: builders.County, tablet: Tablet
) -> None:
    """No case shows them: they were declared by the record alone."""
    [visit] = builders.scheduled(place)
    applications.assign([visit.application], place.colleague, by=place.administrator, at=ON_THE_DAY)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    pictures = [jpeg(seed=number) for number in range(4)]
    for entry, picture in zip(args["media"], pictures, strict=True):
        entry.update(sha256=digest(picture), size=len(picture))
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    tablet.sync()
    for picture in pictures:
        tablet.upload(picture)
    decision = Decision.SET_ASIDE
    decide(Dispute.objects.get(), decision, reason="看过", by=place.administrator, at=ON_THE_DAY)
    Application.objects.update(state="withdrawn")

    assert "files removed: 4" in ask(Application.objects.get())
    assert not any(kept_files().exists(photo_name(digest(one))) for one in pictures)


def test_an_erased_photo_that_a_new_case_declares_is_asked_for(
    place: builders.County, tablet: Tablet
) -> None:
    """The person is nominated anew, with the same picture of the household book."""
    picture, number = jpeg(), builders.id_number()
    paper = {"kind": "paper", "paper": "household_book", "type": "image/jpeg"}
    taken = {"sha256": digest(picture), "size": len(picture), "taken_at": ON_THE_DAY.isoformat()}
    for _time in range(2):
        resident = {"name": "孙长河", "id_number": number}
        said = {"application": str(new_id()), "resident": resident, "categories": ["physical"]}
        args = {**said, "village": place.village.code, "media": [{**paper, **taken}]}
        tablet.say("nominate", args, ON_THE_DAY, 2)
        assert tablet.exchange()["blobs_missing"] == [digest(picture)]
        tablet.upload(picture)
        assert list(StoredBlob.objects.values_list("erased_at", flat=True)) == [None]
        case = Application.objects.get(pk=said["application"])
        if not Application.objects.exclude(erased_at=None):
            Application.objects.update(state="withdrawn")
            assert "files removed: 1" in ask(case)
    assert kept_files().exists(photo_name(digest(picture)))


@pytest.mark.parametrize("by", ["liaison", "auditor", "nobody"])
def test_only_an_administrator_carries_a_request_out(place: builders.County, by: str) -> None:
    case = withdrawn(place)
    with pytest.raises(CommandError):
        ask(case, by=by)
    assert Application.objects.filter(erased_at=None).count() == 1


def test_who_was_erased_at_request_is_erased_again_in_a_restored_register(
    place: builders.County, settings: Any
) -> None:
    case = withdrawn(place)
    kept = {one.pk: one for one in (case, case.resident)}
    ask(case)
    [line] = settings.OUTREACH_ERASURES.read_text().splitlines()
    assert json.loads(line)["case"] == str(case.pk)
    assert not any(word in line for word in ("赵青山", *SECRETS))
    for row in kept.values():  # as the backup had them
        row.save()
    assert Resident.objects.get().name == "赵青山"
    assert (reapply(clock.now()), reapply(clock.now())) == (1, 0)
    assert Resident.objects.get().name == NAMELESS


def test_who_was_erased_at_request_is_erased_again_where_the_database_went_back_by_itself(
    place: builders.County,
) -> None:
    """To a moment of its archive, or on a standby that was behind: nothing is restored there."""
    case = withdrawn(place)
    kept = (case, case.resident)
    ask(case)
    for row in kept:
        row.save()
    assert "Erased again: 1." in run("begin_epoch")
    assert Resident.objects.get().name == NAMELESS


def test_whose_case_was_open_at_the_backup_is_erased_again_too(
    place: builders.County, back_up: Callable[[], Restore]
) -> None:
    """The withdrawal is lost with the erasure, and an open case is never erased."""
    [visit] = builders.scheduled(place)
    restore = back_up()
    case = visit.application
    applications.advance([case], "withdraw", by=place.liaison, at=clock.now())
    ask(case)
    assert "Erased again: 1." in restore()
    case, visit = Application.objects.get(), Visit.objects.get()
    assert (case.state, case.erased_under, visit.state) == ("withdrawn", "unfinished", "cancelled")
    assert (Resident.objects.get().name, Resident.objects.get().telephone) == (NAMELESS, "")
    assert fill_outbox(clock.now()) == 0


def test_who_was_assessed_at_the_backup_and_left_since_is_erased_again(
    place: builders.County, back_up: Callable[[], Restore]
) -> None:
    """To be assessed again, they withdrew, and asked; by the backup they wait for their notice."""
    builders.evaluated(place)
    case, restore = Application.objects.get(), back_up()
    for step in ("send_back", "withdraw"):
        applications.advance([case], step, by=place.administrator, at=clock.now())
    ask(case)
    assert "Erased again: 1." in restore()
    case = Application.objects.get()
    assert (case.state, case.erased_under) == ("withdrawn", "not_met")
    assert Resident.objects.get().name == NAMELESS


def test_a_case_that_nobody_may_close_by_itself_is_named_and_erased_once_the_desk_has_closed_it(
    place: builders.County, back_up: Callable[[], Restore], caplog: pytest.LogCaptureFixture
) -> None:
    builders.evaluated(place)
    Application.objects.update(state="approved")  # its paper may be in the making
    restore = back_up()
    Application.objects.update(state="closed")
    case = Application.objects.get()
    ask(case)
    assert "Erased again: 0." in restore()
    assert f"{case.number} was erased at request and is open again" in caplog.text
    run("erase_due")
    assert Resident.objects.get().name == "赵青山"
    Application.objects.update(state="withdrawn")
    assert "erased again at request, after a restore: 1" in run("erase_due")
    assert Resident.objects.get().name == NAMELESS


def test_nothing_of_an_erased_case_lies_in_the_database(
    place: builders.County, tablet: Tablet
) -> None:
    """Every column is read and opened: no word of the person is anywhere."""
    builders.evaluated(place)
    Application.objects.update(state="not_met")
    number = Resident.objects.get().id_number
    in_year(2031)
    run("erase_due")
    assert found(number, *SECRETS, "赵青山") == []


def found(*words: str) -> list[str]:
    """Return the tables in which a word is, sealed values opened."""
    from django.apps import apps

    places = []
    for model in apps.get_models():
        if model._meta.db_table not in connection.introspection.table_names():
            continue
        for row in model._base_manager.all():
            text = " ".join(str(getattr(row, field.attname)) for field in model._meta.fields)
            places += [model._meta.label for word in words if word in text]
    return places
