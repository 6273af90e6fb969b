"""A form that comes when its author is signed out, or has signed in anew, is kept on the page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.views.csrf import csrf_failure

TOKEN = "csrfmiddlewaretoken"  # noqa: S105  # a field's name
#: Where somebody sets a password of their own: nothing but passwords stands in its form.
OWN_PASSWORD = "desk:password"  # noqa: S105  # an address


def is_form(request: HttpRequest) -> bool:
    """Tell whether a browser sent one of our forms that may be kept, by what each of them has."""
    is_ours = request.method == "POST" and TOKEN in request.POST
    return is_ours and request.path != reverse(OWN_PASSWORD)


def kept_form(request: HttpRequest) -> HttpResponse:
    """Show what was typed as a form to be sent once more, after signing in beside it.

    Nothing was done with it. Files are not among it.
    """
    fields = [
        (name, value) for name, values in request.POST.lists() if name != TOKEN for value in values
    ]
    context = {"fields": fields, "had_files": bool(request.FILES)}
    shown = render(request, "desk/once_more.html", context, status=403)
    shown.headers["Cache-Control"] = "no-store, private"
    return shown


def too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Keep a form of the desk whose author signed in anew since; refuse any other.

    Only one that our own page sent: the browser says so, and no other site can.
    """
    own = f"{request.scheme}://{request.get_host()}"
    if request.headers.get("Origin") == own and _is_of_the_desk(request) and is_form(request):
        return kept_form(request)
    return csrf_failure(request, reason)


def _is_of_the_desk(request: HttpRequest) -> bool:
    try:
        return hasattr(resolve(request.path_info).func, "roles")
    except Resolver404:
        return False
