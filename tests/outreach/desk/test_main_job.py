"""The main job at the desk: every form a person posts, from the nomination to the paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.test import Client

from outreach import clock
from outreach.actions import evaluations
from outreach.models import Application, Evaluation, User, Visit
from tests import builders
from tests.outreach.desk.pictures import real_media

SignIn = Callable[[User], Client]


def nomination_form(place: builders.County, **changes: object) -> dict[str, object]:
    """Return the nomination form of an invented person, everything filled in."""
    given: dict[str, object] = {
        "name": "赵青山",
        "id_number": builders.id_number(),
        "village": place.village.code,
        "address": "任家祠村一组",
        "telephone": "13900000000",
        "ethnicity": "汉族",
        "categories": ["physical"],
        "diagnosis": "下肢缺失",
        "is_bedridden": "on",
        "papers": ["id_card", "household_book", "photos"],
        "consent_by": "resident",
        "consent_name": "赵青山",
        "times": ["0-am", "1-pm"],
    }
    return given | changes


def at(month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    """Return a moment of the story's year."""
    return datetime(2018, month, day, hour, minute, tzinfo=builders.SHANGHAI)


def test_a_case_goes_from_the_nomination_to_the_paper_by_posting_forms(
    place: builders.County, sign_in: SignIn, authority: None
) -> None:
    liaison, office = sign_in(place.liaison), sign_in(place.administrator)
    approver = sign_in(place.approver)

    answer = liaison.post("/cases/nominate/", nomination_form(place))
    case = Application.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/cases/{case.pk}/")

    assert office.post("/accept/", {"ids": [case.pk]}).status_code == 303
    given = {"ids": [case.pk], "assessor": place.assessor.pk}
    assert office.post("/assign/", given).status_code == 303
    appointment = {"on": "2018-06-04", "start": "09:00", "minutes": "40"}
    assert office.post(f"/cases/{case.pk}/schedule/", appointment).status_code == 303

    visit = Visit.objects.get()
    clock.advance_to(at(6, 4, 10))
    said = builders.submission(place, visit, media=real_media())
    evaluations.submit([said], by=place.assessor, at=clock.now())
    evaluation = Evaluation.objects.get()

    refused = office.post("/notices/post/", {"ids": [case.pk]})
    assert (refused.status_code, refused["X-Refusal"]) == (422, "second-opinion-missing")
    second = sign_in(builders.second_assessor(place))
    assert second.post("/opinions/", {"ids": [evaluation.pk]}).status_code == 303

    assert office.post("/notices/post/", {"ids": [case.pk]}).status_code == 303
    clock.advance_to(at(6, 8))
    early = approver.post("/sign/", {"ids": [case.pk]})
    assert (early.status_code, early["X-Refusal"]) == (422, "notice-running")
    assert "2018-06-11" in early.content.decode()

    clock.advance_to(at(6, 12))
    assert office.post("/notices/end/", {"ids": [case.pk]}).status_code == 303
    assert office.post("/review/", {"ids": [case.pk]}).status_code == 303
    assert approver.post("/sign/", {"ids": [case.pk]}).status_code == 303
    assert liaison.post("/hand-over/", {"ids": [case.pk]}).status_code == 303

    case.refresh_from_db()
    assert case.state == "handed_over"
    paper = liaison.get(f"/certificates/{case.certificates.get().pk}.pdf")
    assert b"".join(paper).startswith(b"%PDF-")
    assert case.resident.id_number not in paper.request["PATH_INFO"]


def test_an_objection_holds_a_case_until_it_is_decided(
    place: builders.County, sign_in: SignIn
) -> None:
    made = builders.evaluated(place)
    second = builders.second_assessor(place)
    evaluations.give_second_opinion(made, by=second, at=made[0].evaluated_at)
    clock.advance_to(made[0].evaluated_at + timedelta(hours=2))
    office, liaison = sign_in(place.administrator), sign_in(place.liaison)
    case = Application.objects.get()
    office.post("/notices/post/", {"ids": [case.pk]})

    words = {"from_whom": "邻居", "text": "他能走路"}
    assert liaison.post(f"/cases/{case.pk}/objection/", words).status_code == 303
    case.refresh_from_db()
    assert case.state == "under_objection"

    objection = case.notices.get().objections.get()
    without = office.post(f"/objections/{objection.pk}/", {"upheld": "no", "decision": ""})
    assert (without.status_code, without["X-Refusal"]) == (422, "reason-missing")
    decision = {"upheld": "no", "decision": "已当面核实"}
    assert office.post(f"/objections/{objection.pk}/", decision).status_code == 303
    case.refresh_from_db()
    assert case.state == "on_notice"
