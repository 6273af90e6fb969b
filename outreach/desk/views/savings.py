"""What citizens saved: totals that open to their lines, each with its formula and source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from outreach.actions.costs import keeps_costs
from outreach.desk.access import EVERYBODY, READERS, DeskRequest, only
from outreach.desk.forms import SpanForm
from outreach.desk.reports import label_of
from outreach.desk.words import SAVING_LINES
from outreach.domain.press import press_reference
from outreach.models import Evaluation, User
from outreach.reports import By, Entry, SavingsReport, savings_report
from outreach.rules import scope

#: A saving has seven lines: a page of ten homes is what a person can follow.
HOMES_PER_PAGE = 10


@dataclass(frozen=True)
class Bar:
    """One bar of the chart: what it stands for, and its length out of a hundred."""

    label: str
    fen: int
    length: float


def _asked(request: HttpRequest) -> SpanForm:
    form = SpanForm({"by": By.TOWNSHIP.value, **request.GET.dict()})
    form.is_valid()
    return form


def _report(request: DeskRequest, form: SpanForm) -> SavingsReport:
    said_span = form.cleaned_data if form.is_valid() else {}
    return savings_report(
        said_span.get("first"), said_span.get("last"), within=request.user.division
    )


@only(*EVERYBODY)
def savings(request: DeskRequest) -> HttpResponse:
    """Show the totals of the user's division, what the outreach cost, and the press figure."""
    form = _asked(request)
    by = form.cleaned_data.get("by", By.TOWNSHIP)
    report = _report(request, form)
    tallies = report.tallies(by)
    longest = max((tally.saved_fen for tally in tallies), default=0)
    span = {name: request.GET[name] for name in ("first", "last") if request.GET.get(name)}
    rows = [
        (
            label_of(tally, by),
            tally,
            [tally.lines.get(code, 0) for code in SAVING_LINES],
            urlencode({"by": by.value, "key": tally.key, **span}),
        )
        for tally in tallies
    ]
    whole = report.whole
    return render(
        request,
        "desk/savings.html",
        {
            "form": form,
            "report": report,
            "rows": rows,
            "bars": [
                Bar(label, tally.saved_fen, round(100 * tally.saved_fen / (longest or 1), 2))
                for label, tally, _, _ in rows
            ],
            "by_label": dict(form.fields["by"].choices).get(by),  # type: ignore[attr-defined]
            "codes": SAVING_LINES,
            "whole": whole,
            "whole_lines": [whole.lines.get(code, 0) for code in SAVING_LINES],
            "per_person": report.comparison.per_person(report.saved_fen),
            "press": press_reference(),
            "all_lines": urlencode(span),
            "keeps_costs": keeps_costs(request.user),
        },
        status=200 if form.is_valid() else 422,
    )


@only(*EVERYBODY)
def lines(request: DeskRequest) -> HttpResponse:
    """Open a total to the homes behind it, and each to its lines, formulas and sources."""
    form = _asked(request)
    by = form.cleaned_data.get("by", By.TOWNSHIP)
    report = _report(request, form)
    key = request.GET.get("key", "")
    entries = [entry for entry in report.entries if key in ("", entry.key(by))]
    page = Paginator(entries, HOMES_PER_PAGE).get_page(request.GET.get("page"))
    kept = {name: value for name, value in request.GET.items() if name != "page"}
    title = next((label_of(tally, by) for tally in report.tallies(by) if tally.key == key), "")
    return render(
        request,
        "desk/saving_lines.html",
        {
            "page": page,
            "homes": _with_numbers(list(page.object_list), request.user),
            "title": title,
            "total": sum(entry.total_fen for entry in entries),
            "tariffs": report.tariffs,
            "kept": urlencode(kept),
            "reads_evaluations": request.user.role in READERS,
        },
    )


def _with_numbers(entries: list[Entry], user: User) -> list[tuple[Entry, Any]]:
    """Name the cases that this person may open; an assessor's are fewer than the county's."""
    in_scope = Evaluation.objects.filter(scope(user, prefix="application__"))
    rows = in_scope.filter(pk__in=[entry.evaluation for entry in entries])
    numbers = dict(rows.values_list("pk", "application__number"))
    return [(entry, numbers.get(entry.evaluation)) for entry in entries]
