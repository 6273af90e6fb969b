"""Somebody whose account is given another role while the day's work is still on their tablet."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute
from outreach.actions import visits
from outreach.demo.tablet import Tablet
from outreach.domain.vocabulary import Role
from outreach.models import AuditEvent, Evaluation, User, Visit
from outreach.models.ids import new_id
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


def test_what_was_signed_before_the_office_wanted_more_signatures_is_accepted(
    place: builders.County, tablet: Tablet, settings: LazySettings
) -> None:
    [visit] = builders.scheduled(place)
    evaluate(tablet, place, visit)
    settings.OUTREACH_CO_SIGNERS = 2
    assert outcome(tablet) == ("refused", "co-signer-missing")
    accept(place)
    assert list(Evaluation.objects.get().co_signers.all()) == [place.colleague]


def nominate(phone: Tablet, place: builders.County) -> None:
    resident = {"name": "钱小河", "id_number": builders.id_number()}
    said = {"resident": resident, "village": place.village.code, "categories": ["physical"]}
    phone.say("nominate", {**said, "application": str(new_id()), "media": []}, ON_THE_DAY, 2)


def correct_contact(phone: Tablet, place: builders.County) -> None:
    [case] = builders.accepted(place)
    seen = {"telephone": case.resident.telephone, "address": case.resident.address}
    said = {"application": str(case.pk), "to": {**seen, "address": "桥头"}, "seen": seen}
    phone.say("correct_contact", said, ON_THE_DAY)


DEEDS = [
    (nominate, "application.nominate"),
    (correct_contact, "application.contact"),
]


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR])
@pytest.mark.parametrize(("say", "deed"), DEEDS)
def test_what_a_liaison_did_before_is_accepted_under_their_name(
    place: builders.County, tmp_path: Path, role: Role, say: Any, deed: str
) -> None:
    phone = enrolled(place, tmp_path, place.liaison, "phone")
    say(phone, place)
    become(place.liaison, role)
    assert outcome(phone) == ("parked", "not-your-step")
    accept(place)
    assert AuditEvent.objects.filter(action=deed).latest("pk").by == place.liaison


def test_who_never_was_an_assessor_does_not_become_one_by_being_accepted(
    place: builders.County, tmp_path: Path
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
