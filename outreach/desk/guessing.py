"""How guesses are counted: before they are looked at, so that many at once are no more than few."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.utils.translation import gettext_lazy as _

from outreach.actions.holding import counting
from outreach.models.sealed import blind_index

#: For how long a guess counts where nothing else is said.
PAUSE_SECONDS = 900

WRONG_PASSWORDS = 5
PASSWORD_PAUSE_SECONDS = 300


def counted(key: str, seconds: int = PAUSE_SECONDS, *, step: int = 1) -> int:
    """Count one more, for some minutes from the first on; return how many.

    Where the database counts, each new value ends after five minutes: its end is kept beside it.
    """
    key = _kept(key)
    with counting(key):
        cache.add(key, 0, seconds)
        cache.add(f"{key}:end", time.time() + seconds, seconds)
        count = cache.incr(key, step)
        cache.touch(key, max(1, cache.get(f"{key}:end", 0) - time.time()))
    return count


def password_counted(username: str) -> str:
    """Count a password before it is looked at, and refuse one too many; return what it counts by.

    The right one is forgotten by that.
    """
    key = f"sign-in:{username.lower()}"
    if counted(key, PASSWORD_PAUSE_SECONDS) > WRONG_PASSWORDS:
        raise ValidationError(
            _("Too many wrong passwords; wait five minutes, then try again."), code="paused"
        )
    return key


def so_far(key: str) -> int:
    """Return how many were counted."""
    return int(cache.get(_kept(key), 0))


@contextmanager
def looked_at(*keys: str, seconds: int = PAUSE_SECONDS) -> Iterator[None]:
    """Take a guess back that could not be looked at, for want of the database."""
    try:
        yield
    except DatabaseError:
        for key in keys:
            counted(key, seconds, step=-1)
        raise


def forget(key: str) -> None:
    """Begin to count anew: the right word came."""
    key = _kept(key)
    cache.delete_many([key, f"{key}:end"])


def _kept(key: str) -> str:
    """Name a count by no word that was typed: it may be a password, or an ID number, by a slip."""
    return f"guess:{blind_index(key, 'guess')}"
