"""Tablets come and go: one-time codes, enrolment, revocation."""

from __future__ import annotations

import base64
import binascii
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from mobile_api import enrolments
from mobile_api.auth import fingerprint
from mobile_api.chain import ZERO
from mobile_api.models import Device, EnrolmentCode, Replica
from mobile_api.problems import Problem
from mobile_api.revocations import note
from outreach.actions.audit import record
from outreach.models import User
from outreach.rules import Refused, administers

CODE_LIFETIME = timedelta(hours=24)
#: No 0/O, 1/I/L: the code is read aloud over a telephone.
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


@transaction.atomic
def make_code(user: User, *, by: User, at: datetime) -> str:
    """Return a fresh one-time code with which a tablet becomes `user`'s; shown once."""
    if not administers(by, user.division.code):
        raise Refused(
            "not-your-step", _("Only an administrator of the area enrols or stops tablets.")
        )
    code = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(2))
    made = EnrolmentCode.objects.create(
        user=user,
        code_sha256=fingerprint(code),
        created_by=by,
        expires_at=at + CODE_LIFETIME,
    )
    record("device.code", [made], by=by, at=at)
    return code


def public_key(encoded: str) -> tuple[bytes, ec.EllipticCurvePublicKey]:
    """Read a base64 SPKI P-256 key, or raise a `Problem` that names the field."""
    try:
        der = base64.b64decode(encoded, validate=True)
        key = load_der_public_key(der)
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise Problem("malformed", "public_key: base64 of a P-256 SPKI is expected") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise Problem("malformed", "public_key: base64 of a P-256 SPKI is expected")
    return der, key


@transaction.atomic
def enrol(
    *, code: str, label: str, key: str, replica: UUID, at: datetime
) -> tuple[Device, Replica, str]:
    """Enrol a tablet: device, replica and a fresh token, which is never stored itself.

    The same code with the same key again is the same tablet whose answer was lost: it gets a
    new token. So does a known tablet of the same user with a new code: its log goes on.
    Raises `Problem` for an unknown, expired or otherwise used code.
    """
    der = public_key(key)[0]
    ticket = (
        EnrolmentCode.objects.select_for_update(of=("self",))
        .select_related("user__division", "device")
        .filter(code_sha256=fingerprint(code.strip().upper()))
        .first()
    )
    _check(ticket, der, replica, at)
    assert ticket is not None
    token = secrets.token_urlsafe(32)
    known = ticket.device or _same_tablet(ticket.user, der, replica)
    device = (
        Device.objects.select_for_update().get(pk=known.pk)  # somebody may stop it meanwhile
        if known
        else Device(user=ticket.user, enrolled_at=at, public_key=der)
    )
    device.label, device.token_sha256 = label, fingerprint(token)
    device.save()
    ticket.device = device
    ticket.save(update_fields=["device"])
    log, _made = Replica.objects.get_or_create(
        id=replica, defaults={"device": device, "chain": ZERO, "created_at": at}
    )
    record("device.enrol", [device], by=ticket.user, at=at)
    enrolments.note(device, log, ticket, at)
    return device, log, token


def _check(ticket: EnrolmentCode | None, der: bytes, replica: UUID, at: datetime) -> None:
    if ticket is None:
        raise Problem("unknown-code")
    if ticket.device and bytes(ticket.device.public_key) != der:
        raise Problem("code-used")
    if ticket.expires_at < at or not ticket.user.is_active:
        raise Problem("code-expired")
    others = Replica.objects.filter(id=replica).exclude(device=ticket.device)
    if others.exclude(device=_same_tablet(ticket.user, der, replica)).exists():
        raise Problem("fork", "replica: this id belongs to another tablet")


def _same_tablet(user: User, der: bytes, replica: UUID) -> Device | None:
    """Return the user's device that holds this replica under this key, if it was not revoked."""
    held = Device.objects.filter(user=user, replicas=replica, revoked_at=None).first()
    return held if held and bytes(held.public_key) == der else None


def revoke(device: Device, *, why: str = "", by: User, at: datetime) -> None:
    """Revoke a tablet with a reason: it is told to hand in and wipe at its next call."""
    if not administers(by, device.user.division.code):
        raise Refused(
            "not-your-step", _("Only an administrator of the area enrols or stops tablets.")
        )
    with transaction.atomic():
        device.revoked_at, device.revoked_why = at, why
        # Without this part a copy of the tablet's disk does not open, whatever PIN is guessed.
        device.share = None
        device.save(update_fields=["revoked_at", "revoked_why", "share"])
        record("device.revoke", [device], by=by, at=at, detail={"why": why} if why else None)
        note(device, at)
