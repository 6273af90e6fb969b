"""Whom a member of staff declares a relative, and so decides nothing about any more."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from outreach.actions.applications import erased
from outreach.actions.audit import record
from outreach.domain.vocabulary import Role
from outreach.models import Application, DeclaredRelative, User
from outreach.rules import check_in_scope, not_yours

#: Who rates and who approves.
DECLARERS = (Role.ASSESSOR, Role.APPROVER)


def declare_relative(application: Application, *, by: User, at: datetime) -> None:
    """Note that the person of a case is a relative of `by`; it stays so, whatever comes."""
    if by.role not in DECLARERS:
        raise not_yours()
    check_in_scope(by, [application])
    if application.erased_at:
        raise erased()
    with transaction.atomic():
        _row, is_new = DeclaredRelative.objects.get_or_create(
            user=by, resident_id=application.resident_id, defaults={"declared_at": at}
        )
        if is_new:
            record("application.relative", [application], by=by, at=at)
