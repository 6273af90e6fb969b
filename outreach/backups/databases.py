"""One consistent copy of the database while people work, and the way back."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any, Protocol

from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from outreach.flushing import flush_folder

Rows = dict[str, int]
#: A table in pg_restore's list of what a dump holds: 3421; 0 16390 TABLE DATA schema name owner.
_TABLE = re.compile(r"^\d+; \d+ \d+ TABLE DATA (\S+) ", re.MULTILINE)


class ToolFailed(RuntimeError):
    """pg_dump or pg_restore is not there, or ended with an error."""


class NotEmpty(RuntimeError):
    """There is a register already, which a restore would overwrite."""


class AnotherSchema(RuntimeError):
    """The copy is of another county's schema than the one this installation works in."""


class Database(Protocol):
    """What a backup asks of a kind of database."""

    vendor: str
    file_name: str

    def dump(self, target: Path) -> Rows:
        """Write one consistent copy to `target`; return its rows by table."""

    def check_absent(self) -> None:
        """Raise `NotEmpty` when there is a register."""

    def load(self, source: Path) -> None:
        """Make the copy the register; it is there whole or not at all."""

    def rows(self, source: Path) -> Rows | None:
        """Count the rows of a copy by table, or None where only a server could."""


class Sqlite:
    """The embedded database: a copy is a database itself."""

    vendor, file_name = "sqlite", "outreach.sqlite3"

    def dump(self, target: Path) -> Rows:
        """Copy in one step (`VACUUM INTO`), so that writers are not held up for long."""
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(target)])
        target.chmod(0o600)
        return self.rows(target)

    def check_absent(self) -> None:
        """Raise `NotEmpty` when the file is there and holds anything, or its log does.

        SQLite plays what lies in a log beside a database into it, be it another one's.
        """
        for log in ("", "-wal", "-journal"):
            path = Path(f"{self._path()}{log}")
            if path.exists() and path.stat().st_size:
                raise NotEmpty(f"{path} is there already.")

    def load(self, source: Path) -> None:
        """Move the copy to the register's place."""
        with source.open("rb") as file:
            os.fsync(file.fileno())
        source.replace(self._path())
        flush_folder(Path(self._path()).parent)

    def rows(self, source: Path) -> Rows:
        """Count rows by table after an integrity check; raises sqlite3.DatabaseError."""
        with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as opened:
            verdict = opened.execute("PRAGMA integrity_check").fetchone()[0]
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            tables = opened.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
            counted = {
                name: opened.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
                for (name,) in sorted(tables)
            }
        opened.close()
        return counted

    @staticmethod
    def _path() -> str:
        return str(connection.settings_dict["NAME"])


class Postgres:
    """PostgreSQL: a copy is a dump in pg_dump's custom format, of the schema we work in.

    A province keeps each county in a schema of its own (docs/adr/0017); the others are neither
    read nor written.
    """

    vendor, file_name = "postgresql", "outreach.dump"

    def dump(self, target: Path) -> Rows:
        """Count and dump in the same snapshot."""
        with connection.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                cursor.execute("SELECT pg_export_snapshot()")
                snapshot = cursor.fetchone()[0]
                counted = self._counted(cursor)
                _run("pg_dump", "--format=custom", f"--schema={_literally(_schema())}",
                     f"--snapshot={snapshot}", f"--file={target}")  # fmt: skip
            finally:
                cursor.execute("ROLLBACK")
        return counted

    def check_absent(self) -> None:
        """Raise `NotEmpty` when the database has tables."""
        if tables := connection.introspection.table_names():
            raise NotEmpty(f"The database has {len(tables)} tables already.")

    def load(self, source: Path) -> None:
        """Restore our schema's tables in one transaction; raises `AnotherSchema`."""
        ours, held = _schema(), _schemas_in(source)
        if ours not in held:
            raise AnotherSchema(
                f"It holds the schema {', '.join(sorted(held))}, and DATABASE_URL works in {ours}."
            )
        # Without the schema itself, which is there, and which a county may not create.
        _run("pg_restore", "--no-owner", "--no-privileges", "--single-transaction",
             "--exit-on-error", f"--schema={ours}", f"--dbname={_url()}",
             str(source), named=False)  # fmt: skip

    def rows(self, source: Path) -> None:
        """See that the dump's table of contents reads; only a server could count."""
        _schemas_in(source)

    @staticmethod
    def _counted(cursor: Any) -> Rows:
        counted = {}
        for name in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT count(*) FROM "{name}"')  # noqa: S608  # our own tables
            counted[name] = cursor.fetchone()[0]
        return counted


def database() -> Database:
    """Return the kind of database that the settings name."""
    return Sqlite() if connection.vendor == "sqlite" else Postgres()


def _schema() -> str:
    """Return the schema in which tables are made: the county's own, else `public`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])


def _schemas_in(dump: Path) -> set[str]:
    return set(_TABLE.findall(_run("pg_restore", "--list", str(dump), named=False)))


def _literally(name: str) -> str:
    """Quote a name where pg_dump expects a pattern."""
    return '"' + name.replace('"', '""') + '"'


def _run(tool: str, *arguments: str, named: bool = True) -> str:
    path = shutil.which(tool)
    if path is None:
        raise ToolFailed(f"{tool} is not installed (Debian: postgresql-client).")
    where = [f"--dbname={_url()}"] if named else []
    done = subprocess.run(  # noqa: S603  # our own arguments
        [path, *arguments, *where],
        env=os.environ | _password(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolFailed(f"{tool} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def _url() -> str:
    """Name the database as we reach it, TLS and a standby's name too, but for the password.

    Other users of the machine can read what a tool was started with.
    """
    known = {one.keyword.decode() for one in Conninfo.get_defaults()} - {"password"}
    told = {"dbname": "", **connection.get_connection_params()}
    return make_conninfo(**{name: value for name, value in told.items() if name in known})


def _password() -> dict[str, str]:
    password = connection.settings_dict.get("PASSWORD")
    return {"PGPASSWORD": str(password)} if password else {}
