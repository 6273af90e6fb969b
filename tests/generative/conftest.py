"""The beginning of every scenario, made once; the database is left as it was found."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.generative import databases
from tests.generative.home import home
from tests.generative.world import Beginning


@pytest.fixture(scope="module")
def beginning(django_db_setup: None, django_db_blocker: Any) -> Iterator[Beginning]:
    """Return the kept beginning; its scenarios commit, and are undone at the end.

    Tests need no mark for the database: flushing it after each would stumble over the trail.
    """
    with django_db_blocker.unblock(), home():
        # Tablets are turned away by the hundred here.
        logging.getLogger("django.request").setLevel(logging.ERROR)
        empty = databases.keep()
        try:
            yield Beginning.make()
        finally:
            logging.getLogger("django.request").setLevel(logging.NOTSET)
            empty.put_back()
