"""The trail in one order and one chain: numbered as committed, each digest over the one before.

A number is given only after the commit, to rows that are there, under one lock. So whoever has
read up to a number has read everything below it: none appears later, as it would with numbers
or times that are taken while a transaction is still open. The way in waits for nothing.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import models, transaction

from outreach.models import AuditEvent, Counter

_COUNTER = "trail"
_GIVEN = ["number", "division_code", "digest", "detail_digest", "salt"]
BEGINNING = "0" * 64
_BATCH = 1_000
#: An office in use leaves a trace more often than that; what is of the last days may be of a clock
#: that was set wrong a few days ago, and nobody has noticed yet.
QUIET, LATELY = timedelta(days=62), timedelta(days=8)


class ClockAhead(Exception):
    """The trail was quiet for so long that the machine's clock may have jumped ahead."""


@dataclass(frozen=True)
class Verdict:
    """How far the chain holds, and the number of the first event that breaks it."""

    events: int
    digest: str
    broken_at: int | None = None
    erased: int = 0


def check_clock(at: datetime) -> None:
    """Raise `ClockAhead` where the trail knows of nothing for months before the last days.

    For what is done by the calendar alone, and does not come back.
    """
    before = AuditEvent.objects.filter(at__lt=at - LATELY).aggregate(newest=models.Max("at"))
    newest = before["newest"]
    if settings.OUTREACH_CLOCK == "real" and newest and at - newest > QUIET:
        raise ClockAhead(
            f"The machine's clock says {at:%Y-%m-%d}, and the trail knows of nothing from"
            f" {newest:%Y-%m-%d} to a week ago: it may be ahead."
        )


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
        event.salt = secrets.token_hex(16)
        event.detail_digest = _digest_of_detail(event)
        event.digest = digest = _digest(digest, event)
    AuditEvent.objects.bulk_update(events, _GIVEN)
    last.value += len(events)
    last.save(update_fields=["value"])
    return len(events)


def digest_at(number: int) -> str:
    """Return the digest of the event with this number; before the first one, zeros."""
    if number == 0:
        return BEGINNING
    return str(AuditEvent.objects.values_list("digest", flat=True).get(number=number))


def verify_trail() -> Verdict:
    """Follow the whole chain; an event that was altered, taken out or slipped in breaks it.

    Others may be numbered meanwhile, as whoever reads the feed has it done: those count as they
    come.
    """
    digest, expected, erased, before = BEGINNING, 1, 0, _given()
    for event in _in_order():
        is_next = event.number == expected and event.digest == _digest(digest, event)
        if not (is_next and _says_what_it_said(event)):
            return Verdict(expected - 1, digest, broken_at=expected)
        digest, expected = str(event.digest), expected + 1
        erased += _is_erased(event)
    if not before <= expected - 1 <= _given():  # the last ones were taken out, or slipped in
        return Verdict(expected - 1, digest, broken_at=expected)
    return Verdict(expected - 1, digest, erased=erased)


def _given() -> int:
    """Return how many numbers were given so far."""
    return Counter.objects.filter(name=_COUNTER).values_list("value", flat=True).first() or 0


def erase_details(events: models.QuerySet[AuditEvent]) -> int:
    """Erase what these events say beside who, what, when and about what; return how many.

    The chain holds afterwards. Events of before 0.4.0 are chained over their details, which
    therefore stay, as do those that have no number yet.
    """
    count = 0
    for event in events.filter(detail_digest__isnull=False).exclude(salt=""):
        if event.detail:
            event.detail, event.salt = {}, ""
            event.save(update_fields=["detail", "salt"])
            count += 1
    return count


def _in_order() -> Iterator[AuditEvent]:
    numbered = AuditEvent.objects.filter(number__isnull=False)
    return numbered.order_by("number").iterator(chunk_size=2_000)


def _digest(before: str, event: AuditEvent) -> str:
    """Return SHA-256 over the digest before and everything the event says, in clear."""
    said = [
        *(event.number, event.division_code, str(event.pk), event.at.timestamp()),
        *(str(event.by_id), event.action, event.subject, str(event.subject_id)),
        event.detail if event.detail_digest is None else event.detail_digest,
    ]
    return hashlib.sha256(f"{before}{_canonical(said)}".encode()).hexdigest()


def _digest_of_detail(event: AuditEvent) -> str:
    return hashlib.sha256(f"{event.salt}{_canonical(event.detail)}".encode()).hexdigest()


def _canonical(said: object) -> str:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _is_erased(event: AuditEvent) -> bool:
    return event.salt == ""


def _says_what_it_said(event: AuditEvent) -> bool:
    if event.detail_digest is None:
        return True
    if _is_erased(event):
        return not event.detail
    return event.detail_digest == _digest_of_detail(event)


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
