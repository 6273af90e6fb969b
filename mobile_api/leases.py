"""The server's part of a tablet's key, lent for as long as the lease lasts.

A tablet seals the wrap that its PIN opens once more with this part. It forgets the part when the
lease ends without an exchange, and asks for it before it opens again; a revoked tablet gets none.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from django.db import transaction

from mobile_api.auth import check_in_use, fingerprint
from mobile_api.models import Device
from mobile_api.problems import Problem
from outreach.actions.audit import record

#: A tablet that exchanged nothing for so long opens only with a line.
LEASE = timedelta(days=14)
_SHARE_BYTES = 32


@transaction.atomic
def lend(device: Device, *, at: datetime) -> tuple[str, str]:
    """Return the device's part of the key, made when it has none, and a fresh secret to ask with.

    An earlier secret is no longer known: a copied one does not outlive the next request. Raises
    `Problem` revoked.
    """
    held = Device.objects.select_for_update().get(pk=device.pk)
    check_in_use(held.revoked_at, held.user.is_active)  # it may have been stopped since it spoke
    ask = secrets.token_urlsafe(32)
    if not held.share:
        held.share = b64encode(secrets.token_bytes(_SHARE_BYTES)).decode()
    held.ask_sha256 = fingerprint(ask)
    held.save(update_fields=["share", "ask_sha256"])
    record("device.lend", [held], by=held.user, at=at)
    return str(held.share), ask


def lend_again(replica: UUID, ask: str, *, at: datetime) -> str:
    """Return the part to a locked tablet whose lease has ended.

    Raises `Problem`: `unknown-replica` where replica and secret do not belong together,
    `revoked` where the tablet was stopped or its user may not sign in any more.
    """
    held = Device.objects.select_related("user").filter(replicas=replica).first()
    if held is None or not compare_digest(held.ask_sha256, fingerprint(ask)):
        raise Problem("unknown-replica")
    check_in_use(held.revoked_at, held.user.is_active)
    record("device.lend", [held], by=held.user, at=at)
    return str(held.share)
