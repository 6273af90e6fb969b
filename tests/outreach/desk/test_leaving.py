"""Whoever withdraws, is refused, referred or closed is not visited any more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

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


def test_a_visit_that_was_begun_is_left_to_who_is_at_the_door(
    place: builders.County, sign_in: SignIn
) -> None:
    visit = builders.scheduled(place)[0]
    Visit.objects.update(state="in_progress")
    said = {"note": "不再申请"}
    sign_in(place.administrator).post(f"/cases/{visit.application_id}/step/withdraw/", said)
    visit.refresh_from_db()
    assert visit.state == "in_progress"
