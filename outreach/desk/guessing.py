"""How guesses are counted: before they are looked at, so that many at once are no more than few."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache
from django.db import DatabaseError

#: For how long a guess counts where nothing else is said.
PAUSE_SECONDS = 900


def counted(key: str, seconds: int = PAUSE_SECONDS, *, step: int = 1) -> int:
    """Count one more, for some minutes from the first on; return how many.

    Where the database counts, each new value ends after five minutes: its end is kept beside it.
    """
    cache.add(key, 0, seconds)
    cache.add(f"{key}:end", time.time() + seconds, seconds)
    count = cache.incr(key, step)
    cache.touch(key, max(1, cache.get(f"{key}:end", 0) - time.time()))
    return count


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
    cache.delete_many([key, f"{key}:end"])
