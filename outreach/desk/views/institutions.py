"""Institutions that assess: who is designated for what, and how the office keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from outreach import clock
from outreach.actions import institutions as actions
from outreach.actions.institutions import Designation, institutions_of
from outreach.desk import words
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.account_forms import WhyForm
from outreach.desk.answers import answer, check_form, done
from outreach.desk.forms import SeenForm
from outreach.desk.listing import Calendar, first_without, list_rows
from outreach.desk.seeing import as_seen, showing, told
from outreach.domain.vocabulary import Category, Role
from outreach.models import AuditEvent, Institution, User

OFFICE = (Role.ADMINISTRATOR, Role.AUDITOR)
EVENTS = 50


class InstitutionForm(SeenForm):
    """What the designation says, and by which document."""

    each_for_itself = True
    name = forms.CharField(label=gettext_lazy("Name of the institution"), max_length=80)
    designated_from = forms.DateField(
        label=gettext_lazy("Designated since"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    categories = forms.MultipleChoiceField(
        label=gettext_lazy("Designated for"),
        choices=words.choices(words.CATEGORIES, Category.MULTIPLE),
        widget=forms.CheckboxSelectMultiple,
    )
    why = forms.CharField(
        label=gettext_lazy("Document or reason"),
        max_length=200,
        help_text=gettext_lazy("For example the number of the document that designates it."),
    )

    @property
    def said(self) -> Designation:
        """What was filled in; of a form that is valid."""
        held = self.cleaned_data
        return Designation(held["name"], held["designated_from"], held["categories"])


def institutions_for(user: User) -> QuerySet[Any]:
    """Return every institution with how many who assess for the user's area belong to it.

    Which hospitals are designated is public; the people are the area's own.
    """
    theirs = Q(
        assessors__user__is_active=True,
        assessors__user__division__code__startswith=user.division.code,
    )
    return Institution.objects.annotate(people=Count("assessors", filter=theirs))


@only(*OFFICE)
def institutions(request: DeskRequest) -> HttpResponse:
    """List the institutions, those in use first."""
    listing = list_rows(
        request,
        institutions_for(request.user).order_by(first_without("retired_on"), "name", "pk"),
        Calendar.of(clock.today()),
        search_in=("name",),
        since=lambda one: one.designated_from,
    )
    context = {"listing": listing, "may_take": request.user.role == Role.ADMINISTRATOR}
    return render(request, "desk/institutions.html", context)


@only(Role.ADMINISTRATOR)
def new(request: DeskRequest) -> HttpResponse:
    """Enter an institution."""
    form = InstitutionForm(request.POST or None)

    def act() -> HttpResponse:
        check_form(form)
        why = form.cleaned_data["why"]
        actions.designate(form.said, why, by=request.user, at=clock.now())
        return done(request, _("The institution can be chosen now."), "desk:institutions")

    context = {
        "form": form,
        "title": _("Add an institution"),
        "back": "desk:institutions",
        "back_words": _("Institutions"),
        "button": _("Add"),
    }
    return answer(request, act, "desk/form.html", lambda: context)


@only(*OFFICE)
def institution(request: DeskRequest, institution: UUID) -> HttpResponse:
    """Show an institution with its history; on POST correct it."""
    if request.method == "POST":
        held = _mine(request, institution)
    else:
        held = found(institutions_for(request.user), pk=institution)
    form = InstitutionForm(request.POST or None, initial=showing(_initial(held)))

    def act() -> HttpResponse:
        check_form(form)
        why = form.cleaned_data["why"]
        with as_seen(form, held, lambda: _initial(held)) as kept:
            actions.change(held, form.said, why, by=request.user, at=clock.now())
        text = told(_("The institution is changed."), kept)
        return done(request, text, "desk:institution", held.pk)

    return answer(request, act, "desk/institution.html", lambda: _page(request, held, form=form))


def _mine(request: DeskRequest, institution: UUID) -> Institution:
    """Return an institution that is this administrator's to change, or answer 404."""
    rows = institutions_of(request.user)
    if request.user.role != Role.ADMINISTRATOR:
        rows = rows.none()
    return found(rows, pk=institution)


def _initial(held: Institution) -> dict[str, Any]:
    return {
        "name": held.name,
        "designated_from": held.designated_from,
        "categories": held.categories,
    }


def _page(request: DeskRequest, held: Institution, **forms: Any) -> dict[str, Any]:
    theirs = held.assessors.filter(user__division__code__startswith=request.user.division.code)
    events = AuditEvent.objects.filter(subject="institution", subject_id=held.pk)
    mine = institutions_of(request.user).filter(pk=held.pk).exists()
    is_office = request.user.role == Role.ADMINISTRATOR
    return {
        "institution": held,
        "people": theirs.select_related("user").order_by("-user__is_active", "user__full_name"),
        "events": events.select_related("by").order_by("-at", "-pk")[:EVENTS],
        "may_take": is_office and mine,
        "is_shared": is_office and not mine,
        "form": InstitutionForm(initial=showing(_initial(held))),
        "why_form": WhyForm(),
        **forms,
    }


@only(Role.ADMINISTRATOR)
@require_POST
def retire(request: DeskRequest, institution: UUID) -> HttpResponse:
    """Choose an institution no more."""
    text = _("It is not chosen for new assessors any more.")
    return _with_reason(request, institution, actions.retire, text)


@only(Role.ADMINISTRATOR)
@require_POST
def resume(request: DeskRequest, institution: UUID) -> HttpResponse:
    """Let a retired institution be chosen again."""
    text = _("The institution can be chosen now.")
    return _with_reason(request, institution, actions.resume, text)


def _with_reason(
    request: DeskRequest, institution: UUID, step: Callable[..., None], text: str
) -> HttpResponse:
    held = _mine(request, institution)
    form = WhyForm(request.POST)

    def act() -> HttpResponse:
        check_form(form)
        step(held, form.cleaned_data["why"], by=request.user, at=clock.now())
        return done(request, text, "desk:institution", held.pk)

    return answer(
        request, act, "desk/institution.html", lambda: _page(request, held, why_form=form)
    )
