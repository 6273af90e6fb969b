"""Certificates after their issue: the list, one with its history, what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from certificates import actions, batches, life
from certificates.archiving import Level
from certificates.models import Batch, BatchItem, BatchQuerySet, Certificate, ItemState
from certificates.steps import CertificateState, cancelled_from, frozen_from, renewable_from
from certificates.upgrades import waiting
from outreach import clock
from outreach.desk.access import EVERYBODY, DeskRequest, found, only
from outreach.desk.answers import answer, check_takes, chosen, done
from outreach.desk.life import DEEDS, EXPIRED, MEANINGS, deeds_for
from outreach.desk.listing import Calendar, list_rows, of_a_case
from outreach.desk.stepping import SHOWN, list_of, page_of
from outreach.desk.steps import (
    HAND_OVER_PAPERS,
    NO_LONGER_MET,
    RENEWALS,
    SIGN_PAPERS,
    Step,
    certificates_for,
)
from outreach.desk.words import CERTIFICATES
from outreach.domain.vocabulary import Role
from outreach.models import Application, User
from outreach.rules import Refused, scope

Take = Callable[[list[Any]], HttpResponse]


@only(*EVERYBODY)
def certificates(request: DeskRequest) -> HttpResponse:
    """List the certificates in scope, newest first; by state, name or application number."""
    rows = certificates_for(request.user).select_related(*SHOWN[Certificate])
    state = request.GET.get("state", "")
    if state in set(CertificateState):
        rows = rows.filter(state=state)
    listing = list_rows(
        request,
        rows.order_by("-issued_at", "-pk"),
        Calendar.of(clock.today()),
        search_in=of_a_case("application__"),
        since=lambda row: row.issued_on,
    )
    context = {
        "listing": listing,
        "states": CERTIFICATES,
        "state": state,
        "today": clock.today(),
        "unproven": _unproven(request.user),
    }
    return render(request, "desk/certificates.html", context)


def _unproven(user: User) -> int:
    """Count papers that are not archived for the long term yet, where an authority could do so."""
    office = (Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR)
    if not settings.OUTREACH_TSA_URL or user.role not in office:
        return 0
    return waiting(Level.LTA).filter(certificate__in=certificates_for(user)).count()


@only(*EVERYBODY)
def certificate(request: DeskRequest, certificate: UUID) -> HttpResponse:
    """Show one certificate: where it stands, what can be done, everything that happened."""
    held = _found(request.user, certificate)
    today = clock.today()
    asked = held.requests.open().select_related("requested_by").first()
    has_expired = held.state == CertificateState.VALID and held.valid_until < today
    moved_on = held.household_moved_on
    return render(
        request,
        "desk/certificate.html",
        {
            "certificate": held,
            "application": held.application,
            "meaning": EXPIRED if has_expired else MEANINGS[CertificateState(held.state)],
            "has_expired": has_expired,
            "asked": asked,
            "deeds": deeds_for(request.user, held, today, asked=asked is not None),
            "renewable_from": renewable_from(held.valid_until),
            "frozen_from": frozen_from(moved_on) if moved_on else None,
            "cancelled_from": cancelled_from(moved_on) if moved_on else None,
            "events": held.events.select_related("by"),
            "files": held.files.order_by("version"),
            "newest": held.newest_file,
            "chain": certificates_for(request.user)
            .filter(resident=held.resident_id)
            .order_by("pk"),
            "may_read_notes": request.user.role != Role.ASSESSOR,
            "may_hand_over": _may_hand_over(request.user, held),
            "may_sign": request.user.role == Role.APPROVER
            and asked is not None
            and held.state != CertificateState.FROZEN,
        },
    )


def _found(user: User, certificate: UUID) -> Certificate:
    rows = certificates_for(user).select_related(*SHOWN[Certificate], "resident")
    return found(rows, pk=certificate)


def _may_hand_over(user: User, held: Certificate) -> bool:
    waits = held.handed_over_at is None and held.state == CertificateState.VALID
    return waits and user.role in HAND_OVER_PAPERS.roles


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.APPROVER)
def certificate_step(request: DeskRequest, certificate: UUID, step: str) -> HttpResponse:
    """Ask once more, with what must be written down; on POST take the step."""
    held, deed = _found(request.user, certificate), DEEDS.get(step)
    if deed is None:
        raise Http404
    if request.user.role not in deed.roles:
        raise PermissionDenied
    form = deed.form(request.POST or None)

    def act() -> HttpResponse:
        form.data = request.POST
        form.is_bound = True
        if not form.is_valid():
            raise Refused("malformed-form", _("Something is missing; look at the fields."))
        deed.take(held, form.cleaned_data, request.user, clock.now())
        return done(request, deed.done, "desk:certificate", certificate)

    context = {"certificate": held, "application": held.application, "deed": deed, "form": form}
    return answer(request, act, "desk/certificate_step.html", lambda: context)


def _list_and_take(
    request: DeskRequest, step: Step, template: str, take: Take, *, prefix: str = ""
) -> HttpResponse:
    """Show what waits at a step about certificates; on POST take it with the ticked ones."""
    today = clock.today()

    def act() -> HttpResponse:
        check_takes(request.user, step.roles)
        rows = step.waiting(request.user, today)
        whole = rows.model.objects.filter(scope(request.user, prefix=f"{prefix}application__"))
        return take(chosen(request, rows.select_related(*SHOWN[rows.model]), whole))

    def page() -> dict[str, Any]:
        return page_of(
            request,
            step,
            search_in=of_a_case(f"{prefix}application__"),
            since=step.waits_since,
        )

    return answer(request, act, template, page)


@only(Role.ADMINISTRATOR, Role.LIAISON, Role.AUDITOR)
def renewals(request: DeskRequest) -> HttpResponse:
    """List certificates in their last year; on POST ask the approver for the chosen."""

    def take(rows: list[Certificate]) -> HttpResponse:
        life.ask_renewal(rows, by=request.user, at=clock.now())
        text = ngettext("%(count)d renewal asked for.", "%(count)d renewals asked for.", len(rows))
        return done(request, text % {"count": len(rows)}, list_of(request, RENEWALS))

    return _list_and_take(request, RENEWALS, "desk/renewals.html", take)


@only(Role.ADMINISTRATOR, Role.AUDITOR)
def no_longer_met(request: DeskRequest) -> HttpResponse:
    """List the cases whose result wants a certificate cancelled, each with that certificate."""

    def more(cases: list[Application]) -> Callable[[Application], dict[str, Any]]:
        people = [case.resident_id for case in cases]
        rows = certificates_for(request.user).living().filter(resident__in=people)
        held = {row.resident_id: row for row in rows}
        return lambda case: {"certificate": held.get(case.resident_id)}

    return render(request, "desk/no_longer_met.html", page_of(request, NO_LONGER_MET, more=more))


@only(Role.APPROVER, Role.AUDITOR)
def sign_papers(request: DeskRequest) -> HttpResponse:
    """List the papers that were asked for; on POST sign the chosen."""

    def take(rows: list[Any]) -> HttpResponse:
        batch = batches.sign(requests=rows, by=request.user, at=clock.now())
        return signed(request, batch, SIGN_PAPERS.url)

    return _list_and_take(
        request, SIGN_PAPERS, "desk/sign_papers.html", take, prefix="certificate__"
    )


@only(Role.LIAISON, Role.ADMINISTRATOR, Role.AUDITOR)
def hand_over_papers(request: DeskRequest) -> HttpResponse:
    """List renewals and replacements on their way; on POST confirm that the chosen arrived."""

    def take(rows: list[Certificate]) -> HttpResponse:
        actions.hand_over(rows, by=request.user, at=clock.now())
        text = ngettext(
            "%(count)d certificate handed over.", "%(count)d certificates handed over.", len(rows)
        )
        return done(request, text % {"count": len(rows)}, list_of(request, HAND_OVER_PAPERS))

    return _list_and_take(request, HAND_OVER_PAPERS, "desk/hand_over_papers.html", take)


# ---- batches


def signed(request: DeskRequest, batch: Batch, back: str) -> HttpResponse:
    """Say what was made, or lead to the page on which it can be watched."""
    far = batches.progress(batch)
    if far.total and far.refused == far.total:
        first = batch.items.order_by("pk").first()
        assert first is not None
        raise Refused(first.code, first.reason)
    if far.waiting or far.refused:
        return redirect("desk:batch", batch.pk)
    text = ngettext(
        "%(count)d certificate signed and issued.",
        "%(count)d certificates signed and issued.",
        far.done,
    )
    return done(request, text % {"count": far.done}, back)


@only(Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR)
def batch_list(request: DeskRequest) -> HttpResponse:
    """List the batches of the county, the newest first, with how far each is."""
    rows = batches_for(request.user).order_by("-pk")
    listing = list_rows(
        request,
        rows,
        Calendar.of(clock.today()),
        search_in=("by__full_name",),
        since=lambda row: row.at,
    )
    return render(request, "desk/batches.html", {"listing": listing})


def batches_for(user: User) -> BatchQuerySet:
    """Return the batches with papers of the user's area, with how far each is.

    Whoever signed for them may work elsewhere by now.
    """
    papers = BatchItem.objects.filter(scope(user, prefix="application__"), batch=OuterRef("pk"))
    return Batch.objects.filter(Exists(papers)).with_progress().select_related("by")


@only(Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR)
def batch(request: DeskRequest, batch: UUID) -> HttpResponse:
    """Show how far a batch is, and what could not be made and why."""
    held = found(batches_for(request.user), pk=batch)
    far = batches.progress(held)
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"total": far.total, "done": far.done, "refused": far.refused})
    mine = held.items.filter(scope(request.user, prefix="application__"))
    refused = mine.filter(state=ItemState.REFUSED).order_by("pk")
    return render(
        request,
        "desk/batch.html",
        {
            "batch": held,
            "far": far,
            "rests": batches.rests(held),
            "refused": refused.select_related("application__resident"),
        },
    )
