"""Returned with every reason at once; appeals in a queue, with the last day for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from outreach import clock
from outreach.actions import evaluations, publicity, visits
from outreach.actions.notifying.delivery import deliver
from outreach.actions.notifying.outbox import fill_outbox
from outreach.models import Application, AuditEvent, Notification, User
from tests import builders
from tests.builders import START, VISIT_ON

SignIn = Callable[[User], Client]


def not_met(place: builders.County, count: int = 1) -> list[Application]:
    """Return cases whose assessment found no disability in the standard's sense."""
    said = [
        builders.submission(
            place,
            visit,
            parts=[evaluations.Part("vision", {"acuity_right": 1.0, "acuity_left": 1.0}, None)],
            grade=None,
        )
        for visit in builders.scheduled(place, count, categories=["vision"])
    ]
    made = evaluations.submit(said, by=place.assessor, at=said[0].evaluated_at)
    return list(Application.objects.filter(evaluations__in=made).order_by("number"))


def test_everything_missing_and_wrong_is_told_at_once(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    office, page = sign_in(place.administrator), f"/cases/{case.pk}/return/"
    empty = office.post(page, {"note": " "})
    assert (empty.status_code, "请一次写明" in empty.content.decode()) == (422, True)
    form = {
        "missing": ["photos"],
        "reasons": ["id_differs", "guardian_unclear"],
        "note": "户口簿第三页与身份证对不上",
    }
    assert office.post(page, form).status_code == 303
    case.refresh_from_db()
    assert (case.state, case.papers_missing, case.return_reasons) == (
        "returned",
        ["photos"],
        ["id_differs", "guardian_unclear"],
    )
    shown = sign_in(place.liaison).get(f"/cases/{case.pk}/").content.decode()
    for words in ("身份证号与证件不符", "监护人不清楚", "户口簿第三页"):
        assert words in shown
    assert "身份证号与证件不符" in sign_in(place.liaison).get("/papers/").content.decode()
    told = AuditEvent.objects.get(action="application.returned_for").detail
    assert told == {"missing": ["photos"], "reasons": ["id_differs", "guardian_unclear"]}


@pytest.mark.parametrize("role", ["liaison", "administrator"])
def test_a_case_without_missing_papers_is_returned_for_a_reason_alone(
    place: builders.County, sign_in: SignIn, role: str
) -> None:
    """Where a village has no liaison, nobody could hand it in again."""
    case = builders.applied(place, papers=["id_card", "household_book", "photos"])[0]
    form = {"reasons": ["address_unclear"]}
    sign_in(place.administrator).post(f"/cases/{case.pk}/return/", form)
    fill_outbox(clock.now())
    message = Notification.objects.get(kind="papers")
    assert "尚需核对" in message.text
    assert "材料" not in message.text
    hands_in = sign_in(getattr(place, role))
    assert 'action="/papers/"' in hands_in.get(f"/cases/{case.pk}/").content.decode()
    assert hands_in.post("/papers/", {"ids": str(case.pk)}).status_code == 303
    case.refresh_from_db()
    assert case.state == "applied"
    shown = sign_in(place.administrator).get(f"/cases/{case.pk}/").content.decode()
    assert "不符合：" not in shown


def test_a_not_met_case_says_until_when_an_appeal_may_come(
    place: builders.County, sign_in: SignIn
) -> None:
    case = not_met(place)[0]
    assert case.state == "not_met"
    page, liaison = f"/cases/{case.pk}/", sign_in(place.liaison)
    clock.advance_to(datetime.combine(VISIT_ON, time(18), builders.SHANGHAI))
    last = date(2018, 6, 19)  # ten working days after 4 June; the 18th was the Dragon Boat Festival
    assert publicity.appeal_deadline(case, VISIT_ON) == last
    assert f"最迟 {last} 可" in liaison.get(page).content.decode()
    clock.advance_to(datetime.combine(last + timedelta(days=1), time(9), builders.SHANGHAI))
    assert "申请复评。" not in sign_in(place.liaison).get(page).content.decode()


def test_appeals_wait_in_a_queue_until_the_citys_decision_is_entered(
    place: builders.County, sign_in: SignIn
) -> None:
    case = not_met(place)[0]
    at = datetime.combine(VISIT_ON, time(18), builders.SHANGHAI)
    clock.advance_to(at)
    publicity.appeal(case, text="请再看一次", by=place.liaison, at=at)
    office = sign_in(place.administrator)
    page = office.get("/appeals/").content.decode()
    assert (case.number in page, "2018-06-19" in page) == (True, True)
    assert "市残联复评" in office.get("/").content.decode()
    answer = office.post(f"/cases/{case.pk}/step/dismiss_appeal/", {"note": "维持"})
    assert answer.status_code == 303
    assert case.number not in office.get("/appeals/").content.decode()


def test_a_family_takes_its_appeal_back(
    place: builders.County, sign_in: SignIn, move_on: Callable[..., None]
) -> None:
    case = not_met(place)[0]
    at = datetime.combine(VISIT_ON, time(18), builders.SHANGHAI)
    move_on(at)
    publicity.appeal(case, text="请再看一次", by=place.liaison, at=at)
    liaison, said = sign_in(place.liaison), {"note": "家属说不申请了"}
    page = f"/cases/{case.pk}/step/withdraw_appeal/"
    assert page in liaison.get(f"/cases/{case.pk}/").content.decode()
    assert liaison.post(page, said).status_code == 303
    office = sign_in(place.administrator)
    assert case.number not in office.get("/appeals/").content.decode()
    assert "撤回复评申请" in office.get(f"/cases/{case.pk}/").content.decode()


def test_who_took_the_second_appeal_back_reads_where_the_next_one_goes(
    place: builders.County, sign_in: SignIn, move_on: Callable[..., None]
) -> None:
    """The page sent the family to the city once more, which had decided, while its days ran on."""
    case = not_met(place)[0]
    at = datetime.combine(VISIT_ON, time(18), builders.SHANGHAI)
    move_on(at)
    page = f"/cases/{case.pk}/"
    for said in ("市残联", "省级专家委员会"):
        assert f"可向{said}申请复评。" in sign_in(place.liaison).get(page).content.decode()
        publicity.appeal(case, text="不服", by=place.liaison, at=at)
        if said == "市残联":
            note = "维持"
            publicity.decide_appeal(case, upheld=False, note=note, by=place.administrator, at=at)
    publicity.withdraw_appeal(case, note="撤回", by=place.liaison, at=at)
    assert "可向省级专家委员会申请复评。" in sign_in(place.liaison).get(page).content.decode()


def test_what_an_appeal_says_is_read_where_it_is_decided_and_in_the_history(
    place: builders.County, sign_in: SignIn, move_on: Callable[..., None]
) -> None:
    case = not_met(place)[0]
    move_on(datetime.combine(VISIT_ON, time(18), builders.SHANGHAI))
    said = {"note": "评定那天他发着烧，走了两步。"}
    assert sign_in(place.liaison).post(f"/cases/{case.pk}/step/appeal/", said).status_code == 303
    office = sign_in(place.administrator)
    for page in ("/appeals/", f"/cases/{case.pk}/"):
        assert said["note"] in office.get(page).content.decode()


def test_a_cancelled_visit_is_told_unless_another_time_was_agreed(place: builders.County) -> None:
    first, second = builders.scheduled(place, 2)
    for visit in (first, second):
        visits.cancel(visit, by=place.administrator, at=START, reason="路断了")
    again = visits.Appointment(second.application, VISIT_ON + timedelta(days=1), time(10))
    at = START + timedelta(minutes=5)
    fill_outbox(at)
    kinds = Notification.objects.filter(kind="cancelled")
    assert kinds.count() == 2
    visits.schedule([again], by=place.administrator, at=at)
    fill_outbox(at)
    sent: list[str] = []

    class Kept:
        is_idempotent = True

        def send(self, *, key: str, telephone: str, text: str) -> None:
            sent.append(text)

    deliver(Kept(), at=at)
    assert [kinds.get(application=one.application).state for one in (first, second)] == [
        "sent",
        "overtaken",
    ]
    assert sum("上门取消" in text for text in sent) == 1
    fill_outbox(at + timedelta(hours=1))
    assert kinds.count() == 2


@pytest.mark.parametrize("count", [1, 3])
def test_the_queue_takes_as_many_queries_for_one_appeal_as_for_three(
    place: builders.County,
    sign_in: SignIn,
    django_assert_num_queries: Callable[[int], Any],
    count: int,
) -> None:
    at = datetime.combine(VISIT_ON, time(18), builders.SHANGHAI)
    for case in not_met(place, count):
        publicity.appeal(case, text="请再看一次", by=place.liaison, at=at)
    office = sign_in(place.administrator)
    with django_assert_num_queries(9):
        office.get("/appeals/")
