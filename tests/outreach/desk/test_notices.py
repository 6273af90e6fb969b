"""The notice in the village shows what the public must know, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from django.test import Client

from outreach import clock
from outreach.actions import evaluations, publicity, visits
from outreach.actions.evaluations import Part
from outreach.models import Application, Assessor, AuditEvent, Institution, Objection, User
from tests import builders
from tests.builders import SHANGHAI

SignIn = Callable[[User], Client]


def test_a_notice_names_the_result_and_keeps_the_rest(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.on_notice(place)[0]
    notice = case.notices.get()
    page = sign_in(place.liaison).get(f"/notices/{notice.pk}/").content.decode()
    poster = page[page.index("<article") : page.index("</article>")]
    for shown in (
        "赵青山",
        "灯台乡任家祠村",
        "肢体 · 一级",
        "示例医院",
        "2018-06-11",
        "0817-0000000",
    ):
        assert shown in poster
    resident = case.resident
    for kept in (resident.id_number, resident.telephone, resident.address, case.diagnosis):
        assert kept not in poster


def test_a_notice_is_chinese_whatever_the_screens_speak(
    place: builders.County, sign_in: SignIn
) -> None:
    notice = builders.on_notice(place)[0].notices.get()
    browser = sign_in(place.liaison)
    chinese, english = (
        browser.get(f"/notices/{notice.pk}/", headers={"accept-language": language})
        for language in ("zh-hans", "en")
    )
    assert "Print" in english.content.decode()
    first, second = (
        page.content.decode().partition("<article")[2].partition("</article>")[0]
        for page in (chinese, english)
    )
    assert "残疾" in first
    assert first == second


def test_a_notice_names_the_institution_to_which_the_doctor_belonged(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.on_notice(place)[0]
    elsewhere = Institution.objects.create(name="另一医院", designated_from=date(2015, 1, 1))
    Assessor.objects.filter(user=place.assessor).update(institution=elsewhere)
    page = sign_in(place.liaison).get(f"/notices/{case.notices.get().pk}/").content.decode()
    assert ("示例医院" in page, "另一医院" in page) == (True, False)
    rated = case.evaluations.get()
    seen = sign_in(place.administrator).get(f"/evaluations/{rated.pk}/")
    assert "示例医院" in seen.content.decode()
    case.evaluations.update(institution=None)  # as earlier releases kept none
    page = sign_in(place.liaison).get(f"/notices/{case.notices.get().pk}/").content.decode()
    assert "另一医院" in page


def test_where_the_office_wants_no_second_opinion_none_is_missing(
    place: builders.County, sign_in: SignIn, settings: Any
) -> None:
    """Each of grade 1 and 2 waited on the list for a doctor who was never asked."""
    [found] = builders.evaluated(place)
    office, page = sign_in(place.administrator), "/notices/post/"
    clock.advance_to(found.evaluated_at)
    assert "缺复核意见" in office.get(page).content.decode()
    settings.OUTREACH_SECOND_OPINION = False
    assert "缺复核意见" not in office.get(page).content.decode()
    assert office.post(page, {"ids": [found.application_id]}).status_code == 303


def test_a_notice_that_was_taken_down_is_gone(place: builders.County, sign_in: SignIn) -> None:
    case = builders.on_notice(place)[0]
    notice = case.notices.get()
    over = builders.notice_over()
    publicity.end_notices([case], by=place.administrator, at=over)
    assert sign_in(place.liaison).get(f"/notices/{notice.pk}/").status_code == 404
    assert sign_in(place.other_liaison).get(f"/notices/{notice.pk}/").status_code == 404


def test_an_objection_after_the_last_day_is_refused(
    place: builders.County, sign_in: SignIn, move_on: Callable[..., None]
) -> None:
    case = builders.on_notice(place)[0]
    move_on(builders.notice_over())
    said = {"from_whom": "邻居", "text": "他能走路"}
    answer = sign_in(place.liaison).post(f"/cases/{case.pk}/objection/", said)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "notice-over")


def test_an_objection_of_the_last_day_is_recorded_in_time_the_morning_after(
    place: builders.County, sign_in: SignIn, move_on: Callable[..., None]
) -> None:
    """Somebody tells the liaison in the evening, who types it next day: it was turned away."""
    case = builders.on_notice(place)[0]
    move_on(builders.notice_over())
    liaison, address = sign_in(place.liaison), f"/cases/{case.pk}/objection/"
    for made_on, status, refusal in (
        ("2018-06-12", 422, "notice-over"),
        ("2018-06-03", 422, "no-day-of-an-objection"),
        ("2018-06-13", 422, "no-day-of-an-objection"),
        ("2018-06-11", 303, None),
        ("2018-06-11", 303, None),  # once more, as the answer was lost
    ):
        said = {"from_whom": "邻居", "text": "他能走路", "made_on": made_on}
        answer = liaison.post(address, said)
        assert (answer.status_code, answer.headers.get("X-Refusal")) == (status, refusal)
    case.refresh_from_db()
    assert (case.state, Objection.objects.count()) == ("under_objection", 1)
    told = AuditEvent.objects.get(action="objection.record")
    assert told.detail == {"made_on": "2018-06-11"}


def test_an_objection_that_was_being_written_as_the_notice_came_down_is_kept_on_the_page(
    place: builders.County, sign_in: SignIn, move_on: Callable[..., None]
) -> None:
    """They read that there is no such page, or not in their area; the words were gone."""
    case = builders.on_notice(place)[0]
    move_on(builders.notice_over())
    publicity.end_notices([case], by=place.administrator, at=clock.now())
    said = {"from_whom": "邻居", "text": "他能走路"}
    answer = sign_in(place.liaison).post(f"/cases/{case.pk}/objection/", said)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "notice-over")
    assert "他能走路" in answer.content.decode()


def test_a_second_neighbour_objects_while_the_first_objection_is_looked_into(
    place: builders.County, sign_in: SignIn, move_on: Callable[..., None]
) -> None:
    [case] = builders.on_notice(place)
    liaison = sign_in(place.liaison)
    for day in (5, 6):
        move_on(datetime(2018, 6, day, 9, tzinfo=SHANGHAI))
        address = f"/cases/{case.pk}/objection/"
        assert address in liaison.get(f"/cases/{case.pk}/").content.decode()
        said = {"from_whom": "邻居", "text": "他能走路"}
        assert liaison.post(address, said).status_code == 303
    assert Objection.objects.filter(decided_at=None).count() == 2
    first, second = Objection.objects.order_by("pk")
    office, other = sign_in(place.administrator), "还有 1 件异议待决定"
    for one, tells in ((first, True), (second, False)):  # what the decision does to the other one
        address = f"/objections/{one.pk}/"
        assert (other in office.get(address).content.decode()) is tells
        office.post(address, {"upheld": "no", "decision": "查无此事"})


def test_who_is_assessed_again_after_an_objection_has_one_notice_to_object_to(
    place: builders.County, sign_in: SignIn, move_on: Callable[..., None]
) -> None:
    [case] = builders.on_notice(place)
    office, liaison = sign_in(place.administrator), sign_in(place.liaison)
    said = {"from_whom": "邻居", "text": "他能走路"}
    move_on(datetime(2018, 6, 5, 9, tzinfo=SHANGHAI))
    liaison.post(f"/cases/{case.pk}/objection/", said)
    decision = {"upheld": "yes", "decision": "重新评定"}
    office.post(f"/objections/{Objection.objects.get().pk}/", decision)
    assert Application.objects.get().state == "accepted"

    on = date(2018, 6, 6)
    at = datetime(2018, 6, 6, 8, tzinfo=SHANGHAI)
    [visit] = visits.schedule(
        [visits.Appointment(case, on, time(9), 30)], by=place.administrator, at=at
    )
    part = Part("physical", {"independence": "mostly", "condition": "4a"}, 4)
    again = builders.submission(place, visit, parts=[part], grade=4, media=builders.media())
    evaluations.submit([again], by=place.assessor, at=again.evaluated_at)
    builders.store([one.sha256 for one in again.media])
    case.refresh_from_db()
    move_on(datetime(2018, 6, 6, 16, tzinfo=SHANGHAI))
    publicity.post_notices([case], by=place.administrator, at=clock.now())
    # The first one would have been over by the end of the 11th, the second is of the 13th.
    move_on(datetime(2018, 6, 12, 9, tzinfo=SHANGHAI))
    assert case.number not in office.get("/notices/end/").content.decode()
    assert liaison.post(f"/cases/{case.pk}/objection/", said).status_code == 303
    assert Objection.objects.get(decided_at=None).notice.posted_on == on


def test_the_form_of_an_appeal_asks_when_it_was_made(
    place: builders.County, sign_in: SignIn
) -> None:
    [visit] = builders.scheduled(place)
    part = Part("physical", {"condition": "none"}, None, "未达")
    said = builders.submission(place, visit, parts=[part], grade=None)
    evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    clock.advance_to(datetime(2018, 7, 2, 9, tzinfo=SHANGHAI))
    office = sign_in(place.administrator)
    address = f"/cases/{visit.application_id}/step/appeal/"
    assert "提出复评申请的日期" in office.get(address).content.decode()
    for made_on, status, refusal in (
        ("2018-13-01", 422, "malformed-form"),
        ("", 422, "appeal-late"),
        ("2018-06-19", 303, None),
    ):
        answer = office.post(address, {"note": "不服", "made_on": made_on})
        assert (answer.status_code, answer.headers.get("X-Refusal")) == (status, refusal)
