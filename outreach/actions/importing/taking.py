"""A checked list enters the register in portions, so that a page can tell how far it is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from outreach.actions.applications import nominate
from outreach.actions.audit import record
from outreach.actions.holding import hold_residents
from outreach.actions.importing.checking import ID_NUMBER, Checked, Fault, nomination_of
from outreach.models import Division, ImportDraft, User
from outreach.rules import Refused

PORTION = 100


@transaction.atomic
def keep(checked: Checked, filename: str, *, by: User, at: datetime) -> ImportDraft:
    """Keep what was read, sealed, until somebody says to take it in; nothing is nominated yet."""
    made = ImportDraft.objects.create(
        by=by,
        filename=filename[:120],
        read_at=at,
        rows=checked.rows,
        faults=[asdict(fault) for fault in checked.faults],
        total=checked.total,
        good=len(checked.rows),
    )
    record("import.read", [made], by=by, at=at)
    return made


@transaction.atomic
def take_portion(draft: ImportDraft, *, by: User, at: datetime, size: int = PORTION) -> ImportDraft:
    """Nominate the next rows of a draft; a portion is never taken twice.

    A row that was good when the list was read, and is not any more, holds up no other: it goes to
    what is wrong with the list.
    """
    held = ImportDraft.objects.select_for_update().get(pk=draft.pk)
    if held.by_id != by.pk:
        raise Refused("out-of-scope", _("A colleague read this list; ask them."))
    rows = held.rows[held.taken : held.taken + size]
    taken, faults = _nominate(rows, by=by, at=at)
    held.rows[held.taken : held.taken + size] = taken
    held.taken += len(taken)
    held.good -= len(faults)
    held.faults += [asdict(fault) for fault in faults]
    if held.taken == held.good:
        held.rows = []  # what is in the register need not lie about twice
        record("import.taken", [held], by=by, at=at)
    held.save(update_fields=["taken", "good", "rows", "faults"])
    return held


def _nominate(rows: list[Any], *, by: User, at: datetime) -> tuple[list[Any], list[Fault]]:
    """Nominate all rows at once, else each by itself; return those taken in, and what is wrong."""
    villages = Division.objects.in_bulk({row["village"] for row in rows})
    hold_residents(row["id_number"] for row in rows)

    def take(some: list[Any]) -> None:
        with transaction.atomic():
            nominate([nomination_of(row, villages[row["village"]]) for row in some], by=by, at=at)

    with suppress(Refused):
        take(rows)
        return rows, []
    taken, faults = [], []
    for row in rows:
        try:
            take([row])
            taken.append(row)
        except Refused as refusal:
            faults.append(Fault(row.get("row", 0), ID_NUMBER, str(refusal.message)))
    return taken, faults
