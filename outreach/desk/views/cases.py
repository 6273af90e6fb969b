"""The list of cases and the page of one: where it stands, what happened, what can be done."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from certificates import moving_in
from certificates.models import Certificate
from outreach import clock
from outreach.actions import applications as actions
from outreach.actions import deaths, publicity
from outreach.actions import visits as visiting
from outreach.actions.audit import record
from outreach.actions.family import STATES as LINKED
from outreach.actions.guardians import guardian_of
from outreach.actions.relatives import DECLARERS
from outreach.desk.access import EVERYBODY, DeskRequest, found, only
from outreach.desk.answers import answer, check_form, check_takes, done
from outreach.desk.forms import AppealForm, NoteForm
from outreach.desk.listing import Calendar, list_rows
from outreach.desk.stepping import cases_of, check_shown
from outreach.desk.steps import ACCEPT, ASSIGN, END_NOTICES, POST_NOTICES, REVIEW, Step
from outreach.desk.words import STATES
from outreach.domain.vocabulary import Role
from outreach.domain.workdays import CalendarNotLoaded
from outreach.domain.workflow import APPLICATION, OPEN_STATES, OPEN_VISITS, ApplicationState
from outreach.models import Application, Division, Evaluation, PaperPhoto, StoredBlob, User, Visit
from outreach.models.applications import ApplicationQuerySet
from outreach.rules import Refused, first_dead

#: Who needs the whole ID number: the auditor looks for patterns, not for persons.
NEED_ID_NUMBER = frozenset(Role) - {Role.AUDITOR}

#: An approver who opens a case may sign it there; while its notice hangs, they read why not yet.
SHOWN_TO_SIGN = (ApplicationState.ON_NOTICE, ApplicationState.REVIEWED, ApplicationState.APPROVED)

#: Steps that are taken with many cases at once: the page of a case leads to the list of its own.
ON_LISTS = (ACCEPT, ASSIGN, POST_NOTICES, END_NOTICES, REVIEW)

#: Steps that one person takes here with one case and a written reason; assessors on their tablets.
WITH_REASON = (
    *("refuse", "withdraw", "refer", "recall", "close", "send_back", "return_file"),
    *("appeal", "uphold_appeal", "dismiss_appeal", "withdraw_appeal"),
    *("died", "alive"),
)


@only(*EVERYBODY)
def cases(request: DeskRequest) -> HttpResponse:
    """List the cases in scope, newest first, by state and search."""
    rows = cases_of(request.user).order_by("-created_at", "-pk")
    state = request.GET.get("state", "")
    if state in set(ApplicationState):
        rows = rows.standing(ApplicationState(state))
    rows, kept = _narrowed(request, rows)
    listing = list_rows(request, rows, Calendar.of(clock.today()))
    context = {"listing": listing, "states": STATES, "state": state, "hidden": kept}
    context["narrowed"] = _names_of(kept, request.user)
    return render(request, "desk/cases.html", context)


def _narrowed(
    request: DeskRequest, rows: ApplicationQuerySet
) -> tuple[ApplicationQuerySet, dict[str, str]]:
    """Keep to one village's or one assessor's cases where the address names it."""
    kept = {}
    if village := request.GET.get("village", ""):
        rows, kept["village"] = rows.filter(village__code=village), village
    with suppress(ValueError):
        assessor = UUID(request.GET.get("assessor", ""))
        rated = rows.filter(evaluations__assessor=assessor)
        rows, kept["assessor"] = rated.distinct(), str(assessor)
    return rows, kept


def _names_of(kept: dict[str, str], user: User) -> list[str]:
    """Return the names of the village and the county's assessor whose cases alone are listed."""
    county = user.division.code[:6]
    villages = Division.objects.filter(code=kept.get("village", "")).order_by("pk")
    doctor = [UUID(kept["assessor"])] if "assessor" in kept else []
    people = User.objects.filter(pk__in=doctor, division__code__startswith=county)
    named = (villages.values_list("name"), people.values_list("full_name"))
    return [name for rows in named for (name,) in rows[:1]]


@only(*EVERYBODY)
def case(request: DeskRequest, case: UUID) -> HttpResponse:
    """Show one case with its whole history, and note who opened it."""
    application = found(cases_of(request.user), pk=case)
    record("application.view", [application], by=request.user, at=clock.now())
    if application.erased_at:
        return _what_is_left(request, application)
    visits = list(
        application.visits.select_related("assessor").prefetch_related("events__by").order_by("pk")
    )
    appeal_until = _appeal_until(application)
    return render(
        request,
        "desk/case.html",
        {
            "application": application,
            "age": application.resident.age(clock.today()),
            "shows_id_number": request.user.role in NEED_ID_NUMBER,
            "guardian": guardian_of(application.resident),
            "relatives": application.resident.relatives_in_office.select_related("user"),
            "events": application.events.select_related("by"),
            "visits": visits,
            "open_visit": _open(visits),
            "evaluations": _evaluations(application, request.user),
            "photographed": _photographed(application, request.user),
            "notices": application.notices.prefetch_related("objections").order_by("pk"),
            "certificates": Certificate.objects.filter(application=application).order_by("pk"),
            "waits_at": _waits_at(application, request.user),
            "next_steps": _possible(application, request.user, _open(visits)),
            "may_sign": request.user.role == Role.APPROVER and application.state in SHOWN_TO_SIGN,
            "reasons": _reasons(application, request.user),
            "beside": _beside(application, request.user),
            "appeal_until": appeal_until,
            "city_has_decided": bool(appeal_until and publicity.times_upheld(application)),
        },
    )


def _what_is_left(request: DeskRequest, application: Application) -> HttpResponse:
    """Show what is kept of a case whose personal data was erased."""
    context = {
        "application": application,
        "events": application.events.select_related("by"),
        "certificates": Certificate.objects.filter(application=application).order_by("pk"),
    }
    return render(request, "desk/case_erased.html", context)


def _appeal_until(application: Application) -> date | None:
    """Return until when the family may appeal; none once that is over, or without a calendar."""
    if not _may_appeal(application):
        return None
    try:
        last = publicity.appeal_deadline(application, clock.today())
    except CalendarNotLoaded:
        return None
    return last if clock.today() <= last else None


def _may_appeal(application: Application) -> bool:
    return application.state in APPLICATION["appeal"].sources and not publicity.is_final(
        application
    )


def _open(visits: list[Visit]) -> Visit | None:
    return next((visit for visit in visits if visit.state in OPEN_VISITS), None)


def _evaluations(application: Application, user: User) -> Any:
    if user.role == Role.LIAISON:
        return Evaluation.objects.none()
    return application.evaluations.select_related("assessor").order_by("pk")


def _photographed(
    application: Application, user: User
) -> list[tuple[PaperPhoto, bool, datetime | None]]:
    """Return the photos of the papers, each with whether it is here, and when it was erased."""
    if user.role not in (Role.LIAISON, Role.ADMINISTRATOR):
        return []
    photos = list(application.paper_photos.shown().order_by("pk"))
    names = [photo.sha256 for photo in photos]
    held = dict(StoredBlob.objects.filter(pk__in=names).values_list("pk", "erased_at"))
    return [(photo, photo.sha256 in held, held.get(photo.sha256)) for photo in photos]


def _possible(application: Application, user: User, visit: Visit | None) -> list[tuple[str, Any]]:
    """List what this person can do next with this case: address and words."""
    state, role, pk = application.state, user.role, application.pk
    field = role in (Role.LIAISON, Role.ADMINISTRATOR)
    office = role == Role.ADMINISTRATOR
    steps = {
        ("desk:give_consent", pk, _("Record the consent")): field and state == "nominated",
        ("desk:send_back", pk, _("Return with what is missing")): office and state == "applied",
        ("desk:schedule_one", pk, _("Schedule a visit")): field
        and state == "accepted"
        and application.assessor_id
        and visit is None,
        ("desk:record_objection", pk, _("Record an objection")): field
        and state in APPLICATION["object"].sources,
    }
    return [(url, (key, words)) for (url, key, words), is_open in steps.items() if is_open]


def _waits_at(application: Application, user: User) -> Step | None:
    """Return the step on whose list this person finds the case."""
    for step in ON_LISTS:
        waiting = step.waiting(user, clock.today()) if user.role in step.roles else None
        if waiting is not None and waiting.filter(pk=application.pk).exists():
            return step
    return None


def _beside(application: Application, user: User) -> list[tuple[str, Any]]:
    """List what helps with the case beside its next step: address and words."""
    if user.role in DECLARERS and not application.resident.relatives_in_office.filter(user=user):
        return [("desk:relative", _("A relative of mine"))]
    if user.role not in (Role.LIAISON, Role.ADMINISTRATOR):
        return []
    contact = ("desk:contact", _("Correct telephone or address"))
    sent = application.paper_photos.undecided().count()
    photos = _("Papers by photo")
    named = ("desk:guardian", _("Name or change the guardian"))
    found = [("desk:case_papers", f"{photos} ({sent})" if sent else photos), contact, named]
    if application.state in LINKED:
        found.insert(0, ("desk:family_link", _("Link for the family")))
    if application.state in OPEN_STATES:
        words = _("Fast lane: change") if application.urgency else _("Into the fast lane")
        found.append(("desk:hasten", words))
    return found


def _reasons(application: Application, user: User) -> list[tuple[str, str]]:
    words = {
        "refuse": _("Refuse: false information"),
        "withdraw": _("Withdraw at the person's wish"),
        "refer": _("Refer to a hospital"),
        "recall": _("Take up again"),
        "close": _("Close the case"),
        "send_back": _("Send back to be assessed again"),
        "return_file": _("Send the file back to the county it came from"),
        "appeal": _("Record an appeal"),
        "uphold_appeal": _("The appeal was upheld: assess again"),
        "dismiss_appeal": _("The appeal was dismissed"),
        "withdraw_appeal": _("The family takes its appeal back"),
        "died": _("The applicant has died"),
        "alive": _("The applicant lives: it was noted by mistake"),
    }
    return [
        (name, words[name])
        for name in WITH_REASON
        if user.role in _takers(name)
        and _may_follow(application, name)
        and (name != "return_file" or hasattr(application, "move_in"))
        and (name != "appeal" or _may_appeal(application))
    ]


def _may_follow(application: Application, name: str) -> bool:
    """Tell whether a step starts where the case stands; a death is noted wherever it does."""
    if name not in ("died", "alive"):
        return application.state in APPLICATION[name].sources
    if name == "alive":
        return deaths.was_noted(application)
    holds = application.resident.certificates.living().exists()
    return first_dead([application]) is None and not holds


def _takers(step: str) -> Collection[Role]:
    if step in ("died", "alive"):
        return {Role.ADMINISTRATOR}
    return APPLICATION[step].roles - {Role.ASSESSOR}


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.APPROVER)
def with_reason(request: DeskRequest, case: UUID, step: str) -> HttpResponse:
    """Take one of the steps that want a written reason."""
    application = found(cases_of(request.user), pk=case)
    if step not in WITH_REASON:
        raise Http404
    check_takes(request.user, _takers(step))
    form = (AppealForm if step == "appeal" else NoteForm)(request.POST or None)

    def act() -> HttpResponse:
        if "note" in form.errors:
            raise Refused("reason-missing", _("Write the reason."))
        check_form(form)
        check_shown(request, [application])
        _take(application, step, form.cleaned_data, request.user)
        return done(request, _("The step is recorded with its reason."), "desk:case", case)

    words = dict(_reasons(application, request.user))
    if step not in words and request.method != "POST":
        raise Http404
    context = {
        "application": application,
        "form": form,
        "title": words.get(step, _("Step")),
        "lead": _("Write the reason in full: it stays in the case's history."),
        "button": words.get(step, _("Step")),
    }
    return answer(request, act, "desk/case_form.html", lambda: context)


def _take(application: Application, step: str, said: dict[str, Any], user: User) -> None:
    note = said["note"]
    if step == "return_file":
        moving_in.give_back(application, reason=note, by=user, at=clock.now())
    elif step == "appeal":
        made_on = said["made_on"]
        publicity.appeal(application, text=note, by=user, at=clock.now(), made_on=made_on)
    elif step in ("uphold_appeal", "dismiss_appeal"):
        upheld = step == "uphold_appeal"
        publicity.decide_appeal(application, upheld=upheld, note=note, by=user, at=clock.now())
    elif step == "died":
        if application.resident.certificates.living().exists():
            raise Refused(
                "holds-certificate",
                _("This person holds a certificate: cancel that, as its holder has died."),
            )
        deaths.record_death(application, note=note, by=user, at=clock.now())
    elif step == "alive":
        deaths.take_death_back(application, note=note, by=user, at=clock.now())
    elif step == "withdraw_appeal":
        publicity.withdraw_appeal(application, note=note, by=user, at=clock.now())
    elif step in ("refuse", "withdraw", "refer", "close"):
        visiting.leave(application, step, by=user, at=clock.now(), note=note)
    else:
        actions.advance([application], step, by=user, at=clock.now(), note=note)
