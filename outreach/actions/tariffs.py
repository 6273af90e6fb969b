"""New tariffs from a day to come; what was priced keeps the tariff it was priced by."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.domain.savings import PARAMETERS, MalformedTariff, Parameter, load_tariff
from outreach.domain.savings import Tariff as Prices
from outreach.domain.tariff_text import written
from outreach.models import AuditEvent, Tariff, User, insert
from outreach.rules import Refused, administers, not_yours

_NAMES = UUID("6b1c1d0e-5a0f-5f0b-9d5e-51a5f3a1c0de")


def draw_up(place: str, valid_from: date, figures: dict[str, tuple[int, str, bool]]) -> Prices:
    """Return the tariff of a place from a day on; `figures` are value, source, assumed by code.

    Raises `Refused` where a figure is missing or cannot be.
    """
    code = f"{place}-{valid_from.isoformat()}"
    made = Prices(
        code,
        place,
        valid_from,
        {
            name: Parameter(name, value, PARAMETERS[name], source, assumed, valid_from, place)
            for name, (value, source, assumed) in figures.items()
        },
    )
    try:
        return load_tariff(written(made))
    except MalformedTariff as error:
        raise Refused(
            "malformed-tariff",
            _("These figures do not fit together: look at the fares and their sources again."),
        ) from error


@transaction.atomic
def take_in(prices: Prices, *, by: User, at: datetime) -> Tariff:
    """Keep a tariff that counts from a later day on, for the area of an administrator.

    What happened up to today was, or will be, priced by what was known on its day, so a tariff
    never begins in the past.
    """
    _check_manages(prices.place, by)
    if prices.valid_from <= timezone.localdate(at):
        raise Refused(
            "tariff-in-the-past",
            _("A new version begins tomorrow at the earliest: the past is never repriced."),
        )
    body = written(prices)
    try:
        with transaction.atomic():
            made = Tariff.objects.create(
                code=prices.code,
                place=prices.place,
                valid_from=prices.valid_from,
                body=body,
                sha256=hashlib.sha256(body.encode()).hexdigest(),
            )
    except IntegrityError as error:
        raise Refused(
            "tariff-known", _("A version from this day is there already; withdraw it first.")
        ) from error
    _note("tariff.take_in", made, by, at)
    return made


@transaction.atomic
def withdraw(code: str, *, by: User, at: datetime) -> None:
    """Take a tariff out again before its first day."""
    held = Tariff.objects.select_for_update().filter(code=code).first()
    if held is None:
        raise Refused("tariff-withdrawn", _("A colleague has withdrawn this version meanwhile."))
    _check_manages(held.place, by)
    if held.valid_from <= timezone.localdate(at) or held.journeys.exists():
        raise Refused(
            "tariff-in-force",
            _("This version counts already; make a new one from a later day instead."),
        )
    _note("tariff.withdraw", held, by, at)
    held.delete()


def _check_manages(place: str, by: User) -> None:
    if not administers(by, place):
        raise not_yours()


def _note(deed: str, tariff: Tariff, by: User, at: datetime) -> None:
    """Append to the trail; a tariff's id there follows from its code, its text stands beside."""
    event = {
        "at": at,
        "by_id": by.pk,
        "action": deed,
        "subject": "tariff",
        "subject_id": uuid5(_NAMES, tariff.code),
        "detail": {"code": tariff.code, "sha256": tariff.sha256, "body": tariff.body},
    }
    insert(AuditEvent, [event])
