"""How the desk answers: done and see the list (303), or refused with the sentence why (422)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, models
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from outreach.desk.access import M
from outreach.domain.vocabulary import Role
from outreach.models import User
from outreach.rules import Refused, plainly

#: How PostgreSQL says that two waited for each other, and that this one was broken off.
DEADLOCK = "40P01"


class SeeOther(HttpResponseRedirect):
    """After a form was taken: see the page, and a reload sends nothing twice (RFC 9110, 15.4.4)."""

    status_code = 303


def done(request: HttpRequest, message: str | Promise, to: str, *args: Any) -> SeeOther:
    """Say what was done and lead on."""
    messages.success(request, str(message))
    return SeeOther(resolve_url(to, *args))


def not_done(request: HttpRequest, refusal: Refused, to: str, *args: Any) -> SeeOther:
    """Lead on and say why nothing was done, where no form comes back with it."""
    messages.error(request, str(refusal.message))
    return SeeOther(resolve_url(to, *args))


def refused(
    request: HttpRequest, refusal: Refused, template: str, context: dict[str, Any]
) -> HttpResponse:
    """Show the page again with the sentence; programs read the rule's code in the header."""
    shown = render(request, template, {**context, "refusal": refusal}, status=422)
    shown.headers["X-Refusal"] = refusal.code
    return shown


def check_form(form: BaseForm) -> None:
    """Refuse a form that is not filled in as it should be; the page marks each field."""
    if not form.is_valid():
        raise Refused("malformed-form", _("Please fill in what is marked below."))


def chosen(
    request: HttpRequest, rows: models.QuerySet[M], whole: models.QuerySet[M] | None = None
) -> list[M]:
    """Return the rows whose ids were ticked, all of them in scope, or 404 as if there were none.

    Where `rows` are what waits, `whole` is what they are part of: what left the queue meanwhile
    is said, and the rest stays ticked.
    """
    try:
        ids = list(dict.fromkeys(UUID(text) for text in request.POST.getlist("ids")))
    except ValueError as error:
        raise Http404 from error
    if not ids:
        raise Refused("nothing-chosen", _("Nothing is chosen; tick at least one row."))
    found = {row.pk: row for row in rows.filter(pk__in=ids)}
    gone = [pk for pk in ids if pk not in found]
    if gone and whole is not None and whole.filter(pk__in=gone).count() == len(gone):
        raise Refused(
            "done-already",
            _(
                "Somebody did some of what you ticked meanwhile, so nothing was done."
                " Send what is still on the list."
            ),
        )
    if gone:
        raise Http404
    return [found[pk] for pk in ids]


def check_takes(user: User, roles: Collection[Role]) -> None:
    """Refuse a POST of somebody who may only look."""
    if user.role not in roles:
        raise PermissionDenied


def answer(
    request: HttpRequest,
    take: Callable[[], HttpResponse],
    template: str,
    context: Callable[[], dict[str, Any]],
) -> HttpResponse:
    """Show the page; on POST take the step, or show the page again with the refusal."""
    if request.method != "POST":
        return render(request, template, context())
    try:
        with plainly(), without_circle():
            return take()
    except Refused as refusal:
        return refused(request, refusal, template, context())


@contextmanager
def without_circle() -> Iterator[None]:
    """Refuse what the database broke off since two deeds waited for each other: nothing is lost."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != DEADLOCK:
            raise
        raise Refused(
            "at-once",
            _(
                "Somebody did something with the same records in this very moment, so nothing"
                " was done here. Send it once more."
            ),
        ) from error
