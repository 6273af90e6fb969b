"""The page of a plan that is being made, which renews itself each second, by keyboard and voice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from outreach.actions import planning
from outreach.models import Plan, User
from outreach.models.planning import PlanState
from tests import builders
from tests.outreach.planning import ASKED, hills

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_keyboard_stays_at_the_button_that_stops_it(
    place: builders.County,
    seat: Callable[[User | None], BrowserContext],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It fell to the top of the page each second, and a reader's voice counted the seconds."""
    monkeypatch.setattr(planning, "launch", lambda plans: None)
    plan = planning.ask(hills(place, 4).campaign, by=place.administrator, at=ASKED)
    Plan.objects.update(
        state=PlanState.RUNNING,
        beat_at=timezone.now(),
        progress={"homes": 8, "elapsed": 7, "seconds": 60, "placed": 5, "improvements": 3},
    )
    page = seat(place.administrator).new_page()
    page.goto(f"/plans/{plan.pk}/")
    button = page.get_by_role("button", name="停止并保留目前最好的")
    button.focus()
    for _ in range(2):
        page.wait_for_event("requestfinished", lambda sent: sent.url.endswith("/progress/"))
    page.wait_for_timeout(200)
    expect(button).to_be_focused()
    expect(page.locator("#progress").get_by_role("status")).to_have_count(0)
