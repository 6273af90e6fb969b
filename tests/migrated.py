"""An empty register as the migrations leave it: kept once by each process of the tests, and copied.

To migrate takes five seconds and more, a copy none. Who begins on a copy runs `migrate` all the
same and finds nothing to do; where none is kept yet, because no test has asked for the database,
that does everything.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

#: Names the kept one, to the processes that tests start too: a file, or a database on PostgreSQL.
KEPT = "MIGRATED_REGISTER"


def keep() -> None:
    """Keep what the tests' own database is before the first test."""
    from django.conf import settings
    from django.db import connection

    if connection.vendor == "sqlite":
        kept = str(settings.OUTREACH_DATA / "migrated.sqlite3")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [kept])
    else:
        ours = connection.settings_dict["NAME"]
        kept = f"{ours}_migrated"
        connection.close()  # what is copied may have nobody connected
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{kept}"')
            cursor.execute(f'CREATE DATABASE "{kept}" TEMPLATE "{ours}"')
    os.environ[KEPT] = kept


def let_go() -> None:
    """Leave no database behind on a server that is not ours; the file goes with its folder."""
    from django.db import connection

    kept = os.environ.pop(KEPT)
    if connection.vendor == "postgresql":
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{kept}"')


def lay_into(folder: Path) -> None:
    """Lay a copy into a data folder without a register, if it is a file that is kept."""
    kept = os.environ.get(KEPT, "")
    if kept.endswith(".sqlite3"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept, folder / "outreach.sqlite3")


def as_template() -> str:
    """Return what makes CREATE DATABASE copy, if it is a database that is kept."""
    kept = os.environ.get(KEPT, "")
    return f'TEMPLATE "{kept}"' if kept and not kept.endswith(".sqlite3") else ""
