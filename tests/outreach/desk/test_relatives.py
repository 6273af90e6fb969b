"""Whoever would rate or approve a relative says so at the desk, and decides nothing about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from django.test import Client

from outreach.actions import evaluations, publicity
from outreach.models import AuditEvent, User
from outreach.rules import Refused
from tests import builders
from tests.builders import SHANGHAI

SignIn = Callable[[User], Client]


def test_a_doctor_declares_a_relative_and_does_not_rate(
    place: builders.County, sign_in: SignIn
) -> None:
    [visit] = builders.scheduled(place)
    doctor, address = sign_in(place.assessor), f"/cases/{visit.application_id}/relative/"
    assert address in doctor.get(f"/cases/{visit.application_id}/").content.decode()
    assert doctor.get(address).status_code == 200
    for _twice in range(2):
        assert doctor.post(address).status_code == 303
    assert AuditEvent.objects.filter(action="application.relative").count() == 1
    assert address not in doctor.get(f"/cases/{visit.application_id}/").content.decode()
    said = builders.submission(place, visit)
    with pytest.raises(Refused, match="relative-rates"):
        evaluations.submit([said], by=place.assessor, at=said.evaluated_at)
    office = sign_in(place.administrator).get(f"/cases/{visit.application_id}/").content.decode()
    assert "声明为亲属" in office


def test_who_has_the_case_is_told_that_it_stays_until_the_office_gives_it_away(
    place: builders.County, sign_in: SignIn
) -> None:
    """They read that a colleague decides, and nobody at the office knew that one must come."""
    [visit] = builders.scheduled(place)
    doctor = sign_in(place.assessor)
    answer = doctor.post(f"/cases/{visit.application_id}/relative/", follow=True)
    assert "申请仍在您名下" in answer.content.decode()
    rated = builders.evaluated(place, on=date(2018, 6, 5))[0].application
    answer = doctor.post(f"/cases/{rated.pk}/relative/", follow=True)
    assert "申请仍在您名下" not in answer.content.decode()


def test_the_office_finds_a_relatives_case_among_those_to_assign(
    place: builders.County, sign_in: SignIn
) -> None:
    """It stood on no list: its visit, to which nobody qualified came, was all that told of it."""
    case = builders.scheduled(place)[0].application
    office = sign_in(place.administrator)
    assert case.number not in office.get("/assign/").content.decode()
    sign_in(place.assessor).post(f"/cases/{case.pk}/relative/")
    page = office.get("/assign/").content.decode()
    assert (case.number in page, "assessor 已声明为亲属" in page) == (True, True)
    given = {"ids": case.pk, "assessor": place.colleague.pk}
    assert office.post("/assign/", given).status_code == 303
    case.refresh_from_db()
    assert (case.assessor, case.visits.get().assessor) == (place.colleague, place.colleague)
    assert case.number not in office.get("/assign/").content.decode()
    assert office.post("/assign/", given)["X-Refusal"] == "assigned-meanwhile"


def test_an_approver_declares_a_relative_and_another_one_signs(
    place: builders.County, sign_in: SignIn
) -> None:
    cases = builders.reviewed(place)
    assert sign_in(place.approver).post(f"/cases/{cases[0].pk}/relative/").status_code == 303
    with pytest.raises(Refused, match="approver-involved"):
        publicity.approve(cases, by=place.approver, at=datetime(2018, 6, 12, 10, tzinfo=SHANGHAI))
