"""A tablet knows which of its cases cannot wait, why, and until when the next step is due."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mobile_api.scope import rows_for
from outreach import clock
from outreach.actions import hastening
from outreach.domain.vocabulary import Urgency
from outreach.models import User
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY, enrolled

pytestmark = pytest.mark.django_db
WHY = "补贴 6 月 30 日到期。"


def shown(user: User) -> dict[str, Any]:
    rows = rows_for(user, ON_THE_DAY.date())
    return {k: d.get("urgent") for k, d in rows if k.startswith(("visit/", "case/"))}


def test_a_case_of_the_fast_lane_says_so_in_its_visit_and_while_it_waits_for_one(
    place: builders.County,
) -> None:
    [visit] = builders.scheduled(place)
    [waiting, calm] = builders.accepted(place, 2)
    for case in (visit.application, waiting):
        hastening.hasten(case, Urgency.SUBSIDY_LAPSING, WHY, by=place.administrator, at=ON_THE_DAY)
    urgent = {"why": "subsidy_lapsing", "reason": WHY, "due": "2018-06-05T02:00:00+00:00"}
    assert shown(place.assessor) == {
        f"visit/{visit.pk}": urgent,
        f"case/{waiting.pk}": urgent,
        f"case/{calm.pk}": None,
    }


def test_taken_in_and_out_of_the_fast_lane_a_case_reaches_the_tablet_again(
    place: builders.County, tmp_path: Path
) -> None:
    clock.advance_to(ON_THE_DAY)
    [visit] = builders.scheduled(place)
    tablet = enrolled(place, tmp_path)
    row = f"visit/{visit.pk}"
    tablet.exchange()
    assert "urgent" not in tablet.state.rows[row]
    hastening.hasten(
        visit.application, Urgency.TERMINAL_ILLNESS, "病危", by=place.administrator, at=ON_THE_DAY
    )
    tablet.exchange()
    assert tablet.state.rows[row]["urgent"]["why"] == "terminal_illness"
    hastening.unhasten(visit.application, by=place.administrator, at=ON_THE_DAY)
    tablet.exchange()
    assert "urgent" not in tablet.state.rows[row]
