"""What was taken from an account, noted beside the database too: a restore would give it back.

A register that is restored from an older backup has forgotten who was ended since, whose password
was changed, as it was known, and whose telephone was lost. The file only grows, takes one line for
each, and is read once the restored register stands.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from outreach.actions.audit import record
from outreach.files import lines
from outreach.models import AccountRequest, SecondFactor, User
from outreach.models.sealed import key_ring
from outreach.sealing import SealBroken

log = logging.getLogger(__name__)


class _Line(NamedTuple):
    account: UUID
    at: datetime
    said: dict[str, Any]


def note_ended(accounts: Iterable[User], at: datetime) -> None:
    """Append accounts that are ended, on the disk before this returns.

    A disk that is full or gone keeps nobody from ending one: it is logged. So with all of these.
    """
    for account in accounts:
        _note(account, at, ended=True)


def note_let_in(account: User, at: datetime) -> None:
    """Append an account that is in use, so that it does not count as ended any more."""
    _note(account, at, ended=False)


def note_password(account: User, before: str, at: datetime) -> None:
    """Append the hash of a new password, sealed, and the fingerprint of that of the one before."""
    said = json.dumps([account.password, account.password_was_given]).encode()
    sealed = base64.b64encode(key_ring().seal(said, _bound_to(account.pk))).decode()
    _note(account, at, password=sealed, instead_of=_fingerprint(before))


def note_lost_telephone(account: User, at: datetime) -> None:
    """Append that the telephone which an account had so far is its own no more."""
    _note(account, at, telephone=None)


def _note(account: User, at: datetime, **said: Any) -> None:
    line = {"account": str(account.pk), "at": at.isoformat(), **said}
    lines.note(settings.OUTREACH_REVOCATIONS, line, f"what was taken from account {account.pk}")


def reapply() -> None:
    """Take from the accounts of a restored register what was taken since; nobody is let in again.

    Whoever had set another password since signs in with that one.
    """
    noted = list(_noted())
    accounts = User.objects.in_bulk({line.account for line in noted})
    known = [line for line in noted if line.account in accounts]
    for line in known:
        if "password" in line.said:
            _set_password(accounts[line.account], line)
    for name, take in (("ended", _end), ("telephone", _forget)):
        newest = {line.account: line for line in known if name in line.said}
        for line in newest.values():
            take(accounts[line.account], line)


def _end(account: User, line: _Line) -> None:
    if line.said["ended"] and account.is_active:
        account.is_active = False
        account.save(update_fields=["is_active"])
        waiting = AccountRequest.objects.filter(account=account, decided_at=None)
        waiting.update(decided_at=line.at, was_confirmed=False)
        record("account.end", [account], by=None, at=line.at)


def _set_password(account: User, line: _Line) -> None:
    """Exchange the very password that was exchanged: never one that was set by other ways since."""
    if line.said.get("instead_of") != _fingerprint(account.password):
        return
    try:
        sealed = base64.b64decode(line.said["password"])
        password, was_given = json.loads(key_ring().unseal(sealed, _bound_to(account.pk)))
    except (SealBroken, ValueError, TypeError):
        log.warning("a password of account %s is not put back: it does not open", account.pk)
        return
    account.password, account.password_was_given = password, was_given
    account.save(update_fields=["password", "password_was_given"])
    detail = {"put_back": "the password that was set after the backup"}
    record("account.change", [account], by=None, at=line.at, detail=detail)


def _forget(account: User, line: _Line) -> None:
    if SecondFactor.objects.filter(user=account, confirmed_at__lt=line.at).delete()[0]:
        record("second_factor.forget", [account], by=None, at=line.at)


def _noted() -> Iterator[_Line]:
    for said in lines.read(settings.OUTREACH_REVOCATIONS):
        if "account" in said:
            try:
                at = datetime.fromisoformat(str(said["at"]))
                yield _Line(UUID(str(said["account"])), at, said)
            except (ValueError, KeyError):
                log.warning("a line of %s cannot be read", settings.OUTREACH_REVOCATIONS)


def _fingerprint(hashed: str) -> str:
    return hashlib.sha256(hashed.encode()).hexdigest()


def _bound_to(account: UUID) -> str:
    return f"outlasting|password|{account}"
