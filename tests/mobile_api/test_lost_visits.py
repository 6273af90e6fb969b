"""What was found at a visit that the office had booked after the backup is not lost with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from django.test import Client

from mobile_api.disputes import decide, standing
from mobile_api.models import Decision, Dispute, LedgerEntry
from outreach.actions import visits
from outreach.demo.tablet import Tablet
from outreach.models import Application, Evaluation, User, Visit
from outreach.rules import Refused
from tests import builders
from tests.mobile_api.conftest import Restore
from tests.mobile_api.talking import ON_THE_DAY, evaluation_args

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]
BackUp = Callable[[], Restore]


def booked(place: builders.County, case: Application, hour: int = 9) -> Visit:
    to = visits.Appointment(case, builders.VISIT_ON, time(hour))
    [visit] = visits.schedule([to], by=place.administrator, at=builders.START)
    return visit


def evaluated_and_restored(
    place: builders.County, tablet: Tablet, back_up: BackUp, v: int = 2
) -> tuple[Application, str]:
    [case] = builders.accepted(place)
    restore = back_up()
    visit = str(booked(place, case).pk)
    tablet.sync()
    said: dict[str, Any] = evaluation_args(visit, str(place.colleague.pk))
    tablet.say(
        "submit_evaluation",
        said if v == 1 else {**said, "application": str(case.pk)},
        ON_THE_DAY,
        v=v,
    )
    tablet.sync()
    restore()
    tablet.sync()
    assert LedgerEntry.objects.get().outcome == "parked"
    return case, visit


def accept(place: builders.County, **named: Any) -> None:
    by, at = place.administrator, ON_THE_DAY
    decide(Dispute.objects.get(), Decision.ACCEPTED, reason="备份之后的走访", by=by, at=at, **named)


def test_an_administrator_accepts_it_and_the_visit_is_here_again(
    place: builders.County, tablet: Tablet, back_up: BackUp
) -> None:
    case, visit = evaluated_and_restored(place, tablet, back_up)
    accept(place)
    [found] = Visit.objects.all()
    assert (str(found.pk), found.state, found.on) == (visit, "done", builders.VISIT_ON)
    assert found.assessor == place.assessor
    assert [event.name for event in found.events.all()] == ["schedule", "complete"]
    assert Evaluation.objects.get().application == case
    case.refresh_from_db()
    assert case.state == "evaluated"


def test_the_visit_that_was_booked_in_its_place_is_off(
    place: builders.County, tablet: Tablet, back_up: BackUp
) -> None:
    case, visit = evaluated_and_restored(place, tablet, back_up)
    again = booked(place, case, 15)
    accept(place)
    states = {str(one.pk): one.state for one in Visit.objects.all()}
    assert states == {visit: "done", str(again.pk): "cancelled"}


def test_an_evaluation_made_meanwhile_is_shown_and_not_overwritten_unseen(
    place: builders.County, tablet: Tablet, back_up: BackUp
) -> None:
    case, _visit = evaluated_and_restored(place, tablet, back_up)
    [entry] = LedgerEntry.objects.all()
    assert standing(entry, place.administrator) == ""
    said = evaluation_args(str(booked(place, case, 15).pk), str(place.colleague.pk), b"another")
    tablet.say("submit_evaluation", said, ON_THE_DAY)
    tablet.sync()
    with pytest.raises(Refused, match="stands-otherwise"):
        accept(place, seen="")
    accept(place, seen=standing(entry, place.administrator))
    assert Evaluation.objects.filter(application=case).count() == 2


def test_one_that_names_no_case_says_what_is_missing(
    place: builders.County, tablet: Tablet, back_up: BackUp
) -> None:
    evaluated_and_restored(place, tablet, back_up, v=1)
    with pytest.raises(Refused, match="unknown-visit"):
        accept(place)


OF_A_VISIT: list[tuple[str, dict[str, Any]]] = [
    ("record_not_done", {"reason": "absent", "next_step": "revisit"}),
    ("move_visit", {"on": "2018-06-06", "start": "10:00"}),
    ("cancel_visit", {"reason": "已搬走"}),
]


@pytest.mark.parametrize(("name", "said"), OF_A_VISIT)
def test_whoever_decides_on_another_record_of_it_is_told_whom_it_is_about_and_what_to_do(
    place: builders.County,
    tablet: Tablet,
    back_up: BackUp,
    sign_in: Callable[[User], Client],
    name: str,
    said: dict[str, Any],
) -> None:
    [case] = builders.accepted(place, name="孙长河")
    restore = back_up()
    visit = booked(place, case)
    tablet.sync()
    seen = {"on": visit.on.isoformat(), "start": "09:00"}
    if name == "record_not_done":
        said = {**said, "recorded_at": ON_THE_DAY.isoformat()}
    of = {"visit": str(visit.pk), "application": str(case.pk)}
    tablet.say(name, {**said, **of, "seen": seen}, ON_THE_DAY, 2)
    restore()
    tablet.sync()
    dispute = Dispute.objects.get()
    assert dispute.division_code == case.village.code
    page = sign_in(place.administrator).get(f"/disputes/{dispute.pk}/").content.decode()
    assert "孙长河" in page
    with pytest.raises(Refused, match="not-here"):
        accept(place)
