"""Institutions at the desk: entered, corrected, retired when nobody assesses there, and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from outreach.desk.account_forms import DutyForm
from outreach.domain.vocabulary import Level, Role
from outreach.models import Assessor, AuditEvent, Institution, User
from tests import builders
from tests.outreach.desk.reading import seen_on

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


def a_form(**changes: Any) -> dict[str, Any]:
    """Return a designation as it is filled in."""
    return {
        "name": "区人民医院",
        "designated_from": "2018-01-01",
        "categories": ["physical", "vision"],
        "why": "川残联〔2018〕3号",
        **changes,
    }


def choices(user: User, **initial: Any) -> list[str]:
    """Return the institutions that somebody's account can be given."""
    field: Any = DutyForm(user=user, initial=initial).fields["institution"]
    return [one.name for one in field.queryset]


def test_one_is_added_corrected_retired_and_designated_again(
    place: builders.County, sign_in: SignIn
) -> None:
    office = sign_in(place.administrator)
    assert office.post("/institutions/new/", a_form()).status_code == 303
    made = Institution.objects.get(name="区人民医院")
    assert made.categories == ["physical", "vision"]
    page = f"/institutions/{made.pk}/"
    other = a_form(name="区第一人民医院", seen=seen_on(office.get(page)))
    assert office.post(page, other).status_code == 303
    assert "区第一人民医院" in choices(place.administrator)
    assert office.post(f"{page}retire/", {"why": "资格到期"}).status_code == 303
    assert "区第一人民医院" not in choices(place.administrator)
    assert "区第一人民医院" in choices(place.administrator, institution=made.pk)
    shown = sign_in(place.auditor).get(page).content.decode()
    assert [
        word for word in ("川残联〔2018〕3号", "区人民医院 →", "资格到期") if word not in shown
    ] == []
    assert office.post(f"{page}resume/", {"why": "重新指定"}).status_code == 303
    assert "区第一人民医院" in choices(place.administrator)
    deeds = AuditEvent.objects.filter(subject_id=made.pk).order_by("pk")
    assert list(deeds.values_list("action", flat=True)) == [
        "institution.designate",
        "institution.change",
        "institution.retire",
        "institution.resume",
    ]


def test_none_is_retired_while_somebody_assesses_for_it(
    place: builders.County, sign_in: SignIn
) -> None:
    held = Institution.objects.get()
    page = f"/institutions/{held.pk}/retire/"
    answer = sign_in(place.administrator).post(page, {"why": "x"})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "institution-in-use")
    assert "名评残医生属于这家机构" in answer.content.decode()
    User.objects.filter(assessor__institution=held).update(is_active=False)
    assert sign_in(place.administrator).post(page, {"why": "x"}).status_code == 303


def test_what_other_areas_use_is_not_changed(place: builders.County, sign_in: SignIn) -> None:
    held = Institution.objects.get()
    county = builders.division("511303", "高坪区", Level.COUNTY)
    stranger = builders.user("stranger", Role.ASSESSOR, county)
    Assessor.objects.create(user=stranger, institution=held, categories=["physical"])
    office, page = sign_in(place.administrator), f"/institutions/{held.pk}/"
    assert office.post(page, a_form()).status_code == 404
    assert office.post(f"{page}retire/", {"why": "x"}).status_code == 404
    shown = office.get(page).content.decode()
    assert ("外地区" in shown, "stranger" in shown) == (True, False)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"name": "示例医院"}, "institution-known"),
        ({"name": " "}, "malformed-form"),
        ({"designated_from": "去年"}, "malformed-form"),
        ({"categories": []}, "malformed-form"),
        ({"categories": ["taste"]}, "malformed-form"),
        ({"why": ""}, "malformed-form"),
        ({"name": "长" * 81}, "malformed-form"),
    ],
)
def test_what_is_wrong_is_said_and_enters_nothing(
    place: builders.County, sign_in: SignIn, changes: dict[str, Any], refusal: str
) -> None:
    answer = sign_in(place.administrator).post("/institutions/new/", a_form(**changes))
    assert (answer.status_code, answer["X-Refusal"]) == (422, refusal)
    assert Institution.objects.count() == 1
