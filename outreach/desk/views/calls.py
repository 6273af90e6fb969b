"""Whom to call: the families whose appointment a published plan made, moved or cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from outreach import clock
from outreach.actions import campaigns as actions
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_takes, chosen, done
from outreach.desk.listing import of_a_case
from outreach.desk.stepping import SHOWN, list_of, page_of
from outreach.desk.steps import TELL, families_to_tell
from outreach.domain.vocabulary import Role
from outreach.models import Call, Guardian, User
from outreach.models.planning import CallQuerySet
from outreach.rules import Refused, calls_for, worded

#: Families that stand below the list as told: a slip is seen soon.
TOLD = 20


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)
def calls(request: DeskRequest) -> HttpResponse:
    """List families to tell, first whose day is next; on POST note who was told, or was not."""

    def act() -> HttpResponse:
        check_takes(request.user, TELL.roles)
        if slip := request.POST.get("not_told"):
            return _take_back(request, slip)
        waiting = families_to_tell(request.user, clock.today()).select_related(
            "visit__application__resident"
        )
        ticked = chosen(request, waiting, calls_for(request.user))
        _check_shown(request, ticked)
        actions.told(ticked, by=request.user, at=clock.now())
        text = ngettext("%(count)d family told.", "%(count)d families told.", len(ticked))
        return done(request, text % {"count": len(ticked)}, list_of(request, TELL))

    def shown() -> dict[str, Any]:
        return page_of(
            request,
            TELL,
            more=_with_guardians,
            since=lambda call: call.created_at,
            search_in=of_a_case("visit__application__"),
            extra=lambda: {"told": _told_last(request.user)},
        )

    return answer(request, act, "desk/calls.html", shown)


def _told_last(user: User) -> CallQuerySet:
    rows = calls_for(user).ticked().still_true(clock.today())
    return rows.select_related(*SHOWN[Call], "told_by")[:TOLD]


def _take_back(request: DeskRequest, call: str) -> HttpResponse:
    """Take back that a family was told; it stands among those to call again."""
    rows = calls_for(request.user).select_related(*SHOWN[Call])
    with suppress(ValidationError):  # no id of anything
        held = found(rows, pk=call)
        actions.not_told(held, by=request.user, at=clock.now())
        name = held.visit.application.resident.name
        return done(request, _("%(name)s is to be called again.") % {"name": name}, "desk:calls")
    raise Http404


def _check_shown(request: DeskRequest, calls: Sequence[Call]) -> None:
    """Refuse news that came after the page was shown: the family heard what stood there before."""
    with suppress(ValueError, TypeError):
        shown = datetime.fromisoformat(request.POST.get("shown", ""))
        for call in calls:
            if call.created_at > shown:
                name = call.visit.application.resident.name
                text = _("There is other news for %(name)s by now. See it, and tell the family.")
                raise Refused("other-news", worded(text, name=name))


def _with_guardians(calls: list[Call]) -> Any:
    people = [call.visit.application.resident_id for call in calls]
    newest = Guardian.objects.newest_of(people)
    return lambda call: {"guardian": newest.get(call.visit.application.resident_id)}
