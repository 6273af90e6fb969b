"""Each cell of the rights table is asked of the running service and must be as decided."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client
from django.views import defaults

from outreach import urls
from outreach.models import AuditEvent
from tests import builders
from tests.mobile_api.uploading import CHUNK, metadata
from tests.outreach.desk.rights.county import (
    NAME,
    SUBJECTS,
    Somebody,
    a_case_at_every_step,
    case_of,
    people,
)
from tests.outreach.desk.rights.operations import filled, kwargs_of, operations
from tests.outreach.desk.rights.table import ACCOUNTS, AREAS, line, rows

pytestmark = pytest.mark.timeout(900)

WORD_OF = {
    201: "done",
    204: "done",
    303: "done",
    401: "token",
    403: "no",
    404: "404",
    405: "405",
    422: "asks",
    **dict.fromkeys((400, 409, 410, 412, 429, 415), "bad"),
}
#: The one name as a page has it and as JSON may, and how the cases' numbers begin.
SHOWN = (NAME, json.dumps(NAME)[1:-1], "2018-0000")
#: After these nothing may have happened.
REFUSED = {"no", "404", "sign-in", "token", "405"}
Cells = dict[tuple[str, str], str]
Page = Callable[[HttpRequest, Exception], HttpResponse]


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Keep two thousand expected refusals out of the report."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def refusals_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw what somebody is refused with once: their next refusal's page would be the same.

    It is made of who asks and of nothing that they asked for; half of all answers are refusals.
    """
    seen: set[tuple[int, Any]] = set()
    for status, drawn in ((403, defaults.permission_denied), (404, defaults.page_not_found)):
        monkeypatch.setattr(urls, f"handler{status}", _once(status, drawn, seen), raising=False)


def _once(status: int, drawn: Page, seen: set[tuple[int, Any]]) -> Page:
    def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
        who = (status, request.user.pk)
        if who in seen:
            return HttpResponse(status=status)
        seen.add(who)
        return drawn(request, exception)

    return refused


@pytest.mark.parametrize("method", ["GET", "POST", "other"])
def test_every_account_is_answered_as_the_table_says(
    place: builders.County, authority: None, method: str
) -> None:
    accounts = people(place)
    a_case_at_every_step(place)
    table, wrong = rows(), []
    for said, route in operations():
        if method not in (said, "other") or (method == "other" and said in ("GET", "POST")):
            continue
        if not route.startswith(os.environ.get("RIGHTS_ROUTES", "")):
            continue
        row = table.get((said, route))
        about = row.about if row else {}
        answered = {who: _ask(said, route, about, accounts.get(who)) for who in _everybody()}
        answered |= dict.fromkeys(_strangers(), _ask(said, route, about, None))
        if row is None or row.cells != answered:
            note = "".join(f" {key}={value}" for key, value in about.items())
            wrong.append(line(said, route, answered, f" |{note}" if note else ""))
    assert not wrong, (
        "The service answers otherwise than the tables in tests/outreach/desk/rights say. "
        "Right is what the law of the house wants: read each cell, then mend the view or the "
        "line. This is what it answers now:\n\n" + "\n".join(wrong)
    )


def _everybody() -> list[tuple[str, str]]:
    return [(account, area) for account in ACCOUNTS[1:] for area in AREAS]


def _strangers() -> list[tuple[str, str]]:
    return [(ACCOUNTS[0], area) for area in AREAS]


def _ask(method: str, route: str, about: dict[str, str], who: Somebody | None) -> str:
    values = {name: _subject(name, about) for name in kwargs_of(route)}
    browser, address = Client(), filled(route, values)
    cache.clear()
    with transaction.atomic():  # what is done is undone: the next account meets the same county
        if route.startswith("api/"):
            answer, before = _say(browser, method, address, who), 0
        else:
            if who:
                browser.cookies["sessionid"] = who.session
            before = AuditEvent.objects.count()
            data = {"ids": str(case_of(about).pk)} if method == "POST" else None
            answer = browser.post(address, data) if data else browser.get(address)
        word = _word(answer)
        if word in REFUSED and before:
            assert AuditEvent.objects.count() == before, f"{method} {route}: refused, yet changed"
        transaction.set_rollback(True)
    return word


def _subject(name: str, about: dict[str, str]) -> Any:
    assert name in SUBJECTS, (
        f"An address names a “{name}”: say in tests/outreach/desk/rights/county.py, SUBJECTS, "
        "how to find one of the own area, and have a_case_at_every_step make one."
    )
    return SUBJECTS[name](about)


def _say(browser: Client, method: str, address: str, who: Somebody | None) -> HttpResponseBase:
    """Say to the interface what a tablet says there."""
    headers = {"Authorization": f"Bearer {who.token}"} if who else {}
    if "/uploads/" in address:
        headers |= {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Upload-Length": "100"}
        headers |= {"Upload-Metadata": metadata("0" * 64)} if method == "POST" else {}
        body, kind = b"1234", CHUNK
    else:
        said = {"replica": str(who.replica), "app": "0.1.0", "pull": {}} if who else {}
        body, kind = json.dumps(said).encode(), "application/json"
    return browser.generic(method, address, body, kind, headers=headers)


def _word(answer: HttpResponseBase) -> str:
    if answer.status_code == 200:
        text = _text(answer)
        return "sees" if any(name in text for name in SHOWN) else "open"
    if answer.status_code in (301, 302):
        return "sign-in" if answer["Location"].startswith("/sign-in/") else "moved"
    return WORD_OF[answer.status_code]


def _text(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if body.startswith(b"\xff\xd8"):
        return NAME  # a photo of the case is the case
    if body.startswith(b"%PDF"):
        read = ("pdftotext", "-", "-")
        return subprocess.run(read, input=body, capture_output=True, check=True).stdout.decode()
    return str(body.decode(errors="replace"))
