"""Plans made anew while the teams are out: who expects them today is visited as agreed."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from outreach.actions import adopting, applications, campaigns, planning, visits
from outreach.actions.campaigns import Happening
from outreach.domain.daytime import minutes_of
from outreach.models import Application, Plan
from outreach.models.planning import HindranceKind
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
