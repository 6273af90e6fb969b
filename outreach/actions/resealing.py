"""Brings everything under the ring's first key: sealed columns, sealed files, files in clear.

What is left to do is read from what lies there, never remembered: killed anywhere, it goes on
where it was, and run twice it does nothing. Every value stays readable at every moment, since a
row or a file is exchanged whole for the same one under another key of the ring.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from outreach.actions.holding import once_more
from outreach.files import BUCKET_ROOMS, SealedStorage, SectorLost, lost_sectors_told
from outreach.models import StoredBlob
from outreach.models.sealed import SealedField, key_ring
from outreach.sealing import HEAD, SealBroken

#: Told after each step: how many are done, how many there are.
Progress = Callable[[int, int], None]
Model = type[models.Model]
IN_CLEAR = "in clear"
#: The rooms of photos and their small pictures, whose names begin with the photo's SHA-256.
PHOTOS = ("blobs", "thumbnails")
UNKNOWN = "a key that is not in the ring"
_BATCH = 500


@dataclass
class Resealed:
    """How many were sealed anew, how many of them had lain in clear, and what does not open."""

    done: int = 0
    from_clear: int = 0
    broken: Counter[str] = field(default_factory=Counter)


def values_by_key() -> Counter[str]:
    """Count the sealed values of the database by the name of their key."""
    found: Counter[str] = Counter()
    for model, columns in _sealed_columns():
        for column in columns:
            rows = model._base_manager.filter(**{f"{column.name}__isnull": False})
            heads = rows.order_by().annotate(head=_head(column)).values_list("head")
            for head, count in heads.annotate(count=models.Count("*")):
                found[_key_named(bytes(head)[1:])] += count
    return found


def files_by_key(storage: SealedStorage) -> Counter[str]:
    """Count the files by the name of their key; those in clear under `IN_CLEAR`."""
    tags = Counter(tag for _name, tag in _sealed_files(storage))
    found: Counter[str] = Counter()
    for tag, count in tags.items():
        found[IN_CLEAR if tag is None else _key_named(tag)] += count
    return found


def reseal_values(progress: Progress) -> Resealed:
    """Seal every value of the database that an older key sealed with the first key.

    Rows that somebody writes meanwhile keep what was written. A value that does not open is
    left as it is and counted by its column.
    """
    told = Resealed()
    left = [(model, columns, _older(model, columns)) for model, columns in _sealed_columns()]
    total = sum(rows.count() for _model, _columns, rows in left)
    seen = 0
    for model, columns, rows in left:
        for batch in _batches(rows, [column.attname for column in columns]):
            _reseal_rows(model, columns, batch, told)
            progress(seen := seen + len(batch), total)
    return told


def reseal_files(storage: SealedStorage, progress: Progress) -> Resealed:
    """Seal every file that an older key sealed, or none, with the first key."""
    told = Resealed()
    first = key_ring().first_tag
    left = [(name, tag) for name, tag in _sealed_files(storage) if tag != first]
    for seen, (name, tag) in enumerate(left, start=1):
        try:
            with lost_sectors_told(name):
                storage.reseal(name)
        except FileNotFoundError:  # deleted meanwhile
            continue
        except SealBroken:
            told.broken[name] += 1
        else:
            _remove_again(name, storage)
            told.done += 1
            told.from_clear += tag is None
        progress(seen, len(left))
    return told


# -- the database ------------------------------------------------------------------------


def _sealed_columns() -> Iterator[tuple[Model, list[SealedField[Any]]]]:
    for model in apps.get_models():
        columns = [one for one in model._meta.local_concrete_fields if isinstance(one, SealedField)]
        if columns:
            yield model, columns


def _head(column: SealedField[Any]) -> models.Func:
    return models.Func(
        models.F(column.name),
        models.Value(1),
        models.Value(HEAD),
        function="SUBSTR",
        output_field=models.BinaryField(),
    )


def _older(model: Model, columns: Sequence[SealedField[Any]]) -> models.QuerySet[models.Model]:
    """Return the rows with a value that another key than the first sealed."""
    heads = {f"head_of_{column.name}": _head(column) for column in columns}
    another = (
        models.Q(**{f"{column.name}__isnull": False})
        & ~models.Q(**{f"head_of_{column.name}": key_ring().first_head})
        for column in columns
    )
    rows: models.QuerySet[models.Model] = model._base_manager.alias(**heads)
    return rows.filter(reduce(or_, another)).order_by("pk")


def _batches(
    rows: models.QuerySet[models.Model], names: Sequence[str]
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield key and sealed values of some rows at a time, without a cursor left open."""
    after = rows
    while batch := list(after.values_list("pk", *names)[:_BATCH]):
        yield batch
        after = rows.filter(pk__gt=batch[-1][0])


def _reseal_rows(
    model: Model,
    columns: Sequence[SealedField[Any]],
    batch: Sequence[tuple[Any, ...]],
    told: Resealed,
) -> None:
    changes = {
        _exchange(model, column): list(_changes(column, ((row[0], row[at]) for row in batch), told))
        for at, column in enumerate(columns, start=1)
    }
    once_more(partial(_write, changes))
    told.done += sum(map(len, changes.values()))


@transaction.atomic
def _write(changes: Mapping[str, Sequence[tuple[Any, Any, Any]]]) -> None:
    with connection.cursor() as cursor:
        for statement, values in changes.items():
            cursor.executemany(statement, values)


def _changes(
    column: SealedField[Any], values: Iterable[tuple[Any, Any]], told: Resealed
) -> Iterator[tuple[Any, Any, Any]]:
    """Yield new value, key and old value of what the first key did not seal."""
    key_column = column.model._meta.pk
    for key, sealed in values:
        if sealed is None or sealed.body.startswith(key_ring().first_head):
            continue
        try:
            anew = column.sealed_anew(sealed, key)
        except SealBroken:
            told.broken[f"{column.model._meta.db_table}.{column.column}"] += 1
            continue
        yield (
            column.get_db_prep_value(anew, connection),
            key_column.get_db_prep_value(key, connection),
            column.get_db_prep_value(sealed, connection),
        )


def _exchange(model: Model, column: SealedField[Any]) -> str:
    """Return the statement that changes a value only where it is still the one that was read."""
    quote = connection.ops.quote_name
    table, key = model._meta.db_table, str(model._meta.pk.column)
    name = quote(str(column.column))
    return f"UPDATE {quote(table)} SET {name} = %s WHERE {quote(key)} = %s AND {name} = %s"  # noqa: S608


# -- the files ---------------------------------------------------------------------------


def _sealed_files(storage: SealedStorage) -> Iterator[tuple[str, bytes | None]]:
    for room in BUCKET_ROOMS:
        for name in storage.names(room):
            try:
                with lost_sectors_told(name):
                    tag = storage.sealed_with(name)
            except FileNotFoundError:  # deleted meanwhile
                continue
            except SectorLost:
                tag = b""
            yield name, tag


@transaction.atomic
def _remove_again(name: str, storage: SealedStorage) -> None:
    """Remove a photo that was erased while it was sealed anew: its row says that it is gone."""
    room, sha256 = name.partition("/")[0], name.rpartition("/")[2][:64]
    if room in PHOTOS:
        # Whoever erases it holds the row until the file is gone.
        held = StoredBlob.objects.select_for_update().filter(pk=sha256)
        if any(row.removed_at for row in held):
            storage.delete(name)


def _key_named(tag: bytes) -> str:
    return key_ring().name_of(tag) or UNKNOWN
