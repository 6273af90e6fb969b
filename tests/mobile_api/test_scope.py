"""Which visits a tablet holds, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from mobile_api.scope import RECENT
from outreach.demo.tablet import Tablet
from outreach.domain.vocabulary import Level
from outreach.models import Application, User, Visit
from outreach.retention.requests import erase_on_request
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY, evaluation_args

LONG_AGO = ON_THE_DAY.date() - RECENT - timedelta(days=1)


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]


@pytest.mark.parametrize(("state", "stays"), [("scheduled", True), ("done", False)])
def test_a_visit_that_is_not_over_stays_however_long_ago_its_day_was(
    place: builders.County, tablet: Tablet, state: str, stays: bool
) -> None:
    [visit] = builders.scheduled(place)
    Visit.objects.update(on=LONG_AGO, state=state)
    tablet.sync()
    assert (str(visit.pk) in tablet.rows("visit")) is stays


@pytest.mark.parametrize("step", ["refuse", "withdraw", "refer", "close"])
def test_nobody_is_sent_to_a_case_that_was_ended(
    place: builders.County, tablet: Tablet, sign_in: Callable[[User], Client], step: str
) -> None:
    [visit] = builders.scheduled(place)
    tablet.sync()
    page = f"/cases/{visit.application_id}/step/{step}/"
    assert sign_in(place.administrator).post(page, {"note": "家属来电"}).status_code == 303
    visit.refresh_from_db()
    last = visit.events.order_by("pk").last()
    assert last is not None
    assert (visit.state, last.name, last.note) == ("cancelled", "cancel", "家属来电")
    tablet.sync()
    assert tablet.rows("visit") == {}


def test_an_appointment_that_an_earlier_version_left_to_an_ended_case_is_not_shown(
    place: builders.County, tablet: Tablet
) -> None:
    builders.scheduled(place)
    Application.objects.update(state="withdrawn")
    tablet.sync()
    assert tablet.rows("visit") == {}


def move_away(doctor: User) -> None:
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    User.objects.filter(pk=doctor.pk).update(division=elsewhere)


def test_a_doctor_who_works_elsewhere_by_now_reads_what_is_not_over_and_no_more(
    place: builders.County, tablet: Tablet, sign_in: Callable[[User], Client]
) -> None:
    over, to_do = builders.scheduled(place, 2)
    Visit.objects.filter(pk=over.pk).update(state="done")
    Application.objects.filter(pk=over.application_id).update(state="handed_over")
    pages = [f"/cases/{visit.application_id}/" for visit in (over, to_do)]
    tablet.sync()
    assert len(tablet.rows("visit")) == 2
    assert [sign_in(place.assessor).get(page).status_code for page in pages] == [200, 200]
    move_away(place.assessor)
    tablet.sync()
    assert list(tablet.rows("visit")) == [str(to_do.pk)]
    assert [sign_in(place.assessor).get(page).status_code for page in pages] == [404, 200]


def test_what_they_say_of_a_case_that_is_over_waits_for_its_office(
    place: builders.County, tablet: Tablet
) -> None:
    [visit] = builders.scheduled(place)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    Application.objects.update(state="closed")
    move_away(place.assessor)
    [answer] = tablet.exchange()["outcomes"]
    assert (answer["outcome"], answer["code"]) == ("parked", "out-of-scope")


def test_who_was_erased_at_request_leaves_the_tablets_and_stops_none(
    place: builders.County, tablet: Tablet, tmp_path: Path, settings: LazySettings
) -> None:
    """Nobody was at home, the family gave it up, and asked at once to be forgotten."""
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    [visit] = builders.scheduled(place)
    tablet.sync()
    said = {"visit": str(visit.pk), "reason": "refused", "next_step": "close"}
    tablet.say("record_not_done", {**said, "recorded_at": ON_THE_DAY.isoformat()}, ON_THE_DAY)
    tablet.sync()
    assert tablet.rows("visit")[str(visit.pk)]["state"] == "not_done"
    resident, by = visit.application.resident, place.administrator
    answer = erase_on_request(resident, by=by, at=ON_THE_DAY, request="2018-7")
    assert [kind for _, kind in answer.erased] == ["unfinished"]
    tablet.sync()
    assert tablet.rows("visit") == {}
