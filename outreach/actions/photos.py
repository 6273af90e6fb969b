"""A finished, verified upload becomes part of the register."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from django.db import connection

from outreach.models import StoredBlob

_COLUMNS = tuple(field.attname for field in StoredBlob._meta.concrete_fields)
_values_of = attrgetter(*_COLUMNS)


def store_blobs(blobs: Sequence[StoredBlob]) -> None:
    """Note files that the server holds whole and verified; one it knows already stays as it is.

    The statement is one that both databases know and commit by itself: the ORM compiles it anew
    for each photo and opens a transaction around it.
    """
    with connection.cursor() as cursor:
        for blob in blobs:
            cursor.execute(_statement(), [_stored(value) for value in _values_of(blob)])


def take_again(sha256: str) -> None:
    """Keep a file whose like was erased before: somebody sent it anew, for another purpose."""
    erased = StoredBlob.objects.filter(pk=sha256, erased_at__isnull=False)
    erased.update(erased_at=None, removed_at=None)


@cache
def _statement() -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(map(quote, _COLUMNS))
    places = ", ".join("%s" for _ in _COLUMNS)
    table = quote(StoredBlob._meta.db_table)
    return f"INSERT INTO {table} ({columns}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608


def _stored(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
