"""Who is speaking: an opaque token, stored only as its SHA-256."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest

from mobile_api.federation import FederationKeys
from mobile_api.models import Device, Integration
from mobile_api.problems import Problem
from outreach.models import Kept, Slot


def fingerprint(secret: str) -> str:
    """Return what is stored of a token or code."""
    return hashlib.sha256(secret.encode()).hexdigest()


@Kept
def _devices(token: Slot) -> QuerySet[Device]:
    found = Device.objects.select_related("user__division").filter(token_sha256=token)
    return found.only("public_key", "revoked_at", *_OF_USERS)


#: What is read of whoever speaks, whatever they ask for.
_OF_USERS = (
    *(f"user__{name}" for name in ("full_name", "role", "is_active")),
    *(f"user__division__{name}" for name in ("code", "name")),
)


def device_for(request: HttpRequest) -> Device:
    """Return the device whose token the request bears, or raise a `Problem`.

    A revoked device is told to wipe (403); a disabled account cannot go on either.
    """
    device = _devices.first(token=_presented(request))
    if device is None:
        raise Problem("expired-token")
    check_in_use(device.revoked_at, device.user.is_active)
    return device


@Kept
def _device_ids(token: Slot) -> QuerySet[Device, tuple[UUID, datetime | None, bool]]:
    found = Device.objects.filter(token_sha256=token)
    return found.values_list("pk", "revoked_at", "user__is_active")


def device_id_for(request: HttpRequest) -> UUID:
    """Return only the id of that device: one narrow look-up, which every chunk can afford."""
    found = _device_ids(token=_presented(request))
    if not found:
        raise Problem("expired-token")
    [(identifier, revoked_at, is_active)] = found
    check_in_use(revoked_at, is_active)
    return identifier


def integration_for(request: HttpRequest, scope: str) -> Integration:
    """Return the system whose token the request bears, or raise a `Problem`.

    A token that was not made for `scope` opens nothing of it (403).
    """
    held = Integration.objects.select_related("division").filter(revoked_at=None)
    found = held.filter(token_sha256=_presented(request)).first()
    if found is None:
        raise Problem("expired-token")
    if scope not in found.scopes:
        raise Problem("scope", extra={"scope": scope})
    return found


def _presented(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem("no-token")
    return fingerprint(token)


def check_in_use(revoked_at: datetime | None, is_active: bool) -> None:
    """Raise `revoked`, which tells a tablet to hand in and wipe, unless it may go on."""
    if revoked_at or not is_active:
        raise stopped()


def stopped() -> Problem:
    """Return what a tablet is told that may not go on."""
    key = FederationKeys(settings.OUTREACH_KEYS_DIR).public()
    return Problem("revoked", extra={"wipe": True, "federation_key": key})
