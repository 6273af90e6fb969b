"""A counter is closed in the very moment in which somebody is let in there."""

from __future__ import annotations

from django.utils import timezone

from outreach.actions import outlets
from outreach.domain.vocabulary import OutletKind
from outreach.models import Outlet, User
from tests import builders
from tests.at_once import ON_POSTGRESQL, second_of

pytestmark = ON_POSTGRESQL


def test_nobody_is_let_in_at_a_counter_that_is_closed_in_this_moment(
    place: builders.County,
) -> None:
    office, at = place.administrator, timezone.now()
    made = outlets.open_outlet(
        "便民窗口", OutletKind.TOWNSHIP_WINDOW, place.township, by=office, at=at
    )

    def shown() -> Outlet:
        return Outlet.objects.get(pk=made.pk)

    first, second = shown(), shown()
    refused = second_of(
        lambda: outlets.close_outlet(first, by=office, at=at),
        lambda: outlets.open_account(second, "window-1", "柜员", by=office, at=at),
    )
    assert refused == "outlet-closed"
    assert not User.objects.filter(outlet=made, is_active=True).exists()
