"""How SQLite stores what its driver has no word for: the only place that knows.

Django knows it too, one value at a time and at ten times the cost.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import models
from pydantic_core import to_json

from outreach.models.sealed import SealedField


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(" ")[: -len("+00:00")]


def _json(value: Any) -> str:
    return to_json(value).decode()


_hexadecimal = attrgetter("hex")

#: By the type of the value.
OF_VALUES: dict[type, Callable[[Any], Any]] = {
    UUID: _hexadecimal,
    datetime: _utc,
    date: str,
    time: str,
    dict: _json,
}
_OF_FIELDS: tuple[tuple[type[models.Field[Any, Any]], Callable[[Any], Any]], ...] = (
    (models.UUIDField, _hexadecimal),
    (models.DateTimeField, _utc),
    (models.DateField, str),
    (models.TimeField, str),
    (models.JSONField, _json),
    # The driver takes these at once, and asks around what to do with the others.
    (models.BooleanField, int),
    (models.BinaryField, bytearray),
    (SealedField, bytearray),
)


def adapting(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    """Return what turns a column's values into what is stored; None where they are that."""
    stored = field.target_field if isinstance(field, models.ForeignKey) else field
    return next((adapt for kind, adapt in _OF_FIELDS if isinstance(stored, kind)), None)
