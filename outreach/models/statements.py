"""Statements that were written once and go straight to the driver.

Django's cursors wrap each call four times and translate its placeholders anew. Where somebody
watches (a test that counts queries, a debugger), they are asked as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Statement:
    """A statement's text, as Django has it and as the driver takes it."""

    text: str
    native: str

    @classmethod
    def of(cls, text: str, vendor: str) -> Statement:
        """Return the statement for a database of that vendor."""
        if vendor != "sqlite":
            return cls(text, text)
        return cls(text, FORMAT_QMARK_REGEX.sub("?", text).replace("%%", "%"))

    def ask(self, here: Any, parameters: Sequence[Any]) -> Sequence[Row]:
        """Return all rows of the answer."""
        if _is_watched(here):
            with here.cursor() as cursor:
                cursor.execute(self.text, parameters)
                found: Sequence[Row] = cursor.fetchall()
            return found
        with here.wrap_database_errors:
            rows: Sequence[Row] = self._execute(here, parameters).fetchall()
        return rows

    def tell(self, here: Any, parameters: Sequence[Any]) -> int:
        """Have the database do it; return to how many rows."""
        if _is_watched(here):
            with here.cursor() as cursor:
                cursor.execute(self.text, parameters)
                return int(cursor.rowcount)
        with here.wrap_database_errors:
            done = self._execute(here, parameters)
            count = int(done.rowcount)
            done.close()
        return count

    def tell_each(self, here: Any, rows: Sequence[Sequence[Any]]) -> None:
        """Have the database do it once with each row; for SQLite, to which that costs nothing."""
        if _is_watched(here):
            with here.cursor() as cursor:
                cursor.executemany(self.text, rows)
            return
        with here.wrap_database_errors:
            here.connection.executemany(self.native, rows).close()

    def _execute(self, here: Any, parameters: Sequence[Any]) -> Any:
        if here.vendor == "sqlite":
            return here.connection.execute(self.native, parameters)
        cursor = here.Database.Cursor(here.connection)
        return cursor.execute(self.native, parameters, prepare=True)


def _is_watched(here: Any) -> bool:
    """Tell whether Django must do it: somebody watches, or the transaction is broken.

    A connection is opened where there is none: it may have been given back meanwhile.
    """
    if here.connection is None:
        here.ensure_connection()
    return bool(here.needs_rollback or here.execute_wrappers or here.force_debug_cursor)
