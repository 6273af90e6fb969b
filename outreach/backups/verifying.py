"""Whether the files of the register are there and hold what they should.

A disk may lose a bit without a word. Nobody reads an old photo, and each backup takes it along as
it lies: the last one in which it is whole ends before anybody has noticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, cast

from django.db.migrations.recorder import MigrationRecorder
from django.db.models import QuerySet

from certificates.models import CertificateFile
from mobile_api import handed
from mobile_api.models import HandInPart
from outreach.files import SealedStorage, lost_sectors_told, photo_name
from outreach.models import StoredBlob
from outreach.sealing import SealBroken

#: Told after each file: how many were read, how many there are.
Progress = Callable[[int, int], None]
_BATCH = 500
#: How a file is found; one that is erased meanwhile is neither whole nor missed.
WHOLE, MISSING, DAMAGED, ERASED = "whole", "missing", "damaged", "erased"


@dataclass
class Verdict:
    """How many files are whole, and the names of those that are lost, or not what they were."""

    whole: int = 0
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def verify_files(storage: SealedStorage, progress: Progress) -> Verdict:
    """Read every photo and paper that the register names, and hold it against its SHA-256.

    Then every part of a hand-in; one that the register has in its rows alone is missing.
    """
    told = Verdict()
    parts = list(storage.names(handed.ROOM))
    total = how_many_are_named() + len(parts)
    named = (_look(storage, *one) for one in _named())
    there = (_look_at_part(storage, name) for name in parts)
    looks = chain(named, there, _lost_parts(storage, set(parts)))
    for seen, (name, state) in enumerate(looks, start=1):
        told.whole += state == WHOLE
        told.missing += [name] if state == MISSING else []
        told.damaged += [name] if state == DAMAGED else []
        progress(seen, max(seen, total))
    return told


def how_many_are_named() -> int:
    """Count the photos and papers that the register names."""
    return _photos().count() + _papers().count()


def _look(
    storage: SealedStorage, rows: QuerySet[Any], key: Any, name: str, sha256: str
) -> tuple[str, str]:
    try:
        with lost_sectors_told(name), storage.read(name) as file:
            found = hashlib.file_digest(cast(Any, file), "sha256").hexdigest()
    except FileNotFoundError:
        return name, MISSING if rows.filter(pk=key).exists() else ERASED
    except SealBroken:
        return name, DAMAGED
    return name, WHOLE if found == sha256 else DAMAGED


def _look_at_part(storage: SealedStorage, name: str) -> tuple[str, str]:
    try:
        handed.read(name, storage)
    except FileNotFoundError:
        return name, ERASED
    except (SealBroken, ValueError):
        return name, DAMAGED
    return name, WHOLE


def _lost_parts(storage: SealedStorage, listed: set[str]) -> Iterator[tuple[str, str]]:
    # Those of before the upgrade that keeps them twice lie in the register alone.
    upgrade = MigrationRecorder.Migration.objects.filter(app="mobile_api", name="0014_handed_in")
    rows = HandInPart.objects.filter(received_at__gte=upgrade.values("applied")).order_by("pk")
    for part in _by_key(rows.defer("sealed")):
        name = handed.name_of(part)
        if name not in listed and not storage.exists(name) and rows.filter(pk=part.pk).exists():
            yield name, MISSING


def _photos() -> QuerySet[StoredBlob]:
    return StoredBlob.objects.filter(erased_at=None).order_by("pk")


def _papers() -> QuerySet[CertificateFile]:
    return CertificateFile.objects.order_by("pk")


def _named() -> Iterator[tuple[QuerySet[Any], Any, str, str]]:
    """Yield each file with the rows, and the key among them, that name it."""
    for photo in _by_key(_photos()):
        yield _photos(), photo.pk, photo_name(photo.pk), photo.pk
    for paper in _by_key(_papers()):
        yield _papers(), paper.pk, paper.path, paper.sha256


def _by_key(rows: QuerySet[Any]) -> Iterator[Any]:
    after = rows
    while batch := list(after[:_BATCH]):
        yield from batch
        after = rows.filter(pk__gt=batch[-1].pk)
