"""The guardian at the desk: whom a tablet could not name, and who took another one's place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from outreach import clock
from outreach.actions import evaluations, family
from outreach.actions.applications import Guarding
from outreach.actions.guardians import guardian_of
from outreach.models import Application, Notification, User
from tests import builders

SignIn = Callable[[User], Client]
MOTHER = {"name": "钱小河", "relation": "parent", "telephone": "13700000001", "id_number": ""}


def named(case: Application) -> tuple[str, str] | None:
    present = guardian_of(case.resident)
    return (present.name, present.telephone) if present else None


def seen_in(page: Client, case: Application) -> str:
    form = page.get(f"/cases/{case.pk}/guardian/").context["form"]
    return str(form.initial.get("seen", ""))


def test_a_guardian_is_named_where_the_nomination_named_none(
    place: builders.County, sign_in: SignIn
) -> None:
    """As each nomination by a tablet, which has no field for it."""
    [case] = builders.applied(place, categories=["mental"])
    liaison = sign_in(place.liaison)
    assert f"/cases/{case.pk}/guardian/" in liaison.get(f"/cases/{case.pk}/").content.decode()
    assert liaison.post(f"/cases/{case.pk}/guardian/", MOTHER).status_code == 303
    assert named(case) == ("钱小河", "13700000001")
    assert "钱小河" in liaison.get(f"/cases/{case.pk}/").content.decode()


@pytest.mark.parametrize(
    ("name", "telephone", "ends"),
    [
        ("钱大河", "13700000002", True),
        ("钱小禾", "13700000001", False),  # a slip in the name
        ("钱小河", "13700000002", False),  # another number
    ],
)
def test_the_familys_link_ends_with_the_guardian_who_has_it(
    place: builders.County, sign_in: SignIn, name: str, telephone: str, ends: bool
) -> None:
    [case] = builders.applied(place, categories=["mental"])
    liaison, page = sign_in(place.liaison), f"/cases/{case.pk}/guardian/"
    liaison.post(page, MOTHER)
    _link, secret = family.make_link(case, by=place.administrator, at=clock.now())
    other = {**MOTHER, "name": name, "telephone": telephone, "seen": seen_in(liaison, case)}
    answer = liaison.post(page, other, follow=True)
    assert Client().get(f"/family/{secret}/").status_code == (404 if ends else 200)
    assert ("原链接已失效" in answer.content.decode()) is ends


def test_the_familys_link_ends_where_it_went_to_a_wrong_number_of_the_guardian(
    place: builders.County, sign_in: SignIn
) -> None:
    [case] = builders.applied(place, categories=["mental"])
    liaison, page = sign_in(place.liaison), f"/cases/{case.pk}/guardian/"
    liaison.post(page, MOTHER)
    liaison.post(f"/cases/{case.pk}/link/")
    Notification.objects.update(state="sent")
    right = {**MOTHER, "telephone": "13700000002", "seen": seen_in(liaison, case)}
    assert "原链接已失效" in liaison.post(page, right, follow=True).content.decode()


def test_another_one_takes_the_place_and_nobody_is_overwritten_unseen(
    place: builders.County, sign_in: SignIn
) -> None:
    [case] = builders.applied(place, categories=["mental"])
    office, liaison = sign_in(place.administrator), sign_in(place.liaison)
    before = seen_in(office, case)
    liaison.post(f"/cases/{case.pk}/guardian/", MOTHER)
    brother: dict[str, Any] = {**MOTHER, "name": "钱大河", "relation": "sibling", "seen": before}
    answer = office.post(f"/cases/{case.pk}/guardian/", brother)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "guardian-changed")
    page = answer.content.decode()
    assert ("钱小河" in page, 'value="钱大河"' in page, named(case)) == (
        True,
        True,
        ("钱小河", "13700000001"),
    )
    office.post(f"/cases/{case.pk}/guardian/", {**brother, "seen": seen_in(office, case)})
    assert named(case) == ("钱大河", "13700000001")
    assert case.resident.guardians.count() == 2


def test_the_persons_own_number_is_not_the_guardians(
    place: builders.County, sign_in: SignIn
) -> None:
    """Copied from the wrong card it stood as the guardian's, and nobody was told."""
    [case] = builders.applied(place, categories=["mental"])
    own = {**MOTHER, "id_number": case.resident.id_number}
    answer = sign_in(place.liaison).post(f"/cases/{case.pk}/guardian/", own)
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, {"id_number"})
    assert named(case) is None


@pytest.mark.parametrize("field", ["name", "relation"])
def test_what_is_missing_is_said(place: builders.County, sign_in: SignIn, field: str) -> None:
    [case] = builders.applied(place, categories=["mental"])
    answer = sign_in(place.liaison).post(f"/cases/{case.pk}/guardian/", {**MOTHER, field: ""})
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, {field})
    assert named(case) is None


@pytest.mark.parametrize(
    ("born", "relation", "warned"),
    [
        (date(2008, 3, 2), "", True),
        (date(2008, 3, 2), "parent", False),
        (date(1950, 3, 2), "", False),
    ],
)
def test_who_reviews_sees_that_a_child_has_no_guardian_on_file(
    place: builders.County, sign_in: SignIn, born: date, relation: str, warned: bool
) -> None:
    guardian = Guarding("钱小河", "13700000001", relation) if relation else None
    number = builders.id_number(born)
    [visit] = builders.scheduled(place, id_number=number, guardian=guardian)
    [made] = evaluations.submit(
        [builders.submission(place, visit)], by=place.assessor, at=builders.START
    )
    page = sign_in(place.administrator).get(f"/evaluations/{made.pk}/").content.decode()
    assert ("未登记监护人" in page) is warned
