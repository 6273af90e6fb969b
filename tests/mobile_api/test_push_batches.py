"""Push by the batch: the work of the database does not grow with the number of mutations."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobile_api.models import LedgerEntry
from outreach import clock
from outreach.demo.tablet import Tablet
from outreach.models import AuditEvent, Evaluation
from outreach.models.ids import new_id
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args
from tests.mobile_api.test_upcasting import nomination

pytestmark = pytest.mark.django_db


def pushed(tablet: Tablet, place: builders.County, count: int, refused: int = -1) -> int:
    """Return how many statements a batch took, all of it applied but the one that is refused."""
    for at, visit in enumerate(builders.scheduled(place, count, on=builders.VISIT_ON)):
        args = evaluation_args(str(visit.pk), str(place.colleague.pk), visit.pk.bytes)
        args["identity_checked"] = at != refused
        tablet.say("submit_evaluation", args, ON_THE_DAY)
    with CaptureQueriesContext(connection) as statements:
        answer = tablet.exchange()
    expected = ["refused" if at == refused else "applied" for at in range(count)]
    assert [one["outcome"] for one in answer["outcomes"]] == expected
    return len(statements)


def test_the_number_of_statements_does_not_grow_with_the_batch(
    place: builders.County, tmp_path: Path
) -> None:
    clock.advance_to(ON_THE_DAY)
    tablet = enrolled(place, tmp_path)
    for _warming_up in range(3):
        pushed(tablet, place, 1)
    assert pushed(tablet, place, 2) == pushed(tablet, place, 12)
    assert LedgerEntry.objects.count() == Evaluation.objects.count() == 17
    assert AuditEvent.objects.filter(action="evaluation.submit").count() == 17


def test_one_that_is_refused_costs_the_others_little(
    place: builders.County, tmp_path: Path
) -> None:
    clock.advance_to(ON_THE_DAY)
    tablet = enrolled(place, tmp_path)
    for _warming_up in range(2):
        pushed(tablet, place, 1)
    # Four halvings of 14 leave four runs that hold; one by one it would be thirteen.
    assert pushed(tablet, place, 14, refused=9) < 4 * pushed(tablet, place, 1)
    assert Evaluation.objects.count() == 2 + 13 + 1


def test_what_was_said_before_is_a_duplicate_whatever_is_made(
    place: builders.County, tmp_path: Path
) -> None:
    clock.advance_to(ON_THE_DAY)
    tablet = enrolled(place, tmp_path)
    done, other = builders.scheduled(place, 2, on=builders.VISIT_ON)
    [case] = builders.accepted(place, 1, name="钱小河")
    evaluation = evaluation_args(str(done.pk), str(place.colleague.pk))
    plan = {"visit": str(new_id()), "application": str(case.pk), "on": "2018-06-05"}
    said = {
        "submit_evaluation": (evaluation, 1),
        "schedule_visit": ({**plan, "start": "14:00:00"}, 1),
        "nominate": (nomination(place), 1),
    }
    for name, (args, version) in said.items():
        tablet.say(name, args, ON_THE_DAY, version)
    for name, (args, version) in said.items():
        tablet.say(name, args, ON_THE_DAY, version)
    again = evaluation_args(str(other.pk), str(place.colleague.pk), b"another")
    tablet.say("submit_evaluation", again, ON_THE_DAY)
    tablet.say("submit_evaluation", again, ON_THE_DAY)
    outcomes = [one["outcome"] for one in tablet.exchange()["outcomes"]]
    assert outcomes == ["applied"] * 3 + ["duplicate"] * 3 + ["applied", "duplicate"]
    assert (Evaluation.objects.count(), LedgerEntry.objects.count()) == (2, 8)
