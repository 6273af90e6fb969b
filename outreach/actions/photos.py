"""A finished, verified upload becomes part of the register."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import QuerySet

from outreach.models import Kept, Slot, StoredBlob, insert_missing

#: A tablet brought an erased one back: the next run of the terms removes it again.
_IS_HERE_AGAIN = (
    "(sha256) DO UPDATE SET removed_at = NULL WHERE outreach_storedblob.erased_at IS NOT NULL"
)


def store_blobs(blobs: Sequence[StoredBlob]) -> None:
    """Note files that the server holds whole and verified; one it knows already stays as it is.

    Of one that was erased it notes that the file is here again. In one statement that commits by
    itself: each photo that arrives waits for it.
    """
    insert_missing(StoredBlob, map(vars, blobs), _IS_HERE_AGAIN)


def take_again(sha256: str) -> bool:
    """Keep a file whose like was erased before: somebody sent it anew, for another purpose.

    True where it was: until now whoever removes such files may have removed this one, too.
    """
    erased = StoredBlob.objects.filter(pk=sha256, erased_at__isnull=False)
    return bool(erased.update(erased_at=None, removed_at=None))


@Kept
def _erased(names: Slot) -> QuerySet[StoredBlob, str]:
    erased = StoredBlob.objects.filter(pk__among=names, erased_at__isnull=False)
    return erased.values_list("pk", flat=True)


def ask_again(names: Collection[str]) -> None:
    """Forget of files that they were erased: a case declares them anew, and its tablet has them."""
    if erased := list(_erased(names=names)):
        StoredBlob.objects.filter(pk__among=erased).delete()


def held(names: Collection[str]) -> set[str]:
    """Return those of the files that are kept, and hold them so until the transaction ends.

    Whoever gives a file to a photo, and whoever erases one that no photo shows, holds it first: the
    second sees what the first has done.
    """
    rows = StoredBlob.objects.select_for_update().filter(pk__among=names, erased_at=None)
    return set(rows.order_by("pk").values_list("pk", flat=True))


def erase(names: Collection[str], at: datetime) -> None:
    """Note files as erased; `remove_files` removes them."""
    StoredBlob.objects.filter(pk__among=names, erased_at=None).update(erased_at=at)
