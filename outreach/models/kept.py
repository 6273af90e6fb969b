"""Queries that are compiled once: what they ask for stays, only their values change.

Django compiles a queryset anew each time it is asked, which costs ten times what an embedded
database takes to answer. A tablet's exchange asks twenty such questions and always the same.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection, models
from django.db.models.expressions import Expression
from django.db.models.sql.subqueries import UpdateQuery

Answer = TypeVar("Answer")
_Compiler = Any  # Django's compilers have no types


class Slot(Expression):
    """The place of a value that is given when the query is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:  # noqa: ARG002
        """Stand for one parameter."""
        return "%s", [self]

    def fill(self, values: dict[str, Any]) -> Any:
        """Return the value as the database takes it."""
        value = values[self.name]
        if connection.vendor == "sqlite":
            if isinstance(value, UUID):
                return value.hex
            if isinstance(value, datetime):
                return connection.ops.adapt_datetimefield_value(value)
            if isinstance(value, date):
                return str(value)
        if isinstance(value, dict):
            return connection.ops.adapt_json_value(value, None)
        return value


def _filled(parameters: tuple[Any, ...], values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(one.fill(values) if hasattr(one, "fill") else one for one in parameters)


@dataclass(frozen=True)
class _Prepared:
    """A queryset with its compiler, and the statement that came out."""

    queryset: models.QuerySet[Any]
    compiler: _Compiler
    sql: str
    parameters: tuple[Any, ...]

    @classmethod
    def of(cls, queryset: models.QuerySet[Any]) -> _Prepared:
        compiler = queryset.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        return cls(queryset, compiler, sql, tuple(parameters))

    def ask(self, values: dict[str, Any]) -> list[Any]:
        """Ask with these values; the rows are built as the queryset would build them."""
        filled = _filled(self.parameters, values)
        compiler = copy.copy(self.compiler)  # a thread's own, with the thread's own connection
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: (self.sql, filled)
        query = copy.copy(self.queryset.query)
        query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        asked: Any = self.queryset.__class__(self.queryset.model, query, connection.alias)
        for part in ("_iterable_class", "_fields", "_prefetch_related_lookups"):
            setattr(asked, part, getattr(self.queryset, part))
        return list(asked)


class Kept(Generic[Answer]):
    """A question to the database; call it with the values by name.

    It is written as a function from `Slot`s to a queryset, called once for each choice of the
    arguments that are given by position: those shape the question itself. A value may stand
    wherever an expression may, and on the right of `among`.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Any, Answer]]) -> None:
        self._build = build
        self._prepared: dict[tuple[Any, ...], _Prepared] = {}
        self.__doc__ = build.__doc__

    def __call__(self, *shape: Any, **values: Any) -> list[Answer]:
        """Return the answer's rows."""
        key = (connection.vendor, *shape, *values)
        prepared = self._prepared.get(key)
        if prepared is None:
            slots = {name: Slot(name) for name in values}
            prepared = self._prepared[key] = _Prepared.of(self._build(*shape, **slots))
        return prepared.ask(values)

    def first(self, *shape: Any, **values: Any) -> Answer | None:
        """Return the answer's first row, or None where there is none."""
        return next(iter(self(*shape, **values)), None)


class KeptUpdate:
    """A change to rows, compiled once: a function from `Slot`s to a queryset and what to set."""

    def __init__(self, build: Callable[..., tuple[models.QuerySet[Any], dict[str, Any]]]) -> None:
        self._build = build
        self._prepared: dict[str, tuple[str, tuple[Any, ...]]] = {}

    def __call__(self, **values: Any) -> None:
        """Change the rows."""
        if connection.vendor not in self._prepared:
            found, changes = self._build(**{name: Slot(name) for name in values})
            query: Any = found.query.chain(UpdateQuery)
            query.add_update_values(changes)
            sql, parameters = query.get_compiler(connection=connection).as_sql()
            self._prepared[connection.vendor] = sql, tuple(parameters)
        sql, parameters = self._prepared[connection.vendor]
        with connection.cursor() as cursor:
            cursor.execute(sql, _filled(parameters, values))
