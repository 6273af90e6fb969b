"""The beginning of every scenario, made once; the database is left as it was found."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.generative import databases
from tests.generative.databases import Kept
from tests.generative.home import home
from tests.generative.world import Beginning


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Beginning, Kept]]:
    """Return the kept beginning and the database as it was before."""
    with django_db_blocker.unblock(), home():
        # Tablets are turned away by the hundred here.
        logging.getLogger("django.request").setLevel(logging.ERROR)
        empty = databases.keep()
        try:
            yield Beginning.make(), empty
        finally:
            logging.getLogger("django.request").setLevel(logging.NOTSET)
            empty.put_back()


@pytest.fixture
def beginning(made: tuple[Beginning, Kept], transactional_db: None) -> Iterator[Beginning]:
    """Return the kept beginning; its scenarios commit, and are undone at the end.

    Before the test's own flush: that would stumble over a trail that forbids to be deleted.
    """
    yield made[0]
    made[1].put_back()
