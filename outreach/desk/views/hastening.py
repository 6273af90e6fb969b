"""The fast lane at the desk: its own queue, and how a case gets there and out again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from outreach import clock
from outreach.actions import hastening as actions
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, done
from outreach.desk.forms import UrgencyForm
from outreach.desk.seeing import as_seen, showing
from outreach.desk.stepping import cases_of, page_of
from outreach.desk.steps import FAST
from outreach.domain.promises import FAST_HOURS, fast_due
from outreach.domain.vocabulary import Role, Urgency
from outreach.models import Application


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR)
def fast(request: DeskRequest) -> HttpResponse:
    """List the urgent cases whose next step is the reader's, each with its 24 hours."""
    context = page_of(request, FAST, more=lambda _rows: _with_term(clock.now()))
    return render(request, "desk/fast.html", context)


def _with_term(now: datetime) -> Callable[[Application], dict[str, Any]]:
    def term(case: Application) -> dict[str, Any]:
        due = fast_due(case.state_since, case.urgent_since)
        return {"due": due, "is_late": now > due}

    return term


@only(Role.LIAISON, Role.ADMINISTRATOR)
def hasten(request: DeskRequest, case: UUID) -> HttpResponse:
    """Put a case into the fast lane with its reason, or take it out again."""
    application = found(cases_of(request.user), pk=case)

    def shown() -> dict[str, Any]:
        return {"urgency": application.urgency, "why": application.urgent_why or ""}

    form = UrgencyForm(request.POST or None, initial=showing(shown()))

    def act() -> HttpResponse:
        if "out" in request.POST:
            with as_seen(form, application, shown):
                actions.unhasten(application, by=request.user, at=clock.now())
            return done(request, _("The case is out of the fast lane."), "desk:case", case)
        check_form(form)
        said = form.cleaned_data
        with as_seen(form, application, shown):
            actions.hasten(
                application, Urgency(said["urgency"]), said["why"], by=request.user, at=clock.now()
            )
        return done(request, _("The case is in the fast lane."), "desk:case", case)

    context = {"application": application, "form": form, "hours": FAST_HOURS}
    return answer(request, act, "desk/hasten.html", lambda: context)
