"""Two people change one visit at once: the second hears of the first, and overwrites nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from outreach.actions import applications, evaluations, visits
from outreach.domain.vocabulary import NextStep, NotDone
from outreach.models import Application, Visit
from outreach.rules import Refused
from tests import builders
from tests.builders import START, County

pytestmark = pytest.mark.django_db
Step = Callable[[County, Visit], None]


def move(place: County, visit: Visit) -> None:
    to = visits.Appointment(visit.application, visit.on + timedelta(days=1), visit.start)
    visits.move(visit, to, by=place.administrator, at=START)


def cancel(place: County, visit: Visit) -> None:
    visits.cancel(visit, by=place.administrator, at=START, reason="desk")


def not_done(place: County, visit: Visit) -> None:
    said = {"reason": NotDone.ABSENT, "next_step": NextStep.REVISIT}
    visits.record_not_done(visit, **said, by=place.assessor, at=START)


@pytest.mark.parametrize("second", [move, cancel, not_done])
@pytest.mark.parametrize(
    ("first", "code"),
    [(move, "appointment-changed"), (cancel, "visit-moved-on"), (not_done, "visit-moved-on")],
)
def test_who_read_a_visit_before_it_changed_changes_nothing(
    place: County, first: Step, code: str, second: Step
) -> None:
    [visit] = builders.scheduled(place)
    read_before = Visit.objects.select_related("application", "assessor").get(pk=visit.pk)
    first(place, visit)
    stands = Visit.objects.filter(pk=visit.pk).values().get()

    with pytest.raises(Refused) as refused:
        second(place, read_before)
    assert refused.value.code == code
    assert Visit.objects.filter(pk=visit.pk).values().get() == stands


def test_a_visit_read_before_it_was_given_away_is_moved_to_a_revision_of_its_own(
    place: County,
) -> None:
    """A tablet that has seen the revision of the other change would never hear of the new time."""
    [visit] = builders.scheduled(place)
    read_before = Visit.objects.select_related("application", "assessor").get(pk=visit.pk)
    colleague = builders.second_assessor(place)
    applications.assign([visit.application], colleague, by=place.administrator, at=START)
    given = Visit.objects.get(pk=visit.pk)

    move(place, read_before)
    moved = Visit.objects.get(pk=visit.pk)
    assert (moved.assessor, moved.revision) == (colleague, given.revision + 1)


def test_a_case_read_before_it_was_assessed_is_given_to_nobody(place: County) -> None:
    """The doctor lost the case whose photos were on their way; a colleague had one that is over."""
    [visit] = builders.scheduled(place)
    read_before = Application.objects.select_related("assessor").get(pk=visit.application_id)
    said = builders.submission(place, visit)
    evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    with pytest.raises(Refused, match="wrong-state"):
        applications.assign([read_before], place.colleague, by=place.administrator, at=START)
    assert Application.objects.get().assessor == place.assessor
