"""Whom to call: no family hears of a time that is not its own any more."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from django.test import Client

from outreach import clock
from outreach.actions import drafting, planning, visits
from outreach.models import AuditEvent, Call, User
from tests import builders
from tests.outreach.planning import ASKED, FRIDAY, hills, published

SignIn = Callable[[User], Client]


@pytest.fixture
def call(place: builders.County, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return the call about one of the visits that a published plan made."""
    monkeypatch.setattr(planning, "launch", lambda plans: None)
    published(hills(place, 4))
    clock.advance_to(ASKED)
    rows = Call.objects.to_make().select_related("visit__application", "visit__assessor")
    return rows.order_by("pk")[0]


def shown(browser: Client, call: Call) -> bool:
    return call.visit.application.number in browser.get("/calls/").content.decode()


def listed(browser: Client, call: Call) -> bool:
    """Tell whether the call stands among those to make."""
    return call.pk in [row.item.pk for row in browser.get("/calls/").context["listing"]]


def test_who_moves_a_visit_has_agreed_it_with_the_family(
    place: builders.County, sign_in: SignIn, call: Call
) -> None:
    office = sign_in(place.administrator)
    assert shown(office, call)
    to = visits.Appointment(call.visit.application, FRIDAY, time(16, 30), 30)
    visits.move(call.visit, to, by=place.administrator, at=ASKED)
    assert not shown(office, call)
    assert drafting.told_times(call.campaign)[call.visit.pk] == (FRIDAY, time(16, 30))


def test_a_family_that_never_heard_of_its_time_needs_not_hear_that_it_is_off(
    place: builders.County, sign_in: SignIn, call: Call
) -> None:
    visits.cancel(call.visit, by=place.administrator, at=ASKED, reason="住院")
    assert not shown(sign_in(place.administrator), call)


def test_a_family_that_waits_at_its_old_time_hears_that_it_is_off(
    place: builders.County, sign_in: SignIn, call: Call
) -> None:
    Call.objects.filter(pk=call.pk).update(kind="moved", was_on=call.on, was_start=time(8))
    visits.cancel(call.visit, by=place.administrator, at=ASKED, reason="住院")
    office = sign_in(place.administrator)
    assert shown(office, call)
    call.refresh_from_db()
    assert (call.kind, call.on, call.was_start) == ("cancelled", None, time(8))
    to = visits.Appointment(call.visit.application, FRIDAY, time(16, 30), 30)
    visits.schedule([to], by=place.administrator, at=ASKED)
    assert not shown(office, call)


def test_nobody_is_told_of_a_visit_that_was_made(
    place: builders.County, sign_in: SignIn, call: Call
) -> None:
    at = datetime.combine(call.visit.on, time(18), builders.SHANGHAI)
    clock.advance_to(at + timedelta(hours=1))
    visits.settle([call.visit], "complete")
    assert not shown(sign_in(place.administrator), call)


def test_a_campaign_counts_only_the_families_that_are_on_the_list(
    place: builders.County, sign_in: SignIn, call: Call
) -> None:
    """It asked for calls for good that nobody could make any more."""
    office, page = sign_in(place.administrator), f"/campaigns/{call.campaign_id}/"
    assert office.get(page).context["calls"] == 4
    visits.cancel(call.visit, by=place.administrator, at=ASKED, reason="住院")
    listed = office.get("/calls/").context["listing"].total
    assert (office.get(page).context["calls"], listed) == (3, 3)


def test_what_was_told_from_a_page_left_open_is_not_the_newer_news(
    place: builders.County, sign_in: SignIn, call: Call
) -> None:
    """The family waited at a time that was off, and nobody was to call it any more."""
    Call.objects.filter(pk=call.pk).update(kind="moved", was_on=call.on, was_start=time(8))
    office = sign_in(place.administrator)

    def told() -> dict[str, object]:
        [moment] = re.findall(r'name="shown" value="([^"]+)"', page())
        return {"ids": [call.pk], "shown": moment}

    def page() -> str:
        return office.get("/calls/").content.decode()

    before = told()
    clock.advance_to(ASKED + timedelta(minutes=10))
    visits.cancel(call.visit, by=place.administrator, at=clock.now(), reason="住院")
    answer = office.post("/calls/", before)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "other-news")
    assert "已取消" in answer.content.decode()
    assert Call.objects.to_make().filter(pk=call.pk).exists()
    assert office.post("/calls/", told()).status_code == 303


def test_nobody_is_told_of_a_time_that_is_over(
    place: builders.County, sign_in: SignIn, call: Call
) -> None:
    """Until its tablet comes back the visit stands, and its family was told of yesterday."""
    office = sign_in(place.administrator)
    clock.advance_to(datetime.combine(call.visit.on, time(18), builders.SHANGHAI))
    assert shown(office, call)
    clock.advance_to(clock.now() + timedelta(hours=12))
    assert not shown(office, call)


def test_a_call_is_found_by_each_of_what_the_search_names(
    place: builders.County, sign_in: SignIn, call: Call
) -> None:
    """By the number, which the family reads out, nothing was found, as if it were told already."""
    office, case = sign_in(place.administrator), call.visit.application
    assert "按姓名、编号、村或乡镇查找" in office.get("/calls/").content.decode()
    township = case.village.parent
    assert township is not None
    for said in (case.resident.name, case.number, case.village.name, township.name):
        assert case.number in office.get("/calls/", {"q": said}).content.decode()


def test_a_family_that_was_ticked_by_a_slip_is_called_again(
    place: builders.County, sign_in: SignIn, call: Call
) -> None:
    """It was off the list for good, and nobody came to call it."""
    office = sign_in(place.administrator)
    clock.advance_to(ASKED + timedelta(minutes=10))
    assert office.post("/calls/", {"ids": [call.pk]}).status_code == 303
    assert not listed(office, call)
    told = office.get("/calls/").context["told"]
    assert [(one.pk, one.told_by) for one in told] == [(call.pk, place.administrator)]
    assert sign_in(place.other_liaison).post("/calls/", {"not_told": call.pk}).status_code == 404
    for _twice in range(2):  # as where the answer was lost
        assert office.post("/calls/", {"not_told": call.pk}).status_code == 303
    assert listed(office, call)
    assert list(office.get("/calls/").context["told"]) == []
    assert AuditEvent.objects.filter(action="call.not_told").count() == 1


def test_a_slip_is_not_taken_back_once_there_is_newer_news(
    place: builders.County, sign_in: SignIn, call: Call
) -> None:
    """The family would be told of a time that is not its own any more."""
    office = sign_in(place.administrator)
    office.post("/calls/", {"ids": [call.pk]})
    newer = {"kind": "moved", "was_on": call.on, "was_start": call.start, "start": time(16)}
    fields = ("campaign", "plan", "visit", "on")
    same = {name: getattr(call, name) for name in fields}
    Call.objects.create(**same, **newer, created_at=ASKED + timedelta(minutes=5))
    answer = office.post("/calls/", {"not_told": call.pk})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "other-news")
    assert list(answer.context["told"]) == []


def test_of_whom_nobody_need_call_nobody_is_said_to_have_been_told(
    place: builders.County, sign_in: SignIn, call: Call
) -> None:
    known = {"kind": "moved", "was_on": call.on, "was_start": call.start}
    Call.objects.filter(pk=call.pk).update(**known, told_at=ASKED, told_by=place.administrator)
    assert list(sign_in(place.administrator).get("/calls/").context["told"]) == []
