"""True concurrency: what comes second waits for the other deed and is held to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute
from outreach import clock
from outreach.actions import applications, visits
from outreach.demo.tablet import Tablet
from outreach.models import Application, Evaluation, Visit
from outreach.models.ids import new_id
from outreach.rules import Refused
from tests import builders
from tests.builders import County
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
    pytest.mark.django_db(transaction=True),
]


def cancel(place: County, visit: Visit, _other: Tablet) -> None:
    visits.cancel(visit, by=place.administrator, at=ON_THE_DAY, reason="desk")


def assign(place: County, visit: Visit, _other: Tablet) -> None:
    case = [visit.application]
    applications.assign(case, place.colleague, by=place.administrator, at=ON_THE_DAY)


def evaluate(_place: County, _visit: Visit, other: Tablet) -> None:
    assert [one["outcome"] for one in other.exchange()["outcomes"]] == ["applied"]


def move(place: County, visit: Visit, _other: Tablet) -> None:
    to = visits.Appointment(visit.application, visit.on + timedelta(days=1), visit.start)
    visits.move(visit, to, by=place.administrator, at=ON_THE_DAY)


def meanwhile(deed: Callable[[], None], do: Callable[[], None]) -> None:
    """Do something that has to wait, in its own connection, for a deed that is not committed."""
    begun = threading.Event()

    def hold() -> None:
        with transaction.atomic():
            deed()
            begun.set()
            until = time.monotonic() + 20
            while time.monotonic() < until and not _somebody_waits():
                time.sleep(0.02)
        connection.close()

    holding = threading.Thread(target=hold)
    holding.start()
    assert begun.wait(20)
    do()
    holding.join()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])


def said(tablet: Tablet, visit: Visit, place: County) -> None:
    args = evaluation_args(str(visit.pk), str(place.colleague.pk), tablet.path.name.encode())
    tablet.say("submit_evaluation", args, ON_THE_DAY)


@pytest.mark.parametrize(
    ("deed", "outcome", "evaluations", "state"),
    [
        (cancel, ("conflict", "visit-moved-on"), 0, "cancelled"),
        (assign, ("parked", "out-of-scope"), 0, "scheduled"),
        (evaluate, ("conflict", "visit-moved-on"), 1, "done"),
        (move, ("applied", None), 1, "done"),
    ],
)
def test_an_evaluation_meets_what_was_done_at_the_same_moment(
    place: County,
    tmp_path: Path,
    deed: Callable[[County, Visit, Tablet], None],
    outcome: tuple[str, str | None],
    evaluations: int,
    state: str,
) -> None:
    clock.advance_to(ON_THE_DAY)
    [visit] = builders.scheduled(place)
    one, other = enrolled(place, tmp_path), enrolled(place, tmp_path, name="two")
    for tablet in (one, other):
        said(tablet, visit, place)
    told: list[tuple[str, str | None]] = []

    def push() -> None:
        told.extend((one["outcome"], one["code"]) for one in other.exchange()["outcomes"])

    meanwhile(lambda: deed(place, visit, one), push)
    assert told == [outcome]
    assert Evaluation.objects.count() == evaluations
    assert Visit.objects.get().state == state


def test_one_person_nominated_from_two_villages_at_once_has_one_case(
    place: County, tmp_path: Path
) -> None:
    clock.advance_to(ON_THE_DAY)
    number = builders.id_number()
    tablets = [
        enrolled(place, tmp_path, place.assessor, "one"),
        enrolled(place, tmp_path, place.liaison, "two"),
    ]
    for tablet, village in zip(tablets, (place.other_village, place.village), strict=True):
        said = {"resident": {"name": "孙长河", "id_number": number}, "categories": ["physical"]}
        args = {**said, "application": str(new_id()), "village": village.code, "media": []}
        tablet.say("nominate", args, ON_THE_DAY, 2)
    told: list[tuple[str, str | None]] = []

    def push(tablet: Tablet) -> None:
        told.extend((one["outcome"], one["code"]) for one in tablet.exchange()["outcomes"])

    meanwhile(lambda: push(tablets[0]), lambda: push(tablets[1]))
    assert told == [("applied", None), ("conflict", "open-application")]
    assert Application.objects.filter(resident__village=place.other_village).count() == 1


def test_a_dispute_is_decided_once_by_whoever_comes_first(place: County, tmp_path: Path) -> None:
    clock.advance_to(ON_THE_DAY)
    [visit] = builders.scheduled(place)
    tablet = enrolled(place, tmp_path)
    said(tablet, visit, place)
    applications.assign([visit.application], place.colleague, by=place.administrator, at=ON_THE_DAY)
    tablet.sync()
    dispute = Dispute.objects.get()
    codes: list[str] = []

    def conclude(decision: Decision) -> None:
        decide(dispute, decision, reason="看过", by=place.administrator, at=ON_THE_DAY)

    def accept() -> None:
        try:
            conclude(Decision.ACCEPTED)
        except Refused as refused:
            codes.append(refused.code)

    meanwhile(lambda: conclude(Decision.SET_ASIDE), accept)
    assert codes == ["decided-already"]
    assert (Dispute.objects.get().decision, Evaluation.objects.count()) == ("set_aside", 0)
