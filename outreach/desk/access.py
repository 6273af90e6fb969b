"""Who may open which page: the one decorator of all desk views, and the one way to find a row."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse

from outreach.desk.once_more import OWN_PASSWORD, is_form, kept_form
from outreach.domain.vocabulary import Role
from outreach.models import User

M = TypeVar("M", bound=models.Model)

EVERYBODY = tuple(role for role in Role if role != Role.OUTLET)
#: Whose work the findings and photos are: the liaison and the public have no need of them.
READERS = (Role.ADMINISTRATOR, Role.ASSESSOR, Role.APPROVER, Role.AUDITOR)


class DeskRequest(HttpRequest):
    """A request of somebody who has signed in."""

    user: User


V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def only(*roles: Role) -> Callable[[V], V]:
    """Open a view to these roles: others are told no, strangers are asked to sign in."""

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _signed_out(request)
            if request.user.password_was_given and request.path != reverse(OWN_PASSWORD):
                return redirect(OWN_PASSWORD)
            if request.user.role not in roles:
                raise PermissionDenied
            if "%00" in request.META.get("QUERY_STRING", ""):
                raise BadRequest  # PostgreSQL knows no such character
            response = view(request, *args, **kwargs)
            if isinstance(response, HttpResponseNotAllowed) and request.method == "GET":
                response.content = render_to_string("405.html", request=request)
            # Personal data must not stay in the cache of a computer that several people share.
            response.headers.setdefault("Cache-Control", "no-store, private")
            return response

        guarded.roles = frozenset(roles)  # type: ignore[attr-defined]  # for the rights matrix
        return cast(V, guarded)

    return decorate


def _signed_out(request: HttpRequest) -> HttpResponse:
    """Ask to sign in; what was typed, or stands on a page that asks by itself, is kept."""
    if "HX-Request" in request.headers:
        return HttpResponse(status=401)
    return kept_form(request) if is_form(request) else redirect_to_login(request.get_full_path())


def found(rows: models.QuerySet[M], **wanted: Any) -> M:
    """Return the one row in scope, or answer 404 as if there were none anywhere."""
    return get_object_or_404(rows, **wanted)
