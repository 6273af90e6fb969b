"""Questions: who asked what, the day promised, the reply."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from outreach import clock
from outreach.actions import enquiries as actions
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, check_takes, done
from outreach.desk.forms_office import QuestionForm, ReplyForm
from outreach.desk.listing import Calendar, first_without, list_rows
from outreach.domain.vocabulary import Role
from outreach.models import Enquiry, User
from outreach.reports import reply_rate

OFFICE = (Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)


def enquiries_for(user: User) -> QuerySet[Enquiry]:
    """Return the questions of the user's division and what lies below it."""
    rows = Enquiry.objects.filter(division__code__startswith=user.division.code)
    return rows.select_related("division", "application", "asked_by", "replied_by")


@only(*OFFICE)
def enquiries(request: DeskRequest) -> HttpResponse:
    """List the questions, the unanswered ones first, oldest first."""
    today = clock.today()
    rows = enquiries_for(request.user)

    def late(rows: list[Enquiry]) -> Any:
        late = {
            one.pk
            for one in rows
            if not one.replied_at and one.promised_on and one.promised_on < today
        }
        return lambda one: {"is_late": one.pk in late}

    context = {
        "listing": list_rows(
            request,
            rows.order_by(first_without("replied_at"), "asked_at", "pk"),
            Calendar.of(today),
            search_in=("number", "division__name"),
            since=lambda one: one.asked_at,
            more=late,
        ),
        "rate": reply_rate(rows),
        "promised_days": settings.OUTREACH_REPLY_WORKING_DAYS,
        "may_ask": request.user.role == Role.LIAISON,
    }
    return render(request, "desk/enquiries.html", context)


@only(Role.LIAISON)
def ask(request: DeskRequest) -> HttpResponse:
    """Ask the office a question, also for a family."""
    form = QuestionForm(request.POST or None)

    def act() -> HttpResponse:
        check_form(form)
        made, _code = actions.ask(
            form.cleaned_data["question"],
            division=request.user.division,
            by=request.user,
            at=clock.now(),
        )
        message = _("Your question is number %(number)s.") % {"number": made.number}
        return done(request, message, "desk:enquiries")

    context = {
        "form": form,
        "title": _("Ask a question"),
        "lead": _("Write no ID number; a case number is enough."),
        "button": _("Ask"),
        "back": "desk:enquiries",
        "back_words": _("Enquiries"),
    }
    return answer(request, act, "desk/form.html", lambda: context)


@only(*OFFICE)
def enquiry(request: DeskRequest, enquiry: UUID) -> HttpResponse:
    """Show a question with its reply; an administrator answers here."""
    held = found(enquiries_for(request.user), pk=enquiry)
    may_reply = request.user.role == Role.ADMINISTRATOR and not held.replied_at
    form = ReplyForm(request.POST or None) if may_reply else None

    def act() -> HttpResponse:
        check_takes(request.user, (Role.ADMINISTRATOR,))
        text = request.POST.get("reply", "")
        actions.reply(held, text, by=request.user, at=clock.now())
        return done(request, _("The reply is on its way."), "desk:enquiries")

    return answer(request, act, "desk/enquiry.html", lambda: {"enquiry": held, "form": form})
