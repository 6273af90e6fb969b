"""Nominator, assessor and approver are never the same person for one case."""

from __future__ import annotations

from datetime import datetime

import pytest

from outreach.actions import applications, evaluations, publicity, visits
from outreach.domain.vocabulary import EvidenceKind, Role
from outreach.models import Assessor, DeclaredRelative, User
from outreach.rules import Refused, second_opinions_for
from tests import builders
from tests.builders import SHANGHAI, START

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> builders.County:
    return builders.county()


def refused(code: str) -> object:
    return pytest.raises(Refused, match=f"^{code}$")


def test_the_assessor_who_nominated_is_not_assigned(place: builders.County) -> None:
    made = applications.nominate([builders.nomination(place)], by=place.assessor, at=START)
    applications.accept(made, by=place.administrator, at=START)
    with refused("nominator-rates"):
        applications.assign(made, place.assessor, by=place.administrator, at=START)
    applications.assign(made, place.colleague, by=place.administrator, at=START)


def test_two_doctors_who_know_one_disability_each_rate_together_who_has_both(
    place: builders.County,
) -> None:
    """One of the general hospital, one of the psychiatric: whom the case is given to knows one."""
    for doctor, category in ((place.assessor, "physical"), (place.colleague, "mental")):
        Assessor.objects.filter(user=doctor).update(categories=[category])
    [visit] = builders.scheduled(place, categories=["physical", "mental"])
    mind = {"duration_months": 24, "whodas": 60, "adaptive": "mild"}
    parts = [_part(1), evaluations.Part("mental", mind, 4)]
    said = builders.submission(place, visit, parts=parts, grade=1)
    [made] = evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    assert made.category == "multiple"


def test_nobody_is_sent_who_knows_none_of_the_disabilities(place: builders.County) -> None:
    [case] = builders.applied(place, categories=["physical", "mental"])
    applications.accept([case], by=place.administrator, at=START)
    Assessor.objects.filter(user=place.assessor).update(categories=["vision"])
    with refused("not-qualified"):
        applications.assign([case], place.assessor, by=place.administrator, at=START)


def test_the_nominator_does_not_co_sign(place: builders.County) -> None:
    made = applications.nominate([builders.nomination(place)], by=place.colleague, at=START)
    applications.accept(made, by=place.administrator, at=START)
    applications.assign(made, place.assessor, by=place.administrator, at=START)
    slot = visits.Appointment(made[0], builders.VISIT_ON, datetime.min.time().replace(hour=9))
    [visit] = visits.schedule([slot], by=place.administrator, at=START)
    said = builders.submission(place, visit)
    with refused("nominator-rates"):
        evaluations.submit([said], by=place.assessor, at=said.evaluated_at)


def test_a_declared_relative_does_not_rate(place: builders.County) -> None:
    [visit] = builders.scheduled(place)
    DeclaredRelative.objects.create(
        user=place.assessor, resident=visit.application.resident, declared_at=START
    )
    said = builders.submission(place, visit)
    with refused("relative-rates"):
        evaluations.submit([said], by=place.assessor, at=said.evaluated_at)


def test_an_approver_who_declared_a_relative_does_not_approve(place: builders.County) -> None:
    cases = builders.reviewed(place)
    DeclaredRelative.objects.create(
        user=place.approver, resident=cases[0].resident, declared_at=START
    )
    with refused("approver-involved"):
        publicity.approve(cases, by=place.approver, at=datetime(2018, 6, 12, 10, tzinfo=SHANGHAI))


@pytest.mark.parametrize("role", [Role.LIAISON, Role.ASSESSOR, Role.ADMINISTRATOR, Role.AUDITOR])
def test_only_an_approver_approves(place: builders.County, role: Role) -> None:
    cases = builders.reviewed(place)
    somebody = builders.user(f"another-{role}", role, place.county)
    with pytest.raises(Refused):
        publicity.approve(cases, by=somebody, at=datetime(2018, 6, 12, 10, tzinfo=SHANGHAI))


def test_neither_rater_nor_co_signer_gives_the_second_opinion(place: builders.County) -> None:
    made = builders.evaluated(place)
    for signer in (place.assessor, place.colleague):
        with refused("second-opinion-closed"):
            evaluations.give_second_opinion(made, by=signer, at=START)


def test_a_declared_relative_gives_no_second_opinion(place: builders.County) -> None:
    [mine, other] = builders.evaluated(place, 2)
    second = builders.second_assessor(place)
    DeclaredRelative.objects.create(
        user=second, resident=mine.application.resident, declared_at=START
    )
    assert list(second_opinions_for(second)) == [other]
    with refused("second-opinion-closed"):
        evaluations.give_second_opinion([mine], by=second, at=START)


@pytest.mark.parametrize("signer", ["assessor", "colleague", "second"])
def test_what_a_relative_signed_before_they_said_so_goes_no_further(
    place: builders.County, signer: str
) -> None:
    """They read that a colleague decides, and their own result went on to a certificate."""
    [case] = builders.noticed(place)
    over = builders.notice_over()
    signed_by = User.objects.get(username=signer)
    DeclaredRelative.objects.create(user=signed_by, resident=case.resident, declared_at=over)
    with refused("relative-rated"):
        publicity.review([case], by=place.administrator, at=over)
    applications.advance([case], "send_back", by=place.administrator, at=over, note="亲属")
    assert case.state == "accepted"


@pytest.mark.parametrize(
    ("qualified", "may"), [("physical", True), ("vision", False), ("mental", False)]
)
def test_of_several_categories_who_knows_the_severe_one_gives_the_second_opinion(
    place: builders.County, qualified: str, may: bool
) -> None:
    [visit] = builders.scheduled(place)
    eyes = evaluations.Part("vision", {"acuity_right": 0.2, "acuity_left": 0.2}, 4)
    said = builders.submission(place, visit, parts=[eyes, _part(1)], grade=1)
    made = evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    second = builders.second_assessor(place)
    Assessor.objects.filter(user=second).update(categories=[qualified])
    assert list(second_opinions_for(second)) == made * may
    if not may:
        with refused("second-opinion-closed"):
            evaluations.give_second_opinion(made, by=second, at=START)


@pytest.mark.parametrize("role", [Role.LIAISON, Role.ASSESSOR, Role.AUDITOR, Role.APPROVER])
def test_only_an_administrator_assigns(place: builders.County, role: Role) -> None:
    cases = builders.accepted(place)
    somebody = builders.user(f"another-{role}", role, place.county)
    with refused("not-your-step"):
        applications.assign(cases, place.colleague, by=somebody, at=START)


def test_one_assessor_alone_is_not_enough(place: builders.County) -> None:
    [visit] = builders.scheduled(place)
    for signers in ([], [place.assessor], [place.liaison]):
        said = builders.submission(place, visit, co_signers=signers)
        with refused("co-signer-missing"):
            evaluations.submit([said], by=place.assessor, at=said.evaluated_at)


def test_evidence_identity_and_consent_are_asked_for(place: builders.County) -> None:
    [visit] = builders.scheduled(place)
    lacking = {
        "evidence-missing": {"media": builders.media(kinds=[EvidenceKind.PORTRAIT])},
        "identity-unchecked": {"identity_checked": False},
        "consent-missing": {"consent": None},
        "photo-twice": {"media": [*builders.media(), *[builders.media()[0]] * 2]},
        "reason-missing": {"grade": 2, "parts": [_part(2)]},
        "bad-finding": {"parts": [evaluations.Part("physical", {"condition": "9z"}, 1)]},
    }
    for code, change in lacking.items():
        said = builders.submission(place, visit, **change)
        with refused(code):
            evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    visit.refresh_from_db()
    assert visit.state == "scheduled"


def _part(grade: int) -> evaluations.Part:
    return evaluations.Part("physical", builders.WITHOUT_LEGS, grade)


def test_a_reasoned_difference_is_recorded_beside_the_computed_grade(
    place: builders.County,
) -> None:
    [visit] = builders.scheduled(place)
    part = evaluations.Part("physical", builders.WITHOUT_LEGS, 2, "可借助他人部分自理")
    said = builders.submission(place, visit, grade=2, parts=[part])
    [made] = evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    assert (made.grade, made.computed_grade) == (2, 1)
    assert made.parts[0]["reason"] == "可借助他人部分自理"
