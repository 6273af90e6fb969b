"""A certificate is renewed, lost, found, replaced, moved, frozen, cancelled: each by its rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from certificates import actions, batches, life
from certificates.models import Certificate, CertificateEvent, PaperRequest
from certificates.steps import CERTIFICATE, CertificateState, Ground, Kind
from certificates.verdicts import Finding, judge
from outreach import clock
from outreach.actions import applications, deaths, evaluations, publicity, visits
from outreach.actions.arranging import Booking, arrange
from outreach.actions.notifying.outbox import fill_outbox
from outreach.desk.steps import no_longer_met
from outreach.domain.vocabulary import Category
from outreach.models import (
    Application,
    AuditEvent,
    Evaluation,
    Journey,
    Notification,
    Resident,
    User,
    Visit,
)
from outreach.models.sealed import blind_index
from outreach.rules import Refused
from tests import builders
from tests.certificates.issuing import ISSUED_AT, approved, issued, paper_of, put_portraits
from tests.certificates.making import text_of

pytestmark = pytest.mark.django_db

S = CertificateState
IN_YEAR_TEN = datetime(2027, 6, 13, 10, 0, tzinfo=builders.SHANGHAI)
LATER = ISSUED_AT + timedelta(days=30)


@pytest.fixture
def held(place: builders.County, files: Path) -> Certificate:
    """Return a certificate in its holder's hands."""
    (made,) = issued(place, files)
    actions.hand_over([made], by=place.liaison, at=ISSUED_AT)
    return made


def names(certificate: Certificate) -> list[str]:
    return list(certificate.events.values_list("name", flat=True))


def state_of(certificate: Certificate) -> str:
    return Certificate.objects.get(pk=certificate.pk).state


#: Every step of the table that is taken with a certificate as it lies.
STEPS: dict[str, Callable[[builders.County, Certificate], object]] = {
    "hand_over": lambda place, one: actions.hand_over([one], by=place.liaison, at=LATER),
    "ask_renewal": lambda place, one: life.ask_renewal(
        [one], by=place.administrator, at=IN_YEAR_TEN
    ),
    "renew": lambda place, one: actions.renew([one], by=place.approver, at=IN_YEAR_TEN),
    "declare_lost": lambda place, one: life.declare_lost([one], by=place.liaison, at=LATER),
    "ask_another": lambda place, one: life.ask_another([one], by=place.liaison, at=LATER),
    "find": lambda place, one: life.find([one], by=place.liaison, at=LATER),
    "reissue": lambda place, one: actions.reissue([one], by=place.approver, at=LATER),
    "note_move": lambda place, one: life.note_move(
        [one], moved_on=date(2018, 7, 1), note="户口迁往邻县", by=place.administrator, at=LATER
    ),
    "forget_move": lambda place, one: life.forget_move(
        [one], reason="同名误记", by=place.administrator, at=LATER
    ),
    "move_out": lambda place, one: life.move_out(
        [one], to="邻县残联", by=place.administrator, at=LATER
    ),
    "freeze": lambda place, one: life.freeze(
        [one], reason="核查", by=place.administrator, at=LATER
    ),
    "unfreeze": lambda place, one: life.unfreeze(
        [one], reason="查清", by=place.administrator, at=LATER
    ),
    "cancel": lambda place, one: life.cancel(
        [one], ground=Ground.DEATH, reason="死亡", by=place.administrator, at=LATER
    ),
    "restore": lambda place, one: life.restore([one], reason="误销", by=place.approver, at=LATER),
}


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("name", STEPS)
def test_each_step_starts_only_where_the_table_says(
    held: Certificate, place: builders.County, name: str, state: S
) -> None:
    noted_on = date(2018, 7, 1) if name == "forget_move" else None
    Certificate.objects.filter(pk=held.pk).update(
        state=state, handed_over_at=None, household_moved_on=noted_on
    )
    Application.objects.update(state="issued")
    held.refresh_from_db()
    before = CertificateEvent.objects.count()
    if state in CERTIFICATE[name].sources:
        STEPS[name](place, held)
        assert state_of(held) == CERTIFICATE[name].target
        assert names(held)[-1] == name
        assert AuditEvent.objects.filter(subject_id=held.pk, action=f"certificate.{name}").exists()
    else:
        with pytest.raises(Refused, match="wrong-state"):
            STEPS[name](place, held)
        assert (state_of(held), CertificateEvent.objects.count()) == (state, before)


@pytest.mark.parametrize("name", STEPS)
def test_each_step_is_taken_only_by_those_of_the_table(
    held: Certificate, place: builders.County, name: str
) -> None:
    source = sorted(CERTIFICATE[name].sources)[0]
    Certificate.objects.filter(pk=held.pk).update(state=source, handed_over_at=None)
    Application.objects.update(state="issued")
    wrong = {"assessor", "liaison", "administrator", "approver", "auditor"} - {
        role.value for role in CERTIFICATE[name].roles
    }
    for role in sorted(wrong):
        held.refresh_from_db()
        swapped = builders.County(
            **{
                **{field: getattr(place, field) for field in place.__dataclass_fields__},
                "liaison": getattr(place, role),
                "administrator": getattr(place, role),
                "approver": getattr(place, role),
            }
        )
        with pytest.raises(Refused, match="not-your-step"):
            STEPS[name](swapped, held)


def test_a_neighbours_certificate_is_out_of_reach(
    held: Certificate, place: builders.County
) -> None:
    with pytest.raises(Refused, match="out-of-scope"):
        life.declare_lost([held], by=place.other_liaison, at=LATER)


def test_a_renewal_is_for_the_last_year_and_says_what_it_renews(
    held: Certificate, place: builders.County, files: Path
) -> None:
    early = IN_YEAR_TEN - timedelta(days=1)
    with pytest.raises(Refused, match="too-early") as refused:
        life.ask_renewal([held], by=place.administrator, at=early)
    assert "2027-06-13" in str(refused.value.message)
    with pytest.raises(Refused, match="too-early"):
        actions.renew([held], by=place.approver, at=early)
    life.ask_renewal([held], by=place.administrator, at=IN_YEAR_TEN)
    assert list(Certificate.objects.renewable(IN_YEAR_TEN.date())) == []
    (new,) = actions.renew([held], by=place.approver, at=IN_YEAR_TEN)
    assert (new.number, new.kind, new.replaces_id) == (held.number, Kind.RENEWAL, held.pk)
    assert (new.issued_on, new.valid_until) == (date(2027, 6, 13), date(2037, 6, 13))
    assert state_of(held) == S.REPLACED
    assert not PaperRequest.objects.open().exists()
    assert "换领：换自2018年06月13日签发的残疾人证。" in text_of(paper_of(new))
    assert judge(paper_of(held), on=new.issued_on).finding == Finding.REPLACED
    assert judge(paper_of(new), on=new.issued_on).finding == Finding.UNCHANGED
    assert names(new) == ["issue_renewed"]


def test_the_desk_hears_of_certificates_in_their_last_year(
    held: Certificate, place: builders.County
) -> None:
    day = date(2027, 6, 12)
    assert list(Certificate.objects.renewable(day)) == []
    assert list(Certificate.objects.renewable(day + timedelta(days=1))) == [held]


def test_lost_papers_are_void_at_once_and_their_reissues_counted(
    held: Certificate, place: builders.County, files: Path
) -> None:
    number, lost, suffixes = held.number, held, []
    for days in (1, 2, 3):
        at = LATER + timedelta(days=days)
        life.declare_lost([lost], by=place.liaison, at=at)
        assert judge(paper_of(lost), on=at.date()).finding == Finding.LOST
        (lost,) = actions.reissue([lost], by=place.approver, at=at)
        suffixes.append(lost.number)
        assert (lost.valid_until, lost.suffix) == (held.valid_until, f"B{days}")
    assert suffixes == [f"{number}B1", f"{number}B2", f"{number}B3"]
    assert "本证为第3次补发（B3）" in text_of(paper_of(lost)).replace("\n", "")
    assert Certificate.objects.get(number_index=blind_index(f"{number}B2", "certificate"))


def test_a_found_paper_is_valid_again_until_another_was_made(
    held: Certificate, place: builders.County
) -> None:
    life.declare_lost([held], by=place.liaison, at=LATER)
    life.find([held], by=place.liaison, at=LATER)
    assert (state_of(held), PaperRequest.objects.open().count()) == (S.VALID, 0)


def test_another_paper_is_asked_for_later_where_none_was_wanted_at_first(
    held: Certificate, place: builders.County
) -> None:
    """The lost paper had to be said to be found, and was valid, before it was lost once more."""
    life.declare_lost([held], wants_another=False, by=place.liaison, at=LATER)
    life.ask_another([held], by=place.liaison, at=LATER)
    with pytest.raises(Refused, match="wrong-state"):
        life.ask_another([held], by=place.liaison, at=LATER)
    assert PaperRequest.objects.open().get().kind == Kind.REISSUE
    (new,) = actions.reissue([held], by=place.approver, at=LATER)
    assert (new.suffix, names(held)[-3:]) == ("B1", ["declare_lost", "ask_another", "reissue"])


def test_an_expired_paper_is_not_reissued_but_renewed(
    held: Certificate, place: builders.County
) -> None:
    life.declare_lost([held], by=place.liaison, at=LATER)
    after = datetime(2028, 6, 14, 9, 0, tzinfo=builders.SHANGHAI)
    with pytest.raises(Refused, match="expired"):
        actions.reissue([held], by=place.approver, at=after)
    life.find([held], by=place.liaison, at=after)
    assert len(actions.renew([held], by=place.approver, at=after)) == 1


def assessed_again(
    place: builders.County, files: Path, held: Certificate, grade: int, on: date
) -> Application:
    """Bring the holder through another assessment up to the approval."""
    case, over = evaluated_again(place, held, grade, on), builders.notice_over(on)
    at = datetime.combine(on, ISSUED_AT.timetz())
    publicity.post_notices([case], by=place.administrator, at=at)
    publicity.end_notices([case], by=place.administrator, at=over)
    publicity.review([case], by=place.administrator, at=over)
    publicity.approve([case], by=place.approver, at=over)
    put_portraits(files, [case])
    return case


def evaluated_again(place: builders.County, held: Certificate, grade: int, on: date) -> Application:
    """Assess the holder once more, with a second opinion."""
    at = datetime.combine(on, ISSUED_AT.timetz())
    wanted = builders.nomination(place, id_number=held.resident.id_number)
    (case,) = applications.nominate([wanted], by=place.liaison, at=at)
    applications.accept([case], by=place.administrator, at=at)
    applications.assign([case], place.assessor, by=place.administrator, at=at)
    appointment = visits.Appointment(case, on, time(9), minutes=30)
    (visit,) = visits.schedule([appointment], by=place.administrator, at=at)
    findings = {1: "1g", 2: "2c"}[grade]
    independence = {1: "none", 2: "hardly"}[grade]
    part = evaluations.Part(
        "physical", {"independence": independence, "condition": findings}, grade, "见附注"
    )
    said = builders.submission(place, visit, parts=[part], grade=grade, media=builders.media())
    (made,) = evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    builders.store([one.sha256 for one in said.media])
    evaluations.give_second_opinion(
        list(Evaluation.objects.filter(pk=made.pk)), by=builders.second_assessor(place), at=at
    )
    case.refresh_from_db()
    return case


def test_another_grade_replaces_the_certificate_and_says_what_it_was(
    held: Certificate, place: builders.County, files: Path
) -> None:
    case = assessed_again(place, files, held, 2, date(2018, 8, 6))
    (new,) = actions.issue([case], by=place.approver, at=builders.notice_over(date(2018, 8, 6)))
    assert (new.kind, new.grade, new.suffix, new.replaces_id) == (Kind.CHANGE, 2, "", held.pk)
    assert new.number == f"{held.resident.id_number}42"
    assert state_of(held) == S.REPLACED
    text = text_of(paper_of(new)).replace("\n", "")
    assert "2018年06月13日签发的原证为肢体残疾壹级" in text
    assert names(held)[-1] == "change"


def test_who_died_while_they_were_assessed_again_gets_no_certificate(
    held: Certificate, place: builders.County, files: Path
) -> None:
    case, other = assessed_again(place, files, held, 2, date(2018, 8, 6)), approved(place, files)[0]
    over = builders.notice_over(date(2018, 8, 6))
    life.cancel([held], ground=Ground.DEATH, reason="死亡", by=place.administrator, at=over)
    batch = batches.sign([case, other], by=place.approver, at=over)
    item = batch.items.get(application=case)
    assert (batches.progress(batch).done, item.code) == (1, "barred")
    assert case.number in item.reason
    assert not held.resident.certificates.living().exists()
    case.refresh_from_db()
    applications.advance([case], "send_back", by=place.approver, at=over, note="死亡")
    case = Application.objects.select_related("assessor").get(pk=case.pk)
    there = visits.Appointment(case, date(2018, 8, 20), time(9), minutes=30)
    with pytest.raises(Refused, match="barred"):  # nobody is sent to who died
        visits.schedule([there], by=place.administrator, at=over)
    with pytest.raises(Refused, match="barred"):
        arrange([Booking(there, place.assessor)], by=place.administrator, at=over)
    applications.advance([case], "close", by=place.administrator, at=over, note="死亡")


def test_who_moved_away_while_they_were_assessed_again_gets_no_certificate_here(
    held: Certificate, place: builders.County, files: Path
) -> None:
    """The county they moved to issues its own; once they are back, they are nominated anew."""
    case, other = assessed_again(place, files, held, 2, date(2018, 8, 6)), approved(place, files)[0]
    over = builders.notice_over(date(2018, 8, 6))
    life.move_out([held], to="邻县残联", by=place.administrator, at=over)
    batch = batches.sign([case, other], by=place.approver, at=over)
    item = batch.items.get(application=case)
    assert (batches.progress(batch).done, item.code) == (1, "moved-away")
    assert case.number in item.reason
    assert not held.resident.certificates.living().exists()
    case.refresh_from_db()
    applications.advance([case], "send_back", by=place.approver, at=over, note="已迁出")
    applications.advance([case], "close", by=place.administrator, at=over, note="已迁出")
    back = assessed_again(place, files, held, 2, date(2018, 9, 3))
    (new,) = actions.issue([back], by=place.approver, at=builders.notice_over(date(2018, 9, 3)))
    assert new.kind == Kind.FIRST


@pytest.mark.parametrize("on_notice", [False, True])
def test_no_notice_names_who_moved_away_after_they_were_assessed_again(
    held: Certificate, place: builders.County, on_notice: bool
) -> None:
    on = date(2018, 8, 6)
    case, at = evaluated_again(place, held, 2, on), datetime.combine(on, ISSUED_AT.timetz())
    if on_notice:
        publicity.post_notices([case], by=place.administrator, at=at)
    life.move_out([held], to="邻县残联", by=place.administrator, at=at)
    case.refresh_from_db()
    assert case.state == "closed"
    assert not case.notices.filter(taken_down_on=None).exists()
    with pytest.raises(Refused, match="wrong-state"):
        publicity.post_notices([case], by=place.administrator, at=at)


def test_nobody_is_sent_to_who_moved_away_before_they_were_assessed_again(
    held: Certificate, place: builders.County
) -> None:
    wanted = builders.nomination(place, id_number=held.resident.id_number)
    (case,) = applications.nominate([wanted], by=place.liaison, at=LATER)
    life.move_out([held], to="邻县残联", by=place.administrator, at=LATER)
    case.refresh_from_db()
    event = case.events.last()
    assert event is not None
    assert (case.state, event.name, event.note) == ("closed", "close", "邻县残联")


def test_nobody_is_sent_to_who_died_before_they_were_assessed_again(
    held: Certificate, place: builders.County
) -> None:
    wanted = builders.nomination(place, id_number=held.resident.id_number)
    (case,) = applications.nominate([wanted], by=place.liaison, at=LATER)
    applications.accept([case], by=place.administrator, at=LATER)
    applications.assign([case], place.assessor, by=place.administrator, at=LATER)
    slot = visits.Appointment(case, date(2018, 7, 20), time(9), minutes=30)
    (visit,) = visits.schedule([slot], by=place.administrator, at=LATER)
    life.cancel([held], ground=Ground.DEATH, reason="死亡", by=place.approver, at=LATER)
    visit.refresh_from_db()
    case.refresh_from_db()
    assert (visit.state, case.state) == ("cancelled", "closed")
    fill_outbox(LATER)
    assert not Notification.objects.filter(key__startswith="visit:").exists()


def test_nobody_accepts_the_request_of_who_died_meanwhile(
    held: Certificate, place: builders.County
) -> None:
    wanted = builders.nomination(place, id_number=held.resident.id_number)
    (case,) = applications.nominate([wanted], by=place.liaison, at=LATER)
    life.cancel([held], ground=Ground.DEATH, reason="死亡", by=place.administrator, at=LATER)
    with pytest.raises(Refused, match="wrong-state"):
        applications.accept([case], by=place.administrator, at=LATER)
    event = case.events.last()
    assert event is not None
    assert (event.name, event.note) == ("close", "死亡")


def test_the_same_result_again_is_a_renewal_with_the_same_number(
    held: Certificate, place: builders.County, files: Path
) -> None:
    case = assessed_again(place, files, held, 1, date(2018, 8, 6))
    (new,) = actions.issue([case], by=place.approver, at=builders.notice_over(date(2018, 8, 6)))
    assert (new.number, new.replaces_id) == (held.number, held.pk)
    assert state_of(held) == S.REPLACED


@pytest.mark.parametrize(("state", "free"), [("valid", True), ("cancelled", False)])
def test_a_holder_who_is_assessed_again_had_ridden_the_bus_free(
    held: Certificate, place: builders.County, files: Path, state: str, free: bool
) -> None:
    Certificate.objects.update(state=state)
    case = assessed_again(place, files, held, 2, date(2018, 8, 6))
    first, again = Journey.objects.order_by("on")
    assert (first.rides_free, again.evaluation.application) == (False, case)
    assert again.rides_free is free


def test_whom_a_later_assessment_found_not_to_meet_the_standard_gets_no_ten_more_years(
    held: Certificate, place: builders.County
) -> None:
    life.ask_renewal([held], by=place.administrator, at=IN_YEAR_TEN)
    case = found_not_met(place, held, IN_YEAR_TEN)
    with pytest.raises(Refused, match="no-longer-met") as refused:
        actions.renew([held], by=place.approver, at=IN_YEAR_TEN)
    assert held.application.number in str(refused.value.message)
    PaperRequest.objects.update(settled_at=IN_YEAR_TEN)
    assert list(Certificate.objects.renewable(IN_YEAR_TEN.date())) == []
    with pytest.raises(Refused, match="no-longer-met"):
        life.ask_renewal([held], by=place.administrator, at=IN_YEAR_TEN)
    for step in ("appeal", "uphold_appeal"):
        assert list(Certificate.objects.renewable(IN_YEAR_TEN.date())) == []
        applications.advance([case], step, by=place.administrator, at=IN_YEAR_TEN)
    assert list(Certificate.objects.renewable(IN_YEAR_TEN.date())) == [held]


NOTHING: dict[str, dict[str, Any]] = {
    "physical": {"condition": "none"},
    "vision": {"acuity_right": 0.8, "acuity_left": 0.8},
}


def found_not_met(
    place: builders.County, held: Certificate, at: datetime, category: str = "physical"
) -> Application:
    """Assess the holder again and find nothing."""
    wanted = builders.nomination(place, id_number=held.resident.id_number)
    (case,) = applications.nominate([wanted], by=place.liaison, at=at)
    applications.accept([case], by=place.administrator, at=at)
    applications.assign([case], place.assessor, by=place.administrator, at=at)
    visit = Visit.objects.create(
        application=case, state="scheduled", on=at.date(), start=time(9), assessor=place.assessor
    )
    part = evaluations.Part(Category(category), NOTHING[category], None, "不符合")
    said = builders.submission(place, visit, parts=[part], grade=None, evaluated_at=at)
    evaluations.submit([said], by=place.assessor, at=at)
    case.refresh_from_db()
    return case


def test_whoever_has_no_other_disability_beside_it_keeps_the_certificate(
    held: Certificate, place: builders.County
) -> None:
    """A hope for the eyes that came to nothing kept the certificate for the legs from renewal."""
    case = found_not_met(place, held, LATER, "vision")
    assert case.state == "not_met"
    assert list(no_longer_met(place.administrator, (LATER + timedelta(days=60)).date())) == []
    assert list(Certificate.objects.renewable(IN_YEAR_TEN.date())) == [held]
    life.ask_renewal([held], by=place.administrator, at=IN_YEAR_TEN)
    assert len(actions.renew([held], by=place.approver, at=IN_YEAR_TEN)) == 1


def test_the_office_hears_whose_certificate_is_no_longer_met_once_nobody_can_appeal(
    held: Certificate, place: builders.County, sign_in: Callable[[User], Client]
) -> None:
    """No list named it: it stayed valid to its last day."""
    case = found_not_met(place, held, LATER)
    last = publicity.appeal_deadline(case, LATER.date())
    over = last + timedelta(days=7)
    assert list(no_longer_met(place.administrator, last)) == []
    assert list(no_longer_met(place.administrator, over)) == [case]
    clock.advance_to(noon(over))
    page = sign_in(place.administrator).get("/certificates/no-longer-met/").content.decode()
    assert f"/certificates/{held.pk}/cancel/" in page
    ground = Ground.NO_LONGER_MEETS
    life.cancel([held], ground=ground, reason="复评不达标", by=place.administrator, at=noon(over))
    assert list(no_longer_met(place.administrator, over)) == []


def test_that_list_asks_no_more_for_two_than_for_one(
    held: Certificate, place: builders.County, files: Path, sign_in: Callable[[User], Client]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            listing = browser.get("/certificates/no-longer-met/").context["listing"]
        counted.append(len(listing))
        return len(asked)

    browser, counted = sign_in(place.administrator), list[int]()
    (another,) = issued(place, files)
    actions.hand_over([another], by=place.liaison, at=ISSUED_AT)
    found_not_met(place, held, LATER)
    clock.advance_to(LATER + timedelta(days=60))
    queries()
    one = queries()
    found_not_met(place, another, LATER + timedelta(days=1))
    assert (queries(), counted) == (one, [1, 1, 2])


def test_a_person_holds_at_most_one_living_certificate(held: Certificate) -> None:
    held.pk, held.number_index = None, "another"
    held.id = type(held)().id
    held.kind = Kind.RENEWAL
    with pytest.raises(IntegrityError), transaction.atomic():
        held.save(force_insert=True)


def moved(place: builders.County, held: Certificate) -> None:
    life.note_move(
        [held], moved_on=date(2018, 7, 1), note="迁往邻县", by=place.administrator, at=LATER
    )


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), builders.SHANGHAI)


def test_a_certificate_that_does_not_follow_its_household_rests_and_then_ends(
    held: Certificate, place: builders.County
) -> None:
    moved(place, held)
    story = []
    for day in (date(2019, 1, 1), date(2019, 1, 2), date(2019, 7, 1), date(2019, 7, 2)):
        life.settle(at=noon(day))
        again = life.settle(at=noon(day))
        assert again == life.Settled(0, 0, 0)
        story.append(state_of(held))
    assert story == [S.VALID, S.FROZEN, S.FROZEN, S.CANCELLED]
    assert names(held)[-3:] == ["note_move", "freeze", "cancel"]
    assert held.events.get(name="freeze").by is None


def test_a_household_that_is_settled_again_is_forgotten(
    held: Certificate, place: builders.County
) -> None:
    moved(place, held)
    life.settle(at=noon(date(2019, 1, 2)))
    held.refresh_from_db()
    life.unfreeze([held], reason="户口迁回", by=place.administrator, at=noon(date(2019, 2, 1)))
    assert life.settle(at=noon(date(2019, 12, 1))) == life.Settled(0, 0, 0)


@pytest.mark.parametrize(
    ("begin", "end", "when"),
    [
        ("declare_lost", "reissue", LATER),
        ("ask_renewal", "renew", IN_YEAR_TEN),
    ],
)
def test_a_move_that_was_noted_stays_noted_on_the_paper_that_comes_instead(
    held: Certificate, place: builders.County, begin: str, end: str, when: datetime
) -> None:
    moved_on = (when - timedelta(days=1)).date()
    life.note_move([held], moved_on=moved_on, note="邻县", by=place.administrator, at=when)
    STEPS[begin](place, held)
    STEPS[end](place, held)
    new = Certificate.objects.get(replaces=held)
    assert new.household_moved_on == moved_on
    assert life.settle(at=when + timedelta(days=366)) == life.Settled(0, 1, 0)
    assert state_of(new) == S.CANCELLED


def test_the_case_of_a_paper_that_came_instead_is_closed_with_it(
    place: builders.County, files: Path
) -> None:
    """It was never handed over: whoever moved away may apply again."""
    (made,) = issued(place, files)
    life.note_move([made], moved_on=LATER.date(), note="邻县", by=place.administrator, at=LATER)
    life.declare_lost([made], by=place.liaison, at=LATER)
    actions.reissue([made], by=place.approver, at=LATER)
    life.settle(at=LATER + timedelta(days=366))
    assert Application.objects.get().state == "closed"


@pytest.mark.parametrize(("out", "back"), [("freeze", "unfreeze"), ("cancel", "restore")])
def test_what_a_person_takes_and_takes_back_leaves_a_move_noted(
    held: Certificate, place: builders.County, out: str, back: str
) -> None:
    """An enquiry, or a mistake, says nothing of where the household is."""
    moved(place, held)
    STEPS[out](place, held)
    STEPS[back](place, held)
    held.refresh_from_db()
    assert (held.state, held.household_moved_on) == (S.VALID, date(2018, 7, 1))
    assert life.settle(at=noon(date(2019, 1, 2))) == life.Settled(1, 0, 0)


def test_a_cancellation_that_the_day_brought_is_taken_back_with_the_move(
    held: Certificate, place: builders.County
) -> None:
    moved(place, held)
    life.settle(at=noon(date(2019, 7, 2)))
    held.refresh_from_db()
    life.restore([held], reason="户口未迁", by=place.approver, at=noon(date(2019, 7, 2)))
    assert life.settle(at=noon(date(2019, 7, 3))) == life.Settled(0, 0, 0)


def test_a_lost_paper_that_does_not_follow_its_household_ends_too(
    held: Certificate, place: builders.County
) -> None:
    """It stayed, and another one was signed in its place that ended the night after."""
    moved(place, held)
    life.declare_lost([held], by=place.liaison, at=LATER)
    assert life.settle(at=noon(date(2019, 1, 2))) == life.Settled(0, 0, 0)
    assert life.settle(at=noon(date(2019, 7, 2))) == life.Settled(0, 1, 0)
    assert (state_of(held), PaperRequest.objects.open().count()) == (S.CANCELLED, 0)


def test_a_move_that_a_colleague_noted_keeps_its_day(
    held: Certificate, place: builders.County
) -> None:
    """On a page that was left open nothing stands of it; its terms run from that day."""
    left_open = Certificate.objects.select_related("application").get(pk=held.pk)
    moved(place, held)
    with pytest.raises(Refused, match="wrong-state"):
        life.note_move(
            [left_open], moved_on=date(2018, 6, 30), note="", by=place.administrator, at=LATER
        )
    held.refresh_from_db()
    assert (held.household_moved_on, names(held).count("note_move")) == (date(2018, 7, 1), 1)


def test_a_move_that_was_another_ones_is_taken_back_before_anything_came_of_it(
    held: Certificate, place: builders.County
) -> None:
    """Nothing led back: after six months it was frozen, and who showed it learned so."""
    with pytest.raises(Refused, match="wrong-state"):
        life.forget_move([held], reason="同名误记", by=place.administrator, at=LATER)
    moved(place, held)
    life.forget_move([held], reason="同名误记", by=place.administrator, at=LATER)
    assert life.settle(at=noon(date(2019, 7, 2))) == life.Settled(0, 0, 0)
    moved(place, held)
    held.refresh_from_db()
    assert held.household_moved_on == date(2018, 7, 1)


def test_a_day_to_come_is_no_day_of_a_move(held: Certificate, place: builders.County) -> None:
    with pytest.raises(Refused, match="in-the-future"):
        life.note_move([held], moved_on=date(2030, 1, 1), note="", by=place.administrator, at=LATER)


def test_the_last_day_enters_the_history_once(held: Certificate) -> None:
    assert life.settle(at=noon(date(2028, 6, 13))) == life.Settled(0, 0, 0)
    assert life.settle(at=noon(date(2028, 6, 14))) == life.Settled(0, 0, 1)
    assert life.settle(at=noon(date(2028, 6, 15))) == life.Settled(0, 0, 0)
    assert names(held)[-1] == "expire"


@pytest.mark.parametrize("step", ["forget_move", "freeze", "unfreeze", "cancel", "restore"])
def test_what_weighs_heavily_wants_a_written_reason(
    held: Certificate, place: builders.County, step: str
) -> None:
    more = {"ground": Ground.OWN_WISH} if step == "cancel" else {}
    by = place.approver
    with pytest.raises(Refused, match="reason-missing"):
        getattr(life, step)([held], reason="  ", by=by, at=LATER, **more)


BARS = [
    (Ground.DEATH, "死亡", None),
    # The year's last day, that of the same date, counts whole (民法典 art. 202).
    (Ground.NO_LONGER_MEETS, "复评不达标", date(2019, 7, 14)),
    (Ground.FALSE_INFORMATION, "材料不实", date(2019, 7, 14)),
    (Ground.OWN_WISH, "本人自愿", date(2018, 7, 13)),
]


@pytest.mark.parametrize(("ground", "reason", "free_on"), BARS)
def test_a_cancellation_bars_a_new_application_for_a_year(
    held: Certificate, place: builders.County, ground: Ground, reason: str, free_on: date | None
) -> None:
    life.cancel([held], ground=ground, reason=reason, by=place.administrator, at=LATER)
    again = builders.nomination(place, id_number=held.resident.id_number)

    def nominate(on: date) -> None:
        applications.nominate([again], by=place.liaison, at=noon(on))

    if free_on is None:
        with pytest.raises(Refused, match="barred"):
            nominate(date(2040, 1, 1))
        return
    if free_on > LATER.date():
        with pytest.raises(Refused, match="barred") as refused:
            nominate(free_on - timedelta(days=1))
        assert free_on.isoformat() in str(refused.value.message)
    nominate(free_on)
    assert Resident.objects.get(pk=held.resident_id).applications.count() == 2


def test_a_negative_result_bars_a_new_application_for_a_year(place: builders.County) -> None:
    (visit,) = builders.scheduled(place)
    part = evaluations.Part("physical", {"condition": "none"}, None, "不符合")
    said = builders.submission(place, visit, parts=[part], grade=None)
    evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    again = builders.nomination(place, id_number=visit.application.resident.id_number)
    with pytest.raises(Refused, match="barred") as refused:
        applications.nominate([again], by=place.liaison, at=noon(date(2019, 6, 4)))
    assert "2019-06-05" in str(refused.value.message)
    applications.nominate([again], by=place.liaison, at=noon(date(2019, 6, 5)))


def test_an_appeal_that_is_upheld_lifts_the_bar_of_a_certificate_cancelled_for_the_result(
    held: Certificate, place: builders.County
) -> None:
    """Whoever was certified after it could not be assessed again for a year, if it got worse."""
    case = found_not_met(place, held, LATER)
    how = {"ground": Ground.NO_LONGER_MEETS, "reason": "复评不达标"}
    life.cancel([held], by=place.administrator, at=LATER, **how)
    publicity.appeal(case, text="请再看一次", by=place.liaison, at=LATER)
    publicity.decide_appeal(case, upheld=True, note="重新评定", by=place.administrator, at=LATER)
    applications.advance([case], "withdraw", by=place.liaison, at=LATER)
    again = builders.nomination(place, id_number=held.resident.id_number)
    assert len(applications.nominate([again], by=place.liaison, at=LATER)) == 1


def test_a_cancellation_by_mistake_is_taken_back_with_its_bar(
    held: Certificate, place: builders.County
) -> None:
    life.cancel([held], ground=Ground.DEATH, reason="死亡", by=place.administrator, at=LATER)
    life.restore([held], reason="同名误销", by=place.approver, at=LATER)
    assert state_of(held) == S.VALID
    assert not held.resident.bars.filter(lifted_at=None).exists()


@pytest.mark.parametrize("how", ["move_out", "cancel"])
def test_a_death_that_was_noted_with_the_case_stays_when_an_end_is_taken_back(
    held: Certificate, place: builders.County, how: str
) -> None:
    """It was forgotten without a word: the dead got another paper, and were called on again."""
    by = place.administrator
    if how == "move_out":
        life.move_out([held], to="邻县残联", by=by, at=LATER)
    else:
        life.cancel([held], ground=Ground.OWN_WISH, reason="本人自愿", by=by, at=LATER)
    after = LATER + timedelta(days=1)
    deaths.record_death(Application.objects.get(), note="村里来报", by=by, at=after)
    life.restore([held], reason="误销", by=place.approver, at=after)
    assert held.resident.bars.get(lifted_at=None).ground == deaths.DIED
    held.refresh_from_db()
    life.declare_lost([held], by=place.liaison, at=after)
    held.refresh_from_db()
    with pytest.raises(Refused, match="barred"):
        actions.reissue([held], by=place.approver, at=after)


def test_a_lost_paper_does_not_become_valid_by_a_cancellation_that_is_taken_back(
    held: Certificate, place: builders.County
) -> None:
    life.declare_lost([held], note="赶集时遗失", by=place.liaison, at=LATER)
    life.cancel([held], ground=Ground.DEATH, reason="死亡", by=place.administrator, at=LATER)
    life.restore([held], reason="同名误销", by=place.approver, at=LATER)
    assert judge(paper_of(held), on=LATER.date()).finding == Finding.LOST
    assert names(held)[-3:] == ["cancel", "restore", "declare_lost"]
    assert PaperRequest.objects.open().get().kind == Kind.REISSUE
    held.refresh_from_db()
    (new,) = actions.reissue([held], by=place.approver, at=LATER)
    assert new.suffix == "B1"


def test_a_file_sent_on_by_mistake_comes_back_as_it_was(
    held: Certificate, place: builders.County, files: Path
) -> None:
    """Of two of one name the wrong file went: that paper was void, and nothing led back."""
    life.declare_lost([held], note="赶集时遗失", by=place.liaison, at=LATER)
    case = assessed_again(place, files, held, 2, date(2018, 8, 6))
    over = builders.notice_over(date(2018, 8, 6))
    life.move_out([held], to="邻县残联", by=place.administrator, at=over)
    life.restore([held], reason="同名误迁", by=place.approver, at=over)
    assert (state_of(held), names(held)[-2:]) == (S.LOST, ["restore", "declare_lost"])
    assert PaperRequest.objects.open().get().kind == Kind.REISSUE
    (new,) = actions.issue([case], by=place.approver, at=over)
    assert (new.kind, state_of(held)) == (Kind.CHANGE, S.REPLACED)


def test_what_was_frozen_for_an_enquiry_is_so_after_a_cancellation_by_mistake(
    held: Certificate, place: builders.County
) -> None:
    life.freeze([held], reason="核查", by=place.administrator, at=LATER)
    for _time in range(2):
        held.refresh_from_db()
        life.cancel([held], ground=Ground.OWN_WISH, reason="误", by=place.administrator, at=LATER)
        life.restore([held], reason="误销", by=place.approver, at=LATER)
        assert state_of(held) == S.FROZEN
    held.refresh_from_db()
    life.unfreeze([held], reason="查清", by=place.administrator, at=LATER)
    life.cancel([held], ground=Ground.OWN_WISH, reason="误", by=place.administrator, at=LATER)
    life.restore([held], reason="误销", by=place.approver, at=LATER)
    assert state_of(held) == S.VALID


def test_the_history_of_the_lost_paper_stays_with_it(
    held: Certificate, place: builders.County
) -> None:
    life.declare_lost([held], note="赶集时遗失", by=place.liaison, at=LATER)
    (new,) = actions.reissue([held], by=place.approver, at=LATER)
    assert names(held) == ["issue", "hand_over", "declare_lost", "reissue"]
    assert held.events.get(name="declare_lost").note == "赶集时遗失"
    assert names(new) == ["issue_again"]
    assert Certificate.objects.get(replaces=held) == new


def test_a_reissued_paper_is_handed_over_again(held: Certificate, place: builders.County) -> None:
    life.declare_lost([held], by=place.liaison, at=LATER)
    (new,) = actions.reissue([held], by=place.approver, at=LATER)
    assert list(Certificate.objects.to_hand_over()) == [new]
    actions.hand_over([new], by=place.liaison, at=LATER)
    with pytest.raises(Refused, match="wrong-state"):
        actions.hand_over([new], by=place.liaison, at=LATER)


def test_a_certificate_that_ends_before_it_is_handed_over_closes_its_case(
    place: builders.County, files: Path
) -> None:
    (made,) = issued(place, files)
    case = made.application
    life.cancel([made], ground=Ground.OWN_WISH, reason="自愿", by=place.administrator, at=LATER)
    case.refresh_from_db()
    assert (case.state, case.events.last().name) == ("closed", "end")  # type: ignore[union-attr]
    life.restore([made], reason="误销", by=place.approver, at=LATER)
    actions.hand_over([made], by=place.liaison, at=LATER)
    case.refresh_from_db()
    assert case.state == "handed_over"


def test_a_cancellation_is_not_taken_back_while_the_person_applies_anew(
    place: builders.County, files: Path
) -> None:
    (made,) = issued(place, files)
    life.cancel([made], ground=Ground.OWN_WISH, reason="自愿", by=place.administrator, at=LATER)
    again = builders.nomination(place, id_number=made.resident.id_number)
    applications.nominate([again], by=place.liaison, at=LATER)
    with pytest.raises(Refused, match="open-application"):
        life.restore([made], reason="误销", by=place.approver, at=LATER)
    assert state_of(made) == S.CANCELLED


def test_who_moves_away_before_the_paper_came_may_apply_again(
    place: builders.County, files: Path
) -> None:
    sent, stayed = issued(place, files, 2)
    life.move_out([sent], to="邻县残联", by=place.administrator, at=LATER)
    moved_on = LATER.date()
    life.note_move([stayed], moved_on=moved_on, note="邻县", by=place.administrator, at=LATER)
    life.settle(at=LATER + timedelta(days=366))
    states = Application.objects.values_list("state", flat=True)
    assert set(states) == {"closed"}


def test_a_paper_lost_before_it_was_handed_over_is_handed_over_as_its_reissue(
    place: builders.County, files: Path
) -> None:
    (made,) = issued(place, files)
    life.declare_lost([made], by=place.liaison, at=LATER)
    (again,) = actions.reissue([made], by=place.approver, at=LATER)
    actions.hand_over([again], by=place.liaison, at=LATER)
    assert Application.objects.get().state == "handed_over"


def test_a_hand_over_that_was_ticked_by_a_slip_is_taken_back(
    held: Certificate, place: builders.County
) -> None:
    """The case was over, nobody brought the paper, and no step led back."""
    case = held.application
    slip = {"reason": "勾错了人", "by": place.liaison}
    life.take_hand_over_back([held], **slip, at=LATER)
    case.refresh_from_db()
    assert (case.state, names(held)[-1]) == ("issued", "not_handed_over")
    assert list(Certificate.objects.to_hand_over()) == [held]
    with pytest.raises(Refused, match="wrong-state"):
        life.take_hand_over_back([held], **slip, at=LATER)
    held.refresh_from_db()
    actions.hand_over([held], by=place.liaison, at=LATER)
    case.refresh_from_db()
    assert case.state == "handed_over"


def test_a_renewal_that_was_not_handed_over_after_all_leaves_its_case_as_it_is(
    held: Certificate, place: builders.County
) -> None:
    """The case ended years ago, with the paper of then."""
    (new,) = actions.renew([held], by=place.approver, at=IN_YEAR_TEN)
    actions.hand_over([new], by=place.liaison, at=IN_YEAR_TEN)
    new.refresh_from_db()
    life.take_hand_over_back([new], reason="勾错了人", by=place.liaison, at=IN_YEAR_TEN)
    assert Application.objects.get().state == "handed_over"
    assert list(Certificate.objects.to_hand_over()) == [new]


def test_a_hand_over_is_not_taken_back_while_the_person_applies_anew(
    held: Certificate, place: builders.County
) -> None:
    again = builders.nomination(place, id_number=held.resident.id_number)
    applications.nominate([again], by=place.liaison, at=LATER)
    with pytest.raises(Refused, match="open-application"):
        life.take_hand_over_back([held], reason="勾错了人", by=place.liaison, at=LATER)
    held.refresh_from_db()
    assert (held.handed_over_at, names(held)[-1]) == (ISSUED_AT, "hand_over")
