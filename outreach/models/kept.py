"""Queries that are compiled once: what they ask for stays, only their values change.

Django compiles a queryset anew each time it is asked, which costs ten times what an embedded
database takes to answer. A tablet's exchange asks twenty such questions and always the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.base import ModelState
from django.db.models.expressions import Expression
from django.db.models.query import FlatValuesListIterable, ModelIterable, ValuesListIterable
from django.db.models.sql.subqueries import UpdateQuery

from outreach.models.sqlite import OF_VALUES
from outreach.models.statements import Statement

Answer = TypeVar("Answer")
Record = TypeVar("Record", bound=models.Model)
_Compiler = Any  # Django's compilers have no types
_Rows = Iterable[tuple[Any, ...]]


class Slot(Expression):
    """The place of a value that is given when the query is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:  # noqa: ARG002
        """Stand for one parameter."""
        kinds: Mapping[type, Callable[[Any], Any]] = OF_VALUES
        if connection.vendor != "sqlite":
            kinds = {dict: partial(connection.ops.adapt_json_value, encoder=None)}
        return "%s", [_Given(self.name, kinds)]


@dataclass(frozen=True)
class _Given:
    """A parameter that is given when the query is asked, and how its kinds are stored."""

    name: str
    kinds: Mapping[type, Callable[[Any], Any]]

    def fill(self, values: dict[str, Any]) -> Any:
        """Return the value as the database takes it."""
        value = values[self.name]
        adapt = self.kinds.get(type(value))
        return adapt(value) if adapt else value


def _filled(parameters: tuple[Any, ...], values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(one.fill(values) if hasattr(one, "fill") else one for one in parameters)


class Answers(Sequence[Answer]):
    """The rows of an answer; they are made when somebody looks at the first one."""

    def __init__(
        self,
        stored: Sequence[tuple[Any, ...]] = (),
        make: Callable[[Sequence[Any]], list[Any]] = list,
        places: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.stored = stored
        self._make, self._places = make, places

    @cached_property
    def _made(self) -> list[Answer]:
        return self._make(self.stored) if self.stored else []

    def column(self, name: str) -> list[Any]:
        """Return a record's column (`visit__assessor_id`) as it is stored, to ask with it again."""
        at = self._places[name] if self.stored else 0
        return [row[at] for row in self.stored]

    def __len__(self) -> int:
        return len(self.stored)

    def __iter__(self) -> Iterator[Answer]:
        return iter(self._made)

    def __getitem__(self, at: Any) -> Any:
        return self._made[at]

    def __eq__(self, other: object) -> bool:
        return self._made == (other._made if isinstance(other, Answers) else other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class _Prepared:
    """The statement that a queryset came to, and how its rows are read."""

    statement: Statement
    parameters: tuple[Any, ...]
    converters: list[tuple[int, list[Callable[..., Any]], Any]]
    build: Callable[[_Rows], list[Any]]
    places: Mapping[str, int]

    @classmethod
    def of(cls, queryset: models.QuerySet[Any, Any], here: Any) -> _Prepared:
        compiler: _Compiler = queryset.query.get_compiler(connection=here)
        sql, parameters = compiler.as_sql()
        found = compiler.get_converters([column for column, _, _ in compiler.select])
        converters = [(at, convert, column) for at, (convert, column) in found.items()]
        places = dict(_places(compiler.klass_info, compiler.select))
        statement = Statement.of(sql, here.vendor)
        return cls(statement, tuple(parameters), converters, _builder(queryset, compiler), places)

    def ask(self, values: dict[str, Any], here: Any) -> Answers[Any]:
        """Ask with these values; the rows are what the queryset's would be."""
        rows = self.statement.ask(here, _filled(self.parameters, values))
        return Answers(rows, partial(self._made, here), self.places)

    def _made(self, here: Any, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        return self.build(self._converted(here, rows))

    def _converted(self, here: Any, rows: Sequence[tuple[Any, ...]]) -> _Rows:
        """Return the rows as Python has them; column by column, which costs least."""
        if not self.converters:
            return rows
        columns: list[Any] = list(zip(*rows, strict=True))
        keys: dict[str, UUID] = {}  # each key comes several times
        lite = here.vendor == "sqlite"
        for at, convert, column in self.converters:
            if lite and isinstance(column.output_field, models.UUIDField):
                columns[at] = [_key(value, keys) for value in columns[at]]
                continue
            for one in convert:
                columns[at] = [one(value, column, here) for value in columns[at]]
        return zip(*columns, strict=True)


def _key(value: str | None, known: dict[str, UUID]) -> UUID | None:
    if value is None:
        return None
    key = known.get(value)
    if key is None:
        key = known[value] = UUID(int=int(value, 16))
    return key


def _builder(queryset: Any, compiler: _Compiler) -> Callable[[_Rows], list[Any]]:
    kind = queryset._iterable_class
    if kind is FlatValuesListIterable:
        return lambda rows: [row[0] for row in rows]
    if kind is ValuesListIterable:
        return list
    if kind is not ModelIterable or compiler.annotation_col_map:
        raise TypeError("a kept query answers with records, tuples or values")
    make = _maker(compiler.klass_info, compiler.select)
    return lambda rows: [make(row) for row in rows]


def _places(info: dict[str, Any] | None, select: Any, path: str = "") -> Iterator[tuple[str, int]]:
    """Yield where each column of a record, and of those joined to it, stands in a row."""
    if info:
        for at in info["select_fields"]:
            yield f"{path}{select[at][0].target.attname}", at
        for one in info.get("related_klass_infos", ()):
            yield from _places(one, select, f"{path}{one['field'].name}__")


def recalled(model: type[Record], columns: dict[str, Any], **joined: Any) -> Record:
    """Return a record of these columns as if it had been read, with the records it points to."""
    made = model.__new__(model)
    made.__dict__ = columns
    made._state = state = ModelState()
    state.adding, state.db, state.fields_cache = False, DEFAULT_DB_ALIAS, joined
    return made


def _maker(info: dict[str, Any], select: Any) -> Callable[[tuple[Any, ...]], Any]:
    """Return what makes a record, with those joined to it, of a row.

    A column that was not asked for is missing on the record, as Django has it: it is fetched
    when it is read. Django's own way through `__init__` takes five times as long.
    """
    model, positions = info["model"], info["select_fields"]
    start, stop = positions[0], positions[-1] + 1
    names = [select[at][0].target.attname for at in range(start, stop)]
    key = start + names.index(model._meta.pk.attname)
    joined = [
        (_maker(one, select), one["local_setter"], one["remote_setter"])
        for one in info.get("related_klass_infos", ())
    ]

    def make(row: tuple[Any, ...]) -> Any:
        if row[key] is None:
            return None
        made = recalled(model, dict(zip(names, row[start:stop], strict=True)))
        for its, hold, hold_back in joined:
            other = its(row)
            hold(made, other)
            if other is not None:
                hold_back(other, made)
        return made

    return make


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

    def __call__(self, *shape: Any, **values: Any) -> Answers[Answer]:
        """Return the answer's rows."""
        here = connections[DEFAULT_DB_ALIAS]
        key = (here.vendor, *shape, *values)
        prepared = self._prepared.get(key)
        if prepared is None:
            slots = {name: Slot(name) for name in values}
            prepared = self._prepared[key] = _Prepared.of(self._build(*shape, **slots), here)
        return prepared.ask(values, here)

    def first(self, *shape: Any, **values: Any) -> Answer | None:
        """Return the answer's first row, or None where there is none."""
        return next(iter(self(*shape, **values)), None)


class KeptUpdate:
    """A change to rows, compiled once: a function from `Slot`s to a queryset and what to set."""

    def __init__(self, build: Callable[..., tuple[models.QuerySet[Any], dict[str, Any]]]) -> None:
        self._build = build
        self._prepared: dict[str, tuple[Statement, tuple[Any, ...]]] = {}

    def __call__(self, **values: Any) -> int:
        """Change the rows; return how many there were."""
        here = connections[DEFAULT_DB_ALIAS]
        if here.vendor not in self._prepared:
            found, changes = self._build(**{name: Slot(name) for name in values})
            query: Any = found.query.chain(UpdateQuery)
            query.add_update_values(changes)
            sql, parameters = query.get_compiler(connection=here).as_sql()
            self._prepared[here.vendor] = Statement.of(sql, here.vendor), tuple(parameters)
        statement, parameters = self._prepared[here.vendor]
        return statement.tell(here, _filled(parameters, values))
