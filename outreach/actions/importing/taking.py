"""A checked list enters the register in portions, so that a page can tell how far it is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from outreach.actions.applications import nominate
from outreach.actions.audit import record
from outreach.actions.importing.checking import Checked, nomination_of
from outreach.models import Division, ImportDraft, User
from outreach.rules import Refused

PORTION = 100


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
    """Nominate the next rows of a draft, or none of them; a portion is never taken twice."""
    held = ImportDraft.objects.select_for_update().get(pk=draft.pk)
    if held.by_id != by.pk:
        raise Refused("out-of-scope", _("A colleague read this list; ask them."))
    rows = held.rows[held.taken : held.taken + size]
    villages = Division.objects.in_bulk({row["village"] for row in rows})
    nominate([nomination_of(row, villages[row["village"]]) for row in rows], by=by, at=at)
    held.taken += len(rows)
    if held.taken == held.good:
        held.rows = []  # what is in the register need not lie about twice
        record("import.taken", [held], by=by, at=at)
    held.save(update_fields=["taken", "rows"])
    return held
