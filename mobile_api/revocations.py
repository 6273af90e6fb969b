"""Stopped tablets, other systems' ended tokens and hooks, ended links and calendars: noted beside.

A register that is restored from an older backup has forgotten who was stopped since. The file
only grows, takes one line for each, and is read once the restored register stands.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from mobile_api.models import Device, Hook, Integration
from outreach.actions.audit import record
from outreach.files import lines
from outreach.models import FamilyLink, Team

log = logging.getLogger(__name__)

#: What a line is about that is about no tablet; accounts are `outreach.actions.outlasting`'s,
#: certificates `certificates.revocations`'s.
_OTHERS = ("token", "hook", "link", "feed", "account", "certificates")


def note(device: Device, at: datetime) -> None:
    """Append a stopped tablet to the file, on the disk before this returns.

    A disk that is full or gone does not keep anybody from stopping a tablet: it is logged.
    """
    _append({"device": str(device.pk), "at": at.isoformat()})


def note_token(system: Integration, at: datetime, *, is_replaced: bool = False) -> None:
    """Append the fingerprint of a system's token that is taken out of use, as `note` does."""
    line = {"token": system.token_sha256, "at": at.isoformat(), "is_replaced": is_replaced}
    _append(line)


def note_hook(hook: Hook, at: datetime) -> None:
    """Append a hook to which nothing more is posted, as `note` does."""
    _append({"hook": str(hook.pk), "at": at.isoformat()})


def _append(line: dict[str, Any]) -> None:
    what = f"tablet {line['device']}" if "device" in line else "a system's token or hook"
    lines.note(settings.OUTREACH_REVOCATIONS, line, f"the stop of {what}")


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
        _end_tokens()
        _end_hooks()
        _end_links()
        _end_feeds()
    return len(found)


def _end_tokens() -> None:
    """Let no system read by a token that was ended: one that had another is given one again."""
    noted = {str(line["token"]): line for line in _lines() if "token" in line}
    for system in Integration.objects.filter(token_sha256__in=list(noted), revoked_at=None):
        line = noted[system.token_sha256]
        system.revoked_at = datetime.fromisoformat(str(line["at"]))
        system.save(update_fields=["revoked_at"])
        if not line.get("is_replaced"):
            Hook.objects.filter(integration=system).delete()
        record("integration.revoke", [system], by=None, at=system.revoked_at)
        log.warning("the token of %s was ended after the backup; it wants another", system.name)


def _end_hooks() -> None:
    """Post nothing to an address that was taken back or changed."""
    noted = {str(line["hook"]): str(line["at"]) for line in _lines() if "hook" in line}
    for hook in Hook.objects.filter(pk__in=list(noted)).select_related("integration"):
        at = datetime.fromisoformat(noted[str(hook.pk)])
        hook.delete()
        record("integration.unhook", [hook.integration], by=None, at=at)
        log.warning("the hook of %s was ended after the backup", hook.integration.name)


def _end_links() -> None:
    """Open no case by a link that was ended (`outreach.actions.family` notes it)."""
    noted = {UUID(str(line["link"])): str(line["at"]) for line in _lines() if "link" in line}
    for link in FamilyLink.objects.filter(pk__among=list(noted), revoked_at=None):
        link.revoked_at = datetime.fromisoformat(noted[link.pk])
        link.save(update_fields=["revoked_at"])
        record("family_link.revoke", [link], by=None, at=link.revoked_at)


def _end_feeds() -> None:
    """Answer no calendar program that knows an address which was revoked or changed."""
    noted = {str(line["feed"]): str(line["at"]) for line in _lines() if "feed" in line}
    for team in Team.objects.filter(feed_digest__in=list(noted)):
        at = datetime.fromisoformat(noted[team.feed_digest])
        team.feed_digest, team.feed_made_at = "", None
        team.save(update_fields=["feed_digest", "feed_made_at"])
        record("team.feed_revoked", [team], by=None, at=at)


def _lines() -> Iterator[dict[str, Any]]:
    return lines.read(settings.OUTREACH_REVOCATIONS)


def _noted() -> list[tuple[UUID, datetime]]:
    noted = []
    for line in _lines():
        if not line.keys().isdisjoint(_OTHERS):
            continue
        try:
            noted.append((UUID(str(line["device"])), datetime.fromisoformat(str(line["at"]))))
        except (ValueError, KeyError, TypeError):
            log.warning("a line of %s cannot be read", settings.OUTREACH_REVOCATIONS)
    return noted
