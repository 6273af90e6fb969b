"""What the tests of tablets share: a tablet, the day of the visits, a backup to restore."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction

from outreach import clock
from outreach.demo.tablet import Tablet
from tests.builders import County
from tests.mobile_api.talking import ON_THE_DAY, enrolled

Restore = Callable[[], str]


@pytest.fixture
def tablet(place: County, tmp_path: Path) -> Tablet:
    """Return a tablet enrolled for the assessor."""
    return enrolled(place, tmp_path)


@pytest.fixture
def on_the_day(place: County) -> None:
    """Let it be the day of the visits."""
    clock.advance_to(ON_THE_DAY)


@pytest.fixture
def back_up(db: None) -> Callable[[], Restore]:
    """Return a function that keeps the register as it is and returns how to restore that.

    The rows go back by a savepoint; what follows is what `manage.py restore` does.
    """

    def kept() -> Restore:
        place = transaction.savepoint()

        def restore() -> str:
            transaction.savepoint_rollback(place)
            out = StringIO()
            call_command("begin_epoch", stdout=out)
            return out.getvalue()

        return restore

    return kept
