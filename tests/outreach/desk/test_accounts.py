"""Accounts are opened, changed, ended and reset; what could be misused wants a second person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from outreach.actions import second_factor
from outreach.domain.vocabulary import Level, Role
from outreach.models import (
    AccountRequest,
    AuditEvent,
    Division,
    Institution,
    Outlet,
    SecondFactor,
    User,
)
from tests import builders
from tests.outreach.desk.reading import seen_on

SignIn = Callable[[User], Client]
OWN = "春天的第一班车在八点"


def a_form(place: builders.County, role: str = "liaison", **changes: Any) -> dict[str, Any]:
    """Return what an administrator fills in for somebody new."""
    form = {"username": "newcomer", "full_name": "新来的", "role": role}
    return {**form, "division": place.village.pk, "telephone": "", "reason": "", **changes}


def shown_password(answer: Any) -> str:
    """Return the password that a page tells once."""
    found = re.search(r'code-once[^>]*translate="no">(\w{12})<', answer.content.decode())
    assert found is not None
    return found[1]


def change(office: Client, page: str, form: dict[str, Any]) -> Any:
    """Change an account as somebody does who has opened its page just now."""
    return office.post(page, form | {"seen": seen_on(office.get(page))})


def waiting() -> AccountRequest:
    """Return the one thing that waits for a second person."""
    return AccountRequest.objects.get(decided_at=None)


def test_a_liaison_is_let_in_and_sets_a_password_before_anything_else(
    place: builders.County, sign_in: SignIn
) -> None:
    answer = sign_in(place.administrator).post("/accounts/new/", a_form(place))
    password = shown_password(answer)
    browser = Client()
    browser.post("/sign-in/", {"username": "newcomer", "password": password})
    assert browser.get("/cases/")["Location"] == "/password/"
    weak = browser.post("/password/", {"old": password, "new": "short", "again": "other"})
    assert weak.status_code == 422
    answer = browser.post("/password/", {"old": password, "new": OWN, "again": OWN})
    assert (answer.status_code, browser.get("/cases/").status_code) == (303, 200)
    made = User.objects.get(username="newcomer")
    assert (made.role, made.division, made.password_was_given) == ("liaison", place.village, False)
    deeds = AuditEvent.objects.filter(subject="user", subject_id=made.pk).order_by("pk")
    assert list(deeds.values_list("action", flat=True)) == [
        "account.open",
        "account.let_in",
        "session.sign_in",
        "account.own_password",
    ]


def test_whoever_finds_a_page_left_open_guesses_its_password_no_oftener_than_at_signing_in(
    place: builders.County, sign_in: SignIn
) -> None:
    """Any number could be tried there, and the account taken along with a new one."""
    cache.clear()
    browser, old = sign_in(place.liaison), "liaisonliaison"
    said = {"new": OWN, "again": OWN}
    for _ in range(5):
        wrong = browser.post("/password/", said | {"old": "a guess"}).content.decode()
        assert "请五分钟后再试" not in wrong
    paused = browser.post("/password/", said | {"old": old})
    assert (paused.status_code, "请五分钟后再试" in paused.content.decode()) == (422, True)
    assert User.objects.get(pk=place.liaison.pk).check_password(old)
    cache.clear()
    assert browser.post("/password/", said | {"old": "a guess"}).status_code == 422
    assert browser.post("/password/", said | {"old": old}).status_code == 303


def test_an_approver_is_let_in_by_a_second_person_only(
    place: builders.County, sign_in: SignIn
) -> None:
    office = sign_in(place.administrator)
    form = a_form(place, "approver", division=place.county.pk)
    without = office.post("/accounts/new/", form)
    assert (without.status_code, without["X-Refusal"]) == (422, "reason-missing")
    assert not User.objects.filter(username="newcomer").exists()
    assert office.post("/accounts/new/", {**form, "reason": "首席代表换人"}).status_code == 303
    made = User.objects.get(username="newcomer")
    assert made.is_active is False
    wish = waiting()
    alone = office.post(f"/accounts/second-person/{wish.pk}/")
    assert (alone.status_code, alone["X-Refusal"]) == (422, "second-person-wanted")
    second = sign_in(place.approver)
    assert "首席代表换人" in second.get("/accounts/second-person/").content.decode()
    password = shown_password(second.post(f"/accounts/second-person/{wish.pk}/"))
    made.refresh_from_db()
    assert (made.is_active, made.check_password(password)) == (True, True)


@pytest.mark.parametrize("what", ["password", "second_factor"])
def test_a_reset_wants_a_second_person(place: builders.County, sign_in: SignIn, what: str) -> None:
    second_factor.begin(place.liaison)
    before = User.objects.get(pk=place.liaison.pk).password
    office, target = sign_in(place.administrator), place.liaison
    asked = {"what": what, "why": "手机丢了"}
    assert office.post(f"/accounts/{target.pk}/reset/", asked).status_code == 303
    again = office.post(f"/accounts/{target.pk}/reset/", asked)
    assert (again.status_code, again["X-Refusal"]) == (422, "request-waits")
    assert User.objects.get(pk=target.pk).password == before
    assert SecondFactor.objects.exists()
    answer = sign_in(place.approver).post(f"/accounts/second-person/{waiting().pk}/")
    target.refresh_from_db()
    if what == "password":
        assert target.check_password(shown_password(answer))
        assert target.password_was_given
    else:
        assert (answer.status_code, SecondFactor.objects.exists()) == (303, False)


def test_nobody_agrees_to_what_concerns_their_own_account(
    place: builders.County, sign_in: SignIn
) -> None:
    asked = {"what": "password", "why": "忘了"}
    sign_in(place.administrator).post(f"/accounts/{place.approver.pk}/reset/", asked)
    own = sign_in(place.approver)
    assert "忘了" not in own.get("/accounts/second-person/").content.decode()
    answer = own.post(f"/accounts/second-person/{waiting().pk}/")
    assert (answer.status_code, answer["X-Refusal"]) == (422, "second-person-wanted")


@pytest.mark.parametrize("how", ["decline", "back"])
def test_what_is_declined_or_taken_back_changes_nothing(
    place: builders.County, sign_in: SignIn, how: str
) -> None:
    asked = {"what": "password", "why": "忘了"}
    sign_in(place.administrator).post(f"/accounts/{place.liaison.pk}/reset/", asked)
    who = place.approver if how == "decline" else place.administrator
    wish = waiting()
    assert sign_in(who).post(f"/accounts/second-person/{wish.pk}/", {how: "1"}).status_code == 303
    wish.refresh_from_db()
    assert wish.was_confirmed is False
    assert User.objects.get(pk=place.liaison.pk).check_password("liaisonliaison")
    late = sign_in(place.approver).post(f"/accounts/second-person/{wish.pk}/")
    assert late.status_code == 404


def test_a_role_of_trust_waits_and_other_changes_count_at_once(
    place: builders.County, sign_in: SignIn
) -> None:
    office, target = sign_in(place.administrator), place.liaison
    page = f"/accounts/{target.pk}/"
    moved = a_form(place, division=place.other_village.pk, full_name="王联络")
    assert change(office, page, moved).status_code == 303
    target.refresh_from_db()
    assert (target.full_name, target.division) == ("王联络", place.other_village)
    trusted = a_form(place, "auditor", division=place.county.pk, reason="改任监督")
    assert change(office, page, trusted).status_code == 303
    target.refresh_from_db()
    assert target.role == "liaison"
    sign_in(place.approver).post(f"/accounts/second-person/{waiting().pk}/")
    target.refresh_from_db()
    assert (target.role, target.division) == ("auditor", place.county)
    history = office.get(page).content.decode()
    assert ("改任监督" in history, "以第二人身份同意" in history) == (True, True)


def test_a_second_person_of_a_township_gives_nobody_the_county(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.user("deputy", Role.ADMINISTRATOR, place.township)
    form = a_form(place, "administrator", division=place.county.pk, reason="县里缺人")
    change(sign_in(place.administrator), f"/accounts/{place.liaison.pk}/", form)
    deputy = sign_in(User.objects.get(username="deputy"))
    assert "县里缺人" not in deputy.get("/accounts/second-person/").content.decode()
    answer = deputy.post(f"/accounts/second-person/{waiting().pk}/")
    assert (answer.status_code, answer["X-Refusal"]) == (422, "not-your-step")
    assert User.objects.get(pk=place.liaison.pk).role == "liaison"
    county = sign_in(place.approver)
    assert county.post(f"/accounts/second-person/{waiting().pk}/").status_code == 303


def test_a_role_of_trust_is_given_where_the_place_was_renamed(
    place: builders.County, sign_in: SignIn
) -> None:
    """The code stands in the register twice: under the old name until a day, then the new one."""
    Division.objects.filter(pk=place.township.pk).update(valid_to=date(2018, 1, 1))
    renamed = {"code": place.township.code, "name": "灯台镇", "level": Level.TOWNSHIP}
    town = Division.objects.create(**renamed, valid_from=date(2018, 1, 1), source="tests")
    form = a_form(place, "auditor", division=town.pk, reason="改任监督")
    change(sign_in(place.administrator), f"/accounts/{place.liaison.pk}/", form)
    answer = sign_in(place.approver).post(f"/accounts/second-person/{waiting().pk}/")
    place.liaison.refresh_from_db()
    assert (answer.status_code, place.liaison.division) == (303, town)


def test_the_last_administrator_neither_leaves_nor_changes_role(
    place: builders.County, sign_in: SignIn
) -> None:
    office, own = sign_in(place.administrator), place.administrator
    ended = office.post(f"/accounts/{own.pk}/end/", {"why": "退休"})
    assert (ended.status_code, ended["X-Refusal"]) == (422, "last-administrator")
    other = a_form(place, "liaison", full_name=own.full_name)
    changed = change(office, f"/accounts/{own.pk}/", other)
    assert (changed.status_code, changed["X-Refusal"]) == (422, "last-administrator")
    builders.user("deputy", Role.ADMINISTRATOR, place.county)
    assert office.post(f"/accounts/{own.pk}/end/", {"why": "退休"}).status_code == 303
    assert office.get("/accounts/").status_code == 302


def test_an_administrator_of_a_township_does_not_count_for_the_county(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.user("deputy", Role.ADMINISTRATOR, place.township)
    office = sign_in(place.administrator)
    answer = office.post(f"/accounts/{place.administrator.pk}/end/", {"why": "退休"})
    assert answer["X-Refusal"] == "last-administrator"


def test_an_ended_account_is_let_in_again_with_a_new_password(
    place: builders.County, sign_in: SignIn
) -> None:
    office, target = sign_in(place.administrator), place.liaison
    assert office.post(f"/accounts/{target.pk}/end/", {"why": ""}).status_code == 422
    assert office.post(f"/accounts/{target.pk}/end/", {"why": "离任"}).status_code == 303
    target.refresh_from_db()
    assert target.is_active is False
    reset = {"what": "password", "why": "忘了"}
    refused = office.post(f"/accounts/{target.pk}/reset/", reset)
    assert refused["X-Refusal"] == "account-ended"
    assert office.post(f"/accounts/{target.pk}/resume/", {"why": "回来了"}).status_code == 303
    target.refresh_from_db()
    # Who ended it and alone let it in with another password would sign in as somebody else.
    assert (target.is_active, target.check_password("liaisonliaison")) == (False, True)
    answer = sign_in(place.approver).post(f"/accounts/second-person/{waiting().pk}/")
    target.refresh_from_db()
    assert (target.is_active, target.check_password(shown_password(answer))) == (True, True)


def test_an_assessor_wants_an_institution_and_a_counter_its_outlet(
    place: builders.County, sign_in: SignIn
) -> None:
    office = sign_in(place.administrator)
    for role in ("assessor", "outlet"):
        assert office.post("/accounts/new/", a_form(place, role)).status_code == 422
    doctor = a_form(
        place,
        "assessor",
        username="doctor",
        division=place.county.pk,
        institution=Institution.objects.get().pk,
        categories=["vision", "hearing"],
    )
    office.post("/accounts/new/", doctor)
    made = User.objects.get(username="doctor").assessor
    assert (made.institution.name, made.categories) == ("示例医院", ["vision", "hearing"])
    outlet = Outlet.objects.create(
        name="窗口", kind="bank", division=place.township, opened_at=builders.START
    )
    office.post("/accounts/new/", a_form(place, "outlet", outlet=outlet.pk, division=""))
    clerk = User.objects.get(username="newcomer")
    assert (clerk.outlet, clerk.division) == (outlet, place.township)
    taken = office.post("/accounts/new/", a_form(place))
    assert (taken.status_code, taken["X-Refusal"]) == (422, "username-taken")


def test_nobody_is_given_an_area_outside_ones_own(place: builders.County, sign_in: SignIn) -> None:
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    answer = sign_in(place.administrator).post(
        "/accounts/new/", a_form(place, division=elsewhere.pk)
    )
    assert answer.status_code == 422
    assert not User.objects.filter(username="newcomer").exists()


@pytest.mark.parametrize("count", [1, 3])
def test_the_pages_take_as_many_queries_for_one_account_as_for_three(
    place: builders.County,
    sign_in: SignIn,
    django_assert_num_queries: Callable[[int], Any],
    count: int,
) -> None:
    office = sign_in(place.administrator)
    for index in range(count):
        made = builders.user(f"more{index}", Role.LIAISON, place.village)
        form = a_form(place, "auditor", division=place.county.pk, reason="换岗")
        change(office, f"/accounts/{made.pk}/", form)
    with django_assert_num_queries(8):
        office.get("/accounts/?q=more")
    second = sign_in(place.approver)
    with django_assert_num_queries(9):
        second.get("/accounts/second-person/")


def test_each_reason_on_the_page_of_an_account_has_a_label_of_its_own(
    place: builders.County, sign_in: SignIn
) -> None:
    """The label of one led to the other: whoever hears the page was told of no field there."""
    page = sign_in(place.administrator).get(f"/accounts/{place.liaison.pk}/").content.decode()
    ids = re.findall(r'<\w+[^>]* id="([^"]+)"', page)
    assert [one for one, count in Counter(ids).items() if count > 1] == []
