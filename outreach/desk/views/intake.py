"""Nomination, consent, papers, acceptance, assignment: how a case comes in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from outreach import clock
from outreach.actions import applications as actions
from outreach.actions import papers as photographing
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, done, refused, without_circle
from outreach.desk.forms import AssignForm, ReturnForm
from outreach.desk.nomination_form import ConsentForm, NominationForm, consent
from outreach.desk.stepping import cases_of, check_shown, page_of, work_on
from outreach.desk.steps import ACCEPT, ASSIGN, CONSENT, PAPERS, Step, unassigned
from outreach.desk.views.paper_photos import (
    check_all_here,
    photos_before,
    shots,
    take_on_the_spot,
)
from outreach.domain.vocabulary import Role
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, PaperPhoto, User
from outreach.rules import Refused, applications_for, papers_required, plainly

FIELD = (Role.LIAISON, Role.ADMINISTRATOR)


def _form(request: DeskRequest, photos: Sequence[PaperPhoto] = ()) -> NominationForm:
    data = request.POST if request.method == "POST" else None
    photographed = {photo.paper for photo in photos}
    return NominationForm(data, user=request.user, today=clock.today(), photographed=photographed)


@only(*FIELD, Role.OUTLET)
def nominate(request: DeskRequest) -> HttpResponse:
    """Show the nomination form; on POST register the person, or name everything wrong at once."""
    if request.method != "POST":
        context = {"form": _form(request), "shots": shots([])}
        return render(request, "desk/nominate.html", context)
    photos = photos_before(request)
    form = _form(request)
    try:
        take_on_the_spot(request, photos)
        check_all_here(request, photos)
        form = _form(request, photos)
        if not form.is_valid():
            return _again(request, form, photos)
        form.check_compared()
        with plainly(), without_circle(), transaction.atomic():
            at = clock.now()
            made = actions.nominate([form.nomination()], by=request.user, at=at)[0]
            photographing.attach(photos, made, by=request.user, at=at)
    except Refused as refusal:
        context = {"form": _form(request, photos), "shots": shots(photos)}
        return refused(request, refusal, "desk/nominate.html", context)
    message = _("%(name)s is registered as case %(number)s.")
    said = message % {"name": made.resident.name, "number": made.number}
    if request.user.role == Role.OUTLET:
        return done(request, said, "desk:taken_in")
    return done(request, said, "desk:case", made.pk)


def _again(request: DeskRequest, form: NominationForm, photos: list[PaperPhoto]) -> HttpResponse:
    context = {"form": form, "errors": True, "shots": shots(photos)}
    shown = render(request, "desk/nominate.html", context, status=422)
    codes = {error.code for found in form.errors.as_data().values() for error in found}
    is_open = "open-application" in codes
    shown.headers["X-Refusal"] = "open-application" if is_open else "malformed-form"
    return shown


@only(*FIELD, Role.OUTLET)
@require_POST
def missing(request: DeskRequest) -> HttpResponse:
    """Answer with the list of everything still missing, while the form is being filled."""
    form = _form(request, photos_before(request))
    form.is_valid()
    return render(request, "desk/_missing.html", {"form": form})


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)
def consents(request: DeskRequest) -> HttpResponse:
    """List the nominations that nobody asked for yet."""
    return render(request, "desk/consent.html", page_of(request, CONSENT))


@only(*FIELD)
def give_consent(request: DeskRequest, case: UUID) -> HttpResponse:
    """Record that the person or the guardian asks for the certificate."""
    application = found(cases_of(request.user), pk=case)
    form = ConsentForm(request.POST or None)

    def act() -> HttpResponse:
        check_form(form)
        agreed = consent(form.cleaned_data) or {}
        actions.record_consent(application, agreed, by=request.user, at=clock.now())
        return done(request, _("The consent is recorded."), "desk:case", application.pk)

    context = {
        "application": application,
        "form": form,
        "title": _("Record the consent"),
        "lead": _("Nobody may be forced; a guardian asks for minors and wards."),
        "button": _("Record the consent"),
    }
    return answer(request, act, "desk/case_form.html", lambda: context)


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)
def papers(request: DeskRequest) -> HttpResponse:
    """List returned cases with what is missing; on POST hand the chosen in again."""

    def take(cases: list[Application]) -> str:
        at = clock.now()
        with transaction.atomic():
            for case in cases:
                actions.complete_papers(case, by=request.user, at=at)
        count = len(cases)
        text = ngettext(
            "%(count)d case handed in again.", "%(count)d cases handed in again.", count
        )
        return text % {"count": count}

    return work_on(request, PAPERS, "desk/papers.html", take)


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def accept(request: DeskRequest) -> HttpResponse:
    """List applications; on POST accept the chosen."""

    def take(cases: list[Application]) -> str:
        actions.accept(cases, by=request.user, at=clock.now())
        count = len(cases)
        text = ngettext("%(count)d case accepted.", "%(count)d cases accepted.", count)
        return text % {"count": count}

    return work_on(request, ACCEPT, "desk/accept.html", take)


@only(Role.ADMINISTRATOR)
def send_back(request: DeskRequest, case: UUID) -> HttpResponse:
    """Return an application with everything that is missing."""
    application = found(cases_of(request.user), pk=case)
    form = ReturnForm(request.POST or None, initial={"missing": application.papers_missing})
    form.fields["missing"].choices = [  # type: ignore[attr-defined]
        (code, word)
        for code, word in form.fields["missing"].choices  # type: ignore[attr-defined]
        if code in _needed(application)
    ]

    def act() -> HttpResponse:
        check_form(form)
        check_shown(request, [application])
        actions.send_back(application, by=request.user, at=clock.now(), **form.cleaned_data)
        return done(request, _("The case is returned with all that is missing."), "desk:accept")

    context = {
        "application": application,
        "form": form,
        "title": _("Return the application"),
        "lead": _("The liaison sees the whole list at once and helps the family complete it."),
        "button": _("Return with this list"),
    }
    return answer(request, act, "desk/case_form.html", lambda: context)


def _needed(application: Application) -> set[str]:
    if application.erased_at:
        return set()  # nobody knows the age any more, and the step is refused
    age = application.resident.age(clock.today())
    return {str(paper) for paper in papers_required(application.categories, age)}


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def assign(request: DeskRequest) -> HttpResponse:
    """List accepted cases without an assessor; on POST give the chosen to one."""
    return _give(request, ASSIGN)


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def reassign(request: DeskRequest, holder: UUID) -> HttpResponse:
    """List the accepted cases of one assessor; on POST give the chosen, and their visits, away."""
    mine = applications_for(request.user)
    who = found(User.objects.filter(pk__in=mine.values("assessor")), pk=holder)
    lead = _("Accepted cases of %(name)s. A visit to come goes with its case, at the same time.")
    step = replace(
        ASSIGN,
        title=_("Give cases to another assessor"),
        lead=lead % {"name": who.full_name},
        waiting=lambda user, _today: (
            applications_for(user).standing(ApplicationState.ACCEPTED).filter(assessor=who)
        ),
    )
    return _give(request, step, who)


def _give(request: DeskRequest, step: Step, holder: User | None = None) -> HttpResponse:
    form = AssignForm(request.POST or None, user=request.user)

    def take(cases: list[Application]) -> str:
        if not form.is_valid():
            raise Refused("no-assessor", _("Choose the assessor who will visit these homes."))
        if any(case.state != ApplicationState.ACCEPTED for case in cases):
            raise Refused("not-accepted", _("Only accepted cases are given to an assessor."))
        seen, ids = request.POST.get("seen", ""), [case.pk for case in cases]
        free = set(unassigned(request.user).filter(pk__in=ids))
        for case in cases:
            if str(case.assessor_id or "") != seen and case not in free:
                raise actions.assigned_meanwhile(case)
        assessor = form.cleaned_data["assessor"].user
        actions.assign(cases, assessor, by=request.user, at=clock.now())
        count = len(cases)
        text = ngettext(
            "%(count)d case given to %(name)s.", "%(count)d cases given to %(name)s.", count
        )
        return text % {"count": count, "name": assessor.full_name}

    context = {"form": form, "holder": holder}
    return work_on(request, step, "desk/assign.html", take, extra=lambda: context)
