"""Accounts: who may do what where; opened, changed, ended, reset; and one's own password."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth import update_session_auth_hash
from django.db.models import Count, Q, QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mobile_api.models import Device
from outreach import clock
from outreach.actions import accounts as actions
from outreach.actions import second_factor
from outreach.desk.access import EVERYBODY, DeskRequest, found, only
from outreach.desk.account_forms import (
    ChangingDutyForm,
    DutyForm,
    NewAccountForm,
    PasswordForm,
    ResetForm,
    WhyForm,
)
from outreach.desk.answers import answer, check_form, done
from outreach.desk.listing import Calendar, list_rows
from outreach.desk.seeing import as_seen, showing
from outreach.desk.stepping import page_of
from outreach.desk.steps import SECOND_PERSON
from outreach.domain.vocabulary import Role
from outreach.models import AccountRequest, Application, Assessor, AuditEvent, Division, User

OFFICE = (Role.ADMINISTRATOR, Role.AUDITOR)
#: So much of an account's history stands on its page.
EVENTS = 50


def accounts_for(user: User) -> QuerySet[User]:
    """Return the accounts of the user's area, with what a list shows."""
    rows = actions.accounts_for(user).select_related("division__parent", "outlet")
    waiting = Count("requests", filter=Q(requests__decided_at=None), distinct=True)
    return rows.annotate(waiting=waiting)


@only(*OFFICE)
def accounts(request: DeskRequest) -> HttpResponse:
    """List the accounts of the area, those in use first."""
    rows = accounts_for(request.user)
    role = request.GET.get("role", "")
    if role in set(Role):
        rows = rows.filter(role=role)
    listing = list_rows(
        request,
        rows.order_by("-is_active", "division__code", "role", "full_name", "pk"),
        Calendar.of(clock.today()),
        search_in=("full_name", "username", "division__name"),
        since=lambda account: account.last_login,
    )
    context = {
        "listing": listing,
        "may_take": request.user.role == Role.ADMINISTRATOR,
        "hidden": {"role": role} if role else {},
        "roles": list(Role),
        "role": role,
    }
    return render(request, "desk/accounts.html", context)


@only(Role.ADMINISTRATOR)
def new(request: DeskRequest) -> HttpResponse:
    """Open an account; show its first password, or send it to a second person."""
    form = NewAccountForm(request.POST or None, user=request.user)

    def act() -> HttpResponse:
        check_form(form)
        said = form.cleaned_data
        made, password = actions.open_account(
            said["username"],
            said["full_name"],
            form.duty,
            telephone=said["telephone"],
            reason=said["reason"],
            by=request.user,
            at=clock.now(),
        )
        return _told(request, made, password)

    return answer(request, act, "desk/account_new.html", lambda: {"form": form})


def _told(request: DeskRequest, account: User, password: str | None) -> HttpResponse:
    if password is None:
        text = _("A second person must agree; until then nothing changes.")
        return done(request, text, "desk:account", account.pk)
    context = {"account": account, "password": password}
    return render(request, "desk/account_password.html", context)


@only(*OFFICE)
def account(request: DeskRequest, person: UUID) -> HttpResponse:
    """Show an account with its history; on POST change name, role or area."""
    held = found(accounts_for(request.user), pk=person)
    form = ChangingDutyForm(
        request.POST or None, user=request.user, initial=showing(_initial(held))
    )

    def act() -> HttpResponse:
        check_form(form)
        said = form.cleaned_data
        with as_seen(form, held, lambda: _initial(held), hold=lambda: actions.hold_account(held)):
            waiting = actions.change_account(
                held,
                said["full_name"],
                form.duty,
                telephone=said["telephone"],
                reason=said["reason"],
                by=request.user,
                at=clock.now(),
            )
        text = _("The account is changed.")
        if waiting:
            text = _("A second person must agree; until then nothing changes.")
        return done(request, text, "desk:account", held.pk)

    if request.method == "POST" and request.user.role != Role.ADMINISTRATOR:
        form = ChangingDutyForm(user=request.user, initial=showing(_initial(held)))
        return render(request, "desk/account.html", _page(request, held, form))
    return answer(request, act, "desk/account.html", lambda: _page(request, held, form))


def _initial(held: User) -> dict[str, Any]:
    assessor = Assessor.objects.filter(user=held).first()
    return {
        "full_name": held.full_name,
        "telephone": held.telephone,
        "role": held.role,
        "division": held.division_id,
        "outlet": held.outlet_id,
        "institution": assessor.institution_id if assessor else None,
        "categories": assessor.categories if assessor else [],
    }


def _page(request: DeskRequest, held: User, form: DutyForm, **forms: Any) -> dict[str, Any]:
    waiting = held.requests.filter(decided_at=None).select_related("asked_by").first()
    _with_places([waiting] if waiting else [])
    events = AuditEvent.objects.filter(subject="user", subject_id=held.pk)
    theirs = Q(assessor=held) | Q(nominated_by=held)
    return {
        "account": held,
        "form": form,
        "why_form": WhyForm(),
        "reset_form": ResetForm(),
        "waiting": waiting,
        "is_mine": bool(waiting and waiting.asked_by == request.user),
        "has_telephone": second_factor.is_set_up(held),
        "tablets": Device.objects.filter(user=held, revoked_at=None).count(),
        "open_cases": Application.objects.filter(theirs).open().count(),
        "events": events.select_related("by").order_by("-at", "-pk")[:EVENTS],
        "may_take": request.user.role == Role.ADMINISTRATOR,
        **forms,
    }


def _with_places(wishes: Sequence[AccountRequest]) -> None:
    """Add the name of the area that each asks for: one query."""
    codes = {wish.wanted.get("division") for wish in wishes} - {None}
    names = dict(Division.objects.filter(code__in=codes).values_list("code", "name"))
    for wish in wishes:
        wish.place = names.get(wish.wanted.get("division"), "")  # type: ignore[attr-defined]


@only(Role.ADMINISTRATOR)
@require_POST
def end(request: DeskRequest, person: UUID) -> HttpResponse:
    """End an account, with a reason."""

    def act(held: User, said: dict[str, Any]) -> HttpResponse:
        actions.end_account(held, said["why"], by=request.user, at=clock.now())
        return done(request, _("The account is ended."), "desk:accounts")

    return _with_form(request, person, "why_form", WhyForm, act)


@only(Role.ADMINISTRATOR)
@require_POST
def resume(request: DeskRequest, person: UUID) -> HttpResponse:
    """Ask a second person to let an ended account in again."""

    def act(held: User, said: dict[str, Any]) -> HttpResponse:
        actions.resume_account(held, said["why"], by=request.user, at=clock.now())
        return _told(request, held, None)

    return _with_form(request, person, "why_form", WhyForm, act)


@only(Role.ADMINISTRATOR)
@require_POST
def reset(request: DeskRequest, person: UUID) -> HttpResponse:
    """Ask a second person to reset a password or a second factor."""

    def act(held: User, said: dict[str, Any]) -> HttpResponse:
        kind = AccountRequest.Kind(said["what"])
        actions.ask_reset(held, kind, said["why"], by=request.user, at=clock.now())
        text = _("A second person must agree; until then nothing changes.")
        return done(request, text, "desk:account", held.pk)

    return _with_form(request, person, "reset_form", ResetForm, act)


def _with_form(
    request: DeskRequest,
    person: UUID,
    name: str,
    form_class: type[Form],
    act: Callable[[User, dict[str, Any]], HttpResponse],
) -> HttpResponse:
    """Do something with an account by one form of its page; what was refused stays in the form."""
    held = found(accounts_for(request.user), pk=person)
    form = form_class(request.POST)

    def checked() -> HttpResponse:
        check_form(form)
        return act(held, form.cleaned_data)

    def again() -> dict[str, Any]:
        duty = ChangingDutyForm(user=request.user, initial=showing(_initial(held)))
        return _page(request, held, duty, **{name: form})

    return answer(request, checked, "desk/account.html", again)


@only(*actions.SECONDS, Role.AUDITOR)
def second_person(request: DeskRequest) -> HttpResponse:
    """List what others ask to be done with accounts, for a second person to decide."""
    return render(request, "desk/second_person.html", _second_page(request))


def _second_page(request: DeskRequest) -> dict[str, Any]:
    context = page_of(
        request,
        SECOND_PERSON,
        search_in=("account__full_name", "asked_by__full_name"),
        since=lambda row: row.asked_at,
    )
    _with_places([row.item for row in context["listing"]])
    return context


@only(*actions.SECONDS)
@require_POST
def decide(request: DeskRequest, wish: UUID) -> HttpResponse:
    """Agree to what was asked, or decline it; one's own wish is taken back here."""
    rows = AccountRequest.objects.filter(
        decided_at=None, account__division__code__startswith=request.user.division.code
    )
    held = found(rows.select_related("account__division", "asked_by"), pk=wish)

    def act() -> HttpResponse:
        if "back" in request.POST:
            actions.take_back(held, by=request.user, at=clock.now())
            text = _("Taken back; nothing was changed.")
            return done(request, text, "desk:account", held.account_id)
        if "decline" in request.POST:
            actions.decline(held, by=request.user, at=clock.now())
            return done(request, _("Declined; nothing was changed."), "desk:second_person")
        password = actions.confirm(held, by=request.user, at=clock.now())
        if password:
            return _told(request, held.account, password)
        return done(request, _("You agreed; it is done."), "desk:second_person")

    return answer(request, act, "desk/second_person.html", lambda: _second_page(request))


@only(*EVERYBODY, Role.OUTLET)
def password(request: DeskRequest) -> HttpResponse:
    """Let somebody set their own password; one that was given is set before anything else."""
    form = PasswordForm(request.POST or None, user=request.user)

    def act() -> HttpResponse:
        check_form(form)
        actions.set_own_password(request.user, form.cleaned_data["new"], at=clock.now())
        update_session_auth_hash(request, request.user)
        return done(request, _("Your new password counts from now on."), "desk:home")

    return answer(request, act, "desk/password.html", lambda: {"form": form})
