"""The link that a liaison or the office gives a family: made, shown once, ended."""

from __future__ import annotations

from uuid import UUID

import segno
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outreach import clock
from outreach.actions import family as actions
from outreach.actions.notifying.outbox import tell_link
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, done
from outreach.desk.stepping import cases_of
from outreach.domain.vocabulary import Role
from outreach.models import Application, FamilyLink

#: Said after a step with which the link ended.
LINK_OVER = gettext_lazy(
    "The family's link is over, since somebody else may have it: make a new one."
)


def has_link(application: Application) -> bool:
    """Tell whether a link opens the case now."""
    return FamilyLink.objects.standing(clock.now()).filter(application=application).exists()


@only(Role.LIAISON, Role.ADMINISTRATOR)
def link(request: DeskRequest, case: UUID) -> HttpResponse:
    """Tell of the family's link; on POST make a new one and show it, this once, or end it."""
    application = found(cases_of(request.user), pk=case)

    seen = request.POST.get("seen")

    def act() -> HttpResponse:
        at = clock.now()
        if "revoke" in request.POST:
            actions.revoke_link(application, seen=seen, by=request.user, at=at)
            text = _("The link is ended; whoever has it sees nothing any more.")
            return done(request, text, "desk:family_link", case)
        made, secret = actions.make_link(application, seen=seen, by=request.user, at=at)
        address = settings.OUTREACH_PUBLIC_URL + reverse("desk:family", args=[secret])
        message = tell_link(made, address, at)
        context = {
            "application": application,
            "held": made,
            "address": address,
            "message": message,
            "is_sent": settings.OUTREACH_SENDER != "console",
            "picture": _picture(address),
        }
        return render(request, "desk/family_link.html", context)

    def context() -> dict[str, object]:
        rows = FamilyLink.objects.standing(clock.now()).select_related("made_by")
        return {
            "application": application,
            "held": rows.filter(application=application).first(),
            "may_make": application.state in actions.STATES,
            "days": actions.LIFETIME.days,
        }

    return answer(request, act, "desk/family_link.html", context)


def _picture(address: str) -> SafeString:
    drawn = segno.make(address, error="m", micro=False)
    return mark_safe(drawn.svg_inline(scale=5, border=4, light="#ffffff"))  # noqa: S308
