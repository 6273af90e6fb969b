"""Telephone and address at the desk: corrected, and never over somebody else's unseen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from outreach.models import Application, Resident, User
from tests import builders

SignIn = Callable[[User], Client]


@pytest.fixture
def case(place: builders.County) -> Application:
    [made] = builders.applied(place)
    made.resident.telephone, made.resident.address = "13800000000", "桥头"
    made.resident.save()
    return made


def form(telephone: str, address: str, *seen: str) -> dict[str, str]:
    names = ("seen_telephone", "seen_address")
    return {"telephone": telephone, "address": address, **dict(zip(names, seen, strict=True))}


def stands() -> tuple[str, str]:
    resident = Resident.objects.get()
    return resident.telephone, resident.address


def test_the_office_corrects_how_a_family_is_reached(
    place: builders.County, case: Application, sign_in: SignIn
) -> None:
    office = sign_in(place.administrator)
    address = f"/cases/{case.pk}/contact/"
    assert address in office.get(f"/cases/{case.pk}/").content.decode()
    page = office.get(address).content.decode()
    assert ('value="13800000000"' in page, 'value="桥头"' in page) == (True, True)
    answer = office.post(address, form("139 0000 0001", "桥头第二家", "13800000000", "桥头"))
    assert (answer.status_code, stands()) == (303, ("13900000001", "桥头第二家"))


def test_what_somebody_else_wrote_meanwhile_is_shown_and_asked_about_once_more(
    place: builders.County, case: Application, sign_in: SignIn
) -> None:
    office = sign_in(place.administrator)
    address = f"/cases/{case.pk}/contact/"
    case.resident.telephone = "13900000002"
    case.resident.save()
    mine = form("13900000001", "桥头", "13800000000", "桥头")
    answer = office.post(address, mine)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "contact-changed")
    page = answer.content.decode()
    assert stands() == ("13900000002", "桥头")
    assert ("13900000002</dd>" in page, 'value="13900000001"' in page) == (True, True)
    assert 'name="seen_telephone" value="13900000002"' in page
    office.post(address, form("13900000001", "桥头", "13900000002", "桥头"))
    assert stands() == ("13900000001", "桥头")


def test_a_number_that_is_none_is_marked(
    place: builders.County, case: Application, sign_in: SignIn
) -> None:
    answer = sign_in(place.liaison).post(
        f"/cases/{case.pk}/contact/", form("12", "桥头", "13800000000", "桥头")
    )
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, {"telephone"})
    assert stands() == ("13800000000", "桥头")
