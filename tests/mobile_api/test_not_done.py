"""Nobody was assessed at one appointment; the office may have made another one meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from django.test import Client

from mobile_api.disputes import decide, standing
from mobile_api.models import Decision, Dispute, LedgerEntry
from outreach.actions import visits
from outreach.demo.tablet import Tablet
from outreach.models import User, Visit
from outreach.rules import Refused
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]
#: What nobody knew who stood before the door without a line: the family had rung up the office.
LATER = date(2018, 6, 11)


def moved_by_the_office(place: builders.County, tablet: Tablet) -> Visit:
    [visit] = builders.scheduled(place)
    tablet.sync()
    to = visits.Appointment(visit.application, LATER, time(14))
    visits.move(visit, to, by=place.administrator, at=builders.START)
    return visit


def say(tablet: Tablet, visit: Visit, on: date = builders.VISIT_ON, **changes: Any) -> None:
    said = {
        "visit": str(visit.pk),
        "application": str(visit.application_id),
        "seen": {"on": on.isoformat(), "start": "09:00"},
        "reason": "absent",
        "next_step": "revisit",
        "recorded_at": ON_THE_DAY.isoformat(),
    }
    tablet.say("record_not_done", said | changes, ON_THE_DAY, 2)


def stands(visit: Visit) -> tuple[str, date]:
    visit.refresh_from_db()
    return visit.state, visit.on


def test_an_appointment_that_the_office_moved_stands_until_somebody_decides(
    place: builders.County, tablet: Tablet
) -> None:
    visit = moved_by_the_office(place, tablet)
    say(tablet, visit)
    [answer] = tablet.exchange()["outcomes"]
    assert (answer["outcome"], answer["code"]) == ("conflict", "appointment-changed")
    assert stands(visit) == ("scheduled", LATER)


def test_who_decides_sees_what_it_would_write_over(
    place: builders.County, tablet: Tablet, sign_in: Callable[[User], Client]
) -> None:
    visit = moved_by_the_office(place, tablet)
    say(tablet, visit)
    tablet.sync()
    dispute, [entry] = Dispute.objects.get(), LedgerEntry.objects.all()
    shown = standing(entry, place.administrator)
    assert shown == "2018-06-11 14:00"
    page = sign_in(place.administrator).get(f"/disputes/{dispute.pk}/").content.decode()
    for word in (shown, "2018-06-04 09:00", "家中无人", "再次上门"):
        assert word in page
    again = visits.Appointment(visit.application, LATER, time(15))
    visit.refresh_from_db()
    visits.move(visit, again, by=place.administrator, at=builders.START)
    decided = {"reason": "约了下周", "by": place.administrator, "at": ON_THE_DAY}
    with pytest.raises(Refused, match="stands-otherwise"):
        decide(dispute, Decision.ACCEPTED, seen=shown, **decided)
    decide(dispute, Decision.ACCEPTED, seen="2018-06-11 15:00", **decided)
    assert stands(visit) == ("not_done", LATER)


def test_one_of_the_appointment_that_stands_is_taken_in(
    place: builders.County, tablet: Tablet
) -> None:
    [visit] = builders.scheduled(place)
    say(tablet, visit)
    assert [one["outcome"] for one in tablet.exchange()["outcomes"]] == ["applied"]
    assert stands(visit) == ("not_done", builders.VISIT_ON)


def test_one_of_an_earlier_release_does_not_say_which_appointment_it_was(
    place: builders.County, tablet: Tablet
) -> None:
    visit = moved_by_the_office(place, tablet)
    said = {"visit": str(visit.pk), "reason": "absent", "next_step": "revisit"}
    tablet.say("record_not_done", {**said, "recorded_at": ON_THE_DAY.isoformat()}, ON_THE_DAY)
    assert [one["outcome"] for one in tablet.exchange()["outcomes"]] == ["applied"]
