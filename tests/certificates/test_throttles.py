"""How often strangers may ask, and that several web processes can count it together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection
from django.test import RequestFactory

from certificates import throttles
from outreach.settings import _COUNTS

pytestmark = pytest.mark.django_db
ASKED = RequestFactory().get("/check/")


@pytest.fixture(params=sorted(_COUNTS))
def counts(request: pytest.FixtureRequest, settings: Any) -> str:
    """Count in one of the two ways, beginning with nothing."""
    settings.CACHES = {"default": _COUNTS[request.param]}
    caches["default"].clear()
    return str(request.param)


def test_an_address_may_send_thirty_files_a_minute(counts: str) -> None:
    assert [throttles.may_ask(ASKED) for _ in range(31)] == [True] * 30 + [False]


def test_one_number_is_answered_twenty_times_a_day_whoever_asks(counts: str) -> None:
    strangers = [RequestFactory(REMOTE_ADDR=f"192.0.2.{n}").get("/") for n in range(21)]
    number = "51130219500302001142"
    answers = [throttles.may_ask_number(stranger, number) for stranger in strangers]
    assert answers == [True] * 20 + [False]


def test_those_that_come_in_one_moment_are_counted_one_by_one(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty guesses sent at once counted as one: the day of a paper was soon found out."""
    settings.CACHES = {"default": _COUNTS["process"]}
    cache = caches["default"]
    cache.clear()

    def slowly(*args: Any) -> Any:
        found = cache.get(*args)
        sleep(0.01)
        return found

    counts = SimpleNamespace(get=slowly, set=cache.set)
    monkeypatch.setattr(throttles.OneNumber, "cache", counts)
    guesses = [throttles.OneNumber("51130219500302001142") for _ in range(40)]
    with ThreadPoolExecutor(40) as many:
        answers = list(many.map(lambda one: one.allow_request(ASKED), guesses))
    assert sum(answers) == 20


def test_in_the_database_another_process_counts_on_and_reads_no_number(settings: Any) -> None:
    settings.CACHES = {"default": _COUNTS["database"]}
    for _ in range(10):
        throttles.may_ask_number(ASKED, "51130219500302001142")
    another = DatabaseCache("outreach_counts", {})
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM outreach_counts ORDER BY cache_key")
        keys = [key for (key,) in cursor.fetchall()]
    assert len(another.get(keys[0].split(":", 2)[2])) == 10
    assert not [key for key in keys if "5113021950" in key]
    assert throttles.may_ask_number(ASKED, "51130219500302001142") is False
