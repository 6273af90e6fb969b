"""A page that was left open while somebody else changed what it shows overwrites nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client

from outreach.actions import applications, visits
from outreach.models import User, Visit
from tests import builders
from tests.builders import START, County

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
TYPED = {
    "move": {"on": "2018-06-06", "start": "15:00", "minutes": "25", "reason": "赶集"},
    "cancel": {"note": "住院"},
}


def seen_on(page: str) -> str:
    [seen] = re.findall(r'name="seen" value="([^"]*)"', page)
    return str(seen)


def moved(place: County, visit: Visit) -> dict[str, Any]:
    """Move the visit as another tablet or colleague does, and return what stands then."""
    to = visits.Appointment(visit.application, visit.on + timedelta(days=1), time(10, 30))
    visits.move(visit, to, by=place.liaison, at=START)
    return Visit.objects.filter(pk=visit.pk).values().get()


@pytest.mark.parametrize("step", TYPED)
def test_what_somebody_else_moved_meanwhile_is_shown_and_asked_about_once_more(
    place: County, sign_in: SignIn, step: str
) -> None:
    [visit] = builders.scheduled(place)
    office, address = sign_in(place.administrator), f"/visits/{visit.pk}/{step}/"
    seen = seen_on(office.get(address).content.decode())
    stands = moved(place, visit)

    answer = office.post(address, TYPED[step] | {"seen": seen})
    page = answer.content.decode()
    assert (answer.status_code, answer["X-Refusal"]) == (422, "appointment-changed")
    assert Visit.objects.filter(pk=visit.pk).values().get() == stands
    assert "2018-06-05 10:30</dd>" in page
    for typed in TYPED[step].values():
        assert f'value="{typed}"' in page or f"{typed}</textarea>" in page

    assert seen_on(page) == "2018-06-05 10:30"
    again = office.post(address, TYPED[step] | {"seen": seen_on(page)})
    assert (again.status_code, Visit.objects.get().revision) == (303, stands["revision"] + 1)


@pytest.mark.parametrize("step", TYPED)
def test_a_page_that_does_not_say_what_was_seen_is_asked_about(
    place: County, sign_in: SignIn, step: str
) -> None:
    [visit] = builders.scheduled(place)
    answer = sign_in(place.administrator).post(f"/visits/{visit.pk}/{step}/", TYPED[step])
    assert (answer.status_code, answer["X-Refusal"]) == (422, "appointment-changed")
    assert seen_on(answer.content.decode()) == "2018-06-04 09:00"


@pytest.mark.parametrize("step", TYPED)
def test_a_move_in_the_very_same_moment_is_shown_too(
    place: County, sign_in: SignIn, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [visit] = builders.scheduled(place)
    office, address = sign_in(place.administrator), f"/visits/{visit.pk}/{step}/"
    deed = getattr(visits, step)

    def later(held: Visit, *args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(visits, step, deed)
        moved(place, Visit.objects.get(pk=held.pk))
        deed(held, *args, **kwargs)

    monkeypatch.setattr(visits, step, later)
    answer = office.post(address, TYPED[step] | {"seen": "2018-06-04 09:00"})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "appointment-changed")
    assert seen_on(answer.content.decode()) == "2018-06-05 10:30"


def test_a_case_that_somebody_gave_away_meanwhile_is_given_to_nobody_else(
    place: County, sign_in: SignIn
) -> None:
    [case] = builders.applied(place)
    applications.accept([case], by=place.administrator, at=START)
    office = sign_in(place.administrator)
    assert str(case.pk) in office.get("/assign/").content.decode()
    applications.assign([case], place.colleague, by=place.administrator, at=START)

    form = {"ids": [case.pk], "assessor": place.assessor.pk}
    answer = office.post("/assign/", form)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "assigned-meanwhile")
    assert case.number in answer.content.decode()
    case.refresh_from_db()
    assert case.assessor == place.colleague
    again = office.post("/assign/", form | {"seen": place.colleague.pk})
    case.refresh_from_db()
    assert (again.status_code, case.assessor) == (303, place.assessor)
