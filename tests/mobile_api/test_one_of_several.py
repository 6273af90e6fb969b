"""A tablet of an earlier release says "not met" although one of two claimed categories is met."""

from __future__ import annotations

from typing import Any

import pytest

from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute, LedgerEntry
from outreach.demo.tablet import Tablet
from outreach.models import Application, Evaluation, Visit
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY, evaluation_args

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]
SEEING = {"acuity_right": 1.0, "acuity_left": 1.0}


def said(place: builders.County, visit: Visit, **changes: Any) -> dict[str, Any]:
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    seeing = {"category": "vision", "findings": SEEING, "grade": None, "reason": ""}
    return {**args, "parts": [*args["parts"], seeing], "grade": None, **changes}


def test_nobody_is_barred_by_it_and_it_is_kept_and_corrected(
    place: builders.County, tablet: Tablet
) -> None:
    [visit] = builders.scheduled(place, categories=["physical", "vision"])
    tablet.say("submit_evaluation", said(place, visit), ON_THE_DAY)
    old = tablet.state.outbox[0]["id"]
    [answer] = tablet.exchange()["outcomes"]
    assert (answer["outcome"], answer["code"]) == ("refused", "one-of-several")
    assert "只有一类" in answer["message"]
    assert Application.objects.get().state == "accepted"
    assert LedgerEntry.objects.get().args["grade"] is None
    one = evaluation_args(str(visit.pk), str(place.colleague.pk), b"again", corrects=old)
    tablet.say("submit_evaluation", one, ON_THE_DAY)
    assert [row["outcome"] for row in tablet.exchange()["outcomes"]] == ["applied"]
    assert (Application.objects.get().state, Evaluation.objects.get().grade) == ("evaluated", 1)


def test_a_person_takes_it_in_as_it_is_where_nobody_can_correct_it(
    place: builders.County, tablet: Tablet
) -> None:
    [visit] = builders.scheduled(place, categories=["physical", "vision"])
    tablet.say("submit_evaluation", said(place, visit), ON_THE_DAY)
    tablet.sync()
    decide(
        Dispute.objects.get(),
        Decision.ACCEPTED,
        reason="恢复备份前已采用",
        by=place.administrator,
        at=ON_THE_DAY,
    )
    assert (Application.objects.get().state, Evaluation.objects.get().met) == ("not_met", False)


def test_none_of_several_is_not_met_as_before(place: builders.County, tablet: Tablet) -> None:
    [visit] = builders.scheduled(place, categories=["physical", "vision"])
    none = {"category": "physical", "findings": {"condition": "none"}, "grade": None, "reason": ""}
    args = said(place, visit)
    tablet.say("submit_evaluation", {**args, "parts": [none, args["parts"][1]]}, ON_THE_DAY)
    assert [row["outcome"] for row in tablet.exchange()["outcomes"]] == ["applied"]
    assert Application.objects.get().state == "not_met"
