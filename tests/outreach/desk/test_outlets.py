"""Counters outside the office take requests in, see only those, and are counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from outreach.models import Application, AuditEvent, Outlet, User
from tests import builders
from tests.builders import START
from tests.outreach.desk.reading import seen_on
from tests.outreach.desk.test_main_job import nomination_form

SignIn = Callable[[User], Client]


def a_counter(place: builders.County, sign_in: SignIn, name: str = "便民窗口") -> User:
    """Let the office open a counter of the township with one account."""
    office = sign_in(place.administrator)
    form = {"name": name, "kind": "township_window", "division": place.township.pk}
    assert office.post("/outlets/new/", form).status_code == 303
    outlet = Outlet.objects.get(name=name)
    account = {"account-username": f"window-{outlet.pk}", "account-full_name": "柜员"}
    shown = office.post(f"/outlets/{outlet.pk}/accounts/", account)
    password = re.search(r'translate="no">(\w{12})<', shown.content.decode())
    assert password is not None
    made = User.objects.get(outlet=outlet)
    assert (made.role, made.check_password(password[1])) == ("outlet", True)
    mine = "春天的第一班车在八点"
    own = {"old": password[1], "new": mine, "again": mine}
    assert sign_in(made).post("/password/", own).status_code == 303
    made.refresh_from_db()
    return made


def test_a_counter_takes_a_request_in_and_sees_what_it_took_in_and_nothing_else(
    place: builders.County, sign_in: SignIn
) -> None:
    own = builders.applied(place, name="周别处")[0]
    counter = sign_in(a_counter(place, sign_in))
    answer = counter.post("/cases/nominate/", nomination_form(place, papers=["id_card"]))
    assert (answer.status_code, answer["Location"]) == (303, "/taken-in/")
    case = Application.objects.exclude(pk=own.pk).get()
    assert (case.state, case.outlet, case.nominated_by.role) == (
        "applied",
        Outlet.objects.get(),
        "outlet",
    )
    page = counter.get("/taken-in/").content.decode()
    assert (case.number in page, own.number in page, "户口簿" in page) == (True, False, True)
    assert counter.get(f"/cases/{case.pk}/").status_code == 403
    assert counter.get("/").headers["Location"] == "/taken-in/"


@pytest.mark.parametrize("what", ["close", "accounts/{}/end"])
def test_nobody_is_asked_any_more_about_an_account_that_ended_at_its_counter(
    place: builders.County, sign_in: SignIn, what: str
) -> None:
    """Whoever agreed was told a password that lets nobody in."""
    clerk, office = a_counter(place, sign_in), sign_in(place.administrator)
    office.post(f"/accounts/{clerk.pk}/reset/", {"what": "password", "why": "忘了"})
    second = sign_in(place.approver)
    assert "忘了" in second.get("/accounts/second-person/").content.decode()
    office.post(f"/outlets/{clerk.outlet_id}/{what.format(clerk.pk)}/")
    assert "忘了" not in second.get("/accounts/second-person/").content.decode()


def test_a_counter_takes_nobody_in_from_outside_its_area(
    place: builders.County, sign_in: SignIn
) -> None:
    counter = sign_in(a_counter(place, sign_in))
    form = nomination_form(place, village=place.other_village.code)
    assert counter.post("/cases/nominate/", form).status_code == 422
    assert not Application.objects.exists()


def test_a_closed_counter_signs_in_no_more_and_what_it_took_in_stays(
    place: builders.County, sign_in: SignIn
) -> None:
    account = a_counter(place, sign_in)
    counter = sign_in(account)
    counter.post("/cases/nominate/", nomination_form(place))
    outlet = Outlet.objects.get()
    office = sign_in(place.administrator)
    assert office.post(f"/outlets/{outlet.pk}/close/").status_code == 303
    assert counter.get("/taken-in/").status_code == 302
    assert Application.objects.get().outlet == outlet
    for page in ("/outlets/", f"/outlets/{outlet.pk}/"):
        assert ("已关闭" in shown(office, page), "已结案" in shown(office, page)) == (True, False)
    late = office.post(
        f"/outlets/{outlet.pk}/accounts/",
        {"account-username": "late", "account-full_name": "柜员"},
    )
    assert (late.status_code, late["X-Refusal"]) == (422, "outlet-closed")
    deeds = AuditEvent.objects.filter(action__startswith="outlet.")
    assert set(deeds.values_list("action", flat=True)) == {
        "outlet.open",
        "outlet.account",
        "outlet.close",
    }


def shown(browser: Client, address: str) -> str:
    return browser.get(address).content.decode()


def test_one_account_ends_and_a_name_is_given_once(place: builders.County, sign_in: SignIn) -> None:
    account = a_counter(place, sign_in)
    office, outlet = sign_in(place.administrator), Outlet.objects.get()
    again = office.post(
        f"/outlets/{outlet.pk}/accounts/",
        {"account-username": account.username, "account-full_name": "柜员"},
    )
    assert (again.status_code, again["X-Refusal"]) == (422, "username-taken")
    same = {"name": outlet.name, "kind": "bank", "division": place.township.pk}
    twice = office.post("/outlets/new/", same)
    assert (twice.status_code, twice["X-Refusal"]) == (422, "outlet-known")
    office.post(f"/outlets/{outlet.pk}/accounts/{account.pk}/end/")
    account.refresh_from_db()
    assert account.is_active is False


def test_a_counter_that_moves_takes_its_accounts_along(
    place: builders.County, sign_in: SignIn
) -> None:
    account = a_counter(place, sign_in)
    outlet = Outlet.objects.get()
    form = {"name": "村级站", "kind": "village_station", "division": place.village.pk}
    office, page = sign_in(place.administrator), f"/outlets/{outlet.pk}/"
    office.post(page, form | {"seen": seen_on(office.get(page))})
    account.refresh_from_db()
    outlet.refresh_from_db()
    assert (outlet.name, outlet.kind, account.division) == (
        "村级站",
        "village_station",
        place.village,
    )


@pytest.mark.parametrize("count", [1, 3])
def test_the_lists_take_as_many_queries_for_one_row_as_for_three(
    place: builders.County,
    sign_in: SignIn,
    django_assert_num_queries: Callable[[int], Any],
    count: int,
) -> None:
    account = a_counter(place, sign_in)
    counter = sign_in(account)
    for index in range(count):
        counter.post("/cases/nominate/", nomination_form(place))
        if index:
            made = Outlet.objects.create(
                name=f"{index}号点",
                kind="bank",
                division=place.township,
                opened_at=START - timedelta(days=index),
            )
            Application.objects.filter(pk=builders.applied(place)[0].pk).update(outlet=made)
    office = sign_in(place.administrator)
    with django_assert_num_queries(8):
        office.get("/outlets/")
    with django_assert_num_queries(9):
        counter.get("/taken-in/")
