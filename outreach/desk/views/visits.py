"""Home visits at the desk: scheduled, moved, cancelled, and those that assessed nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from outreach import clock
from outreach.actions import offering
from outreach.actions import visits as actions
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, done
from outreach.desk.forms import AppointmentForm, CancellingForm, MovingForm, SeenForm
from outreach.desk.listing import of_a_case
from outreach.desk.stepping import cases_of, page_of
from outreach.desk.steps import NOT_DONE, SCHEDULE
from outreach.domain.vocabulary import Role
from outreach.domain.workflow import OPEN_VISITS
from outreach.models import Application, Visit
from outreach.models.visits import VisitQuerySet
from outreach.rules import Refused, visits_for


def visits_of(request: DeskRequest) -> VisitQuerySet:
    """Return the user's visits with what every list shows of them."""
    return visits_for(request.user).select_related(
        "application__resident", "application__village__parent", "assessor"
    )


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def schedule(request: DeskRequest) -> HttpResponse:
    """List the cases that want a visit, with the family's possible times."""
    return render(request, "desk/schedule.html", page_of(request, SCHEDULE))


@only(Role.ADMINISTRATOR, Role.LIAISON)
def schedule_one(request: DeskRequest, case: UUID) -> HttpResponse:
    """Schedule a visit to one home; the day's other visits of the assessor stand beside."""
    application = found(cases_of(request.user), pk=case)
    offer = request.POST.get("offer", "")
    form = AppointmentForm(None if offer else request.POST or None)

    def act() -> HttpResponse:
        if offer:
            visit = offering.take(application, offer, by=request.user, at=clock.now())
            message = _("The visit is scheduled: %(day)s at %(time)s.")
            said = {"day": visit.on.isoformat(), "time": f"{visit.start:%H:%M}"}
            return done(request, message % said, "desk:case", application.pk)
        to = _appointment(form, application)
        actions.schedule([to], by=request.user, at=clock.now())
        to_see = ("desk:schedule",) if _is_office(request) else ("desk:case", application.pk)
        return done(request, _("The visit is scheduled."), *to_see)

    return answer(
        request,
        act,
        "desk/appointment.html",
        lambda: {
            "application": application,
            "form": form,
            "title": _("Schedule a visit"),
            "button": _("Schedule"),
            "others": _others(application),
            "offers": offering.offered(application, clock.now()),
            "in_campaign": offering.campaign_for(application, clock.now()) is not None,
        },
    )


def _is_office(request: DeskRequest) -> bool:
    return request.user.role == Role.ADMINISTRATOR


def _appointment(form: AppointmentForm, application: Application) -> actions.Appointment:
    check_form(form)
    said = form.cleaned_data
    return actions.Appointment(application, said["on"], said["start"], said["minutes"])


def _others(application: Application) -> list[Visit]:
    rows = Visit.objects.filter(
        assessor=application.assessor, state__in=OPEN_VISITS, on__gte=clock.today()
    )
    return list(
        rows.exclude(application=application)
        .select_related("application__village")
        .order_by("on", "start")[:30]
    )


@only(Role.ADMINISTRATOR, Role.LIAISON)
def move(request: DeskRequest, visit: UUID) -> HttpResponse:
    """Move a visit to another time, under the checks of a new one."""
    held = found(visits_of(request), pk=visit)
    seen = actions.moment_of(held)
    initial = {"on": held.on, "start": held.start, "minutes": held.minutes, "seen": seen}
    form = MovingForm(request.POST or None, initial=initial)

    def act() -> HttpResponse:
        to = _appointment(form, held.application)
        reason = form.cleaned_data["reason"]
        with _as_seen(held, form):
            actions.move(held, to, by=request.user, at=clock.now(), reason=reason)
        return done(request, _("The visit is moved."), "desk:case", held.application_id)

    return answer(
        request,
        act,
        "desk/appointment.html",
        lambda: {
            "application": held.application,
            "visit": held,
            "form": form,
            "title": _("Move the visit"),
            "button": _("Move the visit"),
            "others": _others(held.application),
        },
    )


@only(Role.ADMINISTRATOR)
def cancel(request: DeskRequest, visit: UUID) -> HttpResponse:
    """Cancel a visit with a reason; the case waits to be scheduled again."""
    held = found(visits_of(request), pk=visit)
    form = CancellingForm(request.POST or None, initial={"seen": actions.moment_of(held)})

    def act() -> HttpResponse:
        if not form.is_valid():
            raise Refused("reason-missing", _("Write the reason."))
        with _as_seen(held, form):
            actions.cancel(held, by=request.user, at=clock.now(), reason=form.cleaned_data["note"])
        return done(request, _("The visit is cancelled."), "desk:case", held.application_id)

    context = {
        "application": held.application,
        "visit": held,
        "form": form,
        "title": _("Cancel the visit"),
        "lead": _("The case waits to be scheduled again."),
        "button": _("Cancel the visit"),
    }
    return answer(request, act, "desk/case_form.html", lambda: context)


def _check_seen(visit: Visit, seen: str) -> None:
    if seen != actions.moment_of(visit):
        raise actions.AppointmentChanged


@contextmanager
def _as_seen(visit: Visit, form: SeenForm) -> Iterator[None]:
    """Refuse a step with a visit that stands elsewhere than its author saw, and show where."""
    try:
        _check_seen(visit, form.cleaned_data["seen"])
        yield
    except actions.AppointmentChanged:
        visit.refresh_from_db(fields=["on", "start"])
        form.show(actions.moment_of(visit))
        raise


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def not_done(request: DeskRequest) -> HttpResponse:
    """List the visits that assessed nobody and wait for what follows."""
    context = page_of(
        request,
        NOT_DONE,
        since=lambda visit: visit.on,
        search_in=of_a_case("application__"),
    )
    return render(request, "desk/not_done.html", context)
