"""Whose hand is final signs in with a code from a telephone too."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from outreach.actions import accounts, second_factor
from outreach.domain.vocabulary import Role
from outreach.models import AuditEvent, SecondFactor, User
from tests import builders


@pytest.fixture(autouse=True)
def asked(settings: object) -> None:
    settings.OUTREACH_TWO_FACTOR = True  # type: ignore[attr-defined]
    cache.clear()


def password(browser: Client, name: str, to: str = "/review/") -> str:
    form = {"username": name, "password": name * 2, "next": to}
    answer = browser.post("/sign-in/", form)
    assert answer.status_code == 302
    return str(answer["Location"])


def present(user: User, steps: int = 0) -> str:
    factor = SecondFactor.objects.get(user=user)
    return pyotp.TOTP(factor.secret).at(timezone.now(), counter_offset=steps)


def wrong(user: User) -> str:
    near = {present(user, step) for step in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in near)


def is_signed_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


@pytest.fixture
def set_up(place: builders.County) -> list[str]:
    """Give the administrator a telephone; return the spare codes."""
    second_factor.begin(place.administrator)
    early = timezone.now() - timedelta(minutes=5)
    code = pyotp.TOTP(place.administrator.second_factor.secret).at(early)
    spare = second_factor.confirm(place.administrator, code, at=early)
    assert spare is not None
    return spare


def test_an_administrator_sets_the_telephone_up_before_anything_else(
    place: builders.County,
) -> None:
    browser = Client()
    assert password(browser, "administrator") == "/sign-in/telephone/"
    assert not is_signed_in(browser)
    page = browser.get("/sign-in/telephone/").content.decode()
    secret = SecondFactor.objects.get().secret
    assert secret[:4] in page
    assert "data:image/svg+xml" in page
    answer = browser.post("/sign-in/telephone/", {"code": present(place.administrator)})
    assert len(re.findall(r'<li class="number">\d{5} \d{5}</li>', answer.content.decode())) == 8
    assert is_signed_in(browser)
    assert browser.get("/review/").status_code == 200


def test_a_secret_that_somebody_else_looked_at_is_nobodys(place: builders.County) -> None:
    """As whoever was told the first password, which brings to this page before anything else."""
    other, own = Client(), Client()
    for browser in (other, own):
        password(browser, "administrator")
    other.get("/sign-in/telephone/")
    known = pyotp.TOTP(SecondFactor.objects.get().secret)
    own.get("/sign-in/telephone/")
    assert SecondFactor.objects.get().secret != known.secret
    own.get("/sign-in/telephone/")  # a reload shows the same
    code = present(place.administrator, -1)
    assert own.post("/sign-in/telephone/", {"code": code}).status_code == 200
    other.post("/sign-in/code/", {"code": known.at(timezone.now())})
    assert (is_signed_in(own), is_signed_in(other)) == (True, False)


def test_a_secret_that_was_shown_elsewhere_since_is_shown_anew(place: builders.County) -> None:
    other, own = Client(), Client()
    for browser in (own, other):
        password(browser, "administrator")
        browser.get("/sign-in/telephone/")
    theirs = present(place.administrator)
    answer = own.post("/sign-in/telephone/", {"code": theirs})
    assert (answer.status_code, is_signed_in(own)) == (422, False)
    assert (
        own.post("/sign-in/telephone/", {"code": present(place.administrator)}).status_code == 200
    )


def test_a_wrong_code_sets_nothing_up(place: builders.County) -> None:
    browser = Client()
    password(browser, "administrator")
    browser.get("/sign-in/telephone/")
    answer = browser.post("/sign-in/telephone/", {"code": wrong(place.administrator)})
    assert answer.status_code == 422
    assert not is_signed_in(browser)
    assert not second_factor.is_set_up(place.administrator)


def test_the_present_code_signs_in_and_leads_to_where_one_wanted(
    place: builders.County, set_up: list[str]
) -> None:
    browser = Client()
    assert password(browser, "administrator") == "/sign-in/code/"
    assert browser.get("/review/").status_code == 302
    answer = browser.post("/sign-in/code/", {"code": present(place.administrator)})
    assert (answer.status_code, answer["Location"]) == (303, "/review/")
    assert is_signed_in(browser)


def test_no_code_is_taken_twice(place: builders.County, set_up: list[str]) -> None:
    code = present(place.administrator)
    for taken in (True, False):
        browser = Client()
        password(browser, "administrator")
        browser.post("/sign-in/code/", {"code": code})
        assert is_signed_in(browser) is taken


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True)])
def test_a_telephone_may_be_half_a_minute_off(
    place: builders.County, set_up: list[str], steps: int, taken: bool
) -> None:
    now = timezone.now()
    code = pyotp.TOTP(place.administrator.second_factor.secret).at(now, counter_offset=steps)
    assert second_factor.accept(place.administrator, code, at=now) is taken


def test_five_wrong_codes_pause_the_account_for_the_right_one_too(
    place: builders.County, set_up: list[str]
) -> None:
    browser = Client()
    password(browser, "administrator")
    for _ in range(5):
        browser.post("/sign-in/code/", {"code": wrong(place.administrator)})
    answer = browser.post("/sign-in/code/", {"code": present(place.administrator)})
    assert "请五分钟后再试" in answer.content.decode()
    assert not is_signed_in(browser)


def test_codes_in_one_moment_are_no_more_than_one_after_another(
    place: builders.County, set_up: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, looked_at = Client(), 0
    password(browser, "administrator")

    def looking(*_args: object, **_more: object) -> bool:
        """Look at a code while the next ones come in."""
        nonlocal looked_at
        looked_at += 1
        if looked_at < 20:
            browser.post("/sign-in/code/", {"code": "000000"})
        return False

    monkeypatch.setattr(second_factor, "accept", looking)
    browser.post("/sign-in/code/", {"code": "000000"})
    assert looked_at == 5


def test_a_spare_code_works_once_and_is_noted(place: builders.County, set_up: list[str]) -> None:
    for taken in (True, False):
        browser = Client()
        password(browser, "administrator")
        browser.post("/sign-in/code/", {"code": f" {set_up[0][:5]} {set_up[0][5:]}"})
        assert is_signed_in(browser) is taken
    assert AuditEvent.objects.filter(action="second_factor.spare_code").count() == 1


def test_the_password_alone_counts_for_ten_minutes_only(
    place: builders.County, set_up: list[str]
) -> None:
    browser = Client()
    password(browser, "administrator")
    session = browser.session
    session["half_signed_in"] |= {"until": timezone.now().timestamp() - 1}
    session.save()
    answer = browser.post("/sign-in/code/", {"code": present(place.administrator)})
    assert answer["Location"] == "/sign-in/"
    assert not is_signed_in(browser)


@pytest.mark.parametrize("what", ["password", "end"])
def test_a_password_that_was_taken_away_meanwhile_counts_for_nothing(
    place: builders.County, set_up: list[str], what: str
) -> None:
    """Whoever stole it stands before the code while the office takes it away."""
    browser, held = Client(), place.administrator
    password(browser, "administrator")
    if what == "password":
        held.set_password("春天的第一班车在八点")
    held.is_active = what != "end"
    held.save()
    answer = browser.post("/sign-in/code/", {"code": present(held)})
    assert (answer["Location"], is_signed_in(browser)) == ("/sign-in/", False)
    assert not AuditEvent.objects.filter(action="session.sign_in").exists()


WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.mark.parametrize(
    "write", [lambda code: code.translate(WIDE), lambda code: f"{code[:3]} {code[3:]}"]
)
def test_a_code_is_taken_as_input_methods_and_apps_write_it(
    place: builders.County, write: Callable[[str], str]
) -> None:
    browser = Client()
    password(browser, "administrator")
    browser.get("/sign-in/telephone/")
    early = write(present(place.administrator, -1))
    assert browser.post("/sign-in/telephone/", {"code": early}).status_code == 200
    other = Client()
    password(other, "administrator")
    other.post("/sign-in/code/", {"code": write(present(place.administrator))})
    assert (is_signed_in(browser), is_signed_in(other)) == (True, True)


@pytest.mark.parametrize("code", ["验证码", "١٢٣٤٥٦"])
def test_what_is_no_code_is_a_wrong_one(
    place: builders.County, set_up: list[str], code: str
) -> None:
    browser = Client()
    password(browser, "administrator")
    assert browser.post("/sign-in/code/", {"code": code}).status_code == 422


def test_neither_secret_nor_spare_codes_are_kept_by_the_browser(place: builders.County) -> None:
    browser = Client()
    password(browser, "administrator")
    page = browser.get("/sign-in/telephone/")
    codes = browser.post("/sign-in/telephone/", {"code": present(place.administrator)})
    assert ["no-store" in shown["Cache-Control"] for shown in (page, codes)] == [True, True]


@pytest.mark.parametrize("path", ["/sign-in/code/", "/sign-in/telephone/"])
def test_nobody_comes_to_the_second_step_without_the_first(
    place: builders.County, path: str
) -> None:
    assert Client().get(path)["Location"] == "/sign-in/"


def test_a_liaison_signs_in_with_the_password(place: builders.County) -> None:
    browser = Client()
    assert password(browser, "liaison", "/cases/") == "/cases/"
    assert is_signed_in(browser)


def test_who_becomes_an_approver_brings_a_code_before_anything_else(
    place: builders.County,
) -> None:
    """Signed in as a liaison, with a password alone, they went on and signed."""
    browser = Client()
    password(browser, "liaison", "/cases/")
    duty = accounts.Duty(Role.APPROVER, place.county)
    wish = accounts.change_account(
        place.liaison, "刘联络", duty, reason="换届", by=place.administrator, at=builders.START
    )
    assert wish is not None
    assert browser.get("/cases/").status_code == 200
    accounts.confirm(wish, by=place.approver, at=builders.START)
    assert browser.get("/sign/")["Location"] == "/sign-in/?next=/sign/"
    assert password(browser, "liaison", "/sign/") == "/sign-in/telephone/"


def test_on_the_demo_county_nobody_is_asked(place: builders.County, settings: object) -> None:
    settings.OUTREACH_TWO_FACTOR = False  # type: ignore[attr-defined]
    assert password(Client(), "administrator", "/review/") == "/review/"


def test_who_lost_a_telephone_is_signed_out_everywhere_and_nobody_else_is(
    place: builders.County, set_up: list[str]
) -> None:
    """Whoever found it may be in already."""
    finder, other = Client(), Client()
    password(finder, "administrator")
    finder.post("/sign-in/code/", {"code": present(place.administrator)})
    other.force_login(place.approver)
    assert finder.get("/accounts/").status_code == 200
    second_factor.forget(place.administrator, by=None, at=timezone.now())
    assert finder.get("/accounts/").status_code == 302
    assert other.get("/sign/").status_code == 200


def test_a_lost_telephone_is_taken_off_by_command(
    place: builders.County, set_up: list[str]
) -> None:
    call_command("forget_telephone", "administrator")
    assert password(Client(), "administrator") == "/sign-in/telephone/"
    with pytest.raises(CommandError, match="no telephone"):
        call_command("forget_telephone", "liaison")
    with pytest.raises(CommandError, match="no account"):
        call_command("forget_telephone", "nobody")
