"""What the outreach cost the federation: recorded by day and team, and taken back."""

from __future__ import annotations

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.actions.audit import record
from outreach.domain.vocabulary import Level, Role
from outreach.models import OutreachCost, User
from outreach.rules import Refused, not_yours


@transaction.atomic
def record_cost(
    on: date, team: str, what: str, amount_fen: int, source: str, *, by: User, at: datetime
) -> OutreachCost:
    """Record what one thing of a team's day cost, in fen, with where the figure comes from."""
    _check_keeps_costs(by)
    if on > timezone.localdate(at):
        raise Refused("cost-to-come", _("That day is still to come; record what was spent."))
    try:
        with transaction.atomic():
            cost = OutreachCost.objects.create(
                place=by.division.code,
                on=on,
                team=team,
                what=what,
                amount_fen=amount_fen,
                source=source,
            )
    except IntegrityError as error:
        raise Refused(
            "cost-known",
            _("This is recorded for that day and team already; take it back first to change it."),
        ) from error
    record("cost.record", [cost], by=by, at=at, detail=_said(cost))
    return cost


@transaction.atomic
def take_back(cost: OutreachCost, *, by: User, at: datetime) -> None:
    """Take out what was recorded by a slip; the trail keeps what it was."""
    _check_keeps_costs(by)
    held = OutreachCost.objects.select_for_update().filter(pk=cost.pk).first()
    if held is None:
        raise Refused("cost-taken-back", _("A colleague has taken this back meanwhile."))
    if held.place not in ("", by.division.code):
        raise not_yours()
    record("cost.take_back", [held], by=by, at=at, detail=_said(held))
    held.delete()


def keeps_costs(user: User) -> bool:
    """Tell whether it is the county's administrator: a team's day belongs to no township."""
    return user.role == Role.ADMINISTRATOR and user.division.level == Level.COUNTY


def _check_keeps_costs(by: User) -> None:
    if not keeps_costs(by):
        raise not_yours()


def _said(cost: OutreachCost) -> dict[str, object]:
    return {
        "on": cost.on.isoformat(),
        "team": cost.team,
        "what": cost.what,
        "amount_fen": cost.amount_fen,
        "source": cost.source,
    }
