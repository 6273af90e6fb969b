"""Changes posted to other offices' systems: the feed of `mobile_api.changes`, brought to the door.

A hook remembers how far its system has the feed, so nothing is queued and nothing can be lost: a
page counts as taken over by a 2xx answer, else the same page is posted again, later and later,
for as long as it takes. Messages are signed as https://www.standardwebhooks.com has it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from mobile_api import revocations
from mobile_api.changes import FEED, changes, head
from mobile_api.models import Epoch, Hook, Integration
from mobile_api.problems import Problem
from mobile_api.wire import ChangesOut
from outreach.actions.audit import record
from outreach.actions.notifying.delivery import BACK_OFF, LEASE, LONGEST_WAIT
from outreach.actions.notifying.senders import answered
from outreach.models.moments import has_passed

PREFIX = "whsec_"
PATIENCE_S = 15
PAGE = 200
#: Where a message may travel without TLS: it does not leave the machine.
OWN = {"127.0.0.1", "::1", "localhost"}


class BadAddress(ValueError):
    """A hook's address is not one that messages may be posted to."""


class NotForChanges(ValueError):
    """The system's token was made for something else than the feed."""


@dataclass
class Posted:
    """What a round came to: pages and changes taken over, and hooks to be tried again."""

    pages: int = 0
    changes: int = 0
    later: int = 0
    ended: int = 0


@transaction.atomic
def set_hook(integration: Integration, url: str, *, at: datetime) -> str:
    """Have the changes after the present ones posted to `url`; return the secret, shown this once.

    In place of another address it gets what that one has not taken over. Raises `BadAddress` unless
    it is https, or plain HTTP on this machine, and `NotForChanges`.
    """
    host = _host_of(url)
    if FEED not in integration.scopes:
        raise NotForChanges("It may not read the changes: make it a token with --scope changes.")
    secret = PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    hook = Hook(integration=integration, url=url, secret=secret)
    if before := Hook.objects.filter(integration=integration).first():
        hook.epoch, hook.last, hook.until = before.epoch, before.last, before.until
        revocations.note_hook(before, at)
        before.delete()
    else:
        hook.epoch, hook.last = Epoch.current(), head()
    hook.save()
    record("integration.hook", [integration], by=None, at=at, detail={"host": host})
    return secret


def _host_of(url: str) -> str:
    """Return the machine that an address names. Raises `BadAddress`."""
    longest = Hook._meta.get_field("url").max_length or 0
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
        is_whole = bool(host.encode("idna")) and not parts.username and len(url) <= longest
    except ValueError:
        is_whole = False
    if not is_whole or parts.scheme not in ("http", "https"):
        raise BadAddress("An address is expected: https://host/path")
    if parts.scheme == "http" and host not in OWN:
        raise BadAddress("The address must be https: what is posted travels through others' lines.")
    return host


@transaction.atomic
def end_hook(integration: Integration, *, at: datetime) -> bool:
    """Post nothing more to a system; tell whether anything was."""
    hook = Hook.objects.filter(integration=integration).first()
    if hook is None:
        return False
    _end(hook, at)
    return True


@transaction.atomic
def _end(hook: Hook, at: datetime) -> None:
    record("integration.unhook", [hook.integration], by=None, at=at)
    revocations.note_hook(hook, at)
    hook.delete()


def post_changes(tell: Callable[[Posted], None] = lambda _came: None) -> Posted:
    """Post what each hook has not got, a page to each in turn; several processes may do so at once.

    A system that is slow, or has everything to get anew, does not let the others wait to its end.
    """
    came = Posted()
    hooks = Hook.objects.filter(_is_due(timezone.now()), integration__revoked_at=None)
    due = hooks.values_list("pk", "integration__scopes")
    wanting = [pk for pk, scopes in due if FEED in scopes]
    while wanting:
        wanting = [pk for pk in wanting if (hook := _claimed(pk)) and _post(hook, came)]
        tell(came)
    return came


def signature(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """Return the header that proves who sent it: HMAC-SHA256 over id, time and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    told = f"{message}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()


def _claimed(pk: UUID) -> Hook | None:
    """Return the hook if this process is the one that posts to it now."""
    now = timezone.now()
    free = Hook.objects.filter(_is_due(now), has_passed("leased_until", now, LEASE), pk=pk)
    if not free.update(leased_until=now + LEASE):
        return None
    return Hook.objects.select_related("integration__division").filter(pk=pk).first()


def _is_due(now: datetime) -> Q:
    return has_passed("next_at", now, LONGEST_WAIT)


def _post(hook: Hook, came: Posted) -> bool:
    """Post the next page; tell whether another may follow at once."""
    page = _page(hook)
    if not page.changes:
        _keep(hook, epoch=page.epoch, last=page.last, until=None)
        return False
    _keep(hook, epoch=page.epoch, last=hook.last, until=page.last, leased=True)
    why, is_over = _send(hook, page)
    if is_over:
        _end(hook, timezone.now())
        came.ended += 1
        return False
    if why:
        # The last wait stands for all that follow.
        wait = BACK_OFF[min(hook.attempts, len(BACK_OFF) - 1)]
        again = timezone.now() + timedelta(minutes=wait)
        _keep(hook, until=page.last, attempts=hook.attempts + 1, next_at=again, last_error=why)
        came.later += 1
        return False
    _keep(hook, epoch=page.epoch, last=page.last, until=None, attempts=0, last_error="")
    came.pages += 1
    came.changes += len(page.changes)
    return page.more


def _page(hook: Hook) -> ChangesOut:
    """Return the page that was begun, as it was, or the next one."""
    try:
        page = changes(hook.integration, hook.last, PAGE, UUID(hook.epoch) if hook.epoch else None)
    except Problem:  # restored from a backup: the system reads the new life from its beginning
        hook.last, hook.until, hook.epoch = 0, None, ""
        page = changes(hook.integration, 0, PAGE)
    if hook.until is None or not page.changes or page.changes[-1].n <= hook.until:
        return page
    begun = [change for change in page.changes if change.n <= hook.until]
    return ChangesOut(epoch=page.epoch, changes=begun, last=hook.until, more=True)


def _send(hook: Hook, page: ChangesOut) -> tuple[str, bool]:
    """Post a page; return why it was not taken over, or "", and whether no more is wanted."""
    body = page.model_dump_json(include={"epoch", "changes"}).encode()
    message = f"{page.epoch}.{page.changes[0].n}-{page.changes[-1].n}"
    timestamp = int(timezone.now().timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(hook.secret, message, timestamp, body),
    }
    try:
        status = asyncio.run(answered(hook.url, PATIENCE_S, content=body, headers=headers))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return type(error).__name__, False
    why = "" if httpx.codes.is_success(status) else f"answered {status}"
    return why, status == HTTPStatus.GONE


def _keep(hook: Hook, *, leased: bool = False, **said: Any) -> None:
    """Write what a hook has come to; unless it goes on at once, give it back."""
    given_back = {} if leased else {"leased_until": None, "next_at": said.pop("next_at", None)}
    Hook.objects.filter(pk=hook.pk).update(**said, **given_back)
