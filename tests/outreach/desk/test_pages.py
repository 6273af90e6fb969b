"""Signing in, the home of each role, languages, and the pages for when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.core.cache import cache
from django.test import Client, override_settings

from outreach import clock
from outreach.actions import family
from outreach.actions.audit import record
from outreach.actions.trail import number_trail
from outreach.domain.vocabulary import Level, Role
from outreach.models import AuditEvent, User
from tests import builders

SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def forget_wrong_passwords() -> None:
    """Start each test without paused names."""
    cache.clear()


def test_signing_in_leads_to_where_one_wanted_to_go(place: builders.County) -> None:
    browser = Client()
    form = {"username": "liaison", "password": "liaisonliaison", "next": "/cases/"}
    answer = browser.post("/sign-in/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/cases/")
    assert browser.get("/").status_code == 200
    assert AuditEvent.objects.get().action == "session.sign_in"


def test_signing_in_leads_whoever_is_in_not_back_to_itself(
    place: builders.County, sign_in: SignIn
) -> None:
    browser = sign_in(place.liaison)
    assert browser.get("/sign-in/?next=/sign-in/")["Location"] == "/"


def test_an_address_that_only_takes_forms_is_no_blank_page(
    place: builders.County, sign_in: SignIn
) -> None:
    """Its refusal stands there: who then changes the language or signs in anew comes to it."""
    answer = sign_in(place.administrator).get("/tablets/code/")
    assert answer.status_code == 405
    assert "这个地址没有页面" in answer.content.decode()


def test_signing_in_leads_to_no_foreign_address(place: builders.County) -> None:
    form = {"username": "liaison", "password": "liaisonliaison", "next": "https://example.org/"}
    assert Client().post("/sign-in/", form)["Location"] == "/"


def test_a_wrong_password_is_said_and_five_pause_the_name(place: builders.County) -> None:
    browser = Client()
    for _ in range(5):
        answer = browser.post("/sign-in/", {"username": "liaison", "password": "wrong"})
        assert answer.status_code == 422
        assert "用户名或密码不对" in answer.content.decode()
    right = browser.post("/sign-in/", {"username": "liaison", "password": "liaisonliaison"})
    assert right.status_code == 422
    assert "请五分钟后再试" in right.content.decode()


def test_a_form_without_a_password_forgets_no_wrong_one(place: builders.County) -> None:
    browser = Client()
    for wrong in ("wrong", "", "wrong", "", "wrong", "", "wrong", "", "wrong"):
        browser.post("/sign-in/", {"username": "liaison", "password": wrong})
    right = browser.post("/sign-in/", {"username": "liaison", "password": "liaisonliaison"})
    assert "请五分钟后再试" in right.content.decode()


def test_passwords_in_one_moment_are_no_more_than_one_after_another(
    place: builders.County, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, looked_at = {"username": "liaison", "password": "wrong"}, 0

    def looking(*_args: object, **_more: object) -> None:
        """Look at a password while the next ones come in."""
        nonlocal looked_at
        looked_at += 1
        if looked_at < 20:
            Client().post("/sign-in/", form)

    monkeypatch.setattr("django.contrib.auth.forms.authenticate", looking)
    Client().post("/sign-in/", form)
    assert looked_at == 5


def test_a_closed_account_does_not_sign_in(place: builders.County) -> None:
    User.objects.filter(username="liaison").update(is_active=False)
    form = {"username": "liaison", "password": "liaisonliaison"}
    assert Client().post("/sign-in/", form).status_code == 422


def test_signing_out_ends_the_session(place: builders.County, sign_in: SignIn) -> None:
    browser = sign_in(place.liaison)
    assert browser.get("/sign-out/").status_code == 405
    assert browser.post("/sign-out/").status_code == 303
    assert browser.get("/").status_code == 302


@pytest.mark.parametrize(
    ("who", "step"),
    [
        ("liaison", "desk:papers"),
        ("administrator", "desk:accept"),
        ("second", "desk:opinions"),
        ("approver", None),
    ],
)
def test_home_shows_one_next_step(
    place: builders.County, sign_in: SignIn, who: str, step: str | None
) -> None:
    from outreach.actions import applications

    if who == "second":
        builders.evaluated(place)
        builders.second_assessor(place)
    else:
        builders.applied(place)
        back = builders.applied(place)[0]
        applications.send_back(back, ["photos"], by=place.administrator, at=builders.START)
    page = sign_in(User.objects.get(username=who)).get("/")
    first = page.context["next"]
    assert (first.step.url if first else None) == step
    assert page.content.decode().count('class="next') >= 1


def test_home_counts_what_waits(place: builders.County, sign_in: SignIn) -> None:
    builders.applied(place, 3)
    board = sign_in(place.administrator).get("/").context["board"]
    counts = {tally.step.url: tally.count for tally in board}
    assert counts["desk:accept"] == 3
    assert sum(counts.values()) == 3


def test_screens_are_chinese_first_and_english_when_asked(
    place: builders.County, sign_in: SignIn
) -> None:
    browser = sign_in(place.administrator)
    assert "受理申请" in browser.get("/accept/").content.decode()
    answer = browser.post("/language/setlang/", {"language": "en", "next": "/accept/"})
    assert answer["Location"] == "/accept/"
    page = browser.get("/accept/").content.decode()
    assert "Accept applications" in page
    assert 'lang="en"' in page


def test_every_answer_carries_the_strict_policy(place: builders.County, sign_in: SignIn) -> None:
    browser = sign_in(place.administrator)
    for page in ("/", "/accept/", "/nothing/", "/trail/"):
        policy = browser.get(page)["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy


def test_personal_pages_are_not_kept_by_the_browser(
    place: builders.County, sign_in: SignIn
) -> None:
    assert sign_in(place.administrator).get("/cases/")["Cache-Control"] == "no-store, private"


def test_wrong_addresses_and_wrong_steps_are_told_in_plain_words(
    place: builders.County, sign_in: SignIn
) -> None:
    browser = sign_in(place.liaison)
    nowhere, forbidden = browser.get("/nothing/"), browser.get("/accept/")
    assert (nowhere.status_code, forbidden.status_code) == (404, 403)
    assert "这里什么也没有" in nowhere.content.decode()
    assert "这一步不由您办理" in forbidden.content.decode()


def test_an_old_form_is_told_in_plain_words(place: builders.County) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/sign-in/", {"username": "liaison", "password": "x"})
    assert answer.status_code == 403
    assert "表单已失效" in answer.content.decode()


def test_something_broken_is_told_without_a_database() -> None:
    from django.test import RequestFactory
    from django.views.defaults import server_error

    answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "这一步没有完成" in answer.content.decode()


def test_the_demo_clock_moves_on_and_never_back(place: builders.County, sign_in: SignIn) -> None:
    browser = sign_in(place.administrator)
    assert browser.post("/clock/", {"at": "2018-06-08T09:00"}).status_code == 303
    assert clock.now() == datetime(2018, 6, 8, 9, tzinfo=builders.SHANGHAI)
    back = browser.post("/clock/", {"at": "2018-06-01T09:00"})
    assert (back.status_code, back["X-Refusal"]) == (422, "clock-back")
    assert browser.post("/clock/", {"at": "soon"})["X-Refusal"] == "malformed-form"
    for far in ("9999-12-31T23:59", "9990-01-01T09:00"):  # no day comes after it, nor goes back
        assert browser.post("/clock/", {"at": far})["X-Refusal"] == "malformed-form"


@override_settings(OUTREACH_DEMO=False, OUTREACH_CLOCK="real")
def test_outside_the_demo_there_is_no_clock_page(place: builders.County, sign_in: SignIn) -> None:
    browser = sign_in(place.administrator)
    assert browser.get("/clock/").status_code == 404
    assert browser.post("/clock/", {"at": "2030-01-01T09:00"}).status_code == 404


def test_the_trail_names_deeds_and_links_cases(place: builders.County, sign_in: SignIn) -> None:
    case = builders.applied(place)[0]
    page = sign_in(place.auditor).get("/trail/").content.decode()
    assert "经同意提出申请" in page
    assert f"/cases/{case.pk}/" in page


def test_the_trail_says_of_every_record_whose_it_is(
    place: builders.County, sign_in: SignIn
) -> None:
    [case] = builders.on_notice(place)
    record("session.sign_in", [place.auditor], by=place.auditor, at=builders.START)
    listing = sign_in(place.auditor).get("/trail/").context["listing"]
    said = {row.item.subject: row.more for row in listing}
    of_the_case = {"case": case.pk, "number": case.number}
    assert set(said) == {"application", "visit", "evaluation", "user"}
    assert said.pop("user") == {"name": place.auditor.full_name}
    assert all(one == of_the_case for one in said.values())


def test_the_trail_of_a_case_has_all_of_its_records_and_no_other_case(
    place: builders.County, sign_in: SignIn
) -> None:
    [case] = builders.on_notice(place)
    builders.applied(place)
    listing = sign_in(place.auditor).get(f"/trail/?q={case.number}").context["listing"]
    assert {row.more["number"] for row in listing} == {case.number}
    assert {row.item.subject for row in listing} == {"application", "visit", "evaluation"}


def test_the_trail_keeps_what_was_done_here_by_whoever_works_elsewhere_by_now(
    place: builders.County, sign_in: SignIn
) -> None:
    """Who had looked into a case took that along: to the auditor of where they work, by number."""
    [case] = builders.applied(place)
    sign_in(place.administrator).get(f"/cases/{case.pk}/")
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    place.administrator.division = elsewhere
    place.administrator.save()
    number_trail()
    there = sign_in(builders.user("there", Role.AUDITOR, elsewhere))
    for wanted in ("application.view", "administrator"):
        [ours] = sign_in(place.auditor).get(f"/trail/?q={wanted}").context["listing"]
        assert (ours.item.action, ours.more["number"]) == ("application.view", case.number)
        [theirs] = there.get(f"/trail/?q={wanted}").context["listing"]
        assert (theirs.item, theirs.more) == (ours.item, {})
    assert not there.get(f"/trail/?q={case.number}").context["listing"]


def test_the_trail_of_another_area_says_nothing_of_what_families_do(
    place: builders.County, sign_in: SignIn
) -> None:
    """Each auditor read the numbers of the cases whose families opened a link or sent a photo."""
    [case] = builders.applied(place)
    link, _secret = family.make_link(case, by=place.liaison, at=builders.START)
    family.note_opened(link, builders.START)
    there = builders.user(
        "there", Role.AUDITOR, builders.division("511303", "高坪区", Level.COUNTY)
    )
    browser = sign_in(there)
    assert case.number not in browser.get("/trail/").content.decode()
    number_trail()
    assert not browser.get("/trail/").context["listing"]
    [ours] = sign_in(place.auditor).get("/trail/?q=family_link.open").context["listing"]
    assert ours.more["number"] == case.number


@pytest.mark.parametrize("page", ["", "papers/"])
def test_opening_a_case_leaves_a_trace(place: builders.County, sign_in: SignIn, page: str) -> None:
    case = builders.applied(place)[0]
    sign_in(place.administrator).get(f"/cases/{case.pk}/{page}")
    seen = AuditEvent.objects.get(action="application.view")
    assert (seen.by, seen.subject_id) == (place.administrator, case.pk)


def test_the_trail_is_searched_by_person_and_by_deed_as_it_is_shown(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.accepted(place)
    browser = sign_in(place.auditor)
    found = {
        wanted: {row.item.action for row in browser.get(f"/trail/?q={wanted}").context["listing"]}
        for wanted in ("受理", "liaison", "application.assign", "无此事")
    }
    assert found == {
        "受理": {"application.accept"},
        "liaison": {"application.nominate", "application.apply"},
        "application.assign": {"application.assign"},
        "无此事": set(),
    }
