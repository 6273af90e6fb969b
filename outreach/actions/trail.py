"""The trail in one order and one chain: numbered as committed, each digest over the one before.

A number is given only after the commit, to rows that are there, under one lock. So whoever has
read up to a number has read everything below it: none appears later, as it would with numbers
or times that are taken while a transaction is still open. The way in waits for nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from uuid import UUID

from django.apps import apps
from django.db import models, transaction

from outreach.models import AuditEvent, Counter

_COUNTER = "trail"
BEGINNING = "0" * 64
_BATCH = 1_000


@dataclass(frozen=True)
class Verdict:
    """How far the chain holds, and the number of the first event that breaks it."""

    events: int
    digest: str
    broken_at: int | None = None


def number_trail() -> int:
    """Number and chain every committed event that has no number yet; return how many."""
    count = 0
    while batch := _number_some():
        count += batch
    return count


@transaction.atomic
def _number_some() -> int:
    Counter.objects.get_or_create(name=_COUNTER)
    last = Counter.objects.select_for_update().get(name=_COUNTER)
    events = list(AuditEvent.objects.filter(number=None).order_by("pk")[:_BATCH])
    if not events:
        return 0
    places = _places_of(events)
    digest = digest_at(last.value)
    for number, event in enumerate(events, start=last.value + 1):
        event.number = number
        event.division_code = places.get(event.subject_id, "")
        event.digest = digest = _digest(digest, event)
    AuditEvent.objects.bulk_update(events, ["number", "division_code", "digest"])
    last.value += len(events)
    last.save(update_fields=["value"])
    return len(events)


def digest_at(number: int) -> str:
    """Return the digest of the event with this number; before the first one, zeros."""
    if number == 0:
        return BEGINNING
    return str(AuditEvent.objects.values_list("digest", flat=True).get(number=number))


def verify_trail() -> Verdict:
    """Follow the whole chain; an event that was altered, taken out or slipped in breaks it."""
    digest, expected = BEGINNING, 1
    for event in _in_order():
        if event.number != expected or event.digest != _digest(digest, event):
            return Verdict(expected - 1, digest, broken_at=expected)
        digest, expected = str(event.digest), expected + 1
    held = Counter.objects.filter(name=_COUNTER).values_list("value", flat=True).first() or 0
    if held != expected - 1:  # the last ones were taken out
        return Verdict(expected - 1, digest, broken_at=expected)
    return Verdict(expected - 1, digest)


def _in_order() -> Iterator[AuditEvent]:
    numbered = AuditEvent.objects.filter(number__isnull=False)
    return numbered.order_by("number").iterator(chunk_size=2_000)


def _digest(before: str, event: AuditEvent) -> str:
    """Return SHA-256 over the digest before and everything the event says, in clear."""
    said = [
        *(event.number, event.division_code, str(event.pk), event.at.timestamp()),
        *(str(event.by_id), event.action, event.subject, str(event.subject_id), event.detail),
    ]
    body = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{before}{body}".encode()).hexdigest()


def _places_of(events: Iterable[AuditEvent]) -> dict[UUID, str]:
    found: dict[UUID, str] = {}
    for kind, group in groupby(sorted(events, key=_kind), key=_kind):
        if kind in _placed():
            model, path = _placed()[kind]
            rows = model._base_manager.filter(pk__in=[event.subject_id for event in group])
            found.update(rows.values_list("pk", path))
    return found


def _kind(event: AuditEvent) -> str:
    return event.subject


@cache
def _placed() -> dict[str, tuple[type[models.Model], str]]:
    """Return the kinds of record that lie in a village, and the way from each to its code."""
    ways = {"village": "village__code", "application": "application__village__code"}
    return {
        str(model._meta.model_name): (model, ways[field.name])
        for model in apps.get_models()
        for field in model._meta.fields
        if field.name in ways
    }
