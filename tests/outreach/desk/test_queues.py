"""Queues say how long something waits against the promise and the law, the most urgent first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from outreach import clock
from outreach.actions import applications, visits
from outreach.desk.listing import Age
from outreach.desk.steps import ACCEPT, OBJECTIONS, REVIEW, STEPS
from outreach.domain.vocabulary import NextStep, NotDone
from outreach.domain.workflow import VisitState
from outreach.models import User, Visit
from outreach.rules import first_dead
from tests import builders

SignIn = Callable[[User], Client]
MoveOn = Callable[[datetime], None]


def _at(month: int, day: int) -> datetime:
    return datetime(2018, month, day, 15, tzinfo=builders.SHANGHAI)


@pytest.mark.parametrize(
    ("days", "promised", "allowed", "urgency", "beyond"),
    [
        (0, 2, 10, "in_time", 2),
        (2, 2, 10, "due", 0),
        (3, 2, 10, "over", 1),
        (10, 2, 10, "over", 8),
        (11, 2, 10, "late", 1),
        (10, None, 10, "due", 0),
        (11, None, 10, "late", 1),
        (6, 5, None, "over", 1),
        (40, None, None, "open", 40),
        (None, 2, 10, "open", 0),
    ],
)
def test_an_age_stands_against_the_promise_and_the_law(
    days: int | None, promised: int | None, allowed: int | None, urgency: str, beyond: int
) -> None:
    age = Age(days, None, allowed, promised)
    assert (age.urgency, age.beyond) == (urgency, beyond)


def test_a_step_takes_its_terms_from_the_published_promises() -> None:
    terms = {step.url: (step.promised, step.legal) for step in (ACCEPT, REVIEW, OBJECTIONS)}
    assert terms == {
        "desk:accept": (2, None),  # the law names no term for it
        "desk:review": (3, 10),
        "desk:objections": (None, None),  # ten days are those of an appeal
    }


def test_home_puts_the_most_urgent_step_first_and_counts_what_is_past_each_term(
    place: builders.County, sign_in: SignIn, move_on: MoveOn
) -> None:
    builders.accepted(place)
    builders.applied(place, 2)
    move_on(_at(5, 18))
    page = sign_in(place.administrator).get("/")
    board = page.context["board"]
    urgent = [(one.step.url, one.age.urgency, one.over, one.late) for one in board if one.count]
    assert urgent == [
        ("desk:accept", "over", 2, 0),
        ("desk:schedule", "in_time", 0, 0),
    ]
    assert len(board) == len([step for step in STEPS if "administrator" in step.roles])


def test_the_next_step_is_what_is_most_urgent_and_then_nearest_to_the_paper(
    place: builders.County, sign_in: SignIn, move_on: MoveOn
) -> None:
    accepted = builders.applied(place, 2)[0]
    applications.accept([accepted], by=place.administrator, at=builders.START)
    move_on(_at(5, 15))
    assert sign_in(place.administrator).get("/").context["next"].step.url == "desk:assign"
    move_on(_at(5, 18))
    assert sign_in(place.administrator).get("/").context["next"].step.url == "desk:accept"


def test_a_queue_says_in_words_how_late_each_row_is(
    place: builders.County, sign_in: SignIn, move_on: MoveOn
) -> None:
    builders.applied(place)
    browser, said = sign_in(place.administrator), []
    for moment, words in (
        (_at(5, 14), "还剩 2 个工作日"),
        (_at(5, 16), "今天到期"),
        (_at(5, 17), "已超承诺 1 个工作日"),
    ):
        move_on(moment)
        page = browser.get("/accept/").content.decode()
        said.append((words in page, page.count('class="age__icon"')))
    assert said == [(True, 1)] * 3


def test_what_waits_longer_than_the_law_allows_comes_first(
    place: builders.County, sign_in: SignIn, move_on: MoveOn
) -> None:
    """The law names a term for the review, and none for the acceptance or the signature."""
    builders.noticed(place)
    builders.applied(place, 2)
    move_on(builders.notice_over() + timedelta(days=16))
    browser = sign_in(place.administrator)
    first = browser.get("/").context["board"][0]
    assert (first.step.url, first.age.urgency, first.over, first.late) == (
        ("desk:review", "late", 1, 1)
    )
    assert "已超法定 1 个工作日" in browser.get("/review/").content.decode()


def not_done(visit: Visit, place: builders.County, next_step: NextStep = NextStep.REVISIT) -> None:
    why: dict[str, Any] = {"reason": NotDone.ABSENT, "next_step": next_step}
    at = datetime.combine(visit.on, time(12), builders.SHANGHAI)
    visits.record_not_done(visit, **why, by=place.assessor, at=at)


def test_a_home_where_nobody_was_twice_is_one_visit_not_done(
    place: builders.County, sign_in: SignIn
) -> None:
    [first] = builders.scheduled(place)
    not_done(first, place)
    to = visits.Appointment(first.application, date(2018, 6, 5), time(9))
    [second] = visits.schedule([to], by=place.administrator, at=_at(6, 4))
    not_done(second, place)
    listing = sign_in(place.administrator).get("/visits/not-done/").context["listing"]
    assert [row.item for row in listing] == [second]


def test_whom_a_doctor_referred_to_a_hospital_waits_until_the_case_goes_on(
    place: builders.County, sign_in: SignIn
) -> None:
    """The case stood open on no list of anybody: nobody asked what had come of it."""
    [visit] = builders.scheduled(place)
    not_done(visit, place, NextStep.REFER_HOSPITAL)
    office, page = sign_in(place.administrator), "/visits/not-done/"
    shown = office.get(page)
    assert [row.item for row in shown.context["listing"]] == [visit]
    assert f'<small><a href="/cases/{visit.application_id}/">' in shown.content.decode()
    office.post(f"/cases/{visit.application_id}/step/recall/", {"note": "医院已检查"})
    assert office.get(page).context["listing"].total == 0
    [waiting] = office.get("/schedule/").context["listing"]
    assert waiting.item == visit.application


def test_of_whom_one_heard_at_the_door_that_they_have_died_the_office_notes_it(
    place: builders.County, sign_in: SignIn
) -> None:
    """It was “nobody at home”, and the family was called about the next visit."""
    [visit] = builders.scheduled(place)
    why: dict[str, Any] = {"reason": NotDone.DIED, "next_step": NextStep.CLOSE}
    visits.record_not_done(visit, **why, by=place.assessor, at=_at(6, 4))
    office, page = sign_in(place.administrator), "/visits/not-done/"
    shown = office.get(page)
    assert [row.item for row in shown.context["listing"]] == [visit]
    noting = f"/cases/{visit.application_id}/step/died/"
    assert f'<a href="{noting}">登记死亡' in shown.content.decode()
    office.post(noting, {"note": "儿子在家中告知"})
    assert office.get(page).context["listing"].total == 0
    assert first_dead([visit.application]) == visit.application


def test_who_was_met_after_all_is_on_no_list_of_the_dead(
    place: builders.County, sign_in: SignIn, move_on: MoveOn
) -> None:
    """A new application is no proof of life: a tablet may bring it that was away for a week."""
    [visit] = builders.scheduled(place)
    why: dict[str, Any] = {"reason": NotDone.DIED, "next_step": NextStep.CLOSE}
    visits.record_not_done(visit, **why, by=place.assessor, at=_at(6, 4))
    move_on(_at(6, 5))
    id_number = visit.application.resident.id_number
    [again] = builders.scheduled(place, on=date(2018, 6, 7), id_number=id_number)
    office, page = sign_in(place.administrator), "/visits/not-done/"
    assert [row.item for row in office.get(page).context["listing"]] == [visit]
    Visit.objects.filter(pk=again.pk).update(state=VisitState.DONE)
    assert office.get(page).context["listing"].total == 0


def test_a_visit_of_which_nothing_is_heard_is_asked_about(
    place: builders.County, sign_in: SignIn, move_on: MoveOn
) -> None:
    """It stood on no list once its day was over: not to be scheduled, and never done."""
    [visit] = builders.scheduled(place)
    office, page = sign_in(place.administrator), "/visits/not-done/"
    move_on(_at(6, 7))
    assert office.get(page).context["listing"].total == 0
    move_on(_at(6, 8))
    shown = office.get(page)
    assert [row.item for row in shown.context["listing"]] == [visit]
    assert "一直没有消息" in shown.content.decode()
    [tally] = [one for one in office.get("/").context["board"] if one.step.url == "desk:not_done"]
    assert tally.count == 1
    to = visits.Appointment(visit.application, date(2018, 6, 11), time(9))
    visits.move(visit, to, by=place.administrator, at=_at(6, 8))
    assert office.get(page).context["listing"].total == 0


def test_the_page_of_a_case_leads_to_the_list_on_which_it_waits(
    place: builders.County, sign_in: SignIn
) -> None:
    """Of a complete application the page offered one step: to return it."""
    clock.advance_to(builders.notice_over())
    visited = builders.VISIT_ON + timedelta(days=1)
    accepted = builders.applied(place)
    applications.accept(accepted, by=place.administrator, at=builders.START)
    waiting = {
        "/accept/": builders.applied(place)[0],
        "/assign/": accepted[0],
        "/notices/post/": builders.evaluated(place)[0].application,
        "/notices/end/": builders.on_notice(place)[0],
        "/review/": builders.noticed(place, on=visited)[0],
    }
    office, liaison = sign_in(place.administrator), sign_in(place.liaison)
    for address, case in waiting.items():
        to = f"{address}?q={case.number}&amp;tick=all"
        page = f"/cases/{case.pk}/"
        assert to in office.get(page).content.decode()
        assert to not in liaison.get(page).content.decode()
        (row,) = office.get(to.replace("&amp;", "&")).context["listing"]
        assert row.item.pk == case.pk
