"""Counters outside the office: what each took in, and how the office manages them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from outreach import clock
from outreach.actions import outlets as actions
from outreach.desk import words
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, done
from outreach.desk.forms import PlaceField, SeenForm
from outreach.desk.listing import Calendar, first_without, list_rows
from outreach.desk.seeing import as_seen, showing, told
from outreach.desk.stepping import cases_of
from outreach.domain.vocabulary import OutletKind, Role
from outreach.models import Division, Outlet, User

OFFICE = (Role.ADMINISTRATOR, Role.AUDITOR)


class OutletForm(SeenForm):
    """A counter and for which area it takes requests in."""

    each_for_itself = True
    name = forms.CharField(label=gettext_lazy("Name of the outlet"), max_length=60)
    kind = forms.ChoiceField(
        label=gettext_lazy("What kind of counter is it?"),
        choices=list(words.OUTLET_KINDS.items()),
        widget=forms.RadioSelect,
    )
    division = PlaceField(
        label=gettext_lazy("Area"),
        queryset=Division.objects.none(),
        empty_label=gettext_lazy("Choose an area"),
        help_text=gettext_lazy("It takes requests in for every village of this area."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Division.objects.within(user.division).valid(clock.today())
        self.fields["division"].queryset = rows.select_related("parent")  # type: ignore[attr-defined]


class AccountForm(forms.Form):
    """Somebody who works at the counter."""

    username = forms.SlugField(
        label=gettext_lazy("User name"),
        max_length=60,
        help_text=gettext_lazy("Letters, digits and hyphens, as they sign in."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    full_name = forms.CharField(label=gettext_lazy("Full name"), max_length=50)


def outlets_for(user: User) -> QuerySet[Outlet]:
    """Return the counters of the user's division and of what lies below it."""
    rows = Outlet.objects.filter(division__code__startswith=user.division.code)
    return rows.select_related("division__parent")


@only(Role.OUTLET)
def taken_in(request: DeskRequest) -> HttpResponse:
    """List what this counter took in and where each stands; nothing else."""
    rows = cases_of(request.user).order_by("-created_at", "-pk")
    listing = list_rows(request, rows, Calendar.of(clock.today()))
    context = {"listing": listing, "outlet": request.user.outlet}
    return render(request, "desk/taken_in.html", context)


@only(*OFFICE)
def outlets(request: DeskRequest) -> HttpResponse:
    """List the counters with what each took in."""
    counted = outlets_for(request.user).annotate(
        cases=Count("applications", distinct=True),
        last=Max("applications__created_at"),
        people=Count("accounts", filter=Q(accounts__is_active=True), distinct=True),
    )
    listing = list_rows(
        request,
        counted.order_by(first_without("closed_at"), "division__code", "name", "pk"),
        Calendar.of(clock.today()),
        search_in=("name", "division__name"),
        since=lambda outlet: outlet.last,
    )
    context = {"listing": listing, "may_take": request.user.role == Role.ADMINISTRATOR}
    return render(request, "desk/outlets.html", context)


@only(Role.ADMINISTRATOR)
def new(request: DeskRequest) -> HttpResponse:
    """Open a counter."""
    form = OutletForm(request.POST or None, user=request.user)

    def act() -> HttpResponse:
        check_form(form)
        said = form.cleaned_data
        made = actions.open_outlet(
            said["name"],
            OutletKind(said["kind"]),
            said["division"],
            by=request.user,
            at=clock.now(),
        )
        return done(request, _("The outlet is open; give somebody there an account."), *_at(made))

    return answer(request, act, "desk/outlet_new.html", lambda: {"form": form})


def _at(outlet: Outlet) -> tuple[str, UUID]:
    return "desk:outlet", outlet.pk


@only(Role.ADMINISTRATOR)
def outlet(request: DeskRequest, outlet: UUID) -> HttpResponse:
    """Show a counter with its accounts; on POST correct it."""
    held = found(outlets_for(request.user), pk=outlet)
    form = OutletForm(request.POST or None, user=request.user, initial=showing(_shown(held)))

    def act() -> HttpResponse:
        check_form(form)
        with as_seen(form, held, lambda: _shown(held)) as kept:
            said = form.cleaned_data
            actions.change_outlet(
                held,
                said["name"],
                OutletKind(said["kind"]),
                said["division"],
                by=request.user,
                at=clock.now(),
            )
        return done(request, told(_("The outlet is changed."), kept), *_at(held))

    return answer(
        request, act, "desk/outlet.html", lambda: _page(held, form, AccountForm(prefix="account"))
    )


def _shown(held: Outlet) -> dict[str, Any]:
    return {"name": held.name, "kind": held.kind, "division": held.division_id}


def _page(held: Outlet, form: OutletForm, account: AccountForm) -> dict[str, Any]:
    return {
        "outlet": held,
        "form": form,
        "account_form": account,
        "accounts": held.accounts.order_by("-is_active", "full_name"),
        "cases": held.applications.count(),
    }


@only(Role.ADMINISTRATOR)
@require_POST
def close(request: DeskRequest, outlet: UUID) -> HttpResponse:
    """Close a counter and end its accounts."""
    held = found(outlets_for(request.user), pk=outlet)
    actions.close_outlet(held, by=request.user, at=clock.now())
    return done(request, _("The outlet is closed; its accounts are ended."), "desk:outlets")


@only(Role.ADMINISTRATOR)
@require_POST
def account(request: DeskRequest, outlet: UUID) -> HttpResponse:
    """Give somebody at the counter an account and show its first password, this once."""
    held = found(outlets_for(request.user), pk=outlet)
    form = AccountForm(request.POST, prefix="account")
    initial = showing(_shown(held))

    def act() -> HttpResponse:
        check_form(form)
        said = form.cleaned_data
        made, password = actions.open_account(
            held, said["username"], said["full_name"], by=request.user, at=clock.now()
        )
        context = {"outlet": held, "account": made, "password": password}
        return render(request, "desk/outlet_account.html", context)

    return answer(
        request,
        act,
        "desk/outlet.html",
        lambda: _page(held, OutletForm(user=request.user, initial=initial), form),
    )


@only(Role.ADMINISTRATOR)
@require_POST
def end_account(request: DeskRequest, outlet: UUID, account: UUID) -> HttpResponse:
    """End an account of a counter."""
    held = found(outlets_for(request.user), pk=outlet)
    actions.end_account(found(held.accounts.all(), pk=account), by=request.user, at=clock.now())
    return done(request, _("The account is ended."), *_at(held))
