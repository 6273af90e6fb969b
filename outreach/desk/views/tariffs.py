"""Standards and tariffs with their days; a new version of the tariff, tried before it counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from outreach import clock
from outreach.actions import tariffs as actions
from outreach.desk.access import DeskRequest, only
from outreach.desk.answers import answer, check_form, done
from outreach.desk.tariff_form import TariffForm
from outreach.domain.grading import standard_as_json
from outreach.domain.promises import promises
from outreach.domain.savings import NoTariff, Tariff, tariff_for
from outreach.domain.vocabulary import Role
from outreach.models import User
from outreach.reports.tariffs import Edition, editions, effect_of
from outreach.rules import Refused

READERS = (Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR)
#: A new version is tried on the homes of so many days.
SPAN = timedelta(days=365)


@only(*READERS)
def standards(request: DeskRequest) -> HttpResponse:
    """Show the grading standard, the promised days and every version of the tariff."""
    held = standard_as_json()
    context = {
        "standard": held,
        "promises": promises().values(),
        "editions": [(one, _state(one)) for one in editions(request.user.division)],
        "may_take": request.user.role == Role.ADMINISTRATOR,
    }
    return render(request, "desk/standards.html", context)


def _state(edition: Edition) -> str:
    today = clock.today()
    if edition.is_in_force(today):
        return "in_force"
    return "to_come" if edition.tariff.valid_from > today else "past"


def _edition(user: User, code: str) -> Edition:
    for one in editions(user.division):
        if one.tariff.code == code:
            return one
    raise Http404


@only(*READERS)
def tariff(request: DeskRequest, tariff: str) -> HttpResponse:
    """Show every figure of one version with its source."""
    held = _edition(request.user, tariff)
    context = {
        "edition": held,
        "state": _state(held),
        "may_withdraw": request.user.role == Role.ADMINISTRATOR
        and _state(held) == "to_come"
        and not held.homes,
    }
    return render(request, "desk/tariff.html", context)


@only(Role.ADMINISTRATOR)
def new(request: DeskRequest) -> HttpResponse:
    """Fill in a new version, see what it would have made of the last year, then take it in."""
    place, today = request.user.division.code, clock.today()
    known = [one.tariff for one in editions(request.user.division)]
    try:
        follows = _newest(place, today, known)
    except NoTariff as error:
        raise Http404 from error
    form = TariffForm(request.POST or None, follows=follows, today=today)
    shown: dict[str, Any] = {"form": form, "follows": follows}

    def act() -> HttpResponse:
        check_form(form)
        _check_begun(form, known)
        prices = actions.draw_up(place, form.cleaned_data["valid_from"], form.figures)
        if "save" not in request.POST:
            effect = effect_of(prices, today - SPAN, today)
            return render(request, "desk/tariff_new.html", {**shown, "effect": effect})
        made = actions.take_in(prices, by=request.user, at=clock.now())
        text = _("The new version counts from %(day)s on.") % {"day": made.valid_from.isoformat()}
        return done(request, text, "desk:tariff", made.code)

    return answer(request, act, "desk/tariff_new.html", lambda: shown)


def _newest(place: str, today: date, known: Sequence[Tariff]) -> Tariff:
    """Return what another version follows: the last one to come of the place, else today's.

    Beginning with today's figures, a version would take back what the one before it brings.
    """
    to_come = [one for one in known if one.place == place and one.valid_from > today]
    return max(to_come, key=lambda one: one.valid_from, default=None) or tariff_for(
        place, today, known
    )


def _check_begun(form: TariffForm, known: Sequence[Tariff]) -> None:
    """Refuse figures that begin with another version than the one before their day."""
    said = form.cleaned_data
    if said["begins_with"] == form.follows.code or said["valid_from"] == form.follows.valid_from:
        return
    form.begin_anew(next((one for one in known if one.code == said["begins_with"]), None))
    raise Refused(
        "tariff-meanwhile",
        _(
            "Another version was taken in or withdrawn meanwhile: this one follows %(code)s now."
            " What you had left as it was stands in the form as it is there; look at the figures"
            " and send them once more."
        )
        % {"code": form.follows.code},
    )


@only(Role.ADMINISTRATOR)
@require_POST
def withdraw(request: DeskRequest, tariff: str) -> HttpResponse:
    """Withdraw a version before its first day."""
    held = _edition(request.user, tariff)

    def act() -> HttpResponse:
        if _state(held) != "to_come":
            raise Refused(
                "tariff-in-force",
                _("This version counts already; make a new one from a later day instead."),
            )
        actions.withdraw(held.tariff.code, by=request.user, at=clock.now())
        return done(request, _("The version is withdrawn."), "desk:standards")

    context = {"edition": held, "state": _state(held), "may_withdraw": False}
    return answer(request, act, "desk/tariff.html", lambda: context)
