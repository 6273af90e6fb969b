"""Whoever holds no certificate and has died: nobody applies for them, nobody is sent there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from outreach import clock
from outreach.actions import applications, publicity
from outreach.domain.retention import Holding
from outreach.models import AuditEvent, User
from outreach.retention.erasing import erase_case
from outreach.rules import Refused
from tests import builders
from tests.certificates.conftest import files as files
from tests.certificates.conftest import keys as keys
from tests.certificates.issuing import issued

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
SAID = {"note": "家属报告已去世"}


def test_nobody_is_nominated_again_who_died_before_they_had_a_certificate(
    place: builders.County, sign_in: SignIn
) -> None:
    """Closed with a word, the person stood on the next list, and a team at their door."""
    [visit] = builders.scheduled(place)
    case, office = visit.application, sign_in(place.administrator)
    page = f"/cases/{case.pk}/"
    assert f"{page}step/died/" in office.get(page).content.decode()
    assert office.post(f"{page}step/died/", SAID).status_code == 303
    visit.refresh_from_db()
    case.refresh_from_db()
    assert (visit.state, case.state) == ("cancelled", "closed")
    again = builders.nomination(place, id_number=case.resident.id_number)
    with pytest.raises(Refused, match="barred"):
        applications.nominate([again], by=place.liaison, at=clock.now())
    shown = office.get(page).content.decode()
    assert ("step/alive/" in shown, "step/died/" in shown) == (True, False)
    assert office.post(f"{page}step/died/", SAID).status_code == 303  # the answer was lost
    assert case.resident.bars.count() == 1
    assert office.post(f"{page}step/alive/", {"note": "弄错了人"}).status_code == 303
    applications.nominate([again], by=place.liaison, at=clock.now())
    told = AuditEvent.objects.filter(subject_id=case.pk, action__in=DEEDS).order_by("pk")
    assert [one.action for one in told] == DEEDS


DEEDS = ["application.died", "application.alive"]


def test_a_death_is_noted_though_the_case_is_over_or_with_the_city(
    place: builders.County, sign_in: SignIn
) -> None:
    [case] = builders.accepted(place)
    applications.move_on([case], "find_not_met", by=place.assessor, at=clock.now())
    publicity.appeal(case, text="不服", by=place.liaison, at=clock.now())
    office = sign_in(place.administrator)
    assert office.post(f"/cases/{case.pk}/step/died/", SAID).status_code == 303
    case.refresh_from_db()
    assert case.state == "under_appeal"
    upheld = office.post(f"/cases/{case.pk}/step/uphold_appeal/", {"note": "成立"})
    assert upheld.status_code == 303
    form = {"on": "2018-06-04", "start": "09:00", "minutes": "40"}
    answer = office.post(f"/cases/{case.pk}/schedule/", form)
    assert answer.headers["X-Refusal"] == "barred"


@pytest.mark.parametrize("role", ["liaison", "approver"])
def test_only_the_office_notes_a_death(place: builders.County, sign_in: SignIn, role: str) -> None:
    [case] = builders.accepted(place)
    answer = sign_in(getattr(place, role)).post(f"/cases/{case.pk}/step/died/", SAID)
    assert answer.status_code == 403
    assert not case.resident.bars.exists()


def test_of_a_holder_the_certificate_is_cancelled(
    place: builders.County, sign_in: SignIn, files: Path
) -> None:
    [certificate] = issued(place, files)
    page = f"/cases/{certificate.application_id}/"
    office = sign_in(place.administrator)
    assert "step/died/" not in office.get(page).content.decode()
    answer = office.post(f"{page}step/died/", SAID)
    assert answer.headers["X-Refusal"] == "holds-certificate"


def test_a_dead_applicant_is_erased_like_everybody(place: builders.County, sign_in: SignIn) -> None:
    """Whoever is barred kept name and ID number for ever, as a holder's archive wants it."""
    [case] = builders.applied(place)
    sign_in(place.administrator).post(f"/cases/{case.pk}/step/died/", SAID)
    case.refresh_from_db()
    erase_case(case, Holding.UNFINISHED, by=None, at=clock.now())
    case.resident.refresh_from_db()
    assert case.resident.id_number == ""
