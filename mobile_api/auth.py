"""Who is speaking: an opaque token, stored only as its SHA-256."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest

from mobile_api.models import Device
from mobile_api.problems import Problem


def fingerprint(secret: str) -> str:
    """Return what is stored of a token or code."""
    return hashlib.sha256(secret.encode()).hexdigest()


def device_for(request: HttpRequest) -> Device:
    """Return the device whose token the request bears, or raise a `Problem`.

    A revoked device is told to wipe (403); a disabled account cannot go on either.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem("no-token")
    device = (
        Device.objects.select_related("user__division", "user__assessor__institution")
        .filter(token_sha256=fingerprint(token))
        .first()
    )
    if device is None:
        raise Problem("expired-token")
    if device.revoked_at or not device.user.is_active:
        raise Problem("revoked", extra={"wipe": True})
    return device
