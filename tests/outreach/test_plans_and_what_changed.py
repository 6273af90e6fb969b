"""Plans, and what nobody knew or what changed since they were asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from outreach.actions import adopting, applications, campaigns, planning, visits
from outreach.actions.campaigns import CampaignTerms, Happening
from outreach.domain.daytime import minutes_of
from outreach.domain.vocabulary import Level
from outreach.models import Application, Call, Division, Visit
from outreach.models.planning import CallKind, HindranceKind
from outreach.rules import Refused
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
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the solver's process from starting: tests think for themselves."""
    monkeypatch.setattr(planning, "launch", lambda plans: None)


def in_another_township(place: builders.County) -> Division:
    """Return a new village in a township of its own."""
    township = builders.division("511302209", "新乡", Level.TOWNSHIP, place.county)
    return builders.division("511302209201", "新村", Level.VILLAGE, township)


def nowhere(place: builders.County) -> Division:
    """Return a new village without coordinates, in a township without any."""
    village = in_another_township(place)
    both = [village.pk, village.parent_id]
    Division.objects.filter(pk__in=both).update(latitude=None, longitude=None)
    return Division.objects.select_related("parent").get(pk=village.pk)


def in_village(place: builders.County, village: Division) -> list[Application]:
    found = builders.applied(replace(place, liaison=place.administrator), 1, village=village)
    applications.accept(found, by=place.administrator, at=ASKED - timedelta(days=3))
    return found


def test_a_village_that_nobody_can_find_is_left_out_and_the_others_are_planned(
    place: builders.County,
) -> None:
    hill = hills(place, 3)
    [case] = in_village(place, nowhere(place))
    plan = made(hill)
    assert plan.stops.count() == 3
    left = plan.left_out.get()
    assert (left.application, left.reason) == (case, "no_place")
    assert [one["code"] for one in left.remedies] == ["no_place"]
    assert plan.figures["left_out"] == 1
    planning.publish(plan, by=place.administrator, at=ASKED)
    assert Visit.objects.count() == 3


def test_where_nobody_can_be_found_the_village_is_named(place: builders.County) -> None:
    hill = hills(place, 0)
    in_village(place, nowhere(place))
    with pytest.raises(Refused, match="no-place"):
        made(hill)


def test_who_was_promised_a_visit_keeps_it_though_nobody_knows_where_the_village_is(
    place: builders.County,
) -> None:
    hill = hills(place, 3)
    [case] = in_village(place, nowhere(place))
    applications.assign([case], place.assessor, by=place.administrator, at=ASKED)
    appointment = visits.Appointment(case, MONDAY, time(10), 240)
    visits.schedule([appointment], by=place.administrator, at=ASKED)
    plan = made(hill)
    assert plan.left_out.count() == 0
    planning.publish(plan, by=place.administrator, at=ASKED)
    visit = Visit.objects.get(application=case)
    assert (visit.on, visit.state) == (MONDAY, "scheduled")


def test_a_townships_plan_goes_round_the_visits_that_its_doctor_has_elsewhere(
    place: builders.County,
) -> None:
    """It knew of none of them, and was refused as double-booked however often it was made."""
    hill = hills(place, 8)
    village = in_another_township(place)
    Division.objects.filter(pk=village.pk).update(latitude=30.85, longitude=106.10)
    [case] = in_village(place, village)
    applications.assign([case], place.assessor, by=place.administrator, at=ASKED)
    elsewhere = visits.Appointment(case, MONDAY, time(10), 60)
    visits.schedule([elsewhere], by=place.administrator, at=ASKED)
    terms = CampaignTerms("乡里送证", MONDAY, MONDAY)
    campaign = campaigns.create(terms, place.township, by=place.administrator, at=ASKED)
    team(campaign, "乡里一组", [place.assessor], by=place.administrator)
    plan = made(replace(hill, campaign=campaign))
    assert plan.stops.count() > 4
    assert {stop.application.village.parent for stop in plan.stops.all()} == {place.township}
    planning.publish(plan, by=place.administrator, at=ASKED)
    way = 15  # at least, for eight kilometres of road
    for visit in Visit.objects.exclude(application=case):
        start = minutes_of(visit.start)
        assert start >= 11 * 60 + way or start + visit.minutes <= 10 * 60 - way


def test_an_appointment_made_while_a_colleague_of_the_team_is_elsewhere_stands(
    place: builders.County,
) -> None:
    """Both were made by hand, before the two went out as one team."""
    hill = hills(place, 2)
    [case] = in_village(place, in_another_township(place))
    own, beside = hill.cases
    for one, who, start in ((own, place.assessor, 10), (case, place.colleague, 10)):
        applications.assign([one], who, by=place.administrator, at=ASKED)
        appointment = visits.Appointment(one, MONDAY, time(start), 60)
        visits.schedule([appointment], by=place.administrator, at=ASKED)
    terms = CampaignTerms("乡里送证", MONDAY, MONDAY)
    campaign = campaigns.create(terms, place.township, by=place.administrator, at=ASKED)
    team(campaign, "乡里一组", [place.assessor, place.colleague], by=place.administrator)
    plan = made(replace(hill, campaign=campaign))
    assert plan.left_out.count() == 0
    assert plan.stops.get(application=own).on == MONDAY
    planning.publish(plan, by=place.administrator, at=ASKED)
    assert Visit.objects.get(application=beside).on == MONDAY


def test_a_plan_that_does_not_know_what_came_in_between_is_not_published(
    place: builders.County,
) -> None:
    """The team was away, and the families were called with its times all the same."""
    hill = hills(place, 4)
    plan = made(hill)
    stop = plan.stops.all()[0]
    away = Happening(HindranceKind.TEAM_AWAY, stop.on, stop.on, team=stop.team)
    at = ASKED + timedelta(hours=1)
    held = campaigns.hinder(hill.campaign, away, by=place.administrator, at=at)
    with pytest.raises(Refused, match="plan-unaware"):
        planning.publish(plan, by=place.administrator, at=at)
    assert not Call.objects.exists()
    campaigns.withdraw(held, by=place.administrator, at=at)
    planning.publish(plan, by=place.administrator, at=at)


def test_a_plan_sends_no_team_on_a_day_that_was_set_off_since(place: builders.County) -> None:
    hill = hills(place, 4)
    plan = made(hill)
    stop = plan.stops.all()[0]
    stop.team.shifts.filter(on=stop.on).delete()
    with pytest.raises(Refused, match="team-off"):
        planning.publish(plan, by=place.administrator, at=ASKED)


def test_nobody_is_listed_to_be_called_whom_publishing_leaves_alone(
    place: builders.County,
) -> None:
    hill = hills(place, 4)
    published(hill)
    again = made(hill)
    moved, gone = again.stops.all()[:2]
    visit = Visit.objects.get(application=moved.application)
    later = FRIDAY if visit.on != FRIDAY else MONDAY
    to = visits.Appointment(visit.application, later, time(16, 30))
    visits.move(visit, to, by=place.administrator, at=ASKED)
    visits.leave(gone.application, "withdraw", by=place.administrator, at=ASKED, note="…")
    listed = {(one.kind, one.application.pk) for one in planning.changes(again, ASKED)}
    assert listed == set()
    came = planning.publish(again, by=place.administrator, at=ASKED)
    assert {case.pk for case in came.skipped} == {moved.application_id, gone.application_id}
    assert not Call.objects.to_make().filter(kind=CallKind.MOVED).exists()


MORNINGS = [{"weekday": day, "from": "08:00", "to": "12:00"} for day in range(4)]
FRIDAY_AFTERNOON = {"weekday": 4, "from": "14:00", "to": "16:00"}


def agreed_on_friday(hill: Hills, times: list[dict[str, object]]) -> Application:
    """Return the case of a family that named these times and agreed on Friday at three."""
    office = hill.place.administrator
    [case] = wait(hill.place, hill.villages, 1, possible_times=times)
    applications.assign([case], hill.place.assessor, by=office, at=ASKED)
    agreed = visits.Appointment(case, FRIDAY, time(15), is_agreed=True)
    visits.schedule([agreed], by=office, at=ASKED)
    return case


@pytest.mark.parametrize("times", [[*MORNINGS, FRIDAY_AFTERNOON], MORNINGS], ids=["said", "agreed"])
@pytest.mark.parametrize("is_promised", [False, True])
def test_an_appointment_at_other_hours_than_the_widest_stands(
    place: builders.County, times: list[dict[str, object]], is_promised: bool
) -> None:
    """Plans knew the family's widest hours only, and moved it there, promised or not."""
    hill = hills(place, 3)
    case = agreed_on_friday(hill, times)
    published(hill)
    if is_promised:
        campaigns.pin(hill.campaign, [case], by=place.administrator, at=ASKED)
    far = Happening(HindranceKind.ROAD_CUT, MONDAY, MONDAY, place=hill.villages[4])
    campaigns.hinder(hill.campaign, far, by=place.administrator, at=ASKED)
    answers = planning.answer(hill.campaign, by=place.administrator, at=ASKED)
    think(*(one.pk for one in answers))
    for plan in (*answers, made(hill)):
        assert plan.stops.get(application=case).on == FRIDAY
        assert case not in [one.application for one in planning.changes(plan, ASKED)]
    planning.publish(answers[0], by=place.administrator, at=ASKED)
    assert Visit.objects.get(application=case).on == FRIDAY


def test_both_answers_try_the_other_hours_of_whom_they_would_cancel(place: builders.County) -> None:
    """Only a plan made afresh did: an answer called the visit off, and the family was at home."""
    hill = hills(place, 3)
    wednesday = {"weekday": 2, "from": "14:00", "to": "15:30"}
    mondays = {"weekday": 0, "from": "08:30", "to": "12:00"}
    [case] = wait(place, hill.villages, 1, possible_times=[mondays, wednesday])
    stop = published(hill).stops.get(application=case)
    assert stop.on.weekday() == 0
    for one in (hill.north, hill.south):
        hours = [shift for shift in one.shifts.all() if shift.on.weekday() or shift.on == stop.on]
        days = [campaigns.Hours(shift.on) for shift in hours]
        campaigns.set_hours(one, days, by=place.administrator, at=ASKED)
        away = Happening(HindranceKind.TEAM_AWAY, stop.on, stop.on, team=one)
        campaigns.hinder(hill.campaign, away, by=place.administrator, at=ASKED)
    answers = planning.answer(hill.campaign, by=place.administrator, at=ASKED)
    think(*(one.pk for one in answers))
    for plan in answers:
        assert plan.left_out.count() == 0
        assert plan.stops.get(application=case).on.weekday() == 2
        assert plan.stops.count() == 4


@pytest.mark.parametrize("is_promised", [False, True])
def test_a_promised_appointment_keeps_its_team_in_a_repair(
    place: builders.County, is_promised: bool
) -> None:
    """It kept its day and its hour, and other doctors came than those whom the family was told."""
    hill = hills(place, 0)
    office = place.administrator
    alone, beside = wait(place, hill.villages[4:], 2)
    for case, doctor, hour in ((alone, place.assessor, 10), (beside, hill.spare, 11)):
        applications.assign([case], doctor, by=office, at=ASKED)
        visits.schedule([visits.Appointment(case, MONDAY, time(hour))], by=office, at=ASKED)
    adopting.adopt(hill.campaign, by=office, at=ASKED)
    if is_promised:
        campaigns.pin(hill.campaign, [alone, beside], by=office, at=ASKED)
    cut = Happening(HindranceKind.ROAD_CUT, FRIDAY, FRIDAY, place=hill.villages[0])
    campaigns.hinder(hill.campaign, cut, by=office, at=ASKED)
    insert, repair = planning.answer(hill.campaign, by=office, at=ASKED)
    think(insert.pk, repair.pk, rounds=3)
    teams = {stop.application: stop.team for stop in repair.stops.select_related("team")}
    if is_promised:
        assert teams == {alone: hill.north, beside: hill.south}
    else:  # one vehicle less goes out
        assert len(set(teams.values())) == 1


def test_whom_the_team_cannot_keep_the_agreed_time_for_is_visited_at_their_own_hours(
    place: builders.County,
) -> None:
    hill = hills(place, 0)
    agreed_on_friday(hill, MORNINGS)
    for one in (hill.north, hill.south):
        away = Happening(HindranceKind.TEAM_AWAY, FRIDAY, FRIDAY, team=one)
        campaigns.hinder(hill.campaign, away, by=place.administrator, at=ASKED)
    stop = made(hill).stops.get()
    assert (stop.on.weekday() < 4, stop.start <= 12 * 60) == (True, True)
