"""Whom to call: the families whose appointment a published plan made, moved or cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from outreach import clock
from outreach.actions import campaigns as actions
from outreach.desk.access import DeskRequest, only
from outreach.desk.answers import answer, check_takes, chosen, done
from outreach.desk.listing import of_a_case
from outreach.desk.stepping import list_of, page_of
from outreach.desk.steps import TELL, families_to_tell
from outreach.domain.vocabulary import Role
from outreach.models import Call, Guardian
from outreach.rules import Refused, calls_for, worded


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)
def calls(request: DeskRequest) -> HttpResponse:
    """List the families to tell, the oldest news first; on POST note who was told."""

    def act() -> HttpResponse:
        check_takes(request.user, TELL.roles)
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
        )

    return answer(request, act, "desk/calls.html", shown)


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
