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
from mobile_api.api import EnrolThrottle, HandInThrottle, ShareThrottle
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


def test_many_addresses_of_one_line_are_one_caller(counts: str) -> None:
    """A home has 2^64 of them: whoever asked from another one each time had as many guesses."""
    homes = [RequestFactory(REMOTE_ADDR=f"2001:db8:0:1::{n:x}").get("/") for n in range(12)]
    numbers = [f"511302195003020{n:02}1142" for n in range(12)]
    answers = [throttles.may_ask_number(*one) for one in zip(homes, numbers, strict=True)]
    assert answers == [True] * 10 + [False] * 2
    neighbour = RequestFactory(REMOTE_ADDR="2001:db8:0:2::1").get("/")
    assert throttles.may_ask_number(neighbour, "51130219500302991142")


def counted_slowly(settings: Any, patch: pytest.MonkeyPatch, throttle: type) -> Any:
    """Let others in between the two steps of a throttle's count; return what it counts in."""
    settings.CACHES = {"default": _COUNTS["process"]}
    cache = caches["default"]
    cache.clear()

    def slowly(*args: Any) -> Any:
        found = cache.get(*args)
        sleep(0.01)
        return found

    patch.setattr(throttle, "cache", SimpleNamespace(get=slowly, set=cache.set))
    return cache


def test_those_that_come_in_one_moment_are_counted_one_by_one(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty guesses sent at once counted as one: the day of a paper was soon found out."""
    counted_slowly(settings, monkeypatch, throttles.OneNumber)
    guesses = [throttles.OneNumber("51130219500302001142") for _ in range(40)]
    with ThreadPoolExecutor(40) as many:
        answers = list(many.map(lambda one: one.allow_request(ASKED), guesses))
    assert sum(answers) == 20


def test_what_a_caller_writes_before_the_proxys_word_is_no_way_out(counts: str) -> None:
    """With another address before their own whoever guesses began to count anew each time."""
    told = (f"203.0.113.{n}, 198.51.100.7" for n in range(31))
    asked = [RequestFactory(HTTP_X_FORWARDED_FOR=one).get("/check/") for one in told]
    assert [throttles.may_ask(one) for one in asked] == [True] * 30 + [False]


@pytest.mark.parametrize("throttle", [EnrolThrottle, ShareThrottle, HandInThrottle])
def test_those_of_several_callers_in_one_moment_are_counted_for_each(
    settings: Any, monkeypatch: pytest.MonkeyPatch, throttle: type[throttles.OneByOne]
) -> None:
    """They were counted as few, and one's for another: who asked once had asked too often."""
    cache = counted_slowly(settings, monkeypatch, throttle)
    one = throttle("60/m")
    asked = [RequestFactory(REMOTE_ADDR=f"192.0.2.{n % 2}").get("/") for n in range(40)]
    with ThreadPoolExecutor(40) as many:
        assert all(many.map(one.allow_request, asked))
    counted = [len(cache.get(key)) for key in {one.get_cache_key(each) for each in asked}]
    assert counted == [20, 20]


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
