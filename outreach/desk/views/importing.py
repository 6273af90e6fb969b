"""Nomination lists from a spreadsheet: first a dry run that names every bad row, then the rest."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from outreach import clock
from outreach.actions.importing.checking import HEADINGS, check_rows
from outreach.actions.importing.sheets import MAX_BYTES, UnreadableSheet, read_sheet
from outreach.actions.importing.taking import keep, take_portion
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import SeeOther, answer, check_form, done, refused, without_circle
from outreach.desk.exporting import table_as_xlsx
from outreach.domain.vocabulary import Role
from outreach.models import ImportDraft, User
from outreach.rules import Refused, plainly

#: Mistakes that the page of a list names; a spreadsheet has them all.
NAMED = 200

UNREADABLE = {
    "empty": gettext_lazy("The file has no rows."),
    "no-spreadsheet": gettext_lazy("This is no XLSX or CSV file; save the list as one of them."),
    "too-many-rows": gettext_lazy("The list has more than 20,000 rows; divide it."),
    "too-large": gettext_lazy("The file is larger than 8 MB; divide the list."),
}


class ListForm(forms.Form):
    """A nomination list."""

    file = forms.FileField(
        label=gettext_lazy("Nomination list (XLSX or CSV)"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
        help_text=gettext_lazy("Nothing is taken in yet: first every row is checked."),
    )


def drafts_of(user: User) -> QuerySet[ImportDraft]:
    """Return the lists that this person read."""
    return ImportDraft.objects.filter(by=user)


@only(Role.ADMINISTRATOR)
def upload(request: DeskRequest) -> HttpResponse:
    """Read a list and check every row; nothing is nominated."""
    form = ListForm(request.POST or None, request.FILES or None)

    def act() -> HttpResponse:
        check_form(form)
        file, at = form.cleaned_data["file"], clock.now()
        if file.size > MAX_BYTES:
            raise Refused("too-large", UNREADABLE["too-large"])
        try:
            rows = read_sheet(file.name, BytesIO(file.read()))
        except UnreadableSheet as error:
            raise Refused(error.code, UNREADABLE[error.code]) from error
        checked = check_rows(rows, by=request.user, on=at.date())
        made = keep(checked, file.name, by=request.user, at=at)
        return done(request, _("Every row was checked."), "desk:import", made.pk)

    return answer(request, act, "desk/import_upload.html", lambda: {"form": form})


@only(Role.ADMINISTRATOR)
def draft(request: DeskRequest, draft: UUID) -> HttpResponse:
    """Show what a list holds and everything wrong with it; on POST take the next portion in."""
    held = found(drafts_of(request.user), pk=draft)
    if request.method != "POST":
        return render(request, "desk/import.html", _shown(held))
    try:
        with plainly(), without_circle():
            after = take_portion(held, by=request.user, at=clock.now())
    except Refused as refusal:
        return refused(request, refusal, "desk/import.html", _shown(held))
    if after.taken < after.good:
        return SeeOther(f"{request.path}?on=1")
    return done(request, _("The whole list is taken in."), "desk:import", draft)


def _shown(held: ImportDraft) -> dict[str, Any]:
    bad = {fault["row"] for fault in held.faults}
    shown = {"faults": held.faults[:NAMED], "more": max(0, len(held.faults) - NAMED)}
    return {"draft": held, "bad": len(bad), "is_done": held.taken == held.good, **shown}


@only(Role.ADMINISTRATOR)
def faults(request: DeskRequest, draft: UUID) -> HttpResponseBase:
    """Serve what is wrong with a list as a spreadsheet, to be mended and read again."""
    held = found(drafts_of(request.user), pk=draft)
    rows = [(fault["row"], fault["column"], fault["reason"]) for fault in held.faults]
    return table_as_xlsx("faults", [_("Row"), _("Column"), _("Reason")], rows)


@only(Role.ADMINISTRATOR)
def template(request: DeskRequest) -> HttpResponseBase:  # noqa: ARG001
    """Serve an empty list with the headings."""
    return table_as_xlsx("nominations", HEADINGS, [])


@only(Role.ADMINISTRATOR)
@require_POST
def forget(request: DeskRequest, draft: UUID) -> HttpResponse:
    """Drop a list that was read and not taken in."""
    held = found(drafts_of(request.user), pk=draft)
    held.delete()
    return done(request, _("The list is forgotten; what was taken in stays."), "desk:import_list")
