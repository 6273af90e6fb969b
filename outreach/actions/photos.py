"""A finished, verified upload becomes part of the register."""

from __future__ import annotations

from collections.abc import Sequence

from outreach.models import StoredBlob, insert_missing

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


def take_again(sha256: str) -> None:
    """Keep a file whose like was erased before: somebody sent it anew, for another purpose."""
    erased = StoredBlob.objects.filter(pk=sha256, erased_at__isnull=False)
    erased.update(erased_at=None, removed_at=None)
