"""Plans made anew while the teams are out: who expects them today is visited as agreed."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from django.conf import LazySettings

from outreach.actions import adopting, applications, campaigns, offering, planning, visits
from outreach.actions.campaigns import Happening
from outreach.desk.steps import TELL, families_to_tell
from outreach.domain.daytime import minutes_of
from outreach.models import Application, Call, Plan, Team, Visit
from outreach.models.planning import CallKind, HindranceKind
from outreach.rules import Refused
from tests import builders
from tests.outreach.planning import ASKED, FRIDAY, MONDAY, Hills, hills, think, wait

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the solver's process from starting: tests think for themselves."""
    monkeypatch.setattr(planning, "launch", lambda plans: None)


def monday(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(MONDAY, time(hour, minute), ASKED.tzinfo)


def out_in_the_hills(place: builders.County, *hours: int) -> tuple[Hills, list[Application]]:
    """Return a campaign whose appointments are an hour from the base, on the Monday."""
    hill = hills(place, 0)
    cases = wait(place, hill.villages[4:], len(hours))
    applications.assign(cases, place.assessor, by=place.administrator, at=ASKED)
    agreed = [
        visits.Appointment(case, MONDAY, time(hour))
        for case, hour in zip(cases, hours, strict=True)
    ]
    visits.schedule(agreed, by=place.administrator, at=ASKED)
    adopting.adopt(hill.campaign, by=place.administrator, at=ASKED)
    return hill, cases


def answers(hill: Hills, at: datetime) -> tuple[Plan, Plan]:
    """Ask for the two answers to a road that was cut, on another day, where nobody lives."""
    cut = Happening(HindranceKind.ROAD_CUT, FRIDAY, FRIDAY, place=hill.villages[0])
    campaigns.hinder(hill.campaign, cut, by=hill.place.administrator, at=at)
    insert, repair = planning.answer(hill.campaign, by=hill.place.administrator, at=at)
    think(insert.pk, repair.pk)
    return insert, repair


@pytest.mark.parametrize(
    ("at", "made"), [(monday(10, 20), 2), (monday(10, 50), 2), (monday(12, 20), 3)]
)
def test_who_expects_the_team_today_is_not_moved_by_what_happens_elsewhere(
    place: builders.County, at: datetime, made: int
) -> None:
    """The team was taken to leave its base anew, an hour away, and its families were put off."""
    hill, cases = out_in_the_hills(place, 9, 10, 11, 13, 14)
    for plan in answers(hill, at):
        stops = set(plan.stops.values_list("application", "on"))
        assert stops == {(case.pk, MONDAY) for case in cases[made:]}
        assert min(plan.stops.values_list("start", flat=True)) >= minutes_of(at)
        assert planning.changes(plan, at) == []


def test_the_last_of_a_day_is_visited_although_little_of_the_day_is_left(
    place: builders.County,
) -> None:
    hill, cases = out_in_the_hills(place, 14, 15)
    at = monday(14, 55)
    hours = [campaigns.Hours(MONDAY, 510, 16 * 60 + 50), campaigns.Hours(FRIDAY)]
    campaigns.set_hours(hill.north, hours, by=place.administrator, at=ASKED)
    insert, _repair = answers(hill, at)
    assert insert.stops.get().application == cases[1]
    assert insert.stops.get().on == MONDAY


def away(hill: Hills, at: datetime, **who: object) -> tuple[Plan, Plan]:
    """Note at that moment who is away on the Monday, and ask for the two answers."""
    kind = HindranceKind.TEAM_AWAY if "team" in who else HindranceKind.DOCTOR_AWAY
    ill = Happening(kind, MONDAY, MONDAY, **who)  # type: ignore[arg-type]
    campaigns.hinder(hill.campaign, ill, by=hill.place.administrator, at=at)
    insert, repair = planning.answer(hill.campaign, by=hill.place.administrator, at=at)
    think(insert.pk, repair.pk)
    for plan in (insert, repair):
        plan.refresh_from_db()
        assert drives(plan)
    return insert, repair


def drives(plan: Plan) -> bool:
    """Tell whether every team can make its way, of which the times are rounded up to minutes."""
    ends: dict[tuple[Team, object], int] = {}
    for stop in plan.stops.order_by("on", "team", "start"):
        if stop.start < ends.get((stop.team, stop.on), 0):
            return False
        ends[stop.team, stop.on] = stop.start + stop.minutes
    return True


def test_whom_a_team_that_is_ill_did_not_come_to_is_visited_by_another_and_called_first(
    place: builders.County,
) -> None:
    """Their time had passed: no answer moved or cancelled them, and they waited in vain."""
    hill, cases = out_in_the_hills(place, 8, 9, 10)
    at = monday(9, 5)
    for plan in away(hill, at, team=hill.north):
        stops = {stop.application: stop for stop in plan.stops.all()}
        assert set(stops) == set(cases)
        for stop in stops.values():
            assert (stop.team, stop.on) != (hill.north, MONDAY)
            assert stop.on > MONDAY or stop.start >= minutes_of(at)
        told = planning.changes(plan, at)
        assert [one.application for one in told][:2] == cases[:2]
        assert [one.waits for one in told[:3]] == [True, True, False][: len(told)]
    planning.publish(plan, by=place.administrator, at=at)
    calls = list(families_to_tell(place.administrator, MONDAY).order_by(*TELL.order))
    assert [call.visit.application for call in calls[:2]] == cases[:2]
    assert [call.was_start for call in calls[:2]] == [time(8), time(9)]
    for visit in Visit.objects.all():
        stop = stops[visit.application]
        assert (visit.on, minutes_of(visit.start)) == (stop.on, stop.start)


def test_a_family_that_waited_is_called_also_where_somebody_comes_within_the_hour(
    place: builders.County,
) -> None:
    hill, _cases = out_in_the_hills(place, 9)
    at = monday(9, 5)
    _insert, plan = away(hill, at, team=hill.north)
    plan.stops.update(on=MONDAY, team=hill.south, start=9 * 60 + 50)
    planning.publish(plan, by=place.administrator, at=at)
    call = Call.objects.to_make().get()
    assert (call.kind, call.was_start, call.start) == (CallKind.MOVED, time(9), time(9, 50))


def test_nobody_takes_a_visit_from_whoever_may_be_in_that_home(place: builders.County) -> None:
    """Of a tablet without a line nothing is known: only who is away has not begun."""
    hill, cases = out_in_the_hills(place, 8, 9)
    other = wait(place, hill.villages[:1], 1)
    applications.assign(other, hill.spare, by=place.administrator, at=ASKED)
    early = visits.Appointment(other[0], MONDAY, time(8))
    visits.schedule([early], by=place.administrator, at=ASKED)
    for plan in away(hill, monday(9, 5), team=hill.north):
        assert set(plan.stops.values_list("application", flat=True)) == {one.pk for one in cases}


def test_what_a_team_visited_before_it_fell_ill_is_done(place: builders.County) -> None:
    hill, cases = out_in_the_hills(place, 9, 11, 13)
    for plan in away(hill, monday(12), team=hill.north, since=10 * 60 + 30):
        moved = set(plan.stops.values_list("application", flat=True))
        assert moved == {one.pk for one in cases[1:]}


def test_of_half_a_team_the_others_go_on_from_where_they_are(
    place: builders.County, settings: LazySettings
) -> None:
    """They were taken to have visited those homes to which the sick doctor was to lead them."""
    settings.OUTREACH_CO_SIGNERS = 0
    hill, cases = out_in_the_hills(place, 8, 9, 14)
    at = monday(9, 5)
    for plan in away(hill, at, doctor=place.assessor):
        base = next(
            one["base"]
            for one in plan.problem["shifts"]
            if (one["team"], one["day"]) == (str(hill.north.pk), 0)
        )
        assert base == [hill.north.latitude, hill.north.longitude]
        stops = {stop.application: stop for stop in plan.stops.all()}
        assert set(stops) == set(cases)
        assert all(stop.on > MONDAY or stop.start >= minutes_of(at) for stop in stops.values())
        assert (stops[cases[2]].team, stops[cases[2]].on) == (hill.north, MONDAY)
    planning.publish(plan, by=place.administrator, at=at)
    assert not Visit.objects.open().filter(assessor=place.assessor, on=MONDAY).exists()


def test_a_doctor_is_not_sent_alone_where_a_second_one_must_sign(place: builders.County) -> None:
    """Nobody of those homes could have been certified: the tablet asks for who signs beside."""
    hill, cases = out_in_the_hills(place, 9, 10)
    for plan in away(hill, monday(8), doctor=place.colleague):
        stops = set(plan.stops.values_list("application", "on", "team"))
        assert {case for case, _on, _team in stops} == {case.pk for case in cases}
        assert (MONDAY, hill.north.pk) not in {(on, team) for _case, on, team in stops}


def test_a_promise_to_whom_nobody_came_binds_no_plan(
    place: builders.County, settings: LazySettings
) -> None:
    settings.OUTREACH_CO_SIGNERS = 0
    hill, [case] = out_in_the_hills(place, 8)
    campaigns.pin(hill.campaign, [case], by=place.administrator, at=ASKED)
    for plan in away(hill, monday(9, 30), doctor=place.assessor):
        assert plan.left_out.count() == 0
        assert plan.stops.get().application == case


def test_who_waited_can_be_offered_another_time_and_others_too(
    place: builders.County, settings: LazySettings
) -> None:
    settings.OUTREACH_CO_SIGNERS = 0
    hill, [case] = out_in_the_hills(place, 8)
    other = wait(place, hill.villages[:1], 1)[0]
    at = monday(9, 5)
    away(hill, at, doctor=place.assessor)
    assert offering.offered(case, at, instead_of=Visit.objects.get())
    assert offering.offered(other, at)


def test_a_visit_that_began_since_the_plan_was_asked_for_is_left_alone(
    place: builders.County,
) -> None:
    """A plan of the evening before moved those who had been visited, or were just then."""
    hill, cases = out_in_the_hills(place, 9, 10)
    insert, repair = answers(hill, monday(7))
    for plan in (insert, repair):
        plan.stops.update(on=FRIDAY)
    at = monday(9, 20)
    assert [one.application for one in planning.changes(insert, at)] == cases[1:]
    came = planning.publish(insert, by=place.administrator, at=at)
    assert came.skipped == cases[:1]
    assert Visit.objects.get(application=cases[0]).on == MONDAY
    assert Call.objects.to_make().get().visit.application == cases[1]


def test_a_visit_that_began_is_not_cancelled_by_a_plan_of_before(place: builders.County) -> None:
    hill, [case] = out_in_the_hills(place, 9)
    cut = Happening(HindranceKind.ROAD_CUT, MONDAY, FRIDAY, place=case.village)
    campaigns.hinder(hill.campaign, cut, by=place.administrator, at=monday(7))
    plan, _repair = planning.answer(hill.campaign, by=place.administrator, at=monday(7))
    think(plan.pk, _repair.pk)
    assert [one.kind for one in planning.changes(plan, monday(7, 30))] == [CallKind.CANCELLED]
    assert planning.changes(plan, monday(9, 20)) == []
    planning.publish(plan, by=place.administrator, at=monday(9, 20))
    assert Visit.objects.open().get().application == case


def test_an_hour_that_is_still_to_come_is_nobodys_absence(place: builders.County) -> None:
    hill, _cases = out_in_the_hills(place, 8)
    later = Happening(HindranceKind.TEAM_AWAY, MONDAY, MONDAY, team=hill.north, since=14 * 60)
    with pytest.raises(Refused, match="hour-to-come"):
        campaigns.hinder(hill.campaign, later, by=place.administrator, at=monday(9))
