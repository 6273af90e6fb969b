"""Enrolled tablets, written down beside the database too.

A register that is restored from an older backup does not know who was enrolled since, and would
turn those tablets away with all that only they still hold. The file only grows and takes one line
an enrolment, with fingerprints and public keys only; it is read once the restored register stands.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from mobile_api.chain import ZERO
from mobile_api.models import Device, EnrolmentCode, Replica
from outreach.actions.audit import record
from outreach.files import lines
from outreach.models import User

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Enrolment:
    """One line of the file: whose tablet, how it is known, and by which code it came."""

    device: UUID
    user: UUID
    replica: UUID
    label: str
    key: bytes
    token: str
    code: str
    at: datetime

    @classmethod
    def read(cls, line: dict[str, Any]) -> _Enrolment:
        return cls(
            device=UUID(str(line["device"])),
            user=UUID(str(line["user"])),
            replica=UUID(str(line["replica"])),
            label=str(line["label"]),
            key=base64.b64decode(str(line["key"]), validate=True),
            token=str(line["token"]),
            code=str(line["code"]),
            at=datetime.fromisoformat(str(line["at"])),
        )


def note(device: Device, replica: Replica, code: EnrolmentCode, at: datetime) -> None:
    """Append an enrolment to the file, on the disk before this returns.

    A disk that is full or gone keeps nobody from enrolling: it is logged.
    """
    line = {
        "device": str(device.pk),
        "user": str(device.user_id),
        "replica": str(replica.pk),
        "label": device.label,
        "key": base64.b64encode(bytes(device.public_key)).decode(),
        "token": device.token_sha256,
        "code": code.code_sha256,
        "at": at.isoformat(),
    }
    lines.note(settings.OUTREACH_ENROLMENTS, line, f"tablet {device.pk}")


@transaction.atomic
def reapply() -> int:
    """Enrol every tablet again that the file names and the register does not know.

    The newest token of each counts, also of tablets that the register knows; a code that was used
    is used. Returns how many tablets were unknown; somebody whose account is younger than the
    backup is passed over and logged.
    """
    noted = _noted()
    users = set(
        User.objects.filter(pk__in=[one.user for one in noted]).values_list("pk", flat=True)
    )
    known = set(
        Device.objects.filter(pk__in=[one.device for one in noted]).values_list("pk", flat=True)
    )
    newest = {one.device: one for one in noted}
    fresh = [one for pk, one in newest.items() if pk not in known and one.user in users]
    for one in newest.values():
        if one.user not in users:
            log.warning("tablet %s stays unknown: its user is", one.device)
    for one in newest.values():
        Device.objects.filter(pk=one.device, revoked_at=None).update(token_sha256=one.token)
    made = Device.objects.bulk_create(
        Device(
            pk=one.device,
            user_id=one.user,
            label=one.label,
            public_key=one.key,
            token_sha256=one.token,
            enrolled_at=one.at,
        )
        for one in fresh
    )
    for device in made:
        record("device.enrol", [device], by=None, at=device.enrolled_at)
    _logs_and_codes([one for one in noted if one.user in users])
    return len(made)


def _logs_and_codes(noted: list[_Enrolment]) -> None:
    """Begin the log of each tablet that has none, and bind the codes that were used."""
    for one in noted:
        Replica.objects.get_or_create(
            pk=one.replica,
            defaults={"device_id": one.device, "chain": ZERO, "created_at": one.at},
        )
        codes = EnrolmentCode.objects.filter(code_sha256=one.code, device=None)
        codes.update(device=one.device)


def _noted() -> list[_Enrolment]:
    """Return the lines, but those of an enrolment that was cut before its commit.

    Their tablet came again with its log, and is another device since.
    """
    found = list(_read())
    owners = {one.replica: one.device for one in found}
    return [one for one in found if owners[one.replica] == one.device]


def _read() -> Iterator[_Enrolment]:
    for line in lines.read(settings.OUTREACH_ENROLMENTS):
        try:
            yield _Enrolment.read(line)
        except (ValueError, KeyError, TypeError):
            log.warning("a line of %s cannot be read", settings.OUTREACH_ENROLMENTS)
