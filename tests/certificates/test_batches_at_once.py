"""Two approvers sign for the same papers in one moment: each paper waits in one batch."""

from __future__ import annotations

from certificates import batches
from certificates.models import BatchItem
from outreach.actions import publicity
from outreach.models import Application
from tests import builders
from tests.at_once import ON_POSTGRESQL, second_of
from tests.certificates.issuing import APPROVED_AT, ISSUED_AT

pytestmark = ON_POSTGRESQL


def test_what_broke_off_is_taken_up_again_by_one_of_two(place: builders.County) -> None:
    cases = builders.reviewed(place, 2)
    publicity.approve(cases, by=place.approver, at=APPROVED_AT)

    def start() -> None:
        rows = list(Application.objects.filter(pk__in=[case.pk for case in cases]))
        batches.start(rows, by=place.approver, at=ISSUED_AT)

    assert second_of(start, start) == ""
    assert BatchItem.objects.count() == 2
