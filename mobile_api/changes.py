"""What happened, in one order, for other offices' systems: ids and deeds, no personal data.

A reader keeps the last number it saw and asks for what comes after; it misses nothing and sees
nothing twice, whatever was being written meanwhile (`outreach.actions.trail`). A register that was
restored from a backup gives the numbers after it anew, under another epoch.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from mobile_api import revocations
from mobile_api.auth import fingerprint
from mobile_api.models import Epoch, Hook, Integration
from mobile_api.problems import Problem
from mobile_api.wire import Change, ChangesOut
from outreach.actions.audit import record
from outreach.actions.trail import number_trail
from outreach.models import AuditEvent, Division

MOST = 1_000
FEED = "changes"
#: What a token may be made for: the feed, and the sums that nobody can be told from.
SCOPES = (FEED, "savings")


def changes(reader: Integration, after: int, limit: int, epoch: UUID | None = None) -> ChangesOut:
    """Return the changes of the reader's division after a number, the oldest first.

    Looking at something is no change and is left out. `last` is what to ask after next, also
    where nothing of the division lies between. Raises `Problem` where the reader names another
    epoch, or a number that was not given in this one: it reads of a life that is over.
    """
    present, top = Epoch.current(), head()
    if after > top or (epoch and str(epoch) != present):
        raise Problem("feed-restored", extra={"epoch": present})
    rows = AuditEvent.objects.filter(number__gt=after)
    of_division = rows.filter(
        division_code__startswith=reader.division.code, number__lte=top
    ).exclude(action__endswith=".view")
    fields = ("number", "at", "subject", "subject_id", "action")
    found = list(of_division.order_by("number").values_list(*fields)[: limit + 1])
    more = len(found) > limit
    told = [
        Change(n=number, at=at, kind=kind, id=subject, action=action)
        for number, at, kind, subject, action in found[:limit]
    ]
    last = told[-1].n if more else top
    return ChangesOut(epoch=present, changes=told, last=last, more=more)


def head() -> int:
    """Return the number of the last change there is, having numbered what had none."""
    number_trail()
    numbers = AuditEvent.objects.filter(number__isnull=False).order_by("-number")
    return numbers.values_list("number", flat=True).first() or 0


@transaction.atomic
def make_integration(
    name: str, division: Division, *, at: datetime, scopes: Sequence[str] = (FEED,)
) -> str:
    """Let another system read what `scopes` name of a division; return its token, shown this once.

    A name that is known gets another token in place of the one before.
    """
    token = secrets.token_urlsafe(32)
    if before := Integration.objects.filter(name=name, revoked_at=None).first():
        revocations.note_token(before, at, is_replaced=True)
    made, _ = Integration.objects.update_or_create(
        name=name,
        defaults={
            "division": division,
            "token_sha256": fingerprint(token),
            "scopes": list(scopes),
            "made_at": at,
            "revoked_at": None,
        },
    )
    detail = {"division": division.code, "scopes": list(scopes)}
    record("integration.make", [made], by=None, at=at, detail=detail)
    return token


@transaction.atomic
def revoke_integration(name: str, *, at: datetime) -> bool:
    """Take a system's token out of use, post nothing to it any more; tell whether there was one."""
    found = Integration.objects.filter(name=name, revoked_at=None).first()
    if found is None:
        return False
    found.revoked_at = at
    found.save(update_fields=["revoked_at"])
    Hook.objects.filter(integration=found).delete()  # its name may be given to another system
    record("integration.revoke", [found], by=None, at=at)
    revocations.note_token(found, at)
    return True
