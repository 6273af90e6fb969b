"""True concurrency: what comes second waits for the other deed and is held to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import time as time_of_day
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from mobile_api.devices import revoke
from mobile_api.disputes import decide, entry_of, standing
from mobile_api.models import Decision, Device, Dispute
from outreach import clock
from outreach.actions import applications, evaluations, visits
from outreach.demo.tablet import Tablet, TabletRefused
from outreach.models import Application, Evaluation, Resident, Visit
from outreach.models.ids import new_id
from outreach.retention.requests import erase_on_request
from outreach.rules import Refused
from tests import builders
from tests.at_once import ON_POSTGRESQL, halfway, meanwhile, refusal, second_of
from tests.builders import County
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args

pytestmark = ON_POSTGRESQL


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


def test_a_tablet_that_is_stopped_in_the_moment_it_asks_gets_no_rows(
    place: County, tmp_path: Path
) -> None:
    clock.advance_to(ON_THE_DAY)
    builders.scheduled(place)
    tablet = enrolled(place, tmp_path)

    def ask() -> None:
        with pytest.raises(TabletRefused, match="403 revoked"):
            tablet.exchange()

    meanwhile(lambda: revoke(Device.objects.get(), by=place.administrator, at=ON_THE_DAY), ask)


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


def test_who_is_nominated_again_while_their_old_case_is_erased_keeps_name_and_number(
    place: County, tmp_path: Path, settings: LazySettings
) -> None:
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    clock.advance_to(ON_THE_DAY)
    [case] = builders.accepted(place, name="孙长河")
    visits.leave(case, "withdraw", by=place.administrator, at=ON_THE_DAY, note="")
    tablet, number = enrolled(place, tmp_path, place.liaison), case.resident.id_number
    nominates(tablet, place, number)
    told: list[str] = []
    meanwhile(
        lambda: told.extend(one["outcome"] for one in tablet.exchange()["outcomes"]),
        lambda: erase_on_request(
            Resident.objects.get(), by=place.administrator, at=ON_THE_DAY, request="7"
        ),
    )
    assert told == ["applied"]
    again = Application.objects.select_related("resident").get(erased_at=None)
    assert (again.resident.name, again.resident.id_number) == ("孙长河", number)


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


def test_accepting_writes_nothing_over_that_comes_at_the_same_moment(
    place: County, tmp_path: Path
) -> None:
    clock.advance_to(ON_THE_DAY)
    [visit] = builders.scheduled(place)
    tablet = enrolled(place, tmp_path)
    wrong, right = {"on": "2018-06-01", "start": "09:00"}, {"on": "2018-06-06", "start": "10:00"}
    tablet.say("move_visit", {**right, "visit": str(visit.pk), "seen": wrong}, ON_THE_DAY)
    tablet.sync()
    dispute, by = Dispute.objects.get(), place.administrator
    shown = standing(entry_of(dispute), by)

    def accept() -> None:
        decide(dispute, Decision.ACCEPTED, reason="看过", by=by, at=ON_THE_DAY, seen=shown)

    code = second_of(lambda: move(place, visit, tablet), accept)
    moved_to = builders.VISIT_ON + timedelta(days=1)
    assert (code, Visit.objects.get().on) == ("stands-otherwise", moved_to)


def book(place: County, case: Application, start: time_of_day = time_of_day(9)) -> None:
    """Schedule a visit as somebody does who has read the case before."""
    read = Application.objects.select_related("assessor", "village").get(pk=case.pk)
    to = visits.Appointment(read, builders.VISIT_ON, start)
    visits.schedule([to], by=place.administrator, at=builders.START)


def give(place: County, case: Application) -> None:
    read = Application.objects.get(pk=case.pk)
    applications.assign([read], place.colleague, by=place.administrator, at=builders.START)


def test_one_case_is_scheduled_once_by_two_at_once(place: County) -> None:
    [case] = builders.accepted(place)
    code = second_of(lambda: book(place, case), lambda: book(place, case, time_of_day(14)))
    assert (code, Visit.objects.count()) == ("visit-open", 1)


def test_an_assessor_is_not_booked_twice_by_two_at_once(place: County) -> None:
    one, other = builders.accepted(place, 2)
    assert second_of(lambda: book(place, one), lambda: book(place, other)) == "double-booking"
    assert Visit.objects.count() == 1


def test_two_visits_are_not_moved_to_one_time_by_two_at_once(place: County) -> None:
    one, other = builders.scheduled(place, 2)

    def move_to_nine(visit: Visit) -> None:
        read = Visit.objects.select_related("application", "assessor").get(pk=visit.pk)
        to = visits.Appointment(read.application, read.on + timedelta(days=1), time_of_day(9))
        visits.move(read, to, by=place.administrator, at=builders.START)

    code = second_of(lambda: move_to_nine(one), lambda: move_to_nine(other))
    assert (code, len(set(Visit.objects.values_list("on", "start")))) == ("double-booking", 2)


def test_a_visit_is_not_given_to_whom_somebody_books_at_once(place: County) -> None:
    [visit] = builders.scheduled(place)
    [other] = builders.accepted(place)
    give(place, other)
    code = second_of(lambda: book(place, other), lambda: give(place, visit.application))
    assert code == "double-booking"
    assert sorted(Visit.objects.values_list("assessor__username", flat=True)) == [
        "assessor",
        "colleague",
    ]


@pytest.mark.parametrize("order", [(book, give), (give, book)])
def test_a_visit_goes_with_its_case_that_somebody_gives_away_at_once(
    place: County, order: tuple[Callable[[County, Application], None], ...]
) -> None:
    """Left behind with the old assessor, it could be done by nobody."""
    [case] = builders.accepted(place)
    first, second = order
    assert second_of(lambda: first(place, case), lambda: second(place, case)) == ""
    assert Visit.objects.get().assessor == Application.objects.get().assessor == place.colleague


def test_a_push_of_several_steps_and_the_desk_do_not_stop_each_other(
    place: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It moves one visit and evaluates another, which the office moves in the same moment."""
    clock.advance_to(ON_THE_DAY)
    one, other = builders.scheduled(place, 2)
    tablet = enrolled(place, tmp_path)
    later = {"on": "2018-06-06", "start": "15:00", "minutes": 30, "reason": "赶集"}
    seen = {"on": one.on.isoformat(), "start": f"{one.start:%H:%M}"}
    tablet.say("move_visit", {"visit": str(one.pk), "seen": seen, **later}, ON_THE_DAY)
    said(tablet, other, place)
    told: list[str] = []
    halfway(
        monkeypatch,
        (visits, "move"),
        lambda: told.extend(one["outcome"] for one in tablet.exchange()["outcomes"]),
        lambda: told.append(refusal(lambda: move(place, other, tablet))),
    )
    assert told == ["applied", "applied", "visit-moved-on"]


def test_a_push_with_one_that_is_refused_and_the_desk_do_not_stop_each_other(
    place: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of it goes in piece by piece, while the office gives all of it away."""
    clock.advance_to(ON_THE_DAY)
    made = builders.scheduled(place, 4)
    tablet = enrolled(place, tmp_path)
    for number, visit in enumerate(reversed(made)):
        args = evaluation_args(str(visit.pk), str(place.colleague.pk), visit.pk.bytes)
        args["identity_checked"] = number != 3
        tablet.say("submit_evaluation", args, ON_THE_DAY)
    cases = list(Application.objects.filter(visits__in=made))
    told: list[str] = []

    def give_away() -> None:
        with suppress(Refused):  # they were assessed as it waited
            applications.assign(cases, place.colleague, by=place.administrator, at=ON_THE_DAY)

    halfway(
        monkeypatch,
        (evaluations, "record_spared"),
        lambda: told.extend(one["outcome"] for one in tablet.exchange()["outcomes"]),
        give_away,
    )
    assert told == ["applied", "applied", "applied", "refused"]


def test_pushes_that_nominate_and_book_in_another_order_do_not_stop_each_other(
    place: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One nominates and then books the assessor whom the other books before it nominates."""
    clock.advance_to(ON_THE_DAY)
    cases = builders.accepted(place, 2)
    tablets = [
        enrolled(place, tmp_path, place.liaison, "one"),
        enrolled(place, tmp_path, place.liaison, "two"),
    ]
    nominates(tablets[0], place)
    books(tablets[0], cases[0], "09:00")
    books(tablets[1], cases[1], "10:00")
    nominates(tablets[1], place)
    told: list[str] = []

    def push(tablet: Tablet) -> None:
        told.extend(one["outcome"] for one in tablet.exchange()["outcomes"])

    halfway(
        monkeypatch,
        (applications, "nominate"),
        lambda: push(tablets[0]),
        lambda: push(tablets[1]),
    )
    assert told == ["applied"] * 4


def nominates(tablet: Tablet, place: County, number: str = "") -> None:
    person = {"name": "孙长河", "id_number": number or builders.id_number()}
    said = {"resident": person, "media": []}
    case = {"application": str(new_id()), "village": place.village.code}
    tablet.say("nominate", {**said, **case, "categories": ["physical"]}, ON_THE_DAY, 2)


def books(tablet: Tablet, case: Application, start: str) -> None:
    on = {"on": "2018-06-06", "start": start, "minutes": 30}
    args = {"visit": str(new_id()), "application": str(case.pk), **on}
    tablet.say("schedule_visit", args, ON_THE_DAY)


@pytest.mark.parametrize("is_said_again", [True, False])
def test_what_is_accepted_while_it_comes_in_another_way_is_said_to_be_known(
    place: County, tmp_path: Path, is_said_again: bool
) -> None:
    """By a copied tablet whose case came back, or from its dispute."""
    clock.advance_to(ON_THE_DAY)
    [visit] = builders.scheduled(place)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    one, other = enrolled(place, tmp_path), enrolled(place, tmp_path, name="two")
    give(place, visit.application)
    for tablet in (one, other):
        tablet.say("submit_evaluation", args, ON_THE_DAY)
    one.sync()
    if is_said_again:
        case = Application.objects.get(pk=visit.application_id)
        applications.assign([case], place.assessor, by=place.administrator, at=ON_THE_DAY)
    else:
        other.sync()

    def accept(dispute: Dispute) -> None:
        by = place.administrator
        decide(dispute, Decision.ACCEPTED, reason="看过", by=by, at=ON_THE_DAY)

    first, *others = Dispute.objects.order_by("raised_at", "pk")
    deed = other.sync if is_said_again else lambda: accept(others[0])
    assert second_of(deed, lambda: accept(first)) == "known"
    assert Evaluation.objects.count() == 1
    assert Dispute.objects.get(pk=first.pk).decided_at is None
