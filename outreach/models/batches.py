"""Rows by the batch: written in one statement and found in one, whatever their number.

The ORM's `bulk_create` spends some 30 µs a row on expressions that no batch of ours needs, and
cuts a batch into several statements on SQLite; a list of UUIDs in an `IN` costs as much again.
Only the hot way in goes through here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from pydantic_core import to_json

from outreach.models import sqlite
from outreach.models.ids import new_id, new_ids
from outreach.models.kept import Slot
from outreach.models.sealed import SealedField, adapted
from outreach.models.statements import Statement

if TYPE_CHECKING:
    _Lookup = models.Lookup[Any]
else:
    _Lookup = models.Lookup


def insert(model: type[models.Model], rows: Iterable[Mapping[str, Any]], **same: Any) -> None:
    """Write new rows, given as column -> value, in one statement; none where there are none.

    All rows name the same columns, and `same` names those whose value is one for all of them; one
    that is left out takes its field's default. Raises `TypeError` for a column that the model does
    not have or only some of the rows name, and the database's own errors.
    """
    _write(model, list(rows), same)


def insert_missing(
    model: type[models.Model], rows: Iterable[Mapping[str, Any]], conflict: str = "DO NOTHING"
) -> None:
    """Write new rows as `insert` does; with one whose like is there do as `conflict` says in SQL.

    By itself that one stays as it is.
    """
    _write(model, list(rows), {}, f"ON CONFLICT {conflict}")


def _write(
    model: type[models.Model],
    given: Sequence[Mapping[str, Any]],
    same: Mapping[str, Any],
    conflict: str = "",
) -> None:
    if not given:
        return
    here = connections[DEFAULT_DB_ALIAS]
    table = _Table.of(model, here.vendor, conflict, (*given[0], *same))
    filled = zip(*table.fill(given, same), strict=False)  # what is the same repeats for ever
    if table.as_json:
        named = [dict(zip(table.names, row, strict=True)) for row in filled]
        table.from_json.tell(here, [to_json(named).decode()])
    else:
        table.from_values.tell_each(here, list(filled))


@dataclass(frozen=True)
class _Column:
    """One column of a table: its default, how it is sealed, how its values are stored."""

    name: str
    default: Callable[[], Any]
    seal: Callable[[Sequence[Any], Sequence[str]], list[bytes | None]] | None
    adapt: Callable[[Any], Any] | None

    def same(self, value: Any, count: int, keys: Sequence[str]) -> Iterable[Any]:
        """Return one value for all rows as the database takes it."""
        if self.seal and value is not None:
            return self.each([value] * count, keys)
        return repeat(self.adapt(value) if self.adapt and value is not None else value)

    def each(self, values: Sequence[Any], keys: Sequence[str]) -> Iterable[Any]:
        """Return the rows' values as the database takes them."""
        if self.seal:
            values = self.seal(values, keys)
        return adapted(self.adapt, values) if self.adapt else values


class _Table:
    """What is known of a model's table before the first row of these columns comes.

    The key is its first column. A column that nobody names and that is empty by default is left
    to the database: an event of the trail has five of them.
    """

    def __init__(
        self, model: type[models.Model], vendor: str, conflict: str, given: tuple[str, ...]
    ) -> None:
        serial = models.AutoField
        fields = [one for one in model._meta.concrete_fields if not isinstance(one, serial)]
        self.as_json, self._conflict = vendor == "postgresql", conflict
        self.name = model._meta.db_table
        if unknown := set(given) - {"_state", *(field.attname for field in fields)}:
            raise TypeError(f"{self.name} has no {sorted(unknown)}")
        self.makes_keys = fields[0].default is new_id
        self.columns = [
            _Column(
                field.attname,
                field.get_default,
                field.seal_all if isinstance(field, SealedField) else None,
                _adapting(field, as_json=self.as_json),
            )
            for field in fields
            if field.attname in given or field.get_default() is not None
        ]
        self.names = [column.name for column in self.columns]
        self.seals = any(column.seal for column in self.columns)

    @classmethod
    @cache
    def of(
        cls, model: type[models.Model], vendor: str, conflict: str, given: tuple[str, ...]
    ) -> _Table:
        """Return the model's table, looked at once."""
        return cls(model, vendor, conflict, given)

    @cached_property
    def from_values(self) -> Statement:
        """The statement that takes one row's values."""
        marks = ", ".join(["%s"] * len(self.names))
        text = f"INSERT INTO {self._into} VALUES ({marks}) {self._conflict}"  # noqa: S608
        return Statement.of(text, "sqlite")

    @cached_property
    def from_json(self) -> Statement:
        """The statement that takes all rows as one JSON text, in the table's own types."""
        rows = f"json_populate_recordset(NULL::{self._quote(self.name)}, %s)"
        chosen = f"SELECT {self._columns} FROM {rows}"  # noqa: S608
        text = f"INSERT INTO {self._into} {chosen} {self._conflict}"
        return Statement.of(text, "postgresql")

    @property
    def _into(self) -> str:
        return f"{self._quote(self.name)} ({self._columns})"

    @property
    def _columns(self) -> str:
        return ", ".join(self._quote(name) for name in self.names)

    @staticmethod
    def _quote(name: str) -> str:
        return connection.ops.quote_name(name)

    def _differ(self) -> TypeError:
        return TypeError(f"{self.name}: the rows name different columns")

    def fill(self, rows: Sequence[Mapping[str, Any]], same: Mapping[str, Any]) -> list[Any]:
        """Return the rows' values column by column, as the database takes them."""
        named, count = rows[0].keys(), len(rows)
        if set(map(len, rows)) != {len(named)}:
            raise self._differ()
        columns: list[Any] = []
        keys: Sequence[str] = ()
        for column in self.columns:
            name = column.name
            if name in named:
                try:
                    values = [row[name] for row in rows]
                except KeyError:
                    raise self._differ() from None
                if self.seals and not keys:
                    keys = [str(value) for value in values]
                columns.append(column.each(values, keys))
            elif not keys and self.makes_keys:
                made = new_ids(count)
                keys = [str(key) for key in made]
                columns.append(column.each(made if column.adapt else keys, keys))
            else:
                value = same[name] if name in same else column.default()
                columns.append(column.same(value, count, keys))
        return columns


def _adapting(field: models.Field[Any, Any], *, as_json: bool) -> Callable[[Any], Any] | None:
    if not as_json:
        return sqlite.adapting(field)
    return _bytea if isinstance(field, models.BinaryField | SealedField) else None


def _bytea(value: bytes) -> str:
    """Return bytes as PostgreSQL reads them in a text."""
    return "\\x" + value.hex()


@models.ForeignObject.register_lookup
@models.Field.register_lookup
class Among(_Lookup):
    """`column__among=values`: like `in`, with one parameter however many values there are."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Look the values up in one JSON text."""
        column, parameters = self.process_lhs(compiler, connection)
        found = "(SELECT value FROM json_each(%s))"
        return f"{column} IN {found}", [*parameters, self._listed(_texts)]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Look the values up in one array of the column's type."""
        column, parameters = self.process_lhs(compiler, connection)
        kind = self.lhs.output_field.db_type(connection)
        return f"{column} = ANY(%s::{kind}[])", [*parameters, self._listed(_strings)]

    def _listed(self, form: Callable[[Iterable[Any]], Any]) -> Any:
        return _Later(self.rhs, form) if isinstance(self.rhs, Slot) else form(self.rhs)


def _texts(values: Iterable[Any]) -> str:
    listed = [item.hex if isinstance(item, UUID) else str(item) for item in values]
    return orjson.dumps(listed).decode()


def _strings(values: Iterable[Any]) -> list[str]:
    return [str(item) for item in values]


@dataclass(frozen=True)
class _Later:
    """A list of values that is given when a kept query is asked."""

    slot: Slot
    form: Callable[[Iterable[Any]], Any]

    def fill(self, values: dict[str, Any]) -> Any:
        return self.form(values[self.slot.name])
