"""Urgent cases: a reason, a queue, 24 hours for each step that is ours, counted in the report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from outreach import clock
from outreach.actions import applications, drafting, hastening
from outreach.domain.vocabulary import Urgency
from outreach.models import Application, AuditEvent, Outlet, User
from outreach.reports.intake import FastLane, Matter, channels, fast_lane, matters
from tests import builders
from tests.builders import START
from tests.outreach.desk.reading import seen_on
from tests.outreach.desk.test_main_job import nomination_form
from tests.outreach.planning import ASKED, hills

SignIn = Callable[[User], Client]
HOUR = timedelta(hours=1)
MAY = date(2018, 5, 1), date(2018, 5, 31)


def urgent(place: builders.County) -> Application:
    case = builders.applied(place)[0]
    hastening.hasten(case, Urgency.TERMINAL_ILLNESS, "医院证明", by=place.liaison, at=START)
    return case


def test_an_urgent_nomination_wants_a_reason_and_stands_in_the_queue(
    place: builders.County, sign_in: SignIn
) -> None:
    liaison = sign_in(place.liaison)
    form = nomination_form(place, urgency="subsidy_lapsing")
    without = liaison.post("/cases/nominate/", form)
    assert (without.status_code, set(without.context["form"].errors)) == (422, {"urgent_why"})
    liaison.post("/cases/nominate/", form | {"urgent_why": "补贴六月底到期"})
    case = Application.objects.get()
    assert (case.urgency, case.urgent_why) == ("subsidy_lapsing", "补贴六月底到期")
    page = sign_in(place.administrator).get("/fast/").content.decode()
    assert (case.number in page, "2018-05-15 09:00" in page) == (True, True)
    liaison.get("/")  # reads the message that names the case
    assert case.number not in liaison.get("/fast/").content.decode()  # the office's step


def test_after_a_day_the_row_is_late(place: builders.County, sign_in: SignIn) -> None:
    urgent(place)
    office = sign_in(place.administrator)
    clock.advance_to(START + 24 * HOUR)
    assert "badge--bad" not in office.get("/fast/").content.decode().split("<tbody")[1]
    clock.advance_to(START + 25 * HOUR)
    assert "badge--bad" in office.get("/fast/").content.decode().split("<tbody")[1]


def test_a_case_goes_into_the_lane_and_out_again_with_its_reason_kept(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    office = sign_in(place.administrator)
    address = f"/cases/{case.pk}/hasten/"
    assert office.post(address, {"urgency": "terminal_illness", "why": " "}).status_code == 422
    why = {"urgency": "terminal_illness", "why": "晚期"}
    office.post(address, why | {"seen": seen_on(office.get(address))})
    case.refresh_from_db()
    assert (case.urgency, case.urgent_why, case.urgent_since) == (
        "terminal_illness",
        "晚期",
        START,
    )
    office.post(address, {"out": "yes", "seen": seen_on(office.get(address))})
    case.refresh_from_db()
    assert (case.urgency, case.urgent_why, case.urgent_since) == ("", None, None)
    deeds = AuditEvent.objects.filter(action__contains="hasten")
    assert set(deeds.values_list("action", flat=True)) == {
        "application.hasten",
        "application.unhasten",
    }


def test_the_report_counts_the_steps_within_24_hours(place: builders.County) -> None:
    in_time, late = urgent(place), urgent(place)
    builders.applied(place)  # waits its turn and counts for nothing here
    applications.accept([in_time], by=place.administrator, at=START + 23 * HOUR)
    applications.accept([late], by=place.administrator, at=START + 25 * HOUR)
    assert fast_lane(*MAY, within=place.county) == FastLane(2, 2, 1)
    assert fast_lane(*MAY, within=place.other_village) == FastLane(0, 0, 0)


def test_a_case_that_leaves_the_lane_stays_in_the_figures_of_what_it_was_there_for(
    place: builders.County,
) -> None:
    """The figures of months that were reported shrank, and so did their share."""
    nominated, put = builders.applied(place)[0], builders.applied(place)[0]
    Application.objects.filter(pk=nominated.pk).update(urgency="subsidy", urgent_since=START)
    nominated.refresh_from_db()
    why = Urgency.TERMINAL_ILLNESS, "晚期"
    hastening.hasten(put, *why, by=place.administrator, at=START + 2 * HOUR)
    applications.accept([nominated, put], by=place.administrator, at=START + 25 * HOUR)
    counted = FastLane(2, 2, 1)
    assert fast_lane(*MAY, within=place.county) == counted
    for case in (nominated, put):
        hastening.unhasten(case, by=place.administrator, at=START + 30 * HOUR)
    applications.advance(
        [nominated, put], "withdraw", by=place.administrator, at=START + 90 * HOUR, note="…"
    )
    assert fast_lane(*MAY, within=place.county) == counted


def test_an_urgent_home_is_left_out_of_a_plan_last(place: builders.County) -> None:
    hill = hills(place, 2)
    case = hill.cases[0]
    case.resident.is_bedridden = False
    case.resident.save()

    def priority() -> int:
        document = drafting.draw_up(hill.campaign, ASKED).document
        return next(one["priority"] for one in document["visits"] if one["id"] == str(case.pk))

    assert priority() == 1
    hastening.hasten(case, Urgency.SUBSIDY_LAPSING, "到期", by=place.administrator, at=ASKED)
    assert priority() == 3


def test_the_report_counts_where_requests_came_in_and_what_trips_they_cost(
    place: builders.County,
) -> None:
    bank = Outlet.objects.create(name="网点", kind="bank", division=place.township, opened_at=START)
    station = Outlet.objects.create(
        name="村级站", kind="village_station", division=place.village, opened_at=START
    )
    cases = [one.application for one in builders.evaluated(place, 3)]
    for case, outlet in zip(cases, (bank, station, None), strict=True):
        Application.objects.filter(pk=case.pk).update(outlet=outlet)
    assert channels(*MAY, within=place.county) == [
        ("bank", 1),
        ("liaison", 1),
        ("village_station", 1),
    ]
    june = date(2018, 6, 1), date(2018, 6, 30)
    found = matters(*june, within=place.county)
    assert found == [
        Matter("assessed_at_home", 3, 1),
        Matter("assessed_elsewhere", 0, 0),
        Matter("question", 0, 0),
    ]
    assert [one.per_matter for one in found] == ["0.33", "—", "—"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_queue_takes_as_many_queries_for_one_row_as_for_three(
    place: builders.County,
    sign_in: SignIn,
    django_assert_num_queries: Callable[[int], Any],
    count: int,
) -> None:
    for _ in range(count):
        urgent(place)
    office = sign_in(place.administrator)
    with django_assert_num_queries(9):
        office.get("/fast/")
