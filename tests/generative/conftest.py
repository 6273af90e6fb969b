"""The beginning of every scenario, made once; the database is left as it was found."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.generative import databases
from tests.generative.world import Beginning


@pytest.fixture(scope="module")
def beginning(django_db_setup: None, django_db_blocker: Any) -> Iterator[Beginning]:
    """Return the kept beginning; its scenarios commit, and are undone at the end."""
    memory = Path("/dev/shm")
    before = settings.OUTREACH_FILES, settings.OUTREACH_REVOCATIONS
    with (
        django_db_blocker.unblock(),
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
    ):
        # Tablets are turned away by the hundred here.
        logging.getLogger("django.request").setLevel(logging.ERROR)
        empty = databases.keep()
        settings.OUTREACH_FILES = Path(folder)
        try:
            yield Beginning.make()
        finally:
            settings.OUTREACH_FILES, settings.OUTREACH_REVOCATIONS = before
            logging.getLogger("django.request").setLevel(logging.NOTSET)
            empty.put_back()
