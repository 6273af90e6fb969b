"""Two deeds in the same moment, on PostgreSQL: SQLite has one writer at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from outreach.rules import Refused

ON_POSTGRESQL = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
    pytest.mark.django_db(transaction=True),
]


def meanwhile(deed: Callable[[], object], do: Callable[[], object]) -> None:
    """Do something that has to wait, in its own connection, for a deed that is not committed."""
    begun = threading.Event()

    def whole() -> None:
        deed()
        begun.set()
        until_somebody_waits()

    _beside(whole, begun, do)


def halfway(
    patch: pytest.MonkeyPatch,
    step: tuple[Any, str],
    deed: Callable[[], object],
    do: Callable[[], object],
) -> None:
    """Do something that has to wait for a deed which stops after a step, and then goes on.

    The step is named by its module and its name there. Where the two come to wait in a circle it
    is not the deed that is broken off, also on a busy machine: it looks later than the other.
    """
    begun, whole = threading.Event(), getattr(*step)

    def stopping(*args: Any, **more: Any) -> Any:
        patch.setattr(*step, whole)
        done = whole(*args, **more)
        begun.set()
        until_somebody_waits()
        return done

    def patient() -> None:
        look_after("60s")
        deed()

    patch.setattr(*step, stopping)
    look_after("3s")
    try:
        _beside(patient, begun, do)
    finally:
        look_after("1s")


def look_after(wait: str) -> None:
    """Have this thread's connection look so late whether it waits in a circle."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('deadlock_timeout', %s, %s)", [wait, False])


def _beside(deed: Callable[[], object], begun: threading.Event, do: Callable[[], object]) -> None:
    failures: list[BaseException] = []

    def hold() -> None:
        try:
            with transaction.atomic():
                deed()
        except BaseException as failure:  # it is raised again where it is read
            failures.append(failure)
        finally:
            begun.set()
            connection.close()

    holding = threading.Thread(target=hold)
    holding.start()
    assert begun.wait(20)
    try:
        do()
    finally:
        holding.join()
    if failures:
        raise failures[0]


def until_somebody_waits() -> None:
    """Return when somebody waits for this thread's work, or after some seconds without."""
    until = time.monotonic() + 10
    while time.monotonic() < until and not _somebody_waits():
        time.sleep(0.02)


def _somebody_waits() -> bool:
    """Tell whether this thread's connection keeps another waiting; other tests may wait beside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS(SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def refusal(do: Callable[[], object]) -> str:
    """Return the code with which something is refused, or nothing."""
    try:
        do()
    except Refused as refused:
        return refused.code
    return ""


def second_of(deed: Callable[[], object], second: Callable[[], object]) -> str:
    """Return how the second of two deeds in one moment is refused."""
    codes: list[str] = []
    meanwhile(deed, lambda: codes.append(refusal(second)))
    return codes[0]
