"""What was arranged and done without a line counts, however many days later the office hears it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute
from outreach import clock
from outreach.actions import visits
from outreach.demo.tablet import Tablet
from outreach.models import Application, Evaluation, Visit
from outreach.models.ids import new_id
from tests import builders
from tests.mobile_api.conftest import Restore
from tests.mobile_api.talking import ON_THE_DAY, evaluation_args

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]

DAYS_LATER = ON_THE_DAY + timedelta(days=3)


def arranged(tablet: Tablet, case: Application, start: str = "14:00") -> str:
    """Let the tablet arrange a visit for this afternoon, and return its id."""
    visit = str(new_id())
    on = ON_THE_DAY.date().isoformat()
    said = {"visit": visit, "application": str(case.pk), "on": on, "start": start}
    tablet.say("schedule_visit", said, ON_THE_DAY)
    return visit


def evaluated(place: builders.County, tablet: Tablet, visit: str) -> None:
    tablet.say("submit_evaluation", evaluation_args(visit, str(place.colleague.pk)), ON_THE_DAY)


def outcomes(tablet: Tablet) -> list[tuple[str, str | None]]:
    return [(one["outcome"], one["code"]) for one in tablet.exchange()["outcomes"]]


def test_a_visit_arranged_and_made_on_a_day_without_a_line_is_taken_in(
    place: builders.County, tablet: Tablet
) -> None:
    [case] = builders.accepted(place)
    tablet.sync()
    evaluated(place, tablet, arranged(tablet, case))
    clock.advance_to(DAYS_LATER)
    assert outcomes(tablet) == [("applied", None), ("applied", None)]
    assert (Visit.objects.get().state, Evaluation.objects.count()) == ("done", 1)


def test_a_visit_moved_to_a_day_that_is_over_by_now_stands_there(
    place: builders.County, tablet: Tablet
) -> None:
    [visit] = builders.scheduled(place, on=DAYS_LATER.date())
    tablet.sync()
    seen = {"on": visit.on.isoformat(), "start": "09:00"}
    to = {"visit": str(visit.pk), "on": ON_THE_DAY.date().isoformat(), "start": "15:00"}
    tablet.say("move_visit", {**to, "seen": seen}, ON_THE_DAY)
    clock.advance_to(DAYS_LATER)
    assert outcomes(tablet) == [("applied", None)]
    assert Visit.objects.get().on == ON_THE_DAY.date()


def test_a_restored_register_hears_of_a_visit_whose_day_is_over(
    place: builders.County, tablet: Tablet, back_up: Callable[[], Restore]
) -> None:
    [case] = builders.accepted(place)
    restore = back_up()
    tablet.sync()
    evaluated(place, tablet, arranged(tablet, case))
    tablet.sync()
    restore()
    clock.advance_to(DAYS_LATER)
    tablet.sync()
    assert (Evaluation.objects.count(), Dispute.objects.count()) == (1, 0)


def test_a_visit_that_clashed_is_accepted_after_its_day_and_its_evaluation_with_it(
    place: builders.County, tablet: Tablet
) -> None:
    [case] = builders.accepted(place)
    tablet.sync()
    evaluated(place, tablet, arranged(tablet, case, "09:10"))
    [other] = builders.scheduled(place)
    assert outcomes(tablet) == [("refused", "double-booking"), ("parked", "out-of-scope")]
    by = place.administrator
    visits.cancel(other, by=by, at=ON_THE_DAY, reason="雨")
    clock.advance_to(DAYS_LATER)
    for dispute in Dispute.objects.order_by("seq"):
        decide(dispute, Decision.ACCEPTED, reason="已走访", by=by, at=DAYS_LATER)
    assert Evaluation.objects.get().application_id == case.pk


def test_a_family_that_was_asked_is_visited_at_another_time_than_it_once_said(
    place: builders.County, tablet: Tablet
) -> None:
    """The tablet says to call them first: whoever did knows better than what is on file."""
    [case] = builders.accepted(
        place, possible_times=[{"weekday": 5, "from": "09:00", "to": "12:00"}]
    )
    tablet.sync()
    visit = arranged(tablet, case)
    evaluated(place, tablet, visit)
    assert outcomes(tablet) == [("applied", None), ("applied", None)]
