"""A tablet's clock may be years off: it decides nothing, and what it says is answered."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute
from outreach.demo.tablet import Tablet
from outreach.models import Evaluation
from outreach.rules import Refused
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY, evaluation_args

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]


def evaluated(place: builders.County, tablet: Tablet, at: str, **case: Any) -> dict[str, Any]:
    [visit] = builders.scheduled(place, **case)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    tablet.say("submit_evaluation", {**args, "evaluated_at": at}, ON_THE_DAY)
    [told] = tablet.exchange()["outcomes"]
    return told


def test_a_clock_years_ahead_makes_nobody_grow_up(place: builders.County, tablet: Tablet) -> None:
    child = builders.id_number(date(2008, 3, 2))
    told = evaluated(place, tablet, "2038-01-01T09:00:00+08:00", id_number=child)
    assert (told["outcome"], told["code"]) == ("refused", "guardian-absent")


def test_a_clock_at_the_end_of_time_is_no_obstacle(place: builders.County, tablet: Tablet) -> None:
    assert evaluated(place, tablet, "9999-12-31T23:59:59+00:00")["outcome"] == "applied"
    assert Evaluation.objects.get().evaluated_at == ON_THE_DAY


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+00:00", "1901-01-01T09:00:00+08:00"])
def test_a_clock_before_the_persons_birth_is_said(
    place: builders.County, tablet: Tablet, at: str
) -> None:
    told = evaluated(place, tablet, at)
    assert (told["outcome"], told["code"]) == ("refused", "before-birth")
    by = place.administrator
    with pytest.raises(Refused, match="before-birth"):
        decide(Dispute.objects.get(), Decision.ACCEPTED, reason="看过", by=by, at=ON_THE_DAY)


def test_a_clock_before_the_case_began_is_a_persons_to_decide(
    place: builders.County, tablet: Tablet
) -> None:
    """Age and tariff would be those of a day years ago; what was found is kept all the same."""
    told = evaluated(place, tablet, "2018-01-05T09:40:00+08:00")
    assert (told["outcome"], told["code"]) == ("conflict", "before-nomination")
    assert "2018-01-05" in told["message"]
    assert not Evaluation.objects.exists()
    by = place.administrator
    decide(Dispute.objects.get(), Decision.ACCEPTED, reason="看过", by=by, at=ON_THE_DAY)
    assert Evaluation.objects.get().evaluated_at.month == 1


def test_a_clock_hours_behind_on_the_day_of_the_nomination_is_no_obstacle(
    place: builders.County, tablet: Tablet
) -> None:
    assert evaluated(place, tablet, "2018-05-14T00:00:00+08:00")["outcome"] == "applied"
