"""Whom to call: the families whose appointment a published plan made, moved or cancelled."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import ngettext

from outreach import clock
from outreach.actions import campaigns as actions
from outreach.desk.access import DeskRequest, only
from outreach.desk.answers import answer, check_takes, chosen, done
from outreach.desk.stepping import page_of
from outreach.desk.steps import TELL, families_to_tell
from outreach.domain.vocabulary import Role
from outreach.models import Call, Guardian
from outreach.rules import calls_for


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)
def calls(request: DeskRequest) -> HttpResponse:
    """List the families to tell, the oldest news first; on POST note who was told."""

    def act() -> HttpResponse:
        check_takes(request.user, TELL.roles)
        waiting = families_to_tell(request.user).select_related("visit")
        ticked = chosen(request, waiting, calls_for(request.user))
        actions.told(ticked, by=request.user, at=clock.now())
        text = ngettext("%(count)d family told.", "%(count)d families told.", len(ticked))
        return done(request, text % {"count": len(ticked)}, "desk:calls")

    def shown() -> dict[str, Any]:
        return page_of(
            request,
            TELL,
            more=_with_guardians,
            since=lambda call: call.created_at,
            search_in=("visit__application__resident__name", "visit__application__village__name"),
        )

    return answer(request, act, "desk/calls.html", shown)


def _with_guardians(calls: list[Call]) -> Any:
    people = [call.visit.application.resident_id for call in calls]
    rows = Guardian.objects.filter(resident__in=people).order_by("pk")
    newest = {row.resident_id: row for row in rows}
    return lambda call: {"guardian": newest.get(call.visit.application.resident_id)}
