"""How a family is reached: a telephone and an address that several people keep right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from outreach.actions.applications import erased
from outreach.actions.audit import record
from outreach.actions.family import end_links_sent_to
from outreach.domain.identity import normalise_telephone
from outreach.domain.vocabulary import Role
from outreach.models import Application, Resident, User
from outreach.rules import Refused, check_in_scope, not_yours

CORRECTORS = (Role.ASSESSOR, Role.LIAISON, Role.OUTLET, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Contact:
    """A telephone, or none, and an address as it is written down."""

    telephone: str
    address: str


@dataclass(frozen=True)
class Correction:
    """What shall stand for the person of a case, and what stood before its author's eyes."""

    application: Application
    to: Contact
    seen: Contact


class ContactChanged(Refused):
    """Somebody else changed what the author would change: both are kept, a person decides."""


@transaction.atomic
def correct_contacts(
    corrections: Sequence[Correction],
    *,
    by: User,
    at: datetime,
    admitted_by: User | None = None,
) -> None:
    """Change telephones and addresses, each only where it differs from what its author saw.

    A family's link that a message brought to the former number ends with it. Raises
    `ContactChanged` where another value stands than the author saw, unless an administrator
    admits it, `Refused`, and `MalformedTelephone`.
    """
    if (admitted_by or by).role not in CORRECTORS:
        raise not_yours()
    check_in_scope(admitted_by or by, [one.application for one in corrections])
    ids = {one.application.resident_id for one in corrections}
    rows = Resident.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    held = {row.pk: row for row in rows}
    wrong: dict[UUID, str] = {}
    for one in corrections:
        resident = held[one.application.resident_id]
        changed = _changes(resident, one, is_admitted=admitted_by is not None)
        if "telephone" in changed and resident.telephone:
            wrong.setdefault(resident.pk, resident.telephone)
        for name, value in changed.items():
            setattr(resident, name, value)
        if changed:
            resident.save(update_fields=list(changed))
            detail = {"changed": sorted(changed)}
            record("application.contact", [one.application], by=by, at=at, detail=detail)
    if wrong:
        end_links_sent_to(wrong, by=by, at=at)


def _changes(resident: Resident, one: Correction, *, is_admitted: bool) -> dict[str, str]:
    """Return what is to be written: nothing where it stands so already."""
    if resident.erased_at:
        raise erased()
    telephone = normalise_telephone(one.to.telephone) if one.to.telephone.strip() else ""
    wanted = {"telephone": telephone, "address": one.to.address.strip()}
    changed = {}
    for name, value in wanted.items():
        stands, seen = getattr(resident, name), getattr(one.seen, name)
        if value in (seen, stands):
            continue
        if stands != seen and not is_admitted:
            raise ContactChanged(
                "contact-changed",
                _("Somebody changed the telephone or address meanwhile; compare both and decide."),
            )
        changed[name] = value
    return changed
