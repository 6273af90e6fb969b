"""SQLite for a server of many threads: they share a few connections, the warmest first.

A connection forgets every page it has read as soon as another one has written, and prepares each
statement for itself. Where hundreds of threads hold one each, every exchange begins cold.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from sqlite3 import Connection
from typing import Any

from django.db.backends.sqlite3 import base

#: Connections that are kept while nobody uses them; others are closed.
MOST_KEPT = 24
#: Seconds after which a connection is opened anew: the file may have been put in its place.
OLDEST_S = 600

#: What nobody uses, and when it was opened; the last one given back is taken first.
_idle: deque[tuple[Connection, float]] = deque()


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes a connection that was given back, and gives its own back instead of closing it."""

    _opened_at = 0.0

    def get_new_connection(self, conn_params: Any) -> Any:
        """Return the connection that was used last, or a new one where all are in use."""
        with suppress(IndexError):  # another thread may have taken the last one
            while True:
                held, self._opened_at = _idle.pop()
                if time.monotonic() - self._opened_at < OLDEST_S:
                    return held
                held.close()
        self._opened_at = time.monotonic()
        return super().get_new_connection(conn_params)

    def _close(self) -> None:
        held: Connection = self.connection
        if held.in_transaction or len(_idle) >= MOST_KEPT:
            held.close()  # which undoes what was left undone
        else:
            _idle.append((held, self._opened_at))
