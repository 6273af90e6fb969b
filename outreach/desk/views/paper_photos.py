"""Photos of papers at the desk: taken on the spot, looked at, accepted or sent back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from outreach import clock
from outreach.actions import papers as actions
from outreach.actions.audit import record
from outreach.actions.family import STATES
from outreach.desk import words
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, done, refused
from outreach.desk.keeping import keep, photos_in, served, take_each
from outreach.desk.stepping import cases_of, page_of
from outreach.desk.steps import SENT
from outreach.domain.vocabulary import Paper, PaperFault, Role
from outreach.models import Application, PaperPhoto, StoredBlob, User
from outreach.rules import Refused, papers_required, scope

FIELD = (Role.LIAISON, Role.ADMINISTRATOR)
TAKERS = (*FIELD, Role.OUTLET)


def photos_for(user: User) -> QuerySet[PaperPhoto]:
    """Return the photos of the user's cases, and their own of a nomination not registered yet.

    Of an erased case there are none, also where another one keeps the file.
    """
    kept = Q(application__isnull=False, application__erased_at=None)
    in_scope = scope(user, prefix="application__") & kept
    own = Q(application=None, sent_by=user)
    return PaperPhoto.objects.shown().filter(in_scope | own).select_related("application")


def take_on_the_spot(request: DeskRequest, kept: list[PaperPhoto]) -> None:
    """Keep the photos that a nomination's form brings, beside those kept before.

    So a form that comes back with something wrong in it has lost no photo.
    """

    def take(shot: tuple[Paper, UploadedFile[bytes]]) -> None:
        paper, file = shot
        kept.append(actions.photograph(paper, keep(file), by=request.user, at=clock.now()))

    take_each(
        [(paper, file) for paper in Paper for file in photos_in(request, f"photo-{paper}")], take
    )


def photos_before(request: DeskRequest) -> list[PaperPhoto]:
    """Return the photos that the form names as kept already."""
    return actions.drafts_of(_named(request), request.user)


def _named(request: DeskRequest) -> list[UUID]:
    try:
        dropped = set(request.POST.getlist("drop"))
        return [
            UUID(text) for text in request.POST.getlist("photo") if text and text not in dropped
        ]
    except ValueError:
        return []


def check_all_here(request: DeskRequest, kept: Iterable[PaperPhoto]) -> None:
    """Refuse, once, a form of whose photos some are gone or went with another person."""
    if set(_named(request)) - {photo.pk for photo in kept}:
        raise actions.photos_gone()


def shots(photos: list[PaperPhoto]) -> list[dict[str, Any]]:
    """Return, for each paper, the field that photographs it with what was taken."""
    return [
        {"paper": paper, "photos": [one for one in photos if one.paper == paper]} for paper in Paper
    ]


def papers_of(application: Application, photos: Iterable[PaperPhoto]) -> list[Paper]:
    """List the papers that a case needs, was asked for, or has photos of.

    Whoever comes of age needs no guardian's proof any more, but what was sent is to be looked at.
    """
    needed = papers_required(application.categories, application.resident.age(clock.today()))
    shown = {*needed, *application.papers_missing, *(photo.paper for photo in photos)}
    return [paper for paper in Paper if paper in shown]


@only(*TAKERS)
@require_POST
def take(request: DeskRequest) -> HttpResponse:
    """Keep photos while the nomination is being filled in, and answer with their small copies."""
    kept = photos_before(request)
    try:
        take_on_the_spot(request, kept)
        check_all_here(request, kept)
    except Refused as refusal:
        context = {"shots": shots(kept), "refusal": refusal}
        return refused(request, refusal, "desk/_shots.html", context)
    shown = render(request, "desk/_shots.html", {"shots": shots(kept)})
    shown.headers["HX-Trigger-After-Settle"] = "shots"
    return shown


@only(*FIELD)
def of_case(request: DeskRequest, case: UUID) -> HttpResponse:
    """Show the papers of a case, and note who opened them; on POST keep a photo taken there."""
    application = found(cases_of(request.user), pk=case)
    if application.erased_at:
        return redirect("desk:case", application.pk)
    if request.method != "POST":  # a list leads here, past the page of the case
        record("application.view", [application], by=request.user, at=clock.now())

    def act() -> HttpResponse:
        paper = request.POST.get("paper", "")
        files = photos_in(request, "photos")
        if paper not in set(Paper) or not files:
            raise Refused("photo-missing", _("Choose or take a photo first, then press send."))
        actions.check_takes_papers(application)
        at = clock.now()

        def take(file: UploadedFile[bytes]) -> None:
            actions.photograph_for(application, Paper(paper), keep(file), by=request.user, at=at)

        take_each(files, take)
        text = _("%(paper)s: the photo is kept with the case.") % {"paper": words.PAPERS[paper]}
        return done(request, text, "desk:case_papers", case)

    def context() -> dict[str, Any]:
        blob = StoredBlob.objects.filter(pk=OuterRef("sha256"))
        shown = application.paper_photos.shown().annotate(
            is_here=Exists(blob), erased_at=Subquery(blob.values("erased_at"))
        )
        sent = list(shown.select_related("sent_by", "decided_by"))
        return {
            "application": application,
            "faults": words.PAPER_FAULTS,
            "may_send": application.state in STATES,
            "papers": [
                {
                    "paper": paper,
                    "is_missing": paper in application.papers_missing,
                    "photos": [photo for photo in sent if photo.paper == paper],
                }
                for paper in papers_of(application, sent)
            ],
        }

    return answer(request, act, "desk/case_papers.html", context)


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)
def sent(request: DeskRequest) -> HttpResponse:
    """List the cases for which families sent photos that nobody has looked at."""
    return render(
        request, "desk/papers_sent.html", page_of(request, SENT, since=lambda case: case.sent_at)
    )


@only(*TAKERS)
def photo(request: DeskRequest, paper_photo: UUID, size: str) -> HttpResponseBase:
    """Serve a photo of a paper, and note who looked closely."""
    held = found(photos_for(request.user), pk=paper_photo)
    if size == "whole":
        record("paper.view", [held], by=request.user, at=clock.now())
    return served(held, size)


@only(*FIELD)
@require_POST
def decide(request: DeskRequest, paper_photo: UUID) -> HttpResponse:
    """Accept a family's photo, or send it back with what is wrong."""
    rows = photos_for(request.user).filter(application__isnull=False)
    held = found(rows, pk=paper_photo)
    fault = request.POST.get("fault", "")
    try:
        goes_on = actions.decide(
            held,
            is_accepted="accept" in request.POST,
            fault=PaperFault(fault) if fault in set(PaperFault) else "",
            by=request.user,
            at=clock.now(),
        )
    except Refused as refusal:
        return refused(request, refusal, "desk/paper_refused.html", {"photo": held})
    if goes_on:
        text = _("Accepted. It was the last missing paper: the case is handed in again.")
    elif "accept" in request.POST:
        text = _("The photo is accepted.")
    else:
        text = _("The family sees what is wrong and can send another photo.")
    return done(request, text, "desk:case_papers", held.application_id)
