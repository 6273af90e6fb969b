"""A plan from the register to the visits: asked for, published, answered when something happens."""

from __future__ import annotations

import multiprocessing
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from threading import Event
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from outreach import road_matrix
from outreach.actions import (
    adopting,
    applications,
    calendars,
    campaigns,
    drafting,
    offering,
    planning,
    solving,
    thinking,
    visits,
)
from outreach.actions.campaigns import CampaignTerms, Happening
from outreach.domain.planning import Plan as Answer
from outreach.domain.planning import check, read_campaign
from outreach.domain.vocabulary import Role
from outreach.domain.workflow import ApplicationState
from outreach.models import (
    Application,
    ApplicationEvent,
    Assessor,
    Call,
    DeclaredRelative,
    Plan,
    User,
    Visit,
    working_calendar,
)
from outreach.models.planning import CallKind, HindranceKind, PlanState
from outreach.rules import Refused
from outreach.working_calendar import LoadedYear, published_year
from tests import builders
from tests.outreach.planning import (
    ASKED,
    FRIDAY,
    MONDAY,
    Hills,
    hills,
    made,
    published,
    team,
    think,
    wait,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> list[list[object]]:
    """Keep the solver's process from starting: tests think for themselves."""
    launched: list[list[object]] = []
    monkeypatch.setattr(planning, "launch", lambda plans: launched.append(list(plans)))
    return launched


def test_a_plan_visits_every_home_and_breaks_no_rule(place: builders.County) -> None:
    hill = hills(place, 12)
    plan = made(hill)
    assert (plan.state, plan.stops.count(), plan.left_out.count()) == (PlanState.READY, 12, 0)
    assert plan.figures["homes"] == 12
    assert plan.figures["late"] == 0
    assert {stop.on.weekday() < 5 for stop in plan.stops.all()} == {True}


def test_publishing_schedules_the_visits_with_a_qualified_lead(place: builders.County) -> None:
    hill = hills(place, 5)
    wait(place, hill.villages, 2, categories=["hearing"])
    plan = published(hill)
    assert plan.state == PlanState.PUBLISHED
    rows = Visit.objects.select_related("application", "assessor__assessor")
    assert rows.count() == 7
    for visit in rows:
        assert set(visit.application.categories) <= set(visit.assessor.assessor.categories)
        assert visit.application.assessor_id == visit.assessor_id
    stops = {stop.application_id: stop for stop in plan.stops.all()}
    assert {(v.application_id, v.on) for v in rows} == {(pk, s.on) for pk, s in stops.items()}
    assert Call.objects.to_make().filter(kind=CallKind.NEW).count() == 7


def test_a_second_publishing_is_refused(place: builders.County) -> None:
    plan = published(hills(place))
    with pytest.raises(Refused, match="plan-over"):
        planning.publish(plan, by=place.administrator, at=ASKED)


def test_what_was_planned_before_another_plan_was_published_is_over(
    place: builders.County,
) -> None:
    """The other answer was published, moved nobody, and stood on the board as what is."""
    hill = hills(place, 4)
    before = planning.ask(hill.campaign, by=place.administrator, at=ASKED)
    Plan.objects.update(state=PlanState.FAILED)
    at = ASKED + timedelta(hours=1)
    stop = published(hill, at).stops.order_by("on", "start")[0]
    absent = Happening(HindranceKind.ABSENT, stop.on, stop.on, application=stop.application)
    campaigns.hinder(hill.campaign, absent, by=place.administrator, at=at)
    insert, repair = planning.answer(hill.campaign, by=place.administrator, at=at)
    think(insert.pk, repair.pk)
    late = made(hill, at)
    planning.publish(insert, by=place.administrator, at=at + timedelta(minutes=5))
    for other in (repair, late):
        other.refresh_from_db()
        assert (other.state, other.may_be_published) == (PlanState.SUPERSEDED, False)
        with pytest.raises(Refused, match="plan-over"):
            planning.publish(other, by=place.administrator, at=at)
    Plan.objects.filter(pk=late.pk).update(state=PlanState.READY)  # was still being made then
    with pytest.raises(Refused, match="plan-over"):
        planning.publish(late, by=place.administrator, at=at)
    with pytest.raises(Refused, match="plan-over"):
        planning.resume(before, by=place.administrator, at=at)
    assert Plan.objects.get(state=PlanState.PUBLISHED) == insert


def test_a_case_that_moved_on_or_was_scheduled_by_hand_is_left_alone(
    place: builders.County,
) -> None:
    hill = hills(place, 4)
    plan = made(hill)
    gone, by_hand = plan.stops.all()[0].application, plan.stops.all()[1].application
    applications.advance([gone], "withdraw", by=place.administrator, at=ASKED, note="…")
    applications.assign([by_hand], place.assessor, by=place.administrator, at=ASKED)
    to = visits.Appointment(by_hand, FRIDAY, datetime(2018, 1, 1, 16, 30).time())  # noqa: DTZ001
    visits.schedule([to], by=place.administrator, at=ASKED)
    came = planning.publish(plan, by=place.administrator, at=ASKED)
    assert {case.pk for case in came.skipped} == {gone.pk, by_hand.pk}
    assert came.standing == 2
    assert Visit.objects.get(application=by_hand).on == FRIDAY


def ended(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def given_another_role(user: User) -> None:
    User.objects.filter(pk=user.pk).update(role=Role.APPROVER)


@pytest.mark.parametrize("leave", [ended, given_another_role])
def test_nobody_is_sent_who_rates_no_more(
    place: builders.County, leave: Callable[[User], None]
) -> None:
    hill = hills(place, 4)
    before = made(hill)
    assert set(before.stops.values_list("team", flat=True)) == {hill.north.pk}
    leave(place.assessor)
    leave(place.colleague)
    with pytest.raises(Refused, match="no-lead") as refused:
        planning.publish(before, by=place.administrator, at=ASKED)
    assert "请另排一个方案" in str(refused.value.message)
    assert set(made(hill).stops.values_list("team", flat=True)) == {hill.south.pk}


def test_nobody_leads_a_visit_to_a_relative_or_to_somebody_they_nominated(
    place: builders.County,
) -> None:
    hill = hills(place, 3)
    kin = hill.cases[0]
    for user in (place.assessor, hill.spare):
        DeclaredRelative.objects.create(user=user, resident=kin.resident, declared_at=ASKED)
    published(hill)
    assert Visit.objects.get(application=kin).assessor == place.colleague


def test_somebody_whom_nobody_may_rate_is_left_out_with_that_reason(
    place: builders.County,
) -> None:
    hill = hills(place, 3)
    kin = hill.cases[0]
    for user in (place.assessor, place.colleague, hill.spare):
        DeclaredRelative.objects.create(user=user, resident=kin.resident, declared_at=ASKED)
    left = made(hill).left_out.get()
    assert (left.application_id, left.reason) == (kin.pk, "impartial")


def test_a_full_team_is_not_said_to_be_related(place: builders.County) -> None:
    """Where one team may not rate somebody, and the other is full, all were said to be related."""
    hill = hills(place, 3)
    for case in hill.cases:
        DeclaredRelative.objects.create(user=hill.spare, resident=case.resident, declared_at=ASKED)
    short = [campaigns.Hours(MONDAY, 8 * 60, 10 * 60 + 20)]
    campaigns.set_hours(hill.north, short, by=place.administrator, at=ASKED)
    plan = made(hill)
    assert plan.stops.get().team == hill.north
    for left in plan.left_out.all():
        assert (left.reason, left.detail["skills"]) == ("no_capacity", ["physical"])
        assert [one["code"] for one in left.remedies] == ["longer_day", "add_team_day"]


def test_a_specialty_that_no_team_has_is_the_reason_also_where_one_is_related(
    place: builders.County,
) -> None:
    hill = hills(place, 0)
    for row in (place.assessor.assessor, place.colleague.assessor):
        row.categories = ["physical"]
        row.save()
    deaf = wait(place, hill.villages, 1, categories=["hearing"])[0]
    DeclaredRelative.objects.create(user=hill.spare, resident=deaf.resident, declared_at=ASKED)
    left = made(hill).left_out.get()
    assert (left.reason, left.detail["skills"]) == ("no_specialty", ["hearing"])


def one_field_each(place: builders.County) -> None:
    """Let the northern team know physical disabilities by one of its doctors only."""
    for doctor, category in ((place.assessor, "physical"), (place.colleague, "vision")):
        Assessor.objects.filter(user=doctor).update(categories=[category])


def test_no_team_is_sent_whose_only_doctor_for_a_home_is_related(place: builders.County) -> None:
    """A colleague of another field led the visit, at which nobody could sign what was found."""
    hill = hills(place, 3)
    one_field_each(place)
    kin = hill.cases[0]
    DeclaredRelative.objects.create(user=place.assessor, resident=kin.resident, declared_at=ASKED)
    published(hill)
    assert Visit.objects.get(application=kin).assessor == hill.spare


def test_a_plan_of_before_is_not_published_where_only_a_relative_could_rate(
    place: builders.County,
) -> None:
    hill = hills(place, 3)
    one_field_each(place)
    plan, kin = made(hill), hill.cases[0]
    plan.stops.filter(application=kin).update(team=hill.north)
    DeclaredRelative.objects.create(user=place.assessor, resident=kin.resident, declared_at=ASKED)
    with pytest.raises(Refused, match="not-qualified"):
        planning.publish(plan, by=place.administrator, at=ASKED)


def test_a_specialty_that_no_team_has_is_the_reason_and_its_remedy(place: builders.County) -> None:
    hill = hills(place, 2)
    for row in (place.assessor.assessor, place.colleague.assessor):
        row.categories = ["physical"]
        row.save()
    deaf = wait(place, hill.villages, 1, categories=["hearing"])[0]
    left = made(hill).left_out.get()
    assert (left.application_id, left.reason) == (deaf.pk, "no_specialty")
    assert left.detail["skills"] == ["hearing"]
    assert "add_specialty" in [remedy["code"] for remedy in left.remedies]


def test_possible_times_bind_and_a_second_span_is_tried(place: builders.County) -> None:
    hill = hills(place, 0)
    friday = [{"weekday": 4, "from": "08:00", "to": "12:00"}]
    both = [{"weekday": 1, "from": "06:00", "to": "07:00"}, *friday]
    wait(place, hill.villages, 2, possible_times=friday)
    wait(place, hill.villages, 1, possible_times=both)
    plan = made(hill)
    assert {stop.on.weekday() for stop in plan.stops.all()} == {4}
    assert max(stop.start for stop in plan.stops.all()) <= 12 * 60
    assert plan.stops.count() == 3
    planning.publish(plan, by=place.administrator, at=ASKED)


def test_the_question_is_a_campaign_file_that_can_be_asked_again(place: builders.County) -> None:
    hill = hills(place, 5)
    question = drafting.draw_up(hill.campaign, ASKED)
    import json

    problem = read_campaign(json.dumps(question.document))
    assert len(problem.visits) == 5
    assert len(problem.shifts) == 20
    assert problem.travel.road_factor == settings.OUTREACH_ROAD_FACTOR


def test_a_promised_day_is_counted_from_the_acceptance(place: builders.County) -> None:
    hill = hills(place, 1, promise_days=8)
    [visit] = drafting.draw_up(hill.campaign, ASKED).document["visits"]
    calendar = campaigns.working_days(MONDAY, FRIDAY)
    promised = working_calendar(MONDAY).add((ASKED - timedelta(days=3)).date(), 8)
    assert calendar[visit["deadline"]] == promised


def test_overtime_and_its_cost_are_those_of_the_days(place: builders.County) -> None:
    """Back at 11:46 of a day until 11:45 was no overtime, or some that no day had."""
    hill = hills(place, 8, overtime_minutes=60)
    for one in (hill.north, hill.south):
        days = [campaigns.Hours(day, 510, 11 * 60 + 45) for day in (MONDAY, FRIDAY)]
        campaigns.set_hours(one, days, by=place.administrator, at=ASKED)
    figures = made(hill).figures
    beyond = [max(0, day["back"] - (11 * 60 + 45)) for day in figures["days"]]
    assert [day["overtime"] for day in figures["days"]] == beyond
    assert figures["overtime"] == sum(beyond) > 0
    assert figures["overtime_fen"] == 100 * sum(beyond)  # sixty yuan an hour


def test_who_waits_since_two_new_years_ago_is_late(place: builders.County) -> None:
    """The years before last were unknown to the plan, so that who waited longest could wait on.

    Who was late before the campaign began was late by the days of the campaign alone.
    """
    hill = hills(place, 1)
    long_ago = ASKED.replace(year=2016, month=11)
    ApplicationEvent.objects.filter(target=ApplicationState.ACCEPTED).update(at=long_ago)
    plan = made(hill)
    stop = plan.stops.get()
    calendar = working_calendar(MONDAY, back=2)
    promised = calendar.add(long_ago.date(), hill.campaign.promise_days)
    assert stop.late_days == calendar.between(promised, stop.on) > 300
    assert (plan.figures["late"], plan.figures["late_days"]) == (1, stop.late_days)


def test_two_answers_to_a_sick_doctor_and_whom_to_call(place: builders.County) -> None:
    hill = hills(place, 10)
    plan = published(hill)
    sick = {stop.on for stop in plan.stops.filter(team=hill.south)} or {MONDAY}
    day = min(sick)
    at = ASKED + timedelta(days=2)
    campaigns.hinder(
        hill.campaign,
        Happening(HindranceKind.DOCTOR_AWAY, day, day, doctor=hill.spare),
        by=place.administrator,
        at=at,
    )
    insert, repair = planning.answer(hill.campaign, by=place.administrator, at=at)
    think(insert.pk, repair.pk)
    for one in (insert, repair):
        one.refresh_from_db()
        assert one.state == PlanState.READY
        assert not one.stops.filter(team=hill.south, on=day).exists()
    hit = set(plan.stops.filter(team=hill.south, on=day).values_list("application", flat=True))
    moved = {change.application.pk for change in planning.changes(insert, ASKED)}
    assert hit <= moved | set(insert.left_out.values_list("application", flat=True))
    stayed = {(stop.application_id, stop.on) for stop in plan.stops.exclude(application__in=hit)}
    after = {(stop.application_id, stop.on) for stop in insert.stops.all()}
    assert stayed <= after
    planning.publish(insert, by=place.administrator, at=at)
    assert Plan.objects.get(pk=plan.pk).state == PlanState.SUPERSEDED
    assert not Visit.objects.open().filter(on=day, assessor=hill.spare).exists()


def test_a_promised_appointment_keeps_its_day_whatever_is_planned(place: builders.County) -> None:
    hill = hills(place, 8)
    plan = published(hill)
    case = plan.stops.last().application
    day = plan.stops.last().on
    campaigns.pin(hill.campaign, [case], by=place.administrator, at=ASKED)
    wait(place, hill.villages, 6)
    again = made(hill)
    assert again.stops.get(application=case).on == day


def test_an_absent_person_is_visited_on_another_day(place: builders.County) -> None:
    hill = hills(place, 4)
    plan = published(hill)
    stop = plan.stops.first()
    what = Happening(HindranceKind.ABSENT, stop.on, stop.on, application=stop.application)
    campaigns.hinder(hill.campaign, what, by=place.administrator, at=ASKED)
    insert, repair = planning.answer(hill.campaign, by=place.administrator, at=ASKED)
    think(insert.pk, repair.pk)
    assert insert.stops.get(application=stop.application).on != stop.on
    [change] = planning.changes(insert, ASKED)
    assert (change.kind, change.application, change.was_on) == (
        CallKind.MOVED,
        stop.application,
        stop.on,
    )


def test_a_cut_road_closes_its_villages(place: builders.County) -> None:
    hill = hills(place, 5)
    village = hill.villages[0]
    what = Happening(HindranceKind.ROAD_CUT, MONDAY, FRIDAY, place=village)
    hindrance = campaigns.hinder(hill.campaign, what, by=place.administrator, at=ASKED)
    left = made(hill).left_out.get()
    assert (left.application.village, left.reason) == (village, "road_cut")
    assert [one["code"] for one in left.remedies] == ["road_cut"]  # not: ask the family
    campaigns.withdraw(hindrance, by=place.administrator, at=ASKED)
    assert made(hill).left_out.count() == 0


def test_an_appointment_that_a_plan_cannot_keep_is_cancelled_and_told(
    place: builders.County,
) -> None:
    hill = hills(place, 3)
    published(hill)
    Call.objects.update(told_at=ASKED)
    village = hill.cases[0].village
    what = Happening(HindranceKind.ROAD_CUT, MONDAY, FRIDAY, place=village)
    campaigns.hinder(hill.campaign, what, by=place.administrator, at=ASKED)
    insert, repair = planning.answer(hill.campaign, by=place.administrator, at=ASKED)
    think(insert.pk, repair.pk)
    planning.publish(repair, by=place.administrator, at=ASKED)
    visit = Visit.objects.get(application=hill.cases[0])
    assert visit.state == "cancelled"
    assert Call.objects.to_make().get(visit=visit).kind == CallKind.CANCELLED


def test_news_that_nobody_told_is_replaced_by_the_newer_news(place: builders.County) -> None:
    hill = hills(place, 4)
    plan = published(hill)
    stop = plan.stops.first()
    what = Happening(HindranceKind.ABSENT, stop.on, stop.on, application=stop.application)
    campaigns.hinder(hill.campaign, what, by=place.administrator, at=ASKED)
    insert, repair = planning.answer(hill.campaign, by=place.administrator, at=ASKED)
    think(insert.pk, repair.pk)
    planning.publish(insert, by=place.administrator, at=ASKED)
    calls = Call.objects.to_make().filter(visit__application=stop.application)
    assert [call.kind for call in calls] == [CallKind.NEW]
    assert calls[0].on != stop.on


def put(hill: Hills, on: date, *starts: int) -> None:
    """Publish plans, one after another, that visit the one home on that day at these minutes."""
    for start in starts:
        plan = made(hill)
        plan.stops.update(on=on, start=start, team=hill.north)
        planning.publish(plan, by=hill.place.administrator, at=ASKED)


def test_a_family_whose_visit_moves_a_little_each_time_is_called_in_the_end(
    place: builders.County,
) -> None:
    """Made by hand, it was measured by where the last plan had put it: hours off, and no call."""
    hill = hills(place, 1)
    schedule_by_hand(hill, hill.cases[0], MONDAY, 9)
    put(hill, MONDAY, 9 * 60 + 50)
    assert not Call.objects.to_make().exists()
    put(hill, MONDAY, 10 * 60 + 40)
    call = Call.objects.to_make().get()
    assert (call.kind, call.was_start, call.start) == (CallKind.MOVED, time(9), time(10, 40))


def test_both_answers_keep_the_hour_around_what_a_family_was_told(place: builders.County) -> None:
    """They kept the hour around where it stands by now: another hour later with each answer."""
    hill = hills(place, 2)
    document = planning.question_of(hill.campaign, {}, ASKED)
    first, second = document["visits"]
    document["shifts"] = document["shifts"][:1]
    team, day = document["shifts"][0]["team"], document["shifts"][0]["day"]
    second |= {"window": [560, 565], "days": [day]}
    document["standing"] = [
        {"visit": first["id"], "team": team, "day": day}
        | {"start": 590, "told": 540, "pinned": False}
    ]
    answers = thinking.answer(
        document, answers=True, seed=1, seconds=1, asked=Event(), say=lambda said: None
    )
    for one in answers:
        starts = {stop.visit: stop.start for route in one.routes for stop in route.stops}
        assert abs(starts[first["id"]] - 540) <= 60
        assert [left.visit for left in one.unassigned] == [second["id"]]


def test_a_family_is_not_called_about_the_time_that_it_knows(place: builders.County) -> None:
    """Moved away and back before anybody called: “moved from nine to nine” was news."""
    hill = hills(place, 1)
    schedule_by_hand(hill, hill.cases[0], MONDAY, 9)
    put(hill, FRIDAY, 9 * 60)
    assert Call.objects.to_make().count() == 1
    put(hill, MONDAY, 9 * 60)
    assert not Call.objects.to_make().exists()
    put(hill, MONDAY, 9 * 60 + 50, 10 * 60 + 40)
    assert Call.objects.to_make().get().was_start == time(9)


def test_two_campaigns_tell_a_family_one_thing(place: builders.County) -> None:
    """Each knew its own calls only, so that a family was told two times for one visit."""
    hill = hills(place, 1)
    put(hill, MONDAY, 9 * 60)
    terms = campaigns.CampaignTerms("周末补走访", MONDAY, FRIDAY)
    other = campaigns.create(terms, place.county, by=place.administrator, at=ASKED)
    north = team(other, "北线", [place.assessor, place.colleague], by=place.administrator)
    put(replace(hill, campaign=other, north=north), FRIDAY, 9 * 60)
    [call] = Call.objects.to_make()
    assert (call.kind, call.on) == (CallKind.NEW, FRIDAY)


def test_an_appointment_on_a_day_that_was_made_a_holiday_is_moved(place: builders.County) -> None:
    """Plans said so, and publishing them left it where nobody comes."""
    hill = hills(place, 1)
    schedule_by_hand(hill, hill.cases[0], FRIDAY, 9)
    off = published_year(2018) | {FRIDAY}
    calendars.load_year(LoadedYear(2018, off, "特别放假"), by=None, at=ASKED)
    plan = made(hill)
    came = planning.publish(plan, by=place.administrator, at=ASKED)
    assert (came.standing, came.skipped) == (1, [])
    assert Visit.objects.get().on == plan.stops.get().on != FRIDAY
    call = Call.objects.to_make().get()
    assert (call.kind, call.was_on) == (CallKind.MOVED, FRIDAY)


def test_nothing_is_planned_without_teams_or_homes(place: builders.County) -> None:
    hill = hills(place, 0)
    with pytest.raises(Refused, match="nobody-waits"):
        planning.ask(hill.campaign, by=place.administrator, at=ASKED)
    wait(place, hill.villages, 1)
    late = datetime(2018, 6, 20, 9, tzinfo=builders.SHANGHAI)
    with pytest.raises(Refused, match="no-day-left"):
        planning.ask(hill.campaign, by=place.administrator, at=late)


def test_one_plan_at_a_time(place: builders.County, no_process: list[list[object]]) -> None:
    hill = hills(place, 2)
    planning.ask(hill.campaign, by=place.administrator, at=ASKED)
    with pytest.raises(Refused, match="plan-under-way"):
        planning.ask(hill.campaign, by=place.administrator, at=ASKED)


def test_a_plan_whose_process_is_gone_says_so_and_starts_again(place: builders.County) -> None:
    hill = hills(place, 2)
    plan = planning.ask(hill.campaign, by=place.administrator, at=ASKED)
    Plan.objects.update(beat_at=plan.beat_at - timedelta(minutes=2))
    plan.refresh_from_db()
    assert planning.notice_silence(plan)
    assert (plan.state, plan.message) == (PlanState.FAILED, "interrupted")
    planning.resume(plan, by=place.administrator, at=ASKED)
    think(plan.pk)
    plan.refresh_from_db()
    assert plan.state == PlanState.READY


def test_a_team_that_a_plan_may_name_is_not_removed_while_it_is_made(
    place: builders.County,
) -> None:
    """The solver died of it at the end, and the plan could only be started again to die again."""
    hill = hills(place, 2)
    plan = planning.ask(hill.campaign, by=place.administrator, at=ASKED)
    with pytest.raises(Refused, match="team-planned"):
        campaigns.remove_team(hill.south, by=place.administrator, at=ASKED)
    Plan.objects.update(state=PlanState.FAILED)
    campaigns.remove_team(hill.south, by=place.administrator, at=ASKED)
    with pytest.raises(Refused, match="plan-over"):
        planning.resume(plan, by=place.administrator, at=ASKED)
    assert made(hill).state == PlanState.READY


def schedule_by_hand(hill: Hills, case: Application, on: date, hour: int) -> None:
    office = hill.place.administrator
    applications.assign([case], hill.place.assessor, by=office, at=ASKED)
    visits.schedule([visits.Appointment(case, on, time(hour))], by=office, at=ASKED)


def test_appointments_made_by_hand_are_taken_over_as_they_are(place: builders.County) -> None:
    hill = hills(place, 3)
    for case, hour in zip(hill.cases, (9, 10, 11), strict=True):
        schedule_by_hand(hill, case, MONDAY, hour)
    stood = list(Visit.objects.order_by("start").values_list("on", "start", "assessor"))
    plan = adopting.adopt(hill.campaign, by=place.administrator, at=ASKED)
    plan.refresh_from_db()
    rows = plan.stops.order_by("order").values_list("application", "on", "start", "team")
    assert list(rows) == [
        (case.pk, MONDAY, hour * 60, hill.north.pk)
        for case, hour in zip(hill.cases, (9, 10, 11), strict=True)
    ]
    assert plan.state == PlanState.PUBLISHED
    assert plan.figures["homes"] == 3
    assert plan.figures["km"] > 0
    assert stood == list(Visit.objects.order_by("start").values_list("on", "start", "assessor"))
    assert Call.objects.count() == 0
    with pytest.raises(Refused, match="plan-published"):
        adopting.adopt(hill.campaign, by=place.administrator, at=ASKED)
    answers = planning.answer(hill.campaign, by=place.administrator, at=ASKED)
    think(*(one.pk for one in answers))
    assert [one.stops.count() for one in answers] == [3, 3]


def test_an_appointment_whose_time_is_over_is_not_offered_to_be_taken_over(
    place: builders.County,
) -> None:
    """The button stood there, and answered that no appointment stands."""
    hill = hills(place, 2)
    for case, hour in zip(hill.cases, (9, 10), strict=True):
        schedule_by_hand(hill, case, MONDAY, hour)
    at = datetime(2018, 6, 4, 9, 30, tzinfo=builders.SHANGHAI)
    assert adopting.made_by_hand(hill.campaign, at) == 1
    assert adopting.adopt(hill.campaign, by=place.administrator, at=at).stops.count() == 1


def test_an_appointment_that_was_made_longer_by_hand_keeps_its_length(
    place: builders.County,
) -> None:
    """A plan cut it to the campaign's usual minutes, and came to the next home meanwhile."""
    hill = hills(place, 2)
    long, _other = hill.cases
    applications.assign([long], place.assessor, by=place.administrator, at=ASKED)
    to = visits.Appointment(long, MONDAY, time(9), minutes=120)
    visits.schedule([to], by=place.administrator, at=ASKED)
    plan = published(hill)
    assert plan.stops.get(application=long).minutes == 120
    assert set(Visit.objects.values_list("minutes", flat=True)) == {120, 40}
    shorter = made(hill, wishes={"minutes": 30})
    assert {stop.minutes for stop in shorter.stops.all()} == {120, 30}
    visit = Visit.objects.get(application=long)
    offer = offering.offered(long, ASKED, instead_of=visit)[0]
    moved = offering.take(long, offer.key, by=place.administrator, at=ASKED, instead_of=visit)
    assert moved.minutes == 120


def test_other_minutes_of_a_campaign_count_for_homes_that_were_planned_before(
    place: builders.County,
) -> None:
    """They kept the old ones, as if somebody had chosen these by hand."""
    hill = hills(place, 4)
    published(hill)
    changed = CampaignTerms(name="六月送证", first_on=MONDAY, last_on=FRIDAY, minutes=60)
    campaigns.change(hill.campaign, changed, by=place.administrator, at=ASKED)
    assert {stop.minutes for stop in made(hill).stops.all()} == {60}


def test_nothing_is_taken_over_where_nothing_stands_or_the_team_is_off(
    place: builders.County,
) -> None:
    hill = hills(place, 1)
    with pytest.raises(Refused, match="nothing-stands"):
        adopting.adopt(hill.campaign, by=place.administrator, at=ASKED)
    schedule_by_hand(hill, hill.cases[0], MONDAY, 9)
    days = [campaigns.Hours(FRIDAY)]
    campaigns.set_hours(hill.north, days, by=place.administrator, at=ASKED)
    with pytest.raises(Refused, match="team-off"):
        adopting.adopt(hill.campaign, by=place.administrator, at=ASKED)
    assert not hill.campaign.plans.exists()


@pytest.mark.django_db(transaction=True)
def test_a_solver_killed_on_its_way_keeps_the_best_so_far_and_goes_on_from_there(
    place: builders.County, monkeypatch: pytest.MonkeyPatch
) -> None:
    hill = hills(place, 12)
    plan = planning.ask(hill.campaign, seconds=60, by=place.administrator, at=ASKED)
    beat = solving._beat

    def kill_once_something_is_found(plans: Any, heard: Any, *more: Any) -> None:
        beat(plans, heard, *more)
        if heard.best is not None:
            for child in multiprocessing.active_children():
                child.kill()  # SIGKILL

    monkeypatch.setattr("os.nice", lambda more: more)
    with monkeypatch.context() as patch:
        patch.setattr(solving, "_beat", kill_once_something_is_found)
        solving.make([plan.pk])
    plan.refresh_from_db()
    assert (plan.state, plan.message, plan.stops.count()) == (PlanState.STOPPED, "interrupted", 12)
    assert plan.may_be_published
    assert plan.may_go_on
    assert len(solving._kept(plan)) == 12
    planning.resume(plan, by=place.administrator, at=ASKED)
    Plan.objects.update(seconds=1)
    solving.make([plan.pk])
    plan.refresh_from_db()
    assert (plan.state, plan.message, plan.stops.count()) == (PlanState.READY, "", 12)


def found_for(plan: Plan) -> tuple[dict[str, Any], Answer]:
    """Return a plan's question and what a solver finds in a second."""
    document = dict(plan.problem)
    [answer] = thinking.answer(
        document, answers=False, seed=1, seconds=1, asked=Event(), say=lambda said: None
    )
    return document, answer


def test_reasons_ask_the_register_for_the_teams_once(place: builders.County) -> None:
    """They asked for each home left out, every ten seconds while the solver thinks."""
    hill = hills(place, 1)
    for row in (place.assessor.assessor, place.colleague.assessor):
        row.categories = ["physical"]
        row.save()
    wait(place, hill.villages, 3, categories=["hearing"])
    plan = planning.ask(hill.campaign, by=place.administrator, at=ASKED)
    document, answer = found_for(plan)
    with CaptureQueriesContext(connection) as asked:
        solving.keep(plan, answer, document, "formula")
    assert plan.left_out.count() == 3
    assert sum('FROM "outreach_team"' in one["sql"] for one in asked.captured_queries) == 1


def test_a_solver_that_wakes_up_late_changes_no_plan_that_was_published_without_it(
    place: builders.County,
) -> None:
    """The machine slept: what it had found was taken for all there is, and became visits."""
    hill = hills(place, 4)
    plan = planning.ask(hill.campaign, by=place.administrator, at=ASKED)
    claimed = solving._claim(plan.pk)
    assert claimed is not None
    document, answer = found_for(claimed)
    solving._keep(claimed, answer, document, "formula")
    Plan.objects.update(beat_at=timezone.now() - 2 * planning.SILENCE)
    plan.refresh_from_db()
    assert planning.notice_silence(plan)
    planning.publish(plan, by=place.administrator, at=ASKED)
    stands = set(plan.stops.values_list("pk", "application", "on", "start"))
    heard = solving._Heard(done=[answer])
    solving._end([claimed], heard, document, "formula", stopped=False)
    plan.refresh_from_db()
    assert plan.state == PlanState.PUBLISHED
    assert set(plan.stops.values_list("pk", "application", "on", "start")) == stands


def test_a_solver_that_wakes_up_beside_its_second_self_leaves_it_the_plan(
    place: builders.County,
) -> None:
    """It ended the plan that the other one was making, with what it had found before."""
    hill = hills(place, 4)
    plan = planning.ask(hill.campaign, by=place.administrator, at=ASKED)
    first = solving._claim(plan.pk)
    assert first is not None
    document, answer = found_for(first)
    solving._beat([first], solving._Heard(), 1, 60)
    Plan.objects.update(beat_at=timezone.now() - 2 * planning.SILENCE)
    plan.refresh_from_db()
    planning.notice_silence(plan)
    planning.resume(plan, by=place.administrator, at=ASKED)
    second = solving._claim(plan.pk)
    assert second is not None
    with pytest.raises(solving.GivenUp):
        solving._beat([first], solving._Heard(best=answer), 2, 60)
    heard = solving._Heard(done=[answer])
    solving._end([first], heard, document, "formula", stopped=False)
    plan.refresh_from_db()
    assert (plan.state, plan.stops.count()) == (PlanState.RUNNING, 0)
    solving._end([second], heard, document, "formula", stopped=False)
    plan.refresh_from_db()
    assert (plan.state, plan.stops.count()) == (PlanState.READY, 4)


def test_a_solver_that_dies_in_the_middle_of_a_word_leaves_what_it_said_before() -> None:
    """The best of ten seconds was lost, and the plan stood still until it was given up."""
    hears, says = multiprocessing.Pipe(duplex=False)
    heard = solving._Heard()
    os.write(says.fileno(), struct.pack("!i", 1_000) + b"half a plan")
    says.close()
    assert not solving._listen(hears, heard)


def test_a_solver_gives_signs_of_life_while_it_asks_for_the_roads(
    place: builders.County, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A county's roads took longer than it may be silent: its plan was given up for ever."""
    settings.OUTREACH_ROUTING_URL = "http://127.0.0.1:1"
    hill = hills(place, 3)
    plan = planning.ask(hill.campaign, by=place.administrator, at=ASKED)
    claimed = solving._claim(plan.pk)
    assert claimed is not None
    given_up: list[bool] = []

    def slowly(_client: Any, _url: str, _places: Any, rows: range, columns: range) -> Any:
        plan.refresh_from_db()
        given_up.append(planning.notice_silence(plan))
        claimed.beat_at = timezone.now() - 0.9 * planning.SILENCE
        claimed.save(update_fields=["beat_at"])
        block = [[0] * len(columns) for _row in rows]
        return {"durations": block, "distances": block}

    def started(_plans: Any, _document: Any) -> Any:
        plan.refresh_from_db()
        given_up.append(timezone.now() - plan.beat_at > 0.5 * planning.SILENCE)
        raise KeyboardInterrupt

    monkeypatch.setattr(road_matrix, "_table", slowly)
    monkeypatch.setattr(road_matrix, "BLOCK", 2)
    monkeypatch.setattr(road_matrix, "_check", lambda *_places: None)
    monkeypatch.setattr(solving, "_start", started)
    with pytest.raises(KeyboardInterrupt):
        solving._watch([claimed])
    assert set(given_up) == {False}


@pytest.mark.parametrize("role", [Role.LIAISON, Role.ASSESSOR, Role.APPROVER, Role.AUDITOR])
def test_only_an_administrator_of_the_area_plans(place: builders.County, role: Role) -> None:
    hill = hills(place, 1)
    people = {
        Role.LIAISON: place.liaison,
        Role.ASSESSOR: place.assessor,
        Role.APPROVER: place.approver,
        Role.AUDITOR: place.auditor,
    }
    plan = made(hill)
    for deed in (
        lambda by: planning.ask(hill.campaign, by=by, at=ASKED),
        lambda by: planning.publish(plan, by=by, at=ASKED),
        lambda by: campaigns.pin(hill.campaign, hill.cases, by=by, at=ASKED),
        lambda by: campaigns.open_feed(hill.north, by=by, at=ASKED),
    ):
        with pytest.raises(Refused, match="not-your-step"):
            deed(people[role])
    outsider = builders.user("elsewhere", Role.ADMINISTRATOR, place.other_village)
    with pytest.raises(Refused, match="not-your-step"):
        planning.ask(hill.campaign, by=outsider, at=ASKED)


def test_the_checker_passes_what_the_register_keeps(place: builders.County) -> None:
    import json

    from outreach.actions import thinking

    hill = hills(place, 9)
    plan = made(hill)
    problem = thinking.problem_of(plan.problem)
    from outreach.domain.planning import Until
    from outreach.domain.planning import plan as solve

    answer = solve(problem, seed=plan.seed, stop=Until(rounds=1))
    assert check(problem, answer) == []
    assert json.dumps(plan.figures)


def test_all_cases_are_untouched_until_a_plan_is_published(place: builders.County) -> None:
    hill = hills(place, 3)
    made(hill)
    assert not Visit.objects.exists()
    assert set(Application.objects.values_list("assessor", flat=True)) == {None}
    assert date(2018, 6, 4) == MONDAY


def test_a_team_that_leaves_after_lunch_has_had_it(place: builders.County) -> None:
    """An hour of each half day, and of the rest of a day that was planned anew, was lost."""
    hill = hills(place, 1)
    afternoon = campaigns.Hours(MONDAY, 13 * 60 + 30, 17 * 60 + 30)
    for one in (hill.north, hill.south):
        campaigns.set_hours(one, [afternoon], by=place.administrator, at=ASKED)
    stop = made(hill).stops.get()
    assert stop.start < 14 * 60 + 30
    noon = datetime.combine(MONDAY, time(12), ASKED.tzinfo)
    for one in (hill.north, hill.south):
        hours = [campaigns.Hours(MONDAY)]
        campaigns.set_hours(one, hours, by=place.administrator, at=ASKED)
    days = {
        at.hour: [one["lunch"] for one in drafting.draw_up(hill.campaign, at).document["shifts"]]
        for at in (noon, noon + timedelta(hours=1))
    }
    assert days == {12: [True, True], 13: [False, False]}
