"""Who stands up for a resident: named with the nomination, and whenever it is somebody else."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from outreach.actions.applications import Guarding, add_guardian, erased
from outreach.actions.audit import record
from outreach.actions.family import end_links_sent_to, revoke_link
from outreach.domain.vocabulary import Role
from outreach.models import Application, Guardian, Resident, User
from outreach.rules import Refused, check_in_scope, not_yours

NAMERS = (Role.LIAISON, Role.ADMINISTRATOR)


def guardian_of(resident: Resident) -> Guardian | None:
    """Return a resident's present guardian: the one who was named last."""
    return Guardian.objects.newest_of([resident.pk]).get(resident.pk)


def name_guardian(
    application: Application, guarding: Guarding, *, seen: str, by: User, at: datetime
) -> Guardian:
    """Name the guardian of a case's person; whoever was named before stays in the register.

    `seen` is the id of the one whom the author saw named, "" where there was none. The family's
    link, which whoever was named before has, ends with somebody else at another telephone; so does
    one that a message brought to a number of theirs that is put right. Raises `Refused` where
    somebody else was named meanwhile.
    """
    if by.role not in NAMERS:
        raise not_yours()
    check_in_scope(by, [application])
    with transaction.atomic():
        resident = Resident.objects.select_for_update().get(pk=application.resident_id)
        if resident.erased_at or application.erased_at:
            raise erased()
        present = guardian_of(resident)
        if seen != (str(present.pk) if present else ""):
            raise Refused(
                "guardian-changed",
                _("Somebody named another guardian meanwhile; compare both and decide."),
            )
        made = add_guardian(resident, guarding, at)
        record("application.guardian", [application], by=by, at=at)
        if present and present.telephone != made.telephone:
            if present.name != made.name:
                revoke_link(application, by=by, at=at)
            elif present.telephone:
                end_links_sent_to({resident.pk: present.telephone}, by=by, at=at)
    return made
