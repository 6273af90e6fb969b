"""What anybody reads without an account, and what nobody can guess."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from outreach.actions import enquiries, family
from outreach.desk.guessing import PAUSE_SECONDS
from outreach.desk.views import public
from outreach.desk.views.public import GUESSES, GUESSES_FROM
from outreach.models import Enquiry
from tests import builders
from tests.builders import START


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def ask_status(number: str, digits: str, **headers: str) -> tuple[int, str]:
    form = {"number": number, "digits": digits}
    answer = Client(headers=headers).post("/welcome/status/", form)
    return answer.status_code, answer.get("X-Refusal", "") or answer.content.decode()


def test_number_and_last_four_characters_show_where_a_case_stands(place: builders.County) -> None:
    case = builders.applied(place)[0]
    code, page = ask_status(case.number, case.resident.id_number[-4:].lower())
    assert (code, "已申请" in page) == (200, True)
    said = [case.resident.name, case.resident.id_number, case.resident.telephone, case.diagnosis]
    assert [word for word in said if word in page] == []


def test_what_a_phone_types_in_full_width_is_no_wrong_guess(place: builders.County) -> None:
    """A Chinese keyboard offers full-width digits, and a copied number brings invisible marks."""
    case = builders.applied(place)[0]
    wide = {n: n + 0xFEE0 for n in range(0x21, 0x7F)}
    number, end = case.number.translate(wide), case.resident.id_number[-4:].translate(wide)
    assert ask_status(number, end)[0] == 200
    assert ask_status(f"\u202d{case.number}\u202c", f"{end}\u200b")[0] == 200


def test_wrong_and_unknown_are_answered_alike(place: builders.County) -> None:
    case = builders.applied(place)[0]
    end = case.resident.id_number[-4:]
    wrong = "0000" if end != "0000" else "1111"
    assert ask_status(case.number, wrong) == (422, "no-such-case")
    assert ask_status("2018-99999", wrong) == (422, "no-such-case")


def test_after_five_wrong_guesses_the_right_one_waits_too(place: builders.County) -> None:
    case = builders.applied(place)[0]
    end = case.resident.id_number[-4:]
    wrong = "0000" if end != "0000" else "1111"
    for _ in range(GUESSES):
        ask_status(case.number, wrong)
    assert ask_status(case.number, end) == (422, "too-many-guesses")


def test_one_who_guesses_behind_the_same_proxy_does_not_lock_out_the_others(
    place: builders.County,
) -> None:
    case = builders.applied(place)[0]
    end = case.resident.id_number[-4:]
    for n in range(GUESSES_FROM + 1):
        said = ask_status(f"2018-9{n:04}", "0000", x_forwarded_for="198.51.100.7")
    assert said == (422, "too-many-guesses")
    # What the caller writes before it is no way out: the proxy's word is the last.
    forged = ask_status(case.number, end, x_forwarded_for="203.0.113.9, 198.51.100.7")
    assert forged == (422, "too-many-guesses")
    assert ask_status(case.number, end, x_forwarded_for="203.0.113.9")[0] == 200


def test_one_who_guesses_from_many_addresses_of_a_line_is_one_caller(
    place: builders.County,
) -> None:
    """Each home has 2^64 of them by IPv6."""
    for n in range(GUESSES_FROM + 1):
        said = ask_status(f"2018-9{n:04}", "0000", x_forwarded_for=f"2001:db8:0:1::{n:x}")
    assert said == (422, "too-many-guesses")
    case = builders.applied(place)[0]
    end = case.resident.id_number[-4:]
    assert ask_status(case.number, end, x_forwarded_for="2001:db8:0:2::1")[0] == 200


def test_guesses_in_one_moment_are_no_more_than_one_after_another(
    place: builders.County, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = builders.applied(place)[0]
    looked_at = 0

    def looking(_right: bytes, _said: bytes) -> bool:
        """Look at a guess while the next ones come in."""
        nonlocal looked_at
        looked_at += 1
        if looked_at < 4 * GUESSES:
            ask_status(case.number, "0000")
        return False

    monkeypatch.setattr(public, "hmac", SimpleNamespace(compare_digest=looking))
    ask_status(case.number, "0000")
    assert looked_at == GUESSES


def test_wrong_entries_of_many_others_end_no_pause(place: builders.County) -> None:
    """As one makes them who wants to guess on: the counts that are kept were three hundred."""
    case = builders.applied(place)[0]
    for _ in range(GUESSES):
        ask_status(case.number, "0000")
    for n in range(100):
        ask_status(f"2018-9{n:04}", "0000", x_forwarded_for=f"203.0.113.{n}")
    end = case.resident.id_number[-4:]
    said = ask_status(case.number, end, x_forwarded_for="198.51.100.7")
    assert said == (422, "too-many-guesses")


def test_who_is_right_uses_up_no_guess(place: builders.County) -> None:
    case = builders.applied(place)[0]
    for _ in range(2 * GUESSES_FROM):
        assert ask_status(case.number, case.resident.id_number[-4:])[0] == 200


@pytest.mark.parametrize("word", ["ask", "family-link"])
def test_no_word_typed_for_a_number_shuts_another_page(place: builders.County, word: str) -> None:
    """Five such guesses from anywhere shut the questions, or all families' links, for everybody."""
    _link, secret = family.make_link(builders.applied(place)[0], by=place.liaison, at=START)
    for _ in range(GUESSES):
        ask_status(word, "0000", x_forwarded_for="198.51.100.7")
    form = {"village": place.township.pk, "question": "要带什么？", "telephone": ""}
    assert Client().post("/welcome/ask/", form).status_code == 200
    assert Client().get(f"/family/{secret}/").status_code == 200


def test_a_citizen_asks_and_reads_the_reply_with_number_and_code(place: builders.County) -> None:
    browser = Client()
    form = {"village": place.township.pk, "question": "要带什么？", "telephone": ""}
    shown_once = browser.post("/welcome/ask/", form)
    page = shown_once.content.decode()
    held = Enquiry.objects.get()
    code = re.search(r"code-once\">(\w{8})<", page)
    assert code is not None
    assert (held.number in page, held.asked_by) == (True, None)
    assert shown_once["Cache-Control"] == "no-store, private"
    enquiries.reply(held, "身份证和户口簿。", by=place.administrator, at=START)
    shown = browser.post("/welcome/reply/", {"number": held.number, "code": code[1].lower()})
    assert "身份证和户口簿。" in shown.content.decode()


def test_a_reply_is_not_shown_for_a_wrong_code(place: builders.County) -> None:
    held, _code = enquiries.ask("何时？", division=place.village, at=START)
    answer = Client().post("/welcome/reply/", {"number": held.number, "code": "AAAAAAAA"})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "no-such-enquiry")


def test_the_promises_are_published_with_the_share_kept(place: builders.County) -> None:
    builders.evaluated(place, 2)
    page = Client().get("/welcome/promises/").content.decode()
    assert page.count("100.0%") == 2  # accepted at once, visited within twenty working days
    assert "赵青山" not in page


def test_how_it_works_needs_no_account(place: builders.County) -> None:
    page = Client().get("/welcome/")
    assert page.status_code == 200
    assert "户口簿" in page.content.decode()


@pytest.fixture
def counted_in_the_database(settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "counts_of_a_test",
        }
    }
    call_command("createcachetable")


def test_what_was_typed_stands_neither_in_the_counts_nor_in_the_log(
    place: builders.County, counted_in_the_database: None
) -> None:
    """By a slip it is a password, or an ID number; a space in it was warned of, with the whole."""
    Client().post("/sign-in/", {"username": "my secret word", "password": "x"})
    ask_status("511302 19520312001X", "001X")
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM counts_of_a_test")
        kept = " ".join(key for (key,) in cursor.fetchall()).lower()
    assert [word for word in ("secret", "19520312", "127.0.0.1") if word in kept] == []
    assert kept.count("guess:") == 6


def test_where_the_database_counts_a_pause_lasts_a_quarter_of_an_hour_too(
    place: builders.County, counted_in_the_database: None
) -> None:
    case = builders.applied(place)[0]
    for _ in range(2):
        ask_status(case.number, "????")
    with connection.cursor() as cursor:
        cursor.execute("SELECT MIN(expires) FROM counts_of_a_test WHERE cache_key LIKE '%guess%'")
        [ends] = cursor.fetchone()
    ends = datetime.fromisoformat(str(ends)).replace(tzinfo=UTC)
    assert ends > timezone.now() + timedelta(seconds=PAUSE_SECONDS - 60)
