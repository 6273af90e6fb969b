"""Somebody moved here with a certificate of another county."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from certificates.moving_in import move_in as enter
from outreach import clock
from outreach.desk.access import DeskRequest, only
from outreach.desk.answers import check_form, done, refused, without_circle
from outreach.desk.moving_in import MoveInForm
from outreach.domain.vocabulary import Role
from outreach.rules import Refused, plainly


@only(Role.ADMINISTRATOR)
def move_in(request: DeskRequest) -> HttpResponse:
    """Show the form; on POST enter the person with the file, or name everything wrong at once."""
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = MoveInForm(*sent, user=request.user, today=clock.today())
    if not sent:
        return render(request, "desk/move_in.html", {"form": form})
    try:
        check_form(form)
        form.check_compared()
        at = clock.now()
        with plainly(), without_circle(), transaction.atomic():
            made = enter(form.nomination(), form.left(), form.pictures(at), by=request.user, at=at)
            form.keep_pictures()
    except Refused as refusal:
        return refused(request, refusal, "desk/move_in.html", {"form": form})
    message = _("%(name)s is entered as case %(number)s; review it, then the approver signs.")
    said = {"name": made.resident.name, "number": made.number}
    return done(request, message % said, "desk:evaluation", made.evaluations.get().pk)
