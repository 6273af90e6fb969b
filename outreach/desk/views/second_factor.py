"""The second step of signing in: a code from the telephone, or setting the telephone up."""

from __future__ import annotations

from functools import wraps
from typing import Any, Protocol

import segno
from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from outreach import clock
from outreach.actions import second_factor
from outreach.actions.audit import record
from outreach.desk.answers import SeeOther
from outreach.desk.guessing import counted, forget, so_far
from outreach.models import User

#: How long the password counts before the code follows.
PATIENCE_S = 600
WRONG_CODES = 5
PAUSE_SECONDS = 300
_HALF = "half_signed_in"


class CodeForm(forms.Form):
    """Six digits from the telephone, or ten of a spare code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )


class _View(Protocol):
    def __call__(self, request: HttpRequest, user: User) -> HttpResponse: ...


def ask_second_factor(request: HttpRequest, user: User, to: str) -> HttpResponse:
    """Remember whose password was right, and lead on; nobody is signed in yet."""
    request.session.cycle_key()
    until, hashed = timezone.now().timestamp() + PATIENCE_S, user.get_session_auth_hash()
    request.session[_HALF] = {"user": str(user.pk), "hash": hashed, "to": to, "until": until}
    return redirect(
        "desk:second_factor" if second_factor.is_set_up(user) else "desk:second_factor_set_up"
    )


def _after_password(view: _View) -> Any:
    """Let in whose password was right a moment ago; others begin again."""

    @never_cache  # a secret, or codes, stand on these pages
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        user = _half_signed_in(request)
        if user is None:
            request.session.pop(_HALF, None)
            return redirect("desk:sign_in")
        return view(request, user)

    return guarded


def _half_signed_in(request: HttpRequest) -> User | None:
    """Return whose password was right a moment ago, and is still theirs."""
    half = request.session.get(_HALF)
    if half is None or half["until"] < timezone.now().timestamp():
        return None
    user = User.objects.filter(pk=half["user"], is_active=True).first()
    if user is None or not constant_time_compare(half.get("hash"), user.get_session_auth_hash()):
        return None
    return user


@_after_password
def ask(request: HttpRequest, user: User) -> HttpResponse:
    """Ask for the telephone's code; five wrong ones pause the account."""
    if not second_factor.is_set_up(user):
        return redirect("desk:second_factor_set_up")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _is_right(form, user):
            return _sign_in(request, user)
        form.add_error("code", _wrong(user))
    return _page(request, "desk/second_factor.html", form, {})


@_after_password
def set_up(request: HttpRequest, user: User) -> HttpResponse:
    """Show the secret as a QR code until a code from it proves that the telephone has it."""
    if second_factor.is_set_up(user):
        return redirect("desk:second_factor")
    half = request.session[_HALF]
    factor = second_factor.begin(user, half.get("shown", ""))
    request.session[_HALF] = {**half, "shown": second_factor.mark(factor)}
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        spare = None
        if _may_guess(user):
            spare = second_factor.confirm(user, form.cleaned_data["code"], at=timezone.now())
        if spare is not None:
            to = _sign_in(request, user)["Location"]
            return render(request, "desk/spare_codes.html", {"codes": spare, "to": to})
        form.add_error("code", _wrong(user))
    picture = segno.make(second_factor.address(factor), error="m")
    spelled = [factor.secret[at : at + 4] for at in range(0, len(factor.secret), 4)]
    context = {"picture": picture.svg_data_uri(scale=6), "spelled": spelled}
    return _page(request, "desk/second_factor_set_up.html", form, context)


def _page(
    request: HttpRequest, template: str, form: CodeForm, context: dict[str, Any]
) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)


def _is_right(form: CodeForm, user: User) -> bool:
    if not _may_guess(user):
        return False
    return second_factor.accept(user, form.cleaned_data["code"], at=timezone.now())


def _may_guess(user: User) -> bool:
    """Count a code before it is looked at; tell whether it is one too many."""
    return counted(_key(user), PAUSE_SECONDS) <= WRONG_CODES


def _wrong(user: User) -> Any:
    if so_far(_key(user)) > WRONG_CODES:
        return _("Too many wrong codes; wait five minutes, then try again.")
    return _("This is not the present code; wait for the next one and type that.")


def _key(user: User) -> str:
    return f"second-factor:{user.pk}"


def _sign_in(request: HttpRequest, user: User) -> HttpResponse:
    to = request.session.pop(_HALF)["to"]
    forget(_key(user))
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    record("session.sign_in", [user], by=user, at=clock.now())
    return SeeOther(to)
