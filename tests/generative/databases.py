"""The whole database as a value: kept, and put back in milliseconds, on SQLite and PostgreSQL.

A scenario begins on a kept database, and so does a server that is restored from its backup.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Protocol
from weakref import finalize

from django.db import connection, transaction

_NEVER = {"django_migrations", "sqlite_sequence"}


class Kept(Protocol):
    """A database as it was at one moment."""

    def put_back(self) -> None:
        """Make the present database equal to the kept one."""


def keep() -> Kept:
    """Keep the present database."""
    connection.ensure_connection()
    return _OnSQLite() if connection.vendor == "sqlite" else _OnPostgres()


class _OnSQLite:
    def __init__(self) -> None:
        self._copy = sqlite3.connect(":memory:")
        finalize(self, self._copy.close)
        connection.connection.backup(self._copy)

    def put_back(self) -> None:
        connection.ensure_connection()
        self._copy.backup(connection.connection)


class _OnPostgres:
    """Rows as COPY writes them, all swapped in one transaction with no trigger in the way."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            self._rows = {table: _copied(cursor, table) for table in _filled(cursor)}

    def put_back(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # As pg_restore --disable-triggers does: the trail forbids that its rows are deleted.
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table in _filled(cursor):
                if table not in self._rows or _copied(cursor, table) != self._rows[table]:
                    cursor.execute(f'DELETE FROM "{table}"')
                    _fill(cursor, table, self._rows.get(table, b""))
            for table in self._rows.keys() - set(_filled(cursor)):
                _fill(cursor, table, self._rows[table])


def _filled(cursor: object) -> Iterable[str]:
    """Return the tables that hold a row."""
    tables = [name for name in connection.introspection.table_names() if name not in _NEVER]
    asked = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in tables
    )
    cursor.execute(asked)
    return [name for (name,) in cursor.fetchall()]


def _copied(cursor: object, table: str) -> bytes:
    with cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT binary)') as copying:
        return b"".join(bytes(block) for block in copying)


def _fill(cursor: object, table: str, rows: bytes) -> None:
    if rows:
        with cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT binary)') as copying:
            copying.write(rows)
