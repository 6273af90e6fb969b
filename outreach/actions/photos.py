"""A finished, verified upload becomes part of the register."""

from __future__ import annotations

from collections.abc import Sequence

from outreach.models import StoredBlob


def store_blobs(blobs: Sequence[StoredBlob]) -> None:
    """Note files that the server holds whole and verified; one it knows already stays as it is."""
    StoredBlob.objects.bulk_create(blobs, ignore_conflicts=True)


def take_again(sha256: str) -> None:
    """Keep a file whose like was erased before: somebody sent it anew, for another purpose."""
    erased = StoredBlob.objects.filter(pk=sha256, erased_at__isnull=False)
    erased.update(erased_at=None, removed_at=None)
