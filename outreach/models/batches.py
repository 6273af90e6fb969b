"""Rows by the batch: written in one statement and found in one, whatever their number.

The ORM's `bulk_create` spends some 30 µs a row on expressions that no batch of ours needs, and
cuts a batch into several statements on SQLite; a list of UUIDs in an `IN` costs as much again.
Only the hot way in goes through here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, models
from pydantic_core import to_json

from outreach.models.kept import Slot
from outreach.models.sealed import SealedField

if TYPE_CHECKING:
    _Lookup = models.Lookup[Any]
else:
    _Lookup = models.Lookup


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(" ")[: -len("+00:00")]


#: How a kind of column is stored in SQLite where the driver has no word for it.
_SQLITE: tuple[tuple[type[models.Field[Any, Any]], Callable[[Any], Any]], ...] = (
    (models.UUIDField, attrgetter("hex")),
    (models.DateTimeField, _utc),
    (models.DateField, str),
    (models.TimeField, str),
    (models.JSONField, lambda value: to_json(value).decode()),
)
#: How a type of Python is written into the JSON that PostgreSQL reads.
_JSON: dict[type, Callable[[Any], Any]] = {
    UUID: str,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    bytes: lambda value: "\\x" + value.hex(),
}


def _to_json(value: Any) -> Any:
    return _JSON[type(value)](value)


def insert(model: type[models.Model], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write new rows, given as column -> value, in one statement; none where there are none.

    All rows name the same columns; one that is left out takes its field's default. Raises
    `TypeError` for a column that the model does not have or only some of the rows name, and the
    database's own errors.
    """
    table, given = _Table.of(model), list(rows)
    if not given:
        return
    columns = table.fill(given)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            named = [dict(zip(table.names, row, strict=True)) for row in zip(*columns, strict=True)]
            cursor.execute(table.from_json(), [json.dumps(named, default=_to_json)])
        else:
            cursor.executemany(table.from_values(), list(zip(*columns, strict=True)))


class _Table:
    """What is known of a model's table before the first row comes; the key is its first column."""

    def __init__(self, model: type[models.Model]) -> None:
        serial = models.AutoField
        fields = [one for one in model._meta.concrete_fields if not isinstance(one, serial)]
        self.name = model._meta.db_table
        self.names = [field.attname for field in fields]
        self.known = {*self.names, "_state"}
        self.columns = [
            (field.attname, field.get_default, _sealed(field), _adapt(field)) for field in fields
        ]

    @classmethod
    @cache
    def of(cls, model: type[models.Model]) -> _Table:
        """Return the model's table, looked at once."""
        return cls(model)

    def from_values(self) -> str:
        """Return the statement that takes one row's values."""
        return f"INSERT INTO {self._into} VALUES ({', '.join(['%s'] * len(self.names))})"  # noqa: S608

    def from_json(self) -> str:
        """Return the statement that takes all rows as one JSON text, in the table's own types."""
        rows = f"json_populate_recordset(NULL::{self._quote(self.name)}, %s)"
        return f"INSERT INTO {self._into} SELECT {self._columns} FROM {rows}"  # noqa: S608

    @property
    def _into(self) -> str:
        return f"{self._quote(self.name)} ({self._columns})"

    @property
    def _columns(self) -> str:
        return ", ".join(self._quote(name) for name in self.names)

    @staticmethod
    def _quote(name: str) -> str:
        return connection.ops.quote_name(name)

    def fill(self, rows: Sequence[Mapping[str, Any]]) -> list[Sequence[Any]]:
        """Return the rows' values column by column, as the database takes them."""
        named = rows[0].keys()
        if not named <= self.known:
            raise TypeError(f"{self.name} has no {sorted(named - self.known)}")
        if any(row.keys() != named for row in rows):
            raise TypeError(f"{self.name}: the rows name different columns")
        columns: list[Sequence[Any]] = []
        keys: Sequence[Any] = ()
        for name, default, seal, adapt in self.columns:
            if name in named:
                values: Sequence[Any] = [row[name] for row in rows]
            else:
                values = [default() for _ in rows]
            if not keys:
                keys = values
            if seal:
                values = seal(values, keys)
            elif adapt:
                values = [None if value is None else adapt(value) for value in values]
            columns.append(values)
        return columns


def _sealed(
    field: models.Field[Any, Any],
) -> Callable[[Sequence[Any], Sequence[Any]], list[bytes | None]] | None:
    return field.seal_all if isinstance(field, SealedField) else None


def _adapt(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    if connection.vendor == "postgresql":
        return None
    stored = field.target_field if isinstance(field, models.ForeignKey) else field
    return next((adapt for kind, adapt in _SQLITE if isinstance(stored, kind)), None)


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
    return json.dumps([item.hex if isinstance(item, UUID) else str(item) for item in values])


def _strings(values: Iterable[Any]) -> list[str]:
    return [str(item) for item in values]


@dataclass(frozen=True)
class _Later:
    """A list of values that is given when a kept query is asked."""

    slot: Slot
    form: Callable[[Iterable[Any]], Any]

    def fill(self, values: dict[str, Any]) -> Any:
        return self.form(values[self.slot.name])
