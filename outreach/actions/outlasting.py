"""What was taken from an account, noted beside the database too: a restore would give it back.

A register that is restored from an older backup has forgotten who was ended since, who was given
another role or area, whose password was changed, as it was known, and whose telephone was lost. The
file only grows, takes one line for each, and is read once the restored register stands.
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
from outreach.domain.vocabulary import Role
from outreach.files import lines
from outreach.models import AccountRequest, Assessor, Division, Outlet, SecondFactor, User
from outreach.models.sealed import blind_index, key_ring
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
    sealed = _sealed("password", account, [account.password, account.password_was_given])
    _note(account, at, password=sealed, instead_of=_fingerprint(before))


def duty_of(account: User) -> dict[str, Any]:
    """Return role, area and outlet of an account, as the trail says them."""
    return {
        "role": account.role,
        "division": account.division.code,
        "outlet": str(account.outlet_id) if account.outlet_id else None,
    }


def note_duty(account: User, before: dict[str, Any], at: datetime) -> None:
    """Append role and area of an account, sealed, as a line gives power; and a mark of before."""
    sealed = _sealed("duty", account, duty_of(account))
    _note(account, at, duty=sealed, instead_of=_mark(before))


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
        if "duty" in line.said:
            _move(accounts[line.account], line)
    for name, take in (("ended", _end_noted), ("telephone", _forget)):
        newest = {line.account: line for line in known if name in line.said}
        for line in newest.values():
            take(accounts[line.account], line)


def _end_noted(account: User, line: _Line) -> None:
    if line.said["ended"]:
        _end(account, line.at)


def _end(account: User, at: datetime) -> None:
    if account.is_active:
        account.is_active = False
        account.save(update_fields=["is_active"])
        waiting = AccountRequest.objects.filter(account=account, decided_at=None)
        waiting.update(decided_at=at, was_confirmed=False)
        record("account.end", [account], by=None, at=at)


def _move(account: User, line: _Line) -> None:
    """Give the very role and area that were given: one that has others stands there by other ways.

    Where this register does not know what the new ones need, they are not had, nor the old ones.
    """
    before = duty_of(account)
    if line.said.get("instead_of") != _mark(before):
        return
    after = _opened("duty", account, line)
    if after is None:
        return
    places = Division.objects.filter(code=after["division"]).order_by("-valid_from")
    outlet = Outlet.objects.filter(pk=after["outlet"]).first()
    is_doctor = after["role"] != Role.ASSESSOR or Assessor.objects.filter(user=account).exists()
    if not (places and is_doctor and (outlet or not after["outlet"])):
        log.warning("account %s is ended: what its new role needs is unknown here", account.pk)
        _end(account, line.at)
        return
    account.role, account.division, account.outlet = after["role"], places[0], outlet
    account.save(update_fields=["role", "division", "outlet"])
    detail = {"before": before, "after": after}
    record("account.change", [account], by=None, at=line.at, detail=detail)


def _set_password(account: User, line: _Line) -> None:
    """Exchange the very password that was exchanged: never one that was set by other ways since."""
    if line.said.get("instead_of") != _fingerprint(account.password):
        return
    opened = _opened("password", account, line)
    if opened is None:
        return
    account.password, account.password_was_given = opened
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


def _mark(duty: dict[str, Any]) -> str:
    return blind_index(json.dumps(duty, sort_keys=True), "duty")


def _sealed(what: str, account: User, said: Any) -> str:
    sealed = key_ring().seal(json.dumps(said).encode(), _bound_to(what, account))
    return base64.b64encode(sealed).decode()


def _opened(what: str, account: User, line: _Line) -> Any:
    try:
        sealed = base64.b64decode(line.said[what])
        return json.loads(key_ring().unseal(sealed, _bound_to(what, account)))
    except (SealBroken, ValueError, TypeError):
        log.warning("the %s of account %s is not put back: it does not open", what, account.pk)
        return None


def _bound_to(what: str, account: User) -> str:
    return f"outlasting|{what}|{account.pk}"
