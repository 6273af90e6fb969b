"""Columns whose content is sealed in the database and plain in Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import orjson
from django.conf import settings
from django.core.signals import setting_changed
from django.db import models
from pydantic_core import to_json

from outreach.sealing import KeyRing

T = TypeVar("T")

if TYPE_CHECKING:
    _Column = models.Field[T, T]
else:

    class _Column(models.Field, Generic[T]):
        """Django's field, made generic for the type checker's sake."""

        class Meta:
            abstract = True


@lru_cache(maxsize=1)
def key_ring() -> KeyRing:
    """Return the key ring of the settings."""
    return KeyRing.parse(settings.OUTREACH_SEALING_KEYS, settings.OUTREACH_INDEX_KEY)


setting_changed.connect(lambda **_: key_ring.cache_clear(), weak=False)


def blind_index(value: str, purpose: str) -> str:
    """Return the fingerprint under which a sealed `value` is stored for look-up."""
    return key_ring().blind(value, purpose)


def adapted(adapt: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    """Adapt each value once in a row, and leave None as it is.

    The photos of an evaluation name the same one, and the events of a deed say the same.
    """
    before, stored, told = None, None, []
    for value in values:
        if value is not before:
            before, stored = value, None if value is None else adapt(value)
        told.append(stored)
    return told


@dataclass(frozen=True)
class _Sealed:
    """What came from the database and was not opened yet."""

    body: bytes


class SealedField(_Column[T]):
    """A binary column that opens on first reading, bound to table, column and primary key.

    The row must have its key before it is saved (ours are UUIDs made in Python). A sealed
    column cannot be filtered, ordered or set by a queryset's `update`: store a blind index.
    """

    empty: Any = ""

    def get_internal_type(self) -> str:
        return "BinaryField"

    def bound_to(self, key: Any) -> str:
        """Name the row and column a value belongs to."""
        return f"{self.model._meta.db_table}|{self.column}|{key}"

    def seal(self, value: T, key: Any) -> bytes:
        """Seal a value for the row with that primary key."""
        return key_ring().seal(self.encode(value), self.bound_to(key))

    def seal_all(self, values: Sequence[T | None], keys: Sequence[str]) -> list[bytes | None]:
        """Seal the values of many rows, each for its row; what is None stays None."""
        before = self.bound_to("")
        plain = adapted(self.encode, values)
        return key_ring().seal_all(plain, [f"{before}{key}" for key in keys])

    def sealed_anew(self, sealed: _Sealed, key: Any) -> _Sealed:
        """Seal what a row holds with the ring's first key; the value itself is not read."""
        name = self.bound_to(key)
        return _Sealed(key_ring().seal(key_ring().unseal(sealed.body, name), name))

    def encode(self, value: T) -> bytes:
        raise NotImplementedError

    def decode(self, plain: bytes) -> T:
        raise NotImplementedError

    def contribute_to_class(
        self, cls: type[models.Model], name: str, private_only: bool = False
    ) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, name, _Opener(self))

    def from_db_value(self, value: Any, *_: object) -> _Sealed | None:
        return None if value is None else _Sealed(bytes(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: ARG002
        value = model_instance.__dict__.get(self.attname)
        if value is None or isinstance(value, _Sealed):
            return value
        return _Sealed(self.seal(value, model_instance.pk))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: ARG002
        if value is None:
            return None
        if not isinstance(value, _Sealed):
            raise TypeError(f"{self.name} is sealed: it cannot be queried or bulk-updated")
        return connection.Database.Binary(value.body)

    def value_to_string(self, obj: models.Model) -> str:  # noqa: ARG002
        raise TypeError(f"{self.name} is sealed: it is not serialised")


class _Opener(Generic[T]):
    """Opens a sealed column on first reading and keeps the plain value on the instance."""

    def __init__(self, field: SealedField[T]) -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])
        value = instance.__dict__[name]
        if isinstance(value, _Sealed):
            plain = key_ring().unseal(value.body, self.field.bound_to(instance.pk))
            value = instance.__dict__[name] = self.field.decode(plain)
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedTextField(SealedField[str]):
    """A sealed text."""

    def encode(self, value: str) -> bytes:
        return value.encode()

    def decode(self, plain: bytes) -> str:
        return plain.decode()


class SealedJSONField(SealedField[Any]):
    """A sealed JSON value (dict, list, number, text)."""

    def encode(self, value: Any) -> bytes:
        try:
            return orjson.dumps(value)
        except TypeError:  # an integer of more than 64 bits, or a kind that only pydantic knows
            return to_json(value)

    def decode(self, plain: bytes) -> Any:
        return cast(Any, json.loads(plain))
