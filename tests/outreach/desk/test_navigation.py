"""The navigation shows the day's work; what is looked at now and then lies in two groups."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from outreach.desk.context import FEW, navigation
from outreach.domain.vocabulary import Role
from outreach.models import User
from tests import builders

SignIn = Callable[[User], Client]


@pytest.mark.parametrize("role", list(Role))
def test_nobody_sees_more_than_a_few_places_at_once(role: Role) -> None:
    places, groups = navigation(role, "/")
    assert len(places) + len(groups) <= FEW + 1
    assert all(len(group.places) <= FEW for group in groups)


@pytest.mark.parametrize("role", list(Role))
def test_every_place_opens(place: builders.County, sign_in: SignIn, role: Role) -> None:
    if role == Role.OUTLET:
        return
    browser = sign_in(getattr(place, role.value))
    places, groups = navigation(role, "/")
    for one in [*places, *(one for group in groups for one in group.places)]:
        assert (one.url, browser.get(one.address).status_code) == (one.url, 200)


def test_a_group_names_the_place_that_is_looked_at(place: builders.County, sign_in: SignIn) -> None:
    page = sign_in(place.administrator).get("/accounts/new/").content.decode()
    assert "管理 · 账号</summary>" in page
    assert navigation(Role.ADMINISTRATOR, "/cases/")[1][0].here is None


def test_a_refusal_leads_back_to_the_case_from_whose_page_the_step_was_tried(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.on_notice(place)[0]
    browser = sign_in(place.approver)
    page = f"/cases/{case.pk}/"
    assert 'action="/sign/"' in browser.get(page).content.decode()
    refused = browser.post("/sign/", {"ids": [case.pk]})
    assert refused.status_code == 422
    assert f'class="back" href="{page}"' in refused.content.decode()
