"""The server's own worker: it makes the papers of batches, and settles what a new day brings.

One thread of the server process, so that on one machine nothing else has to be started. Where
more hands are wanted, `manage.py issue_batches --watch` runs beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from threading import Thread
from uuid import uuid4

from django.conf import settings
from django.db import connection

from certificates import batches, life
from outreach import clock
from outreach.actions.trail import ClockAhead, check_clock

PAUSE_S = 5.0
"""Seconds between two looks for work that another process left."""

log = logging.getLogger(__name__)


def start() -> Thread | None:
    """Start the worker's thread, unless the settings leave the work to others."""
    if not settings.OUTREACH_WORKER:
        return None
    thread = Thread(target=run, name="certificates", daemon=True)
    thread.start()
    return thread


def run(goes_on: Callable[[], bool] = lambda: True) -> None:
    """Work for as long as the server lives; whatever happens to one round, the next one comes."""
    worker, settled_on = uuid4(), None
    while goes_on():
        batches.work_waits.wait(PAUSE_S)
        batches.work_waits.clear()
        try:
            while batches.work(worker):
                pass
            settled_on = _settle(settled_on)
        except Exception:  # a database that is away for a minute must not end the worker
            log.exception("The certificates' worker tries again.")
        finally:
            connection.close()


def _settle(settled_on: date | None) -> date:
    """Take the steps of a new day, once a day; say so once where its clock may be ahead."""
    now = clock.now()
    if now.date() != settled_on:
        try:
            check_clock(now)
        except ClockAhead as error:
            log.warning(
                "%s No certificate was frozen, cancelled or expired. Where it is right:"
                " manage.py settle_certificates --clock-is-right.",
                error,
            )
        else:
            life.settle(at=now)
    return now.date()
