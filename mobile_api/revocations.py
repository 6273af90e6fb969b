"""Stopped tablets, written down beside the database too.

A register that is restored from an older backup has forgotten who was stopped since. The file
only grows, takes one line a tablet, and is read once the restored register stands.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from mobile_api import lines
from mobile_api.models import Device
from outreach.actions.audit import record

log = logging.getLogger(__name__)


def note(device: Device, at: datetime) -> None:
    """Append a stopped tablet to the file, on the disk before this returns.

    A disk that is full or gone does not keep anybody from stopping a tablet: it is logged.
    """
    try:
        lines.append(
            settings.OUTREACH_REVOCATIONS, {"device": str(device.pk), "at": at.isoformat()}
        )
    except OSError:
        log.exception(
            "the stop of tablet %s is not in %s", device.pk, settings.OUTREACH_REVOCATIONS
        )


def reapply() -> int:
    """Stop every tablet again that the file names and the register has in use; return how many.

    A line that was cut by a power failure is passed over: its tablet is stopped in the database.
    """
    stopped = dict(_noted())
    with transaction.atomic():
        found = list(Device.objects.filter(pk__in=list(stopped), revoked_at=None))
        for device in found:
            device.revoked_at, device.share = stopped[device.pk], None
            record("device.revoke", [device], by=None, at=device.revoked_at)
        Device.objects.bulk_update(found, ["revoked_at", "share"], batch_size=100)
    return len(found)


def _noted() -> list[tuple[UUID, datetime]]:
    noted = []
    for line in lines.read(settings.OUTREACH_REVOCATIONS):
        try:
            noted.append((UUID(str(line["device"])), datetime.fromisoformat(str(line["at"]))))
        except (ValueError, KeyError, TypeError):
            log.warning("a line of %s cannot be read", settings.OUTREACH_REVOCATIONS)
    return noted
