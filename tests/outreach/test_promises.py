"""Working days per step are measured from the histories and held against promise and law."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from outreach.actions import applications
from outreach.desk.listing import Calendar, Urgency
from outreach.domain.promises import promises
from outreach.reports import steps_kept
from tests import builders
from tests.builders import START


def test_every_promise_is_shorter_than_the_law_and_has_a_source() -> None:
    for promise in promises().values():
        assert promise.legal is None or promise.promised < promise.legal
        assert promise.source


@pytest.mark.parametrize(("days", "kept"), [(0, 1), (2, 1), (3, 0)])
def test_acceptance_within_two_working_days_keeps_the_promise(
    place: builders.County, days: int, kept: int
) -> None:
    case = builders.applied(place)
    applications.accept(case, by=place.administrator, at=START + timedelta(days=days))
    (accept, *others) = steps_kept()
    assert (accept.promise.step, accept.taken, accept.kept) == ("accept", 1, kept)
    assert accept.longest == days
    assert [one.taken for one in others] == [0] * len(others)


def test_who_waited_for_years_counts_among_the_waits(place: builders.County) -> None:
    """What waited longest was left out of all figures, as if its calendar were not known."""
    [case] = builders.applied(place)
    late = datetime(2020, 1, 6, 9, tzinfo=builders.SHANGHAI)
    assert Calendar.of(late.date()).age(case.state_since, promised=2).urgency == Urgency.OVER
    applications.accept([case], by=place.administrator, at=late)
    accept = steps_kept()[0]
    assert (accept.taken, accept.kept, accept.uncounted) == (1, 0, 0)
    assert accept.longest > 400


def test_approving_and_signing_are_one_step_from_the_review_on(place: builders.County) -> None:
    cases, at = builders.reviewed(place, 2), builders.notice_over()
    applications.move_on(cases, "approve", by=place.approver, at=at + timedelta(days=1))
    sign, hand_over = steps_kept()[-2:]
    assert (sign.promise.step, sign.taken, hand_over.taken) == ("sign", 0, 0)
    applications.move_on(cases[:1], "issue", by=place.approver, at=at + timedelta(days=2))
    applications.move_on(cases[1:], "send_back", by=place.approver, at=at + timedelta(days=5))
    applications.move_on(cases[:1], "hand_over", by=place.liaison, at=at + timedelta(days=6))
    sign, hand_over = steps_kept()[-2:]
    assert (sign.taken, sign.kept, sign.longest) == (2, 1, 3)
    assert (hand_over.taken, hand_over.longest) == (1, 1)


def test_a_step_counts_in_the_span_in_which_it_ended_and_in_its_division(
    place: builders.County,
) -> None:
    case = builders.applied(place)
    applications.accept(case, by=place.administrator, at=START + timedelta(days=2))
    on = START.date()
    assert steps_kept(last=on + timedelta(days=1))[0].taken == 0
    assert steps_kept(first=on + timedelta(days=2))[0].taken == 1
    assert steps_kept(within=place.other_village)[0].taken == 0
