"""Signing in and out, with a pause after five wrong passwords."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from outreach import clock
from outreach.actions import second_factor
from outreach.actions.audit import record
from outreach.desk.answers import done
from outreach.desk.guessing import PASSWORD_PAUSE_SECONDS, forget, looked_at, password_counted
from outreach.desk.views.second_factor import ask_second_factor


class SignInForm(AuthenticationForm):
    """Name and password."""

    username = forms.CharField(
        label=_("User name"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    error_messages = {
        "invalid_login": _("This name and password do not belong together; try again."),
        "inactive": _("This account is closed; ask the office."),
    }

    def clean(self) -> dict[str, Any]:
        """Check the password, but not while the name pauses."""
        key = password_counted(self.cleaned_data.get("username", ""))
        with looked_at(key, seconds=PASSWORD_PAUSE_SECONDS):
            cleaned = super().clean()
        if self.get_user():  # a form without a password has proven nothing
            forget(key)
        return cleaned


class SignIn(LoginView):
    """Signs in and leads to where the person wanted to go."""

    form_class = SignInForm
    template_name = "desk/sign_in.html"
    redirect_authenticated_user = True

    def get_success_url(self) -> str:
        """Lead to where the person wanted to go, but for this page: that would have no end."""
        to = super().get_success_url()
        return self.get_default_redirect_url() if to == self.request.path else to

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in, or go on to the second factor; note the sign-in on the trail."""
        if second_factor.is_wanted_of(form.get_user()):
            return ask_second_factor(self.request, form.get_user(), self.get_success_url())
        response = super().form_valid(form)
        record("session.sign_in", [form.get_user()], by=form.get_user(), at=clock.now())
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show what was wrong, as an error of the request."""
        return self.render_to_response(self.get_context_data(form=form), status=422)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """Sign out and forget the session."""
    if request.user.is_authenticated:
        record("session.sign_out", [request.user], by=request.user, at=clock.now())
    logout(request)
    return done(request, _("You have signed out."), "desk:sign_in")
