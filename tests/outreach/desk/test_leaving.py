"""Whoever withdraws, is refused, referred or closed is not visited any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from outreach import clock
from outreach.actions import publicity
from outreach.desk.steps import objections
from outreach.models import User, Visit
from tests import builders

SignIn = Callable[[User], Client]


@pytest.mark.parametrize("step", ["withdraw", "refuse", "refer", "close"])
def test_a_case_that_is_over_takes_its_visit_along(
    place: builders.County, sign_in: SignIn, step: str
) -> None:
    visit = builders.scheduled(place)[0]
    said = {"note": "不再申请"}
    office = sign_in(place.administrator)
    assert office.post(f"/cases/{visit.application_id}/step/{step}/", said).status_code == 303
    visit.refresh_from_db()
    assert visit.state == "cancelled"
    assert visit.events.last().name == "cancel"
    assert not Visit.objects.open().exists()


@pytest.mark.parametrize(("step", "state"), [("withdraw", "withdrawn"), ("close", "closed")])
def test_who_withdraws_or_dies_while_on_notice_is_named_in_the_village_no_more(
    place: builders.County, sign_in: SignIn, step: str, state: str
) -> None:
    """No step led away from a notice: it hung on, and its case went on to a certificate."""
    [case] = builders.on_notice(place)
    notice, on = case.notices.select_related("application").get(), builders.notice_over()
    publicity.object_to(
        notice, from_whom="邻居", text="曾见其行走", by=place.liaison, at=on - timedelta(days=5)
    )
    office, said = sign_in(place.administrator), {"note": "已去世"}
    assert f"/cases/{case.pk}/step/{step}/" in office.get(f"/cases/{case.pk}/").content.decode()
    assert office.post(f"/cases/{case.pk}/step/{step}/", said).status_code == 303
    case.refresh_from_db()
    notice.refresh_from_db()
    assert (case.state, notice.taken_down_on) == (state, clock.today())
    assert office.get(f"/notices/{notice.pk}/").status_code == 404
    assert not objections(place.administrator).exists()
