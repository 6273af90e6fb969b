"""For how long a visit stays on the tablet."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mobile_api.scope import RECENT
from outreach.demo.tablet import Tablet
from outreach.models import Visit
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY

LONG_AGO = ON_THE_DAY.date() - RECENT - timedelta(days=1)


@pytest.mark.django_db
@pytest.mark.usefixtures("on_the_day")
@pytest.mark.parametrize(
    ("state", "stays"), [("scheduled", True), ("in_progress", True), ("done", False)]
)
def test_a_visit_that_is_not_over_stays_however_long_ago_its_day_was(
    place: builders.County, tablet: Tablet, state: str, stays: bool
) -> None:
    [visit] = builders.scheduled(place)
    Visit.objects.update(on=LONG_AGO, state=state)
    tablet.sync()
    assert (str(visit.pk) in tablet.rows("visit")) is stays
