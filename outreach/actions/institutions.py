"""Institutions that assess: entered, changed, retired and designated again, each with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from outreach.actions.audit import record
from outreach.domain.vocabulary import Role
from outreach.models import Assessor, Institution, User
from outreach.rules import Refused, not_yours


@dataclass(frozen=True)
class Designation:
    """What the province's document says: the hospital, since when, and for which disabilities."""

    name: str
    designated_from: date
    categories: Sequence[str]


def institutions_of(user: User) -> QuerySet[Institution]:
    """Return the institutions that the user may change: none of their assessors is elsewhere."""
    elsewhere = Assessor.objects.filter(institution=OuterRef("pk"), user__is_active=True).exclude(
        user__division__code__startswith=user.division.code
    )
    return Institution.objects.filter(~Exists(elsewhere))


@transaction.atomic
def designate(said: Designation, reason: str, *, by: User, at: datetime) -> Institution:
    """Enter an institution."""
    _check_may(by, reason)
    made = Institution(categories=list(said.categories), designated_from=said.designated_from)
    made.name = said.name.strip()
    _save(made)
    record("institution.designate", [made], by=by, at=at, detail=_told(made, reason))
    return made


@transaction.atomic
def change(
    institution: Institution, said: Designation, reason: str, *, by: User, at: datetime
) -> None:
    """Correct an institution; the trail keeps how it stood before."""
    held = _locked(institution, reason, by)
    before = _told(held, "")
    held.name, held.categories = said.name.strip(), list(said.categories)
    held.designated_from = said.designated_from
    _save(held)
    detail = {**_told(held, reason), "before": before}
    record("institution.change", [held], by=by, at=at, detail=detail)


@transaction.atomic
def retire(institution: Institution, reason: str, *, by: User, at: datetime) -> None:
    """Choose an institution no more; nobody who assesses may still belong to it."""
    held = _locked(institution, reason, by)
    people = held.assessors.filter(user__is_active=True).count()
    if people:
        text = ngettext(
            "%(count)d assessor belongs to it: give them another institution, or end the account.",
            "%(count)d assessors belong to it: give them another institution, or end the accounts.",
            people,
        )
        raise Refused("institution-in-use", text % {"count": people})
    if held.retired_on is None:
        held.retired_on = timezone.localdate(at)
        held.save(update_fields=["retired_on"])
        record("institution.retire", [held], by=by, at=at, detail=_told(held, reason))


@transaction.atomic
def resume(institution: Institution, reason: str, *, by: User, at: datetime) -> None:
    """Let a retired institution be chosen again."""
    held = _locked(institution, reason, by)
    if held.retired_on is not None:
        held.retired_on = None
        held.save(update_fields=["retired_on"])
        record("institution.resume", [held], by=by, at=at, detail=_told(held, reason))


def _locked(institution: Institution, reason: str, by: User) -> Institution:
    _check_may(by, reason)
    if not institutions_of(by).filter(pk=institution.pk).exists():
        raise Refused(
            "institution-of-others",
            _("Assessors of other areas belong to it; ask the office above."),
        )
    return Institution.objects.select_for_update().get(pk=institution.pk)


def _check_may(by: User, reason: str) -> None:
    if by.role != Role.ADMINISTRATOR:
        raise not_yours()
    if not reason.strip():
        raise Refused("reason-missing", _("Write the reason of your decision."))


def _save(institution: Institution) -> None:
    try:
        with transaction.atomic():
            institution.save()
    except IntegrityError as error:
        raise Refused(
            "institution-known", _("There is an institution of this name already.")
        ) from error


def _told(institution: Institution, reason: str) -> dict[str, object]:
    return {
        "name": institution.name,
        "categories": list(institution.categories),
        "designated_from": institution.designated_from.isoformat(),
        "reason": reason.strip(),
    }
