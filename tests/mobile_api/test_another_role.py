"""An assessor whose account is given another role while the day's work is still on the tablet."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute
from outreach.actions import visits
from outreach.demo.tablet import Tablet
from outreach.domain.vocabulary import Role
from outreach.models import Evaluation, User, Visit
from outreach.rules import Refused
from tests import builders
from tests.builders import START
from tests.mobile_api.talking import ON_THE_DAY, enrolled, evaluation_args

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]


def become(user: User, role: Role) -> None:
    User.objects.filter(pk=user.pk).update(role=role)


def outcome(tablet: Tablet) -> tuple[str, str]:
    [answer] = tablet.exchange()["outcomes"]
    return answer["outcome"], answer["code"]


def accept(place: builders.County) -> None:
    dispute = Dispute.objects.get()
    decide(dispute, Decision.ACCEPTED, reason="当天仍是医生", by=place.administrator, at=ON_THE_DAY)


def evaluate(tablet: Tablet, place: builders.County, visit: Visit) -> None:
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    tablet.say("submit_evaluation", args, ON_THE_DAY)


def not_done(tablet: Tablet, _place: builders.County, visit: Visit) -> None:
    said = {"visit": str(visit.pk), "reason": "absent", "next_step": "revisit"}
    at = ON_THE_DAY
    tablet.say("record_not_done", {**said, "recorded_at": at.isoformat()}, at)


@pytest.mark.parametrize("role", [Role.LIAISON, Role.ADMINISTRATOR])
@pytest.mark.parametrize(("said", "state"), [(evaluate, "done"), (not_done, "not_done")])
def test_what_was_done_before_waits_for_the_office_and_is_accepted(
    place: builders.County, tablet: Tablet, role: Role, said: Any, state: str
) -> None:
    [visit] = builders.scheduled(place)
    tablet.sync()
    said(tablet, place, visit)
    become(place.assessor, role)
    assert outcome(tablet) == ("parked", "not-your-step")
    accept(place)
    assert Visit.objects.get().state == state


def test_what_a_co_signer_signed_before_is_accepted(place: builders.County, tablet: Tablet) -> None:
    [visit] = builders.scheduled(place)
    evaluate(tablet, place, visit)
    become(place.colleague, Role.APPROVER)
    assert outcome(tablet) == ("refused", "co-signer-missing")
    accept(place)
    assert list(Evaluation.objects.get().co_signers.all()) == [place.colleague]


def test_who_never_was_an_assessor_does_not_become_one_by_being_accepted(
    place: builders.County, tmp_path: Any
) -> None:
    [visit] = builders.scheduled(place)
    phone = enrolled(place, tmp_path, place.liaison, "phone")
    evaluate(phone, place, visit)
    assert outcome(phone) == ("parked", "not-your-step")
    with pytest.raises(Refused, match="not-your-step"):
        accept(place)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR])
def test_a_tablet_of_somebody_who_visits_nobody_any_more_holds_nobody(
    place: builders.County, tablet: Tablet, role: Role
) -> None:
    builders.scheduled(place, 2)
    builders.accepted(place)
    tablet.sync()
    kinds = ("visit", "case", "certificate", "colleague", "township")
    assert [len(tablet.rows(kind)) for kind in kinds] == [2, 1, 0, 1, 2]
    become(place.assessor, role)
    tablet.sync()
    assert [len(tablet.rows(kind)) for kind in kinds] == [0, 0, 0, 0, 0]


def test_no_visit_is_booked_with_an_assessor_who_rates_no_more(place: builders.County) -> None:
    [case] = builders.accepted(place)
    become(place.assessor, Role.APPROVER)
    case.refresh_from_db()
    to = visits.Appointment(case, builders.VISIT_ON, time(9))
    with pytest.raises(Refused, match="assessor-left"):
        visits.schedule([to], by=place.administrator, at=START)


def test_nobody_is_offered_as_a_colleague_who_may_not_sign_any_more(
    place: builders.County, tablet: Tablet
) -> None:
    tablet.sync()
    assert list(tablet.rows("colleague")) == [str(place.colleague.pk)]
    become(place.colleague, Role.APPROVER)
    tablet.sync()
    assert tablet.rows("colleague") == {}
