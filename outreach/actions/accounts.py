"""Accounts: opened, changed, ended and reset; what could be misused wants a second person.

An administrator who could make an approver, or set an approver's password, could sign in the
approver's name. So the roles of `TRUSTED` are given, and passwords and telephones are taken off,
only when another administrator or approver confirms it. Who was ended and is let in again gets
another password, too.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from outreach.actions import outlasting, second_factor
from outreach.actions.audit import record
from outreach.domain.vocabulary import Role
from outreach.models import AccountRequest, Assessor, Division, Institution, Outlet, User
from outreach.rules import Refused, administers, not_yours

Kind = AccountRequest.Kind

#: Whoever accepts, decides, signs or watches.
TRUSTED = frozenset({Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR})
#: Who may be the second person.
SECONDS = (Role.ADMINISTRATOR, Role.APPROVER)
#: No 0/O, 1/I/L: a first password is copied from a screen by hand.
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"
_LENGTH = 12


@dataclass(frozen=True)
class Duty:
    """What an account is for: its role, its area, and what some roles want besides.

    An outlet's account names its `outlet`, an assessor's the `institution` and the `categories`
    they are qualified for.
    """

    role: Role
    division: Division
    outlet: Outlet | None = None
    institution: Institution | None = None
    categories: Sequence[str] = ()


def fresh_password() -> str:
    """Return a password to be told once."""
    return "".join(secrets.choice(_LETTERS) for _index in range(_LENGTH))


def accounts_for(user: User) -> QuerySet[User]:
    """Return the accounts of the user's division and of what lies below it."""
    return User.objects.filter(division__code__startswith=user.division.code)


def requests_for(user: User) -> QuerySet[AccountRequest]:
    """Return what waits for the user as the second person."""
    waiting = AccountRequest.objects.filter(_within(user.division), decided_at=None)
    return waiting.exclude(asked_by=user).exclude(account=user)


def _within(division: Division) -> Q:
    """Return the condition that a wish is about an account of the area, and about no area beyond.

    Whoever agrees gives what is asked for, and nobody gives more than their own.
    """
    asked = Q(wanted__division__isnull=True) | Q(wanted__division__startswith=division.code)
    return Q(account__division__code__startswith=division.code) & asked


@transaction.atomic
def open_account(
    username: str,
    full_name: str,
    duty: Duty,
    *,
    telephone: str = "",
    reason: str = "",
    by: User,
    at: datetime,
) -> tuple[User, str | None]:
    """Open an account; return it with its first password, or None until a second person agrees."""
    _check_manages(by, duty.division)
    _check_whole(duty)
    made = User(username=username, full_name=full_name, telephone=telephone, is_active=False)
    _give(made, duty)
    made.set_unusable_password()
    with username_once():
        made.save()
    _qualify(made, duty)
    record("account.open", [made], by=by, at=at, detail=outlasting.duty_of(made))
    return made, _admit(made, reason, by=by, at=at)


@contextmanager
def username_once() -> Iterator[None]:
    """Refuse a name that somebody signs in with already, or was given in this very moment."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Refused(
            "username-taken", _("This user name is taken; choose another one.")
        ) from error


@transaction.atomic
def change_account(
    account: User,
    full_name: str,
    duty: Duty,
    *,
    telephone: str = "",
    reason: str = "",
    by: User,
    at: datetime,
) -> AccountRequest | None:
    """Change name, role or area; return the request if a second person must agree first."""
    _check_manages(by, account.division)
    _check_manages(by, duty.division)
    _check_whole(duty)
    hold_account(account)
    before = outlasting.duty_of(account)
    account.full_name, account.telephone = full_name, telephone
    account.save(update_fields=["full_name", "telephone"])
    moves = (duty.role, duty.division) != (account.role, account.division)
    if moves and duty.role in TRUSTED:
        wanted = {"role": duty.role, "division": duty.division.code}
        return _ask(account, Kind.CHANGE, reason, wanted, by=by, at=at)
    _move(account, duty, at)
    detail = {"before": before, "after": outlasting.duty_of(account)}
    record("account.change", [account], by=by, at=at, detail=detail)
    return None


@transaction.atomic
def end_account(account: User, reason: str, *, by: User, at: datetime) -> None:
    """End an account: nobody signs in with it, its tablets are refused; what it did stays."""
    _check_manages(by, account.division)
    if not reason.strip():
        raise Refused("reason-missing", _("Write the reason."))
    _check_not_the_last(account)
    drop_wishes([account], by=by, at=at)
    account.is_active = False
    account.save(update_fields=["is_active"])
    record("account.end", [account], by=by, at=at, detail={"reason": reason})
    outlasting.note_ended([account], at)


def drop_wishes(accounts: Iterable[User], *, by: User, at: datetime) -> None:
    """Leave nothing for a second person to decide about accounts that end."""
    waiting = AccountRequest.objects.filter(account__in=list(accounts), decided_at=None)
    waiting.update(decided_by=by, decided_at=at, was_confirmed=False)


@transaction.atomic
def resume_account(account: User, reason: str, *, by: User, at: datetime) -> AccountRequest:
    """Ask a second person to let an ended account in again, with a new password."""
    _check_manages(by, account.division)
    if account.outlet:
        check_open(account.outlet)
    account.refresh_from_db(from_queryset=User.objects.select_for_update(of=("self",), no_key=True))
    if account.is_active:
        raise Refused("account-open", _("This account is in use already."))
    return _ask(account, Kind.OPEN, reason, {}, by=by, at=at)


@transaction.atomic
def ask_reset(
    account: User, kind: AccountRequest.Kind, reason: str, *, by: User, at: datetime
) -> AccountRequest:
    """Ask a second person to give an account a new password, or to take its telephone off."""
    _check_manages(by, account.division)
    if kind not in (Kind.PASSWORD, Kind.SECOND_FACTOR):
        raise ValueError(kind)
    if not account.is_active:
        raise Refused("account-ended", _("This account is ended; let it in again first."))
    return _ask(account, kind, reason, {}, by=by, at=at)


@transaction.atomic
def confirm(request: AccountRequest, *, by: User, at: datetime) -> str | None:
    """Do what was asked for, as the second person; return a new password where there is one."""
    held = _decide(request, True, by=by, at=at)
    account = held.account
    if held.kind == Kind.OPEN:
        return _let_in(account, by=by, at=at)
    if held.kind == Kind.PASSWORD:
        return _set_given(account, at)
    if held.kind == Kind.SECOND_FACTOR:
        second_factor.forget(account, by=by, at=at)
        return None
    # A place that was renamed stands there twice, each with its days.
    place = Division.objects.filter(code=held.wanted["division"]).order_by("-valid_from")[0]
    _move(account, Duty(Role(held.wanted["role"]), place), at)
    return None


@transaction.atomic
def decline(request: AccountRequest, *, by: User, at: datetime) -> None:
    """Leave the account as it is, as the second person."""
    _decide(request, False, by=by, at=at)


@transaction.atomic
def take_back(request: AccountRequest, *, by: User, at: datetime) -> None:
    """Withdraw what one asked for oneself."""
    held = _undecided(request)
    if held.asked_by_id != by.pk:
        raise not_yours()
    held.decided_by, held.decided_at, held.was_confirmed = by, at, False
    held.save(update_fields=["decided_by", "decided_at", "was_confirmed"])
    record("account.take_back", [held.account], by=by, at=at, detail={"kind": held.kind})


@transaction.atomic
def set_own_password(user: User, password: str, *, at: datetime) -> None:
    """Set one's own password."""
    before = user.password
    user.set_password(password)
    user.password_was_given = False
    user.save(update_fields=["password", "password_was_given"])
    record("account.own_password", [user], by=user, at=at)
    outlasting.note_password(user, before, at)


def _admit(account: User, reason: str, *, by: User, at: datetime) -> str | None:
    if account.role in TRUSTED:
        _ask(account, Kind.OPEN, reason, {}, by=by, at=at)
        return None
    return _let_in(account, by=by, at=at)


def _let_in(account: User, *, by: User, at: datetime) -> str:
    account.is_active = True
    account.save(update_fields=["is_active"])
    record("account.let_in", [account], by=by, at=at)
    outlasting.note_let_in(account, at)
    return _set_given(account, at)


def _set_given(account: User, at: datetime) -> str:
    before, password = account.password, fresh_password()
    account.set_password(password)
    account.password_was_given = True
    account.save(update_fields=["password", "password_was_given"])
    outlasting.note_password(account, before, at)
    return password


def _ask(
    account: User,
    kind: AccountRequest.Kind,
    reason: str,
    wanted: dict[str, Any],
    *,
    by: User,
    at: datetime,
) -> AccountRequest:
    if not reason.strip():
        raise Refused(
            "reason-missing", _("Write the reason: a second person reads it and must agree.")
        )
    try:
        with transaction.atomic():
            made = AccountRequest.objects.create(
                account=account, kind=kind, reason=reason, wanted=wanted, asked_by=by, asked_at=at
            )
    except IntegrityError as error:
        raise Refused(
            "request-waits",
            _("Something about this account waits for a second person already."),
        ) from error
    detail = {"kind": kind, "reason": reason, **wanted}
    record("account.ask", [account], by=by, at=at, detail=detail)
    return made


def _decide(
    request: AccountRequest, was_confirmed: bool, *, by: User, at: datetime
) -> AccountRequest:
    held = _undecided(request)
    if by.pk in (held.asked_by_id, held.account_id):
        raise Refused(
            "second-person-wanted",
            _("A second person must decide this: neither who asked nor whose account it is."),
        )
    reached = AccountRequest.objects.filter(_within(by.division), pk=held.pk)
    if by.role not in SECONDS or not reached.exists():
        raise not_yours()
    held.decided_by, held.decided_at, held.was_confirmed = by, at, was_confirmed
    held.save(update_fields=["decided_by", "decided_at", "was_confirmed"])
    deed = "account.confirm" if was_confirmed else "account.decline"
    record(deed, [held.account], by=by, at=at, detail={"kind": held.kind, **held.wanted})
    return held


def _undecided(request: AccountRequest) -> AccountRequest:
    """Let nobody else decide what was asked for; refuse where somebody has."""
    locked = AccountRequest.objects.select_for_update(of=("self",))
    held = locked.select_related("account__division").get(pk=request.pk)
    if held.decided_at:
        raise Refused("request-decided", _("Somebody decided this already."))
    return held


def _move(account: User, duty: Duty, at: datetime) -> None:
    before = outlasting.duty_of(account)
    if (duty.role, duty.division) != (account.role, account.division):
        _check_not_the_last(account)
    _give(account, duty)
    account.save(update_fields=["role", "division", "outlet"])
    _qualify(account, duty)
    if outlasting.duty_of(account) != before:
        outlasting.note_duty(account, before, at)


def _give(account: User, duty: Duty) -> None:
    account.role, account.division = duty.role, duty.division
    account.outlet = duty.outlet


def _qualify(account: User, duty: Duty) -> None:
    if duty.role == Role.ASSESSOR and duty.institution:
        Assessor.objects.update_or_create(
            user=account,
            defaults={"institution": duty.institution, "categories": list(duty.categories)},
        )


def _check_whole(duty: Duty) -> None:
    if duty.role == Role.OUTLET:
        if duty.outlet is None or duty.outlet.division != duty.division:
            raise Refused("outlet-missing", _("Choose at which outlet the person works."))
        check_open(duty.outlet)
    if duty.role == Role.ASSESSOR and not (duty.institution and duty.categories):
        raise Refused(
            "qualification-missing",
            _("Choose the assessor's institution, and for what they are qualified."),
        )


def check_open(outlet: Outlet) -> None:
    """Refuse a counter that is closed; nobody closes it until the transaction ends."""
    hold_outlet(outlet)
    if outlet.closed_at:
        raise Refused("outlet-closed", _("This outlet is closed."))


def hold_outlet(outlet: Outlet) -> None:
    """Let nobody else close a counter, or let somebody in there; read whether it is closed."""
    held = Outlet.objects.select_for_update(no_key=True)
    outlet.refresh_from_db(fields=["closed_at"], from_queryset=held)


def _check_not_the_last(account: User) -> None:
    """Refuse to take the last administrator of an area away.

    The rows are locked, so that two who remove one another at once do not leave nobody.
    """
    if account.role != Role.ADMINISTRATOR or not account.is_active:
        return
    if not [one for one in hold_account(account) if one != account]:
        raise Refused(
            "last-administrator",
            _("This is the last administrator of the area; give somebody else the role first."),
        )


def hold_account(account: User) -> list[User]:
    """Let nobody else change the account or its area's administrators; return these.

    They are held together: of two who remove one another none waits for the other in a circle.
    """
    code = account.division.code
    above = [code[:length] for length in range(1, len(code) + 1)]
    manages = Q(division__code__in=above, role=Role.ADMINISTRATOR, is_active=True)
    rows = User.objects.select_for_update(of=("self",), no_key=True)
    held = rows.filter(manages | Q(pk=account.pk)).select_related("division").order_by("pk")
    return [
        one
        for one in held
        if one.role == Role.ADMINISTRATOR and one.is_active and one.division.code in above
    ]


def _check_manages(by: User, division: Division) -> None:
    if not administers(by, division.code):
        raise Refused("not-your-step", _("Only an administrator of the area manages accounts."))
