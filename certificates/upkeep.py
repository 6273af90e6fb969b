"""The server's own upkeep: papers are raised to B-LTA by themselves, and again before that ends.

One more thread of the server process. While the authority is away it comes back sooner; what a
second process does at the same time is prevented by a lock on a file, and would do no harm.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread

from django.conf import settings
from django.db import connection

from certificates import second_signatures
from certificates.archiving import Level
from certificates.upgrades import Failed, upgrade, waiting
from outreach import clock

EVERY_S = 3600.0
"""Seconds between two rounds."""
AWAY_S = 600.0
"""Seconds until the next try while the authority is away."""
AGAIN_AFTER = timedelta(days=1095)
"""Archived papers are stamped again after three years: authorities' certificates last five."""

MOST = 1000
"""Files that get their missing SM2 signature in one round."""

log = logging.getLogger(__name__)
_stays = Event()


@dataclass(frozen=True)
class Round:
    """What one round came to."""

    raised: int = 0
    stuck: int = 0
    is_away: bool = False


def start() -> Thread | None:
    """Start the thread, unless the settings leave the work to others or there is none."""
    if not (settings.OUTREACH_WORKER and (settings.OUTREACH_TSA_URL or settings.OUTREACH_SM2)):
        return None
    thread = Thread(target=run, name="upkeep", daemon=True)
    thread.start()
    return thread


def run(
    goes_on: Callable[[], bool] = lambda: True, pause: Callable[[float], object] = _stays.wait
) -> None:
    """Go round for as long as the server lives; whatever happens to one round, the next comes."""
    while goes_on():
        rest = AWAY_S
        try:
            if not go_round(at=clock.now()).is_away:
                rest = EVERY_S
        except Exception:  # a database or key that is away for a while must not end the upkeep
            log.exception("The papers' upkeep tries again.")
        finally:
            connection.close()
        pause(rest)


def go_round(*, at: datetime) -> Round:
    """Raise everything that stands below B-LTA, or whose last time-stamp is three years old.

    Files that lack their SM2 signature get it as well.
    """
    with _alone() as is_mine:
        if not is_mine:
            return Round()
        outcomes = []
        if settings.OUTREACH_TSA_URL:
            outcomes = list(upgrade(waiting(Level.LTA, at - AGAIN_AFTER), Level.LTA, at=at))
        second_signatures.add(second_signatures.missing()[:MOST])
    failed = [one for one in outcomes if isinstance(one, Failed)]
    away = [one for one in failed if one.is_passing]
    for one in failed:
        log.warning("Case %s is not raised: %s", one.file.certificate.application.number, one.why)
    return Round(len(outcomes) - len(failed), len(failed) - len(away), bool(away))


@contextmanager
def _alone() -> Iterator[bool]:
    """Hold the lock of the upkeep, or learn that another process of this machine has it."""
    settings.OUTREACH_DATA.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (settings.OUTREACH_DATA / "upkeep.lock").open("w") as file:  # no part of a backup
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
