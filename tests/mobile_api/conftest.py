"""What the tests of tablets share: a backup of the register that can be restored."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

Restore = Callable[[], str]


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
