"""Counters outside the office: opened, changed, closed; their accounts only take requests in."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from outreach.actions import outlasting
from outreach.actions.accounts import (
    check_open,
    drop_wishes,
    fresh_password,
    hold_outlet,
    username_once,
)
from outreach.actions.audit import record
from outreach.domain.vocabulary import OutletKind, Role
from outreach.models import Division, Outlet, User
from outreach.rules import Refused, administers, not_yours


@transaction.atomic
def open_outlet(
    name: str, kind: OutletKind, division: Division, *, by: User, at: datetime
) -> Outlet:
    """Open a counter for a division: it takes requests in for every village there."""
    _check_manages(by, division)
    made = Outlet(name=name.strip(), kind=kind, division=division, opened_at=at)
    _save(made)
    record("outlet.open", [made], by=by, at=at)
    return made


def change_outlet(
    outlet: Outlet,
    name: str,
    kind: OutletKind,
    division: Division,
    *,
    by: User,
    at: datetime,
) -> None:
    """Correct a counter's name, kind or area; its accounts follow it."""
    _check_manages(by, outlet.division)
    _check_manages(by, division)
    outlet.name, outlet.kind, outlet.division = name.strip(), kind, division
    with transaction.atomic():
        _save(outlet)
        outlet.accounts.update(division=division)
        record("outlet.change", [outlet], by=by, at=at)


def _save(outlet: Outlet) -> None:
    try:
        with transaction.atomic():
            outlet.save()
    except IntegrityError as error:
        raise Refused(
            "outlet-known", _("There is an outlet of this name in this area already.")
        ) from error


@transaction.atomic
def close_outlet(outlet: Outlet, *, by: User, at: datetime) -> None:
    """Close a counter: its accounts end; what it took in goes on and stays counted for it."""
    _check_manages(by, outlet.division)
    hold_outlet(outlet)
    if outlet.closed_at is None:
        outlet.closed_at = at
        outlet.save(update_fields=["closed_at"])
        drop_wishes(outlet.accounts.all(), by=by, at=at)
        outlasting.note_ended(outlet.accounts.filter(is_active=True), at)
        outlet.accounts.update(is_active=False)
        record("outlet.close", [outlet], by=by, at=at)


@transaction.atomic
def open_account(
    outlet: Outlet, username: str, full_name: str, *, by: User, at: datetime
) -> tuple[User, str]:
    """Give somebody at a counter an account; return it with its first password, told once."""
    _check_manages(by, outlet.division)
    check_open(outlet)
    password = fresh_password()
    with username_once():
        made = User.objects.create_user(
            username,
            password,
            full_name=full_name,
            role=Role.OUTLET,
            division=outlet.division,
            outlet=outlet,
            password_was_given=True,
        )
    record("outlet.account", [made], by=by, at=at)
    return made, password


def end_account(account: User, *, by: User, at: datetime) -> None:
    """End an account of a counter."""
    if account.outlet is None:
        raise not_yours()
    _check_manages(by, account.outlet.division)
    with transaction.atomic():
        drop_wishes([account], by=by, at=at)
        account.is_active = False
        account.save(update_fields=["is_active"])
        record("outlet.account_end", [account], by=by, at=at)
        outlasting.note_ended([account], at)


def _check_manages(by: User, division: Division) -> None:
    if not administers(by, division.code):
        raise Refused("not-your-step", _("Only an administrator of the area manages outlets."))
