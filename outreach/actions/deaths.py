"""Somebody has died who holds no certificate that would be cancelled: nobody goes there again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from outreach.actions.applications import erased
from outreach.actions.audit import record
from outreach.actions.bars import bar, lift
from outreach.actions.holding import hold_residents
from outreach.actions.visits import close_begun
from outreach.domain.vocabulary import Role
from outreach.models import Application, User
from outreach.rules import check_in_scope, first_dead, not_yours

#: The ground of a bar that came without a certificate.
DIED = "died"


def record_death(application: Application, *, note: str, by: User, at: datetime) -> None:
    """Note that the person of a case has died: nobody applies for them again.

    What was begun for them is closed, with the visit to come; a case with the approver or the city
    is once it comes back.
    """
    _check_may(application, by)
    with transaction.atomic():
        close_begun([application.resident], by=by, at=at, note=note)
        hold_residents([], [application.pk])
        if first_dead([application]):
            return
        bar([application.resident], ground=DIED, until=None, by=by, at=at)
        record("application.died", [application], by=by, at=at, detail={"why": note})


def take_death_back(application: Application, *, note: str, by: User, at: datetime) -> None:
    """Take back that the person of a case has died; whoever lives is nominated anew."""
    _check_may(application, by)
    with transaction.atomic():
        hold_residents([], [application.pk])
        if not was_noted(application):
            return
        lift([application.resident], by=by, at=at, ground=DIED)
        record("application.alive", [application], by=by, at=at, detail={"why": note})


def was_noted(application: Application) -> bool:
    """Tell whether the death of a case's person stands noted here, and not with a certificate."""
    return application.resident.bars.filter(ground=DIED, lifted_at=None).exists()


def _check_may(application: Application, by: User) -> None:
    if by.role != Role.ADMINISTRATOR:
        raise not_yours()
    check_in_scope(by, [application])
    if application.erased_at:
        raise erased()
