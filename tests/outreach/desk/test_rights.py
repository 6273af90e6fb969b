"""What a batch may hold, and who reads an evaluation; every address is in `rights/`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from outreach.actions import visits
from outreach.domain.vocabulary import Level, Role
from outreach.models import Application, Evaluation, User
from tests import builders

SignIn = Callable[[User], Client]
L, S, A, P, U = Role.LIAISON, Role.ASSESSOR, Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR
ALL = {L, S, A, P, U}


@pytest.fixture
def county(place: builders.County) -> builders.County:
    """Return a county with one evaluated case and one visit to come."""
    made = builders.evaluated(place)
    case = builders.accepted(place)[0]
    to = visits.Appointment(case, builders.VISIT_ON, made[0].visit.start)
    visits.schedule([to], by=place.administrator, at=builders.START)
    return place


BATCHES = [
    ("accept", "administrator"),
    ("assign", "administrator"),
    ("post_notices", "administrator"),
    ("end_notices", "administrator"),
    ("review", "administrator"),
    ("papers", "liaison"),
    ("hand_over", "liaison"),
    ("sign", "approver"),
]


@pytest.mark.parametrize(("name", "role"), BATCHES)
def test_a_batch_with_a_case_of_elsewhere_is_answered_as_if_there_were_none(
    place: builders.County, sign_in: SignIn, name: str, role: str
) -> None:
    case = builders.applied(place)[0]
    other = builders.division("511303", "高坪区", Level.COUNTY)
    stranger = builders.user("stranger", Role(role), other)
    answer = sign_in(stranger).post(reverse(f"desk:{name}"), {"ids": [case.pk]})
    case.refresh_from_db()
    assert (answer.status_code, case.state) == (404, "applied")


@pytest.mark.parametrize(("name", "role"), BATCHES)
def test_the_auditor_changes_nothing(
    place: builders.County, sign_in: SignIn, name: str, role: str
) -> None:
    case = builders.applied(place)[0]
    answer = sign_in(place.auditor).post(reverse(f"desk:{name}"), {"ids": [case.pk]})
    assert answer.status_code == 403
    assert Application.objects.get().state == "applied"


def test_a_second_assessor_reads_an_evaluation_only_while_asked_for_an_opinion(
    county: builders.County, sign_in: SignIn
) -> None:
    evaluation = Evaluation.objects.get()
    second, third = builders.second_assessor(county), county.colleague
    page = f"/evaluations/{evaluation.pk}/"
    assert sign_in(second).get(page).status_code == 200
    sign_in(second).post("/opinions/", {"ids": [evaluation.pk]})
    assert sign_in(second).get(page).status_code == 200
    assert sign_in(third).get(page).status_code == 404


def test_an_assessor_sees_only_their_own_cases(county: builders.County, sign_in: SignIn) -> None:
    case = Application.objects.first()
    assert case is not None
    assert sign_in(county.assessor).get(f"/cases/{case.pk}/").status_code == 200
    assert sign_in(county.colleague).get(f"/cases/{case.pk}/").status_code == 404
