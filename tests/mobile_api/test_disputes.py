"""What a tablet said that could not be applied: a person decides, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from mobile_api.disputes import decide, disputes_for, entry_of, standing
from mobile_api.models import Decision, Dispute, LedgerEntry
from outreach.actions import visits
from outreach.actions.applications import assign
from outreach.actions.evaluations import current_evaluation
from outreach.actions.notifying.delivery import deliver
from outreach.actions.notifying.outbox import fill_outbox
from outreach.actions.notifying.senders import Shelf
from outreach.demo.tablet import Tablet
from outreach.domain.vocabulary import Level, Role
from outreach.files import files
from outreach.models import (
    Application,
    Assessor,
    AuditEvent,
    Evaluation,
    Institution,
    Journey,
    Notification,
    User,
    Visit,
)
from outreach.models.ids import new_id
from outreach.rules import Refused
from tests import builders
from tests.builders import START
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]
WHY = "医生当天已在现场评定"


@pytest.fixture
def other(place: builders.County) -> User:
    made = builders.user("other", Role.ASSESSOR, place.county)
    Assessor.objects.create(
        user=made, institution=Institution.objects.get(), categories=["physical"]
    )
    return made


def evaluated(tablet: Tablet, place: builders.County, visit: Visit, **changes: Any) -> UUID:
    args = evaluation_args(str(visit.pk), str(place.colleague.pk), visit.pk.bytes, **changes)
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    return UUID(args["evaluation"])


def accept(dispute: Dispute, place: builders.County, reason: str = WHY) -> None:
    decide(dispute, Decision.ACCEPTED, reason=reason, by=place.administrator, at=ON_THE_DAY)


def test_an_evaluation_parked_after_a_reassignment_is_accepted_and_nothing_is_lost(
    place: builders.County, tablet: Tablet, other: User
) -> None:
    [visit] = builders.scheduled(place)
    tablet.sync()
    assign([visit.application], other, by=place.administrator, at=START)
    said = evaluated(tablet, place, visit)
    [answer] = tablet.exchange()["outcomes"]
    assert (answer["outcome"], tablet.rows("visit")) == ("parked", {})
    accept(Dispute.objects.get(), place)
    evaluation = Evaluation.objects.get()
    assert (evaluation.pk, evaluation.assessor, evaluation.photos.count()) == (
        said,
        place.assessor,
        4,
    )
    assert Application.objects.get().state == "evaluated"
    assert Visit.objects.get().state == "done"
    assert Journey.objects.count() == 1
    assert LedgerEntry.objects.get().outcome == "parked"
    event = AuditEvent.objects.get(action="dispute.accepted")
    assert (event.by, event.detail) == (place.administrator, {"reason": WHY})
    tablet.sync()
    [row] = tablet.rows("dispute").values()
    assert (row["seq"], row["decision"], row["reason"]) == (1, "accepted", WHY)


def test_a_nomination_from_an_area_that_was_taken_away_is_accepted_under_its_authors_name(
    place: builders.County, tmp_path: Path
) -> None:
    phone = enrolled(place, tmp_path, place.liaison, "phone")
    User.objects.filter(pk=place.liaison.pk).update(division=place.other_village)
    said = {
        "application": str(new_id()),
        "resident": {"name": "孙长河", "id_number": builders.id_number()},
        "village": place.village.code,
        "categories": ["physical"],
        "consent": {"by": "resident", "name": "孙长河"},
        "media": [],
    }
    phone.say("nominate", said, ON_THE_DAY, 2)
    [answer] = phone.exchange()["outcomes"]
    assert (answer["outcome"], answer["code"]) == ("parked", "out-of-scope")
    assert Application.objects.count() == 0
    accept(Dispute.objects.get(), place)
    case = Application.objects.get()
    assert (str(case.pk), case.nominated_by, case.state) == (
        said["application"],
        place.liaison,
        "applied",
    )
    phone.sync()
    [row] = phone.rows("dispute").values()
    assert (row["decision"], row["reason"]) == ("accepted", WHY)


def test_of_two_evaluations_of_one_visit_both_are_kept_and_someone_chooses(
    place: builders.County, tablet: Tablet, other: User, tmp_path: Path
) -> None:
    [visit] = builders.scheduled(place)
    assign([visit.application], other, by=place.administrator, at=START)
    newer = enrolled(place, tmp_path, other, "two")
    first = evaluated(newer, place, visit)
    newer.sync()
    second = evaluated(tablet, place, visit)
    tablet.sync()
    assert Evaluation.objects.get().pk == first
    accept(Dispute.objects.get(), place)
    case = Application.objects.get()
    chosen = current_evaluation([case.pk])[case.pk]
    assert (chosen.pk, chosen.corrects_id, case.state) == (second, first, "evaluated")
    assert [row.pk for row in Evaluation.objects.order_by("pk")] == sorted([first, second])
    assert Journey.objects.count() == 1


def test_what_stands_is_what_corrects_the_others_whatever_the_clock_says(
    place: builders.County, tablet: Tablet
) -> None:
    """The server's clock was set back between the two."""
    [visit] = builders.scheduled(place)
    evaluated(tablet, place, visit)
    tablet.sync()
    later = ON_THE_DAY + timedelta(hours=3)
    Evaluation.objects.update(received_at=later)
    second = evaluated(tablet, place, visit)
    tablet.sync()
    dispute = Dispute.objects.get()
    assert standing(entry_of(dispute), place.administrator) == "assessor · 2018-06-04 13:00"
    accept(dispute, place)
    assert standing(entry_of(dispute), place.administrator) == "assessor · 2018-06-04 10:00"
    tablet.sync()
    assert tablet.rows("visit")[str(visit.pk)]["evaluation"] == str(second)


def test_what_is_set_aside_changes_nothing_and_stays_in_the_ledger(
    place: builders.County, tablet: Tablet, other: User
) -> None:
    [visit] = builders.scheduled(place)
    assign([visit.application], other, by=place.administrator, at=START)
    evaluated(tablet, place, visit)
    tablet.sync()
    dispute = Dispute.objects.get()
    decide(dispute, Decision.SET_ASIDE, reason="重复", by=place.administrator, at=ON_THE_DAY)
    assert (Evaluation.objects.count(), Visit.objects.get().state) == (0, "scheduled")
    assert LedgerEntry.objects.get().args["visit"] == str(visit.pk)
    with pytest.raises(Refused, match="decided-already"):
        accept(dispute, place)


def test_an_appointment_that_the_office_changed_becomes_the_accepted_one(
    place: builders.County, tablet: Tablet
) -> None:
    [visit] = builders.scheduled(place)
    moved = {"visit": str(visit.pk), "on": "2018-06-06", "start": "10:00", "reason": ""}
    seen = {"on": "2018-06-01", "start": "09:00"}
    tablet.say("move_visit", {**moved, "seen": seen}, ON_THE_DAY)
    [answer] = tablet.exchange()["outcomes"]
    assert (answer["code"], Visit.objects.get().on) == ("appointment-changed", visit.on)
    accept(Dispute.objects.get(), place)
    assert Visit.objects.get().on.isoformat() == "2018-06-06"


def test_what_still_breaks_a_rule_is_not_accepted_and_stays_open(
    place: builders.County, tablet: Tablet
) -> None:
    [visit] = builders.scheduled(place)
    evaluated(tablet, place, visit, identity_checked=False)
    tablet.say("teleport", {}, ON_THE_DAY)
    tablet.say("cancel_visit", {"what": "ever"}, ON_THE_DAY)
    tablet.sync()
    codes = []
    for dispute in Dispute.objects.order_by("seq"):
        with pytest.raises(Refused) as caught:
            accept(dispute, place)
        codes.append(caught.value.code)
    assert codes == ["identity-unchecked", "unknown-mutation", "malformed"]
    assert Dispute.objects.filter(decided_at=None).count() == 3


def test_what_makes_the_server_stumble_again_stays_open_and_says_so(
    place: builders.County,
    tablet: Tablet,
    sign_in: Callable[[User], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def surprised(*_part: object) -> None:
        raise RuntimeError("a fault of the program")

    monkeypatch.setattr("outreach.actions.evaluations._grade", surprised)
    [visit] = builders.scheduled(place)
    evaluated(tablet, place, visit)
    tablet.sync()
    dispute = Dispute.objects.get(code="unexpected")
    page = f"/disputes/{dispute.pk}/"
    answer = sign_in(place.administrator).post(page, {"decision": "accepted", "reason": WHY})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "unexpected")
    monkeypatch.undo()
    accept(dispute, place)
    assert Visit.objects.get().state == "done"


def test_only_an_administrator_of_the_area_decides_and_always_with_a_reason(
    place: builders.County, tablet: Tablet
) -> None:
    tablet.say("teleport", {}, ON_THE_DAY)
    tablet.sync()
    dispute = Dispute.objects.get()
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    stranger = builders.user("stranger", Role.ADMINISTRATOR, elsewhere)
    for by, reason, code in (
        (place.auditor, WHY, "not-your-step"),
        (place.assessor, WHY, "not-your-step"),
        (stranger, WHY, "not-your-step"),
        (place.administrator, "  ", "reason-missing"),
    ):
        with pytest.raises(Refused, match=code):
            decide(dispute, Decision.SET_ASIDE, reason=reason, by=by, at=ON_THE_DAY)


def done_and_booked_again(place: builders.County, tablet: Tablet) -> tuple[Visit, Visit]:
    """Have a visit made that the office had cancelled, and another one booked in its place."""
    [visit] = builders.scheduled(place)
    tablet.sync()
    visits.cancel(visit, by=place.administrator, at=START, reason="road")
    evaluated(tablet, place, visit)
    tablet.sync()
    again = visits.Appointment(visit.application, date(2018, 6, 6), time(10))
    [booked] = visits.schedule([again], by=place.administrator, at=START)
    return visit, booked


def test_a_visit_that_turns_out_to_be_done_frees_the_one_booked_in_its_place(
    place: builders.County, tablet: Tablet
) -> None:
    visit, booked = done_and_booked_again(place, tablet)
    accept(Dispute.objects.get(), place)

    states = dict(Visit.objects.values_list("pk", "state"))
    assert states == {visit.pk: "done", booked.pk: "cancelled"}
    event = booked.events.order_by("pk").last()
    assert event is not None
    assert (event.name, event.by, bool(event.note)) == ("cancel", place.administrator, True)
    assert Application.objects.get().state == "evaluated"


def test_the_family_hears_that_nobody_comes_any_more(
    place: builders.County, tablet: Tablet
) -> None:
    done_and_booked_again(place, tablet)
    fill_outbox(START)
    accept(Dispute.objects.get(), place)
    assert fill_outbox(ON_THE_DAY) == 2  # and that the result is there
    deliver(Shelf(files()), at=ON_THE_DAY)
    told = Notification.objects.get(kind="needless")
    assert (told.state, "6月6日10:00不再上门" in told.text) == ("sent", True)
    assert fill_outbox(ON_THE_DAY) == 0


def test_a_case_is_not_given_to_somebody_who_is_elsewhere_at_that_time(
    place: builders.County, other: User
) -> None:
    [mine] = builders.scheduled(place)
    [theirs] = builders.accepted(place, name="钱小河")
    assign([theirs], other, by=place.administrator, at=START)
    at_nine = visits.Appointment(theirs, mine.on, time(9, 20))
    visits.schedule([at_nine], by=place.administrator, at=START)
    with pytest.raises(Refused, match="double-booking") as refused:
        assign([mine.application], other, by=place.administrator, at=START)

    assert mine.application.number in refused.value.message
    assert Visit.objects.get(pk=mine.pk).assessor == place.assessor
    visits.move(
        mine,
        visits.Appointment(mine.application, mine.on, time(14)),
        by=place.administrator,
        at=START,
    )
    assign([mine.application], other, by=place.administrator, at=START)
    assert Visit.objects.get(pk=mine.pk).assessor == other


def test_where_a_case_lies_its_disputes_are_decided_also_once_its_author_works_elsewhere(
    place: builders.County, tmp_path: Path, sign_in: Callable[[User], Client]
) -> None:
    """Of another area nobody sees them, and of the case's own they do not disappear."""
    phone = enrolled(place, tmp_path, place.liaison, "phone")
    [visit] = builders.scheduled(place)
    phone.sync()
    seen = {"on": "2018-06-01", "start": "09:00"}
    moved = {"visit": str(visit.pk), "on": "2018-06-06", "start": "10:00", "seen": seen}
    phone.say("move_visit", moved, ON_THE_DAY)
    phone.sync()
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    User.objects.filter(pk=place.liaison.pk).update(division=elsewhere)
    phone.say("move_visit", moved, ON_THE_DAY)
    phone.say("teleport", {}, ON_THE_DAY)
    phone.sync()

    there = builders.user("there", Role.ADMINISTRATOR, elsewhere)
    shown = {by: list(disputes_for(by).order_by("seq")) for by in (place.administrator, there)}
    assert [one.seq for one in shown[place.administrator]] == [1, 2]
    assert [one.seq for one in shown[there]] == [3]
    accept(shown[place.administrator][1], place)
    assert Visit.objects.get().on.isoformat() == "2018-06-06"


def test_a_nomination_is_decided_in_the_area_of_its_village(
    place: builders.County, tmp_path: Path
) -> None:
    phone = enrolled(place, tmp_path, place.liaison, "phone")
    township = builders.user("township", Role.ADMINISTRATOR, place.township)
    for code in (place.other_village.code, "511302999999"):
        person = {"name": "孙长河", "id_number": builders.id_number()}
        said = {"application": str(new_id()), "resident": person, "village": code}
        phone.say("nominate", {**said, "categories": ["physical"], "media": []}, ON_THE_DAY, 2)
    phone.sync()
    assert place.other_village.parent
    other = builders.user("other", Role.ADMINISTRATOR, place.other_village.parent)
    assert [one.seq for one in disputes_for(other)] == [1]
    assert [one.seq for one in disputes_for(township)] == [2]
