"""What tablets said, word for word: blanked so that a tablet that says it again is still known.

The ledger recognises a mutation by its place in the chain, and an effect by its own key; neither
is touched. Signatures stay too, though they prove nothing without the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from pydantic_core import to_json

from mobile_api.models import Dispute, LedgerEntry
from outreach.actions.trail import erase_details
from outreach.models import AuditEvent
from outreach.retention import blanks

_BATCH = 500


@transaction.atomic
def blank_records(entries: Sequence[LedgerEntry], at: datetime) -> None:
    """Blank these entries, the reasons given in disputes about them, and the trail's of those."""
    for entry in entries:
        blanks.RECORD.blank(entry)
        entry.erased_at = at
        entry.save(update_fields=["erased_at"])
        disputes = list(Dispute.objects.filter(replica=entry.replica_id, seq=entry.seq))
        for dispute in disputes:
            blanks.DISPUTE.blank(dispute)
        if disputes:
            erase_details(AuditEvent.objects.filter(subject_id__in=[one.pk for one in disputes]))


def naming(
    words: Iterable[str],
    since: datetime,
    among: QuerySet[LedgerEntry] | None = None,
    sparing: Iterable[str] = (),
) -> Iterator[list[LedgerEntry]]:
    """Yield, some at a time, the decided entries since then that say one of the words.

    Those that say a word of `sparing` too are left out. What they say is sealed, so each is opened:
    about 100,000 a second and core.
    """
    sought, spared = _sought(words), _sought(sparing)
    kept = LedgerEntry.objects.all() if among is None else among
    rows = kept.filter(erased_at=None, received_at__gte=since).order_by("pk")
    for batch in _by_key(rows):
        found = [entry for entry in batch if _says(entry.args, sought)]
        found = [entry for entry in found if not _says(entry.args, spared)]
        waiting = _undecided(found)
        yield [entry for entry in found if (entry.replica_id, entry.seq) not in waiting]


def waits(words: Iterable[str]) -> bool:
    """Tell whether somebody has to decide yet on an entry that says one of the words."""
    sought = _sought(words)
    here = {"replica": OuterRef("replica"), "seq": OuterRef("seq")}
    rows = LedgerEntry.objects.filter(Exists(Dispute.objects.filter(**here, decided_at=None)))
    return any(_says(entry.args, sought) for entry in rows.iterator())


def _sought(words: Iterable[str]) -> list[bytes]:
    return [word.encode() for word in words if word]


def _by_key(rows: QuerySet[LedgerEntry]) -> Iterator[list[LedgerEntry]]:
    after = rows
    while batch := list(after[:_BATCH]):
        yield batch
        after = rows.filter(pk__gt=batch[-1].pk)


def _says(args: Any, sought: Sequence[bytes]) -> bool:
    text = to_json(args)
    return any(word in text for word in sought)


def _undecided(entries: Iterable[LedgerEntry]) -> set[tuple[Any, int]]:
    replicas = {entry.replica_id for entry in entries}
    open_ones = Dispute.objects.filter(replica__in=replicas, decided_at=None)
    return set(open_ones.values_list("replica_id", "seq"))
