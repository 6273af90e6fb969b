"""Evaluations on one screen: for the review, and for the second assessor's opinion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outreach import clock
from outreach.actions import evaluations as evaluating
from outreach.actions import publicity as actions
from outreach.actions.audit import record
from outreach.actions.guardians import guardian_of
from outreach.desk.access import READERS, DeskRequest, found, only
from outreach.desk.answers import answer, chosen, done
from outreach.desk.findings import parts_of
from outreach.desk.forms import DifferForm
from outreach.desk.keeping import served
from outreach.desk.listing import of_a_case
from outreach.desk.stepping import list_of, page_of, work_on
from outreach.desk.steps import OPINIONS, REVIEW
from outreach.desk.views.notices import with_evaluations
from outreach.desk.views.rates import rates_for
from outreach.domain.vocabulary import EvidenceKind, Mode, Role
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, Evaluation, Photo, StoredBlob, User
from outreach.models.visits import EvaluationQuerySet
from outreach.reports.rates import Whose
from outreach.rules import Refused, needs_guardian, scope, second_opinions_for


def readable(user: User) -> Q:
    """Return the condition on evaluations whose findings and photos `user` may read.

    Beside their own scope an assessor reads what waits in their area for their second opinion, or
    has had it.
    """
    seen = scope(user, prefix="application__")
    if user.role != Role.ASSESSOR:
        return seen
    here = Q(application__village__code__startswith=user.division.code)
    opined = here & Q(second_opinions__assessor=user)
    return seen | Q(pk__in=second_opinions_for(user)) | opined


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def review(request: DeskRequest) -> HttpResponse:
    """List cases whose notice is over; on POST pass the chosen on to the approver."""

    def take(cases: list[Application]) -> str:
        actions.review(cases, by=request.user, at=clock.now())
        count = len(cases)
        text = ngettext("%(count)d case reviewed.", "%(count)d cases reviewed.", count)
        return text % {"count": count}

    return work_on(
        request,
        REVIEW,
        "desk/review.html",
        take,
        more=lambda cases: _with_rates(cases, request.user),
    )


def _with_rates(cases: list[Application], user: User) -> Callable[[Application], dict[str, Any]]:
    """Add the newest evaluation, and what is unusual about the village and the assessor."""
    evaluated, found = with_evaluations(cases), rates_for(user)

    def more(case: Application) -> dict[str, Any]:
        said = evaluated(case)
        rating = said.get("evaluation")
        by = rating.assessor_id if rating and rating.mode != Mode.FILE else None
        village = found.of(Whose.VILLAGE, case.village.code)
        return {**said, "rates": [*village, *(found.of(Whose.ASSESSOR, by) if by else [])]}

    return more


@only(*READERS)
def evaluation(request: DeskRequest, evaluation: UUID) -> HttpResponse:
    """Show findings, both grades, photos, place and time of one evaluation."""
    held = found(_evaluations(request.user), pk=evaluation)
    record("evaluation.view", [held], by=request.user, at=clock.now())
    if held.application.erased_at:
        return redirect("desk:case", held.application_id)
    return render(request, "desk/evaluation.html", _screen(request, held))


def _evaluations(user: User) -> EvaluationQuerySet:
    rows = Evaluation.objects.filter(readable(user)).distinct()
    return rows.select_related(
        "application__resident",
        "application__village__parent",
        "assessor",
        "institution",
        "visit",
    ).prefetch_related("co_signers", "photos", "second_opinions__assessor")


def _as_asked_for(photo: Photo) -> tuple[int, datetime]:
    """Order photos as the tablet asks for them, the person first, those of a kind by time."""
    return list(EvidenceKind).index(EvidenceKind(photo.kind)), photo.taken_at


def _screen(
    request: DeskRequest, held: Evaluation, form: DifferForm | None = None
) -> dict[str, Any]:
    application = held.application
    reviews = request.user.role in (Role.ADMINISTRATOR, Role.AUDITOR)
    found = rates_for(request.user) if reviews and held.mode != Mode.FILE else None
    photos = sorted(held.photos.all(), key=_as_asked_for)
    names = [photo.sha256 for photo in photos]
    age = application.resident.age(timezone.localdate(held.evaluated_at))
    categories = (part["category"] for part in held.parts)
    stored = dict(StoredBlob.objects.filter(pk__in=names).values_list("pk", "erased_at"))
    return {
        "evaluation": held,
        "application": application,
        "age": age,
        "guardian": guardian_of(application.resident),
        "wants_guardian": needs_guardian(categories, age),
        "parts": parts_of(held),
        "rates": [
            *found.of(Whose.VILLAGE, application.village.code),
            *found.of(Whose.ASSESSOR, held.assessor_id),
        ]
        if found
        else [],
        "from_file": held.mode == Mode.FILE,
        "photos": [(photo, photo.sha256 in stored, stored.get(photo.sha256)) for photo in photos],
        "may_review": request.user.role == Role.ADMINISTRATOR
        and application.state == ApplicationState.NOTICED
        and held == evaluating.current_evaluation([application.pk])[application.pk],
        "may_opine": request.user.role == Role.ASSESSOR
        and second_opinions_for(request.user).filter(pk=held.pk).exists(),
        "form": form or DifferForm(),
    }


@only(*READERS)
def photo(request: DeskRequest, photo: UUID, size: str) -> FileResponse:
    """Serve a photo to those who may read its evaluation, and note who looked closely.

    The small pictures stand on the evaluation's page, whose opening was noted. Of an erased case
    nothing is shown, also where another one keeps the file.
    """
    seen = Evaluation.objects.filter(readable(request.user), application__erased_at=None)
    held = get_object_or_404(Photo, pk=photo, evaluation__in=seen)
    shown = served(held, size)
    if size == "whole":
        record("photo.view", [held], by=request.user, at=clock.now())
    return shown


@only(Role.ASSESSOR)
def opinions(request: DeskRequest) -> HttpResponse:
    """List what wants a second opinion; on POST agree with the chosen."""

    def act() -> HttpResponse:
        rows = Evaluation.objects.filter(readable(request.user)).distinct()
        code = request.user.division.code
        whole = Evaluation.objects.filter(application__village__code__startswith=code)
        picked = chosen(request, rows, whole)
        evaluating.give_second_opinion(picked, by=request.user, at=clock.now())
        count = len(picked)
        text = ngettext(
            "You agreed with %(count)d grade.", "You agreed with %(count)d grades.", count
        )
        return done(request, text % {"count": count}, list_of(request, OPINIONS))

    def page() -> dict[str, Any]:
        return page_of(
            request,
            OPINIONS,
            since=lambda evaluation: evaluation.evaluated_at,
            search_in=of_a_case("application__"),
        )

    return answer(request, act, "desk/opinions.html", page)


@only(Role.ASSESSOR)
def differ(request: DeskRequest, evaluation: UUID) -> HttpResponse:
    """Give a second opinion with another grade and its reason."""
    held = found(_evaluations(request.user), pk=evaluation)

    form = DifferForm(request.POST or None)

    def act() -> HttpResponse:
        if not form.is_valid():
            raise Refused("reason-missing", _("Choose your grade and write the reason."))
        evaluating.give_second_opinion([held], by=request.user, at=clock.now(), **form.cleaned_data)
        return done(request, _("Your opinion is recorded."), "desk:opinions")

    return answer(request, act, "desk/evaluation.html", lambda: _screen(request, held, form))
