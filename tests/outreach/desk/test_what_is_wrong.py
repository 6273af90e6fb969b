"""A form that comes back: one summary takes the focus, and leads to each field that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from outreach import clock
from outreach.actions import publicity
from outreach.models import Outlet, User
from tests import builders
from tests.outreach.planning import ASKED, hills

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db


def page(answer: object) -> str:
    assert answer.status_code == 422  # type: ignore[attr-defined]
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


def check_leads_to_the_fields(text: str) -> None:
    """Find one summary, whose links and whose fields' descriptions all lead somewhere."""
    assert text.count("data-focus") == 1
    known = set(re.findall(r'\bid="([^"]+)"', text))
    summary = text[text.index("data-focus") :]
    links = re.findall(r'href="#([^"]*)"', summary[: summary.index("</ul>")])
    assert links
    assert set(links) <= known
    described = " ".join(re.findall(r'aria-describedby="([^"]+)"', text)).split()
    assert set(described) <= known


def test_what_is_missing_is_said_once_and_leads_to_its_field(
    place: builders.County, sign_in: SignIn
) -> None:
    clock.advance_to(ASKED)
    hill = hills(place, 1)
    office = sign_in(place.administrator)
    for address in (
        "/campaigns/new/",
        f"/campaigns/{hill.campaign.pk}/hinder/",
        f"/campaigns/{hill.campaign.pk}/teams/new/",
        f"/cases/{hill.cases[0].pk}/step/withdraw/",
        "/outlets/new/",
        "/institutions/new/",
        "/accounts/new/",
        "/import/",
    ):
        check_leads_to_the_fields(page(office.post(address, {"csrf": ""})))
    check_leads_to_the_fields(page(Client().post("/check/", {})))


def test_a_form_among_others_on_its_page_speaks_for_itself(
    place: builders.County, sign_in: SignIn
) -> None:
    office = sign_in(place.administrator)
    form = {"name": "便民窗口", "kind": "township_window", "division": place.township.pk}
    office.post("/outlets/new/", form)
    outlet = Outlet.objects.get()
    check_leads_to_the_fields(page(office.post(f"/outlets/{outlet.pk}/accounts/", {"x": ""})))


def test_who_wrote_a_reason_and_no_decision_is_not_told_that_the_reason_is_missing(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.on_notice(place)[0]
    at = builders.notice_over() - timedelta(days=7)
    held = publicity.object_to(
        case.notices.get(), from_whom="邻居", text="他能走路", by=place.liaison, at=at
    )
    answer = sign_in(place.administrator).post(
        f"/objections/{held.pk}/", {"decision": "已到村里核实。"}
    )
    text = page(answer)
    assert answer["X-Refusal"] == "reason-missing"
    assert "请写明决定的理由" not in text
    check_leads_to_the_fields(text)


def test_an_hour_that_cannot_be_read_is_marked_where_it_stands(
    place: builders.County, sign_in: SignIn
) -> None:
    clock.advance_to(ASKED)
    hill = hills(place, 1)
    said = {"on-2018-06-04": "on", "start-2018-06-04": "八点", "end-2018-06-04": "17:30"}
    text = page(sign_in(place.administrator).post(f"/teams/{hill.north.pk}/hours/", said))
    check_leads_to_the_fields(text)
    assert "返回时间须晚于出发时间" not in text


def test_without_a_role_nothing_is_asked_that_hangs_on_it(
    place: builders.County, sign_in: SignIn
) -> None:
    """Where the role is not chosen, its questions are not to be seen: a link led nowhere."""
    said = {"username": "新人", "full_name": "新人"}
    text = page(sign_in(place.administrator).post("/accounts/new/", said))
    summary = text[text.index("data-focus") : text.index("<form", text.index("data-focus"))]
    assert re.findall(r'href="#([^"]*)"', summary) == ["id_username", "id_role", "id_division"]
    assert "用户名: 只能用字母" in summary


def test_a_short_password_is_refused_in_the_language_of_the_page(
    place: builders.County, sign_in: SignIn
) -> None:
    said = {"old": "liaisonliaison", "new": "春天", "again": "春天"}
    text = page(sign_in(place.liaison).post("/password/", said))
    assert "至少用十个字符" in text
    assert "too short" not in text
