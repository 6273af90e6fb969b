"""Guesses that several processes look at in one moment are counted one by one in the database."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection

from outreach.desk.guessing import counted, so_far
from outreach.settings import _COUNTS
from tests.at_once import ON_POSTGRESQL

pytestmark = ON_POSTGRESQL
MANY = 6


def test_of_many_in_one_moment_none_is_counted_as_another(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All were the first: whoever sent many passwords at once had as many guesses."""
    settings.OUTREACH_COUNTS, settings.CACHES = "database", {"default": _COUNTS["database"]}
    caches["default"].clear()
    together, get = Barrier(MANY), DatabaseCache.get

    def slowly(*args: Any, **more: Any) -> Any:
        found = get(*args, **more)
        time.sleep(0.02)
        return found

    def one(_number: int) -> int:
        together.wait()
        try:
            return counted("sign-in:liaison")
        finally:
            connection.close()

    monkeypatch.setattr(DatabaseCache, "get", slowly)
    with ThreadPoolExecutor(MANY) as people:
        counts = sorted(people.map(one, range(MANY)))
    assert (counts, so_far("sign-in:liaison")) == (list(range(1, MANY + 1)), MANY)
    caches["default"].clear()
