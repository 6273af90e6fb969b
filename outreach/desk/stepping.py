"""One page for every step that is taken with many cases at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise

from certificates.models import Certificate, PaperRequest
from outreach import clock
from outreach.actions.applications import moved_on
from outreach.desk.access import DeskRequest
from outreach.desk.answers import answer, check_takes, chosen, done
from outreach.desk.listing import Calendar, More, list_rows
from outreach.desk.steps import Step
from outreach.models import (
    AccountRequest,
    Application,
    Call,
    Evaluation,
    Objection,
    User,
    Visit,
)
from outreach.models.applications import ApplicationQuerySet
from outreach.rules import applications_for

#: What a list shows of each record, fetched with it.
SHOWN: dict[type[Model], tuple[str, ...]] = {
    Application: ("resident", "village__parent", "assessor", "nominated_by"),
    Visit: ("application__resident", "application__village__parent", "assessor"),
    Call: (
        "visit__application__resident",
        "visit__application__village__parent",
        "visit__assessor",
    ),
    Evaluation: ("application__resident", "application__village__parent", "assessor"),
    Certificate: ("application__resident", "application__village__parent", "issued_by"),
    PaperRequest: (
        "certificate__application__resident",
        "certificate__application__village__parent",
        "requested_by",
    ),
    AccountRequest: ("account__division", "asked_by"),
    Objection: (
        "notice__application__resident",
        "notice__application__village__parent",
        "recorded_by",
    ),
}

Take = Callable[[list[Application]], str | Promise | HttpResponse]


def cases_of(user: User) -> ApplicationQuerySet:
    """Return the user's cases with what every list shows of them."""
    return applications_for(user).select_related(*SHOWN[Application])


def work_on(
    request: DeskRequest,
    step: Step,
    template: str,
    take: Take,
    *,
    more: More | None = None,
    extra: Callable[[], dict[str, Any]] = dict,
) -> HttpResponse:
    """Show what waits at the step; on POST take it with the ticked cases and show what is left."""

    def act() -> HttpResponse:
        check_takes(request.user, step.roles)
        cases = chosen(request, cases_of(request.user))
        check_shown(request, cases)
        said = take(cases)
        return (
            said if isinstance(said, HttpResponse) else done(request, said, list_of(request, step))
        )

    return answer(request, act, template, lambda: page_of(request, step, more=more, extra=extra))


def list_of(request: DeskRequest, step: Step) -> str:
    """Return where a step's list is, searched as it was: the rest of a township waits there."""
    search = request.GET.get("q", "").strip()
    return reverse(step.url) + (f"?{urlencode({'q': search})}" if search else "")


def check_shown(request: DeskRequest, cases: Sequence[Application]) -> None:
    """Refuse cases that came, or came back, after the page was shown: nobody saw what they hold."""
    with suppress(ValueError, TypeError):
        shown = datetime.fromisoformat(request.POST.get("shown", ""))
        for case in cases:
            if case.state_since > shown:
                raise moved_on(case.number)


def page_of(
    request: DeskRequest,
    step: Step,
    *,
    more: More | None = None,
    extra: Callable[[], dict[str, Any]] = dict,
    **listing: Any,
) -> dict[str, Any]:
    """Return what a step's page shows, in its order."""
    shown = clock.now()
    calendar = Calendar.of(timezone.localdate(shown))
    waiting = step.waiting(request.user, calendar.today)
    waiting = waiting.select_related(*SHOWN[waiting.model])
    return {
        "step": step,
        "shown": shown.isoformat(),
        "listing": list_rows(
            request,
            waiting.order_by(*(step.order or [step.since]), "pk"),
            calendar,
            days=step.legal,
            promised=step.promised,
            more=more,
            **listing,
        ),
        "may_take": request.user.role in step.roles,
        "ticked": set(request.POST.getlist("ids")),
        "sent_alone": _sent_alone(request),
        # What was refused stays ticked as it was sent.
        "tick_all": request.method == "GET" and request.GET.get("tick") == "all",
        "today": calendar.today,
        **extra(),
    }


def _sent_alone(request: DeskRequest) -> Application | None:
    """Return the one case that was sent, as from its own page: a refusal leads back there."""
    match request.POST.getlist("ids"):
        case [pk]:
            with suppress(ValidationError):  # no id of anything
                return cases_of(request.user).filter(pk=pk).first()
    return None
