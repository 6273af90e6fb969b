"""Two approvers in one moment: each paper waits in one batch, and nobody holds two."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from certificates import actions, batches, life
from certificates.models import BatchItem, Certificate
from certificates.steps import Ground
from outreach.actions import publicity
from outreach.models import Application
from tests import builders
from tests.at_once import ON_POSTGRESQL, meanwhile, second_of
from tests.certificates.issuing import APPROVED_AT, ISSUED_AT, issued
from tests.certificates.test_life import assessed_again

pytestmark = ON_POSTGRESQL


def test_what_broke_off_is_taken_up_again_by_one_of_two(place: builders.County) -> None:
    cases = builders.reviewed(place, 2)
    publicity.approve(cases, by=place.approver, at=APPROVED_AT)

    def start() -> None:
        rows = list(Application.objects.filter(pk__in=[case.pk for case in cases]))
        batches.start(rows, by=place.approver, at=ISSUED_AT)

    assert second_of(start, start) == ""
    assert BatchItem.objects.count() == 2


def test_a_cancellation_is_not_taken_back_while_another_certificate_is_issued(
    place: builders.County, files: Path
) -> None:
    [held] = issued(place, files)
    actions.hand_over([held], by=place.liaison, at=ISSUED_AT)
    office = place.administrator
    life.cancel([held], ground=Ground.OWN_WISH, reason="自愿", by=office, at=ISSUED_AT)
    on = date(2018, 8, 6)
    case, over = assessed_again(place, files, held, 1, on), builders.notice_over(on)
    code = second_of(
        lambda: actions.issue([case], by=place.approver, at=over),
        lambda: life.restore([held], reason="误销", by=place.approver, at=over),
    )
    assert code == "holds-another"
    assert [one.application for one in Certificate.objects.living()] == [case]


def test_the_last_day_enters_the_history_once_whoever_settles_it(
    place: builders.County, files: Path
) -> None:
    """Each process of the server has a worker, and midnight comes to all of them."""
    [held] = issued(place, files)
    over = ISSUED_AT.replace(year=2028) + timedelta(days=1)
    told = []
    meanwhile(lambda: life.settle(at=over), lambda: told.append(life.settle(at=over)))
    assert told == [life.Settled(0, 0, 0)]
    assert list(held.events.values_list("name", flat=True)) == ["issue", "expire"]
