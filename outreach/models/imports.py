"""A nomination list that was read and checked, and waits for somebody to say: take it in."""

from __future__ import annotations

from typing import Any

from django.db import models

from outreach.models.ids import new_id
from outreach.models.people import User
from outreach.models.sealed import SealedJSONField


class ImportDraft(models.Model):
    """The good rows of a list, sealed, with what is wrong with the others; `taken` rows are in."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    filename = models.CharField(max_length=120)
    read_at = models.DateTimeField()
    rows: Any = SealedJSONField(default=list)
    faults: Any = SealedJSONField(default=list)
    total = models.PositiveIntegerField()
    good = models.PositiveIntegerField()
    taken = models.PositiveIntegerField(default=0)
