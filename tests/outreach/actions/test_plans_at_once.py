"""A plan is published while somebody evaluates, moves or books: nothing is overwritten unseen."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from outreach.actions import applications, campaigns, evaluations, offering, planning, visits
from outreach.actions.campaigns import Happening
from outreach.models import Application, Plan, Visit
from outreach.models.planning import HindranceKind, PlanState
from tests import builders
from tests.at_once import ON_POSTGRESQL, halfway, meanwhile, second_of
from tests.builders import County
from tests.outreach.planning import (
    ASKED,
    FRIDAY,
    MONDAY,
    Hills,
    hills,
    made,
    published,
    think,
    wait,
)

pytestmark = ON_POSTGRESQL


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the solver's process from starting: tests think for themselves."""
    monkeypatch.setattr(planning, "launch", lambda plans: None)


def publish(plan: Plan, place: County) -> planning.Published:
    return planning.publish(Plan.objects.get(pk=plan.pk), by=place.administrator, at=ASKED)


def evaluate(visit: Visit, place: County) -> None:
    """Take the evaluation of a visit in, as a push does that holds the visit first."""
    held = Visit.objects.select_for_update(of=("self",)).select_related("application")
    row = held.get(pk=visit.pk)
    colleague = place.colleague if visit.assessor != place.colleague else place.assessor
    said = builders.submission(place, row, co_signers=[colleague])
    evaluations.submit([said], by=row.assessor, at=said.evaluated_at)


def first_visit(place: County) -> Visit:
    """Return the first visit of the plan, led by one of the two who can sign beside the other."""
    pair = [place.assessor, place.colleague]
    found = Visit.objects.select_related("application", "assessor").filter(assessor__in=pair)
    visit = found.order_by("on", "start").first()
    assert visit is not None
    return visit


def test_what_a_plan_leaves_out_is_not_cancelled_where_it_is_evaluated_meanwhile(
    place: County,
) -> None:
    hill = hills(place, 3)
    published(hill)
    visit = first_visit(place)
    what = Happening(HindranceKind.ROAD_CUT, MONDAY, FRIDAY, place=visit.application.village)
    campaigns.hinder(hill.campaign, what, by=place.administrator, at=ASKED)
    insert, repair = planning.answer(hill.campaign, by=place.administrator, at=ASKED)
    think(insert.pk, repair.pk)
    assert repair.left_out.filter(application=visit.application).exists()

    meanwhile(lambda: evaluate(visit, place), lambda: publish(repair, place))
    assert Visit.objects.get(pk=visit.pk).state == "done"
    assert list(visit.events.order_by("pk").values_list("name", flat=True)) == [
        "schedule",
        "complete",
    ]


def test_publishing_and_an_evaluation_that_is_on_its_way_do_not_stop_each_other(
    place: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    hill = hills(place, 3)
    published(hill)
    visit, plan, came = first_visit(place), made(hill), list[planning.Published]()
    halfway(
        monkeypatch,
        (evaluations, "record_spared"),
        lambda: evaluate(visit, place),
        lambda: came.append(publish(plan, place)),
    )
    assert [case.pk for case in came[0].skipped] == [visit.application_id]
    assert Visit.objects.get(pk=visit.pk).state == "done"


def test_publishing_and_giving_away_do_not_stop_each_other(
    place: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    hill = hills(place, 3)
    published(hill)
    visit, plan = first_visit(place), made(hill)
    other = place.colleague if visit.assessor == place.assessor else place.assessor
    case = Application.objects.get(pk=visit.application_id)
    halfway(
        monkeypatch,
        (applications, "_check_free"),
        lambda: applications.assign([case], other, by=place.administrator, at=ASKED),
        lambda: publish(plan, place),
    )
    now = Visit.objects.select_related("application").get(pk=visit.pk)
    assert now.assessor_id == now.application.assessor_id
    assert Plan.objects.get(pk=plan.pk).state == PlanState.PUBLISHED


def test_an_appointment_that_is_moved_in_the_moment_of_publishing_stays_where_it_is(
    place: County,
) -> None:
    hill = hills(place, 3)
    published(hill)
    visit, came = first_visit(place), list[planning.Published]()
    absent = Happening(HindranceKind.ABSENT, visit.on, visit.on, application=visit.application)
    campaigns.hinder(hill.campaign, absent, by=place.administrator, at=ASKED)
    plan = made(hill)
    assert plan.stops.get(application=visit.application_id).on != visit.on
    to = visits.Appointment(visit.application, FRIDAY, time(16, 30))
    meanwhile(
        lambda: visits.move(visit, to, by=place.administrator, at=ASKED),
        lambda: came.append(publish(plan, place)),
    )
    assert [case.pk for case in came[0].skipped] == [visit.application_id]
    now = Visit.objects.get(pk=visit.pk)
    assert (now.on, now.start) == (FRIDAY, time(16, 30))


def by_hand(hill: Hills, plan: Plan) -> visits.Appointment:
    """Return an appointment by hand that falls on one of the plan's."""
    place = hill.place
    [case] = wait(place, hill.villages, 1)
    stop = plan.stops.filter(team=hill.north).order_by("on", "start").first()
    assert stop is not None
    applications.assign([case], place.assessor, by=place.administrator, at=ASKED)
    start = (datetime.combine(stop.on, time()) + timedelta(minutes=stop.start)).time()
    return visits.Appointment(case, stop.on, start)


def overlapping() -> int:
    rows = list(Visit.objects.open())
    return sum(
        one.assessor_id == other.assessor_id and one.overlaps(other)
        for index, one in enumerate(rows)
        for other in rows[:index]
    )


@pytest.mark.parametrize("is_first", [True, False])
def test_publishing_and_a_booking_in_one_moment_book_nobody_twice(
    place: County, is_first: bool
) -> None:
    hill = hills(place, 8)
    plan = made(hill)
    to = by_hand(hill, plan)
    deeds = [
        lambda: publish(plan, place),
        lambda: visits.schedule([to], by=place.administrator, at=ASKED),
    ]
    first, second = deeds if is_first else deeds[::-1]
    assert second_of(first, second) == "double-booking"
    assert overlapping() == 0


def test_an_offer_is_not_taken_over_an_appointment_that_somebody_makes_meanwhile(
    place: County,
) -> None:
    hill = hills(place, 4)
    published(hill)
    [case] = wait(place, hill.villages, 1)
    applications.assign([case], hill.spare, by=place.administrator, at=ASKED)
    key = offering.offered(case, ASKED)[0].key
    to = visits.Appointment(case, FRIDAY, time(16, 30))
    code = second_of(
        lambda: visits.schedule([to], by=place.administrator, at=ASKED),
        lambda: offering.take(
            Application.objects.select_related("village").get(pk=case.pk),
            key,
            by=place.administrator,
            at=ASKED,
        ),
    )
    assert code == "visit-open"
    assert [(one.on, one.start) for one in case.visits.all()] == [(FRIDAY, time(16, 30))]


def test_two_who_publish_one_plan_publish_it_once(place: County) -> None:
    hill = hills(place, 3)
    plan = made(hill)
    code = second_of(lambda: publish(plan, place), lambda: publish(plan, place))
    assert (code, Visit.objects.count()) == ("plan-over", 3)
