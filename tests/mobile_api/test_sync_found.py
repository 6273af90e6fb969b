"""What the scenarios of `tests/generative` found, each as short as it can be said."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from outreach.actions.applications import assign
from outreach.demo.tablet import Tablet
from outreach.models import Evaluation
from tests import builders
from tests.builders import START, VISIT_ON
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]


def test_a_request_delivered_again_costs_no_full_download(
    place: builders.County, tablet: Tablet
) -> None:
    builders.scheduled(place)
    first = tablet._post(asking(tablet))
    tablet._take(first)
    held = tablet.state.view
    tablet._post({**asking(tablet), "pull": {"view": None, "digest": None}})

    assert tablet.exchange()["pull"]["base"] == held


def test_views_that_nobody_proves_do_not_pile_up(place: builders.County, tablet: Tablet) -> None:
    from mobile_api.models import PulledView
    from mobile_api.pull import KEPT_VIEWS

    for _ in range(KEPT_VIEWS + 3):
        tablet._post(asking(tablet))

    assert PulledView.objects.count() == KEPT_VIEWS


def test_what_a_tablet_has_gone_past_is_forgotten(place: builders.County, tablet: Tablet) -> None:
    from mobile_api.models import PulledView

    for days in range(3):
        builders.scheduled(place, on=VISIT_ON + timedelta(days=days))
        tablet.sync()
    tablet.exchange()
    views = [str(pk) for pk in PulledView.objects.values_list("pk", flat=True)]
    assert views == [tablet.state.view]


def asking(tablet: Tablet) -> dict[str, object]:
    pull = {"view": tablet.state.view, "digest": None}
    return {"replica": tablet.state.replica, "app": "0.1.0", "rid": "1", "pull": pull}


def test_a_case_is_given_away_with_its_coming_visit(place: builders.County, tmp_path: Path) -> None:
    [visit] = builders.scheduled(place)
    newer = enrolled(place, tmp_path, place.colleague, "two")
    assign([visit.application], place.colleague, by=place.administrator, at=START)
    newer.sync()
    args = evaluation_args(str(visit.pk), str(place.assessor.pk))
    newer.say("submit_evaluation", args, ON_THE_DAY)

    assert [one["outcome"] for one in newer.exchange()["outcomes"]] == ["applied"]


def test_the_second_of_two_evaluations_in_one_push_is_not_taken_in_unseen(
    place: builders.County, tablet: Tablet
) -> None:
    [visit] = builders.scheduled(place)
    for photo in (b"one", b"two"):
        args = evaluation_args(str(visit.pk), str(place.colleague.pk), photo)
        tablet.say("submit_evaluation", args, ON_THE_DAY)

    answer = tablet.exchange()

    assert [(one["outcome"], one["code"]) for one in answer["outcomes"]] == [
        ("applied", None),
        ("conflict", "visit-moved-on"),
    ]
    assert Evaluation.objects.count() == 1


def test_a_clock_set_back_on_the_server_costs_no_full_download(
    place: builders.County, tablet: Tablet
) -> None:
    """Views are told apart by ids that grow with time: the one just sent may have the lower one."""
    from mobile_api.models import PulledView

    tablet.sync()
    tomorrow = UUID(int=UUID(str(tablet.state.view)).int + (86_400_000 << 80))
    PulledView.objects.filter(pk=tablet.state.view).update(id=tomorrow)
    tablet.state.view = str(tomorrow)
    builders.scheduled(place)
    told = tablet.exchange()["pull"]

    assert tablet.exchange()["pull"]["base"] == told["view"]
