"""The reviewer's screen, photos behind their door, and the second opinion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django.utils.translation import override

from outreach.actions import evaluations
from outreach.actions.evaluations import Part
from outreach.desk.findings import parts_of
from outreach.domain.vocabulary import EvidenceKind, Level, Role
from outreach.models import (
    Application,
    Assessor,
    AuditEvent,
    Evaluation,
    Photo,
    Resident,
    SecondOpinion,
    User,
)
from tests import builders
from tests.outreach.desk.pictures import real_media

SignIn = Callable[[User], Client]
PARTLY = {"independence": "partly", "condition": "3a"}


@pytest.fixture
def evaluation(place: builders.County) -> Evaluation:
    """Return an evaluation whose doctor differs from the findings, with its photos."""
    visit = builders.scheduled(place)[0]
    said = builders.submission(
        place,
        visit,
        parts=[Part("physical", PARTLY, 2, "关节挛缩,实际更重")],
        grade=2,
        media=real_media(),
        circumstances={"place": {"lat": 31.0211, "lon": 106.1002, "accuracy_m": 8}},
    )
    return evaluations.submit([said], by=place.assessor, at=said.evaluated_at)[0]


def test_one_screen_shows_findings_both_grades_reason_photos_place_and_time(
    place: builders.County, sign_in: SignIn, evaluation: Evaluation
) -> None:
    page = sign_in(place.administrator).get(f"/evaluations/{evaluation.pk}/").content.decode()
    for shown in (
        "双小腿缺失（3a）",
        "二级",
        "三级",
        "不一致",
        "关节挛缩,实际更重",
        "31.02110, 106.10020",
        "2018-06-04 09:40",
        "GB/T 26341-2010",
        place.colleague.full_name,
    ):
        assert shown in page
    assert page.count("/small/") == 4


def test_reasons_and_answers_speak_the_reader_s_language(
    place: builders.County, sign_in: SignIn, evaluation: Evaluation
) -> None:
    browser = sign_in(place.administrator)
    browser.post("/language/setlang/", {"language": "en", "next": "/"})
    page = browser.get(f"/evaluations/{evaluation.pk}/").content.decode()
    assert "manages daily life partly independently" in page


def test_photos_stand_in_the_order_in_which_the_tablet_asks_for_them(
    place: builders.County, sign_in: SignIn, evaluation: Evaluation
) -> None:
    page = sign_in(place.administrator).get(f"/evaluations/{evaluation.pk}/")
    kinds = [photo.kind for photo, *_ in page.context["photos"]]
    assert kinds == sorted(kinds, key=list(EvidenceKind).index)
    assert len(set(kinds)) == 4


def test_a_photo_is_served_small_and_whole_and_looking_closely_is_noted(
    place: builders.County, sign_in: SignIn, evaluation: Evaluation
) -> None:
    photo = Photo.objects.filter(evaluation=evaluation).first()
    assert photo is not None
    browser = sign_in(place.administrator)
    small = browser.get(f"/photos/{photo.pk}/small/")
    whole = browser.get(f"/photos/{photo.pk}/")
    small_size, whole_size = (len(b"".join(answer)) for answer in (small, whole))
    assert (small.status_code, whole.status_code) == (200, 200)
    assert small_size != whole_size == photo.size
    assert whole["Cache-Control"] == "no-store, private"
    assert AuditEvent.objects.get(action="photo.view").subject_id == photo.pk


@pytest.mark.parametrize(("who", "status"), [("liaison", 403), ("oculist", 404)])
def test_a_photo_is_not_served_to_others(
    place: builders.County, sign_in: SignIn, evaluation: Evaluation, who: str, status: int
) -> None:
    oculist = builders.user("oculist", Role.ASSESSOR, place.county)
    hospital = place.assessor.assessor.institution
    Assessor.objects.create(user=oculist, institution=hospital, categories=["vision"])
    photo = Photo.objects.filter(evaluation=evaluation).first()
    assert photo is not None
    browser = sign_in(User.objects.get(username=who))
    assert browser.get(f"/photos/{photo.pk}/").status_code == status
    assert browser.get(f"/photos/{photo.pk}/small/").status_code == status


def test_a_photo_still_on_its_way_is_not_found(place: builders.County, sign_in: SignIn) -> None:
    made = builders.evaluated(place, stored=False)[0]
    browser = sign_in(place.administrator)
    photo = Photo.objects.filter(evaluation=made).first()
    assert photo is not None
    assert browser.get(f"/photos/{photo.pk}/").status_code == 404
    assert "上传中" in browser.get(f"/evaluations/{made.pk}/").content.decode()


def test_an_opinion_that_differs_wants_a_grade_and_a_reason(
    place: builders.County, sign_in: SignIn, evaluation: Evaluation
) -> None:
    second = sign_in(builders.second_assessor(place))
    page = f"/evaluations/{evaluation.pk}/differ/"
    without = second.post(page, {"grade": "3", "reason": ""})
    assert (without.status_code, without["X-Refusal"]) == (422, "reason-missing")
    assert second.post(page, {"grade": "3", "reason": "可以自理"}).status_code == 303
    opinion = SecondOpinion.objects.get()
    assert (opinion.grade, opinion.reason) == (3, "可以自理")


def test_a_second_doctor_may_find_that_the_standard_is_not_met(
    place: builders.County, sign_in: SignIn, evaluation: Evaluation
) -> None:
    second = sign_in(builders.second_assessor(place))
    page = f"/evaluations/{evaluation.pk}/differ/"
    assert second.post(page, {"grade": "0", "reason": "行走自如"}).status_code == 303
    opinion = SecondOpinion.objects.get()
    assert (opinion.grade, opinion.reason) == (None, "行走自如")
    shown = sign_in(place.administrator).get("/notices/post/").content.decode()
    assert "不符合标准 <strong" in shown


def test_whoever_rated_cannot_agree_with_themselves(
    place: builders.County, sign_in: SignIn, evaluation: Evaluation
) -> None:
    answer = sign_in(place.assessor).post("/opinions/", {"ids": [evaluation.pk]})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "second-opinion-closed")


def test_a_case_is_reviewed_or_sent_back_from_its_screen(
    place: builders.County, sign_in: SignIn, move_on: Callable[[datetime], None]
) -> None:
    case = builders.reviewed(place)[0]
    approver = sign_in(place.approver)
    answer = approver.post(f"/cases/{case.pk}/step/send_back/", {"note": "照片不清"})
    case.refresh_from_db()
    assert (answer.status_code, case.state) == (303, "accepted")


@pytest.mark.parametrize(
    ("language", "months", "missing"),
    [
        ("zh-hans", "12 月", "双全上肢或双全下肢缺失（1g）"),
        ("en", "12 months", "both whole arms or both whole legs missing (1g)"),
    ],
)
def test_findings_are_said_in_the_readers_language(
    language: str, months: str, missing: str
) -> None:
    grades = {"computed_grade": 1, "grade": 1, "reason": "", "questions": []}
    with override(language):
        part = {"category": "mental", "findings": {"duration_months": 12}, **grades}
        other = {"category": "physical", "findings": {"condition": "1g"}, **grades}
        held = unsaved([part, other])
        assert [one.findings[0][1] for one in parts_of(held)] == [months, missing]


def unsaved(parts: list[dict[str, object]]) -> Evaluation:
    """Return an evaluation of somebody grown up, which nobody saved."""
    resident = Resident(id_number=builders.id_number())
    return Evaluation(
        application=Application(resident=resident), parts=parts, evaluated_at=builders.START
    )


def test_who_gave_a_second_opinion_reads_of_it_as_long_as_they_work_there(
    place: builders.County, sign_in: SignIn, evaluation: Evaluation
) -> None:
    second = builders.second_assessor(place)
    evaluations.give_second_opinion([evaluation], by=second, at=evaluation.evaluated_at)
    page = f"/evaluations/{evaluation.pk}/"
    assert sign_in(second).get(page).status_code == 200
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    User.objects.filter(pk=second.pk).update(division=elsewhere)
    assert sign_in(second).get(page).status_code == 404


def test_where_a_colleague_agreed_meanwhile_with_one_the_page_says_so(
    place: builders.County, sign_in: SignIn
) -> None:
    first, other = builders.evaluated(place, 2)
    second = builders.second_assessor(place)
    hospital = Assessor.objects.get(user=second).institution
    third = builders.user("third", Role.ASSESSOR, place.county)
    Assessor.objects.create(user=third, institution=hospital, categories=["physical"])
    evaluations.give_second_opinion([first], by=third, at=first.evaluated_at)
    answer = sign_in(second).post("/opinions/", {"ids": [first.pk, other.pk]})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "done-already")
    assert SecondOpinion.objects.count() == 1
