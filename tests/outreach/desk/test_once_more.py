"""What was typed outlives the session in which it was typed."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from outreach.models import Application
from tests import builders
from tests.outreach.desk.test_main_job import nomination_form

OURS = {"origin": "http://testserver"}


def token_on(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found is not None
    return found[1]


def kept_on(page: str) -> dict[str, list[str]]:
    """Return the fields of the form on the page that keeps one."""
    form = page[page.index('<form method="post" action="/cases/nominate/"') :]
    kept: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form):
        kept.setdefault(name, []).append(unescape(value))
    return kept


def test_a_nomination_that_outlived_its_session_is_sent_again_and_loses_nothing(
    place: builders.County,
) -> None:
    """Signed out over the form, signed in in another window, and sent from the first one."""
    browser = Client(enforce_csrf_checks=True, headers=OURS)
    browser.force_login(place.liaison)
    typed: dict[str, Any] = nomination_form(place, diagnosis="“下肢”\n<缺失>")
    typed["csrfmiddlewaretoken"] = token_on(browser.get("/cases/nominate/").content.decode())
    del browser.cookies["sessionid"]
    out = browser.post("/cases/nominate/", typed)
    assert (out.status_code, "另一窗口" in out.content.decode()) == (403, True)
    first = kept_on(out.content.decode())
    signing = {"username": "liaison", "password": "liaisonliaison"}
    signing["csrfmiddlewaretoken"] = token_on(browser.get("/sign-in/").content.decode())
    assert browser.post("/sign-in/", signing).status_code == 302
    old = browser.post("/cases/nominate/", first)
    assert (old.status_code, "liaison" in old.content.decode()) == (403, True)
    assert not Application.objects.exists()
    assert browser.post("/cases/nominate/", kept_on(old.content.decode())).status_code == 303
    case = Application.objects.get()
    assert (case.diagnosis, case.nominated_by) == ("“下肢”\n<缺失>", place.liaison)


@pytest.mark.parametrize("origin", [{"origin": "https://elsewhere.example"}, {}])
def test_another_sites_form_is_not_kept(place: builders.County, origin: dict[str, str]) -> None:
    browser = Client(enforce_csrf_checks=True, headers=origin)
    browser.force_login(place.liaison)
    forged = {**nomination_form(place), "csrfmiddlewaretoken": "x" * 64}
    answer = browser.post("/cases/nominate/", forged)
    assert (answer.status_code, "表单已失效" in answer.content.decode()) == (403, True)


def test_no_password_is_kept(place: builders.County) -> None:
    """Neither signed out over the form, nor signed in anew since."""
    said = {"old": "geheim-bisher", "new": "geheim-geheim", "again": "geheim-geheim"}
    browser = Client(enforce_csrf_checks=True, headers=OURS)
    said["csrfmiddlewaretoken"] = token_on(browser.get("/sign-in/").content.decode())
    out = browser.post("/password/", said)
    assert (out.status_code, out["Location"]) == (302, "/sign-in/?next=/password/")
    browser.force_login(place.liaison)
    old = browser.post("/password/", said | {"csrfmiddlewaretoken": "x" * 64})
    assert (old.status_code, "geheim" in old.content.decode()) == (403, False)


def test_a_page_that_asks_by_itself_is_not_filled_with_the_sign_in_page(
    place: builders.County,
) -> None:
    """The place of the photos, with their marks, would be gone from the form."""
    for page in ("/cases/nominate/photo/", "/cases/nominate/missing/"):
        assert Client(headers={"hx-request": "true"}).post(page).status_code == 401
