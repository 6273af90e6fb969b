"""The monthly report: on the screen, on paper, as a spreadsheet; three doors to one computation."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import render

from outreach import clock
from outreach.desk.access import DeskRequest, only
from outreach.desk.exporting import book_as_xlsx
from outreach.desk.monthly_paper import draw_month
from outreach.desk.reports import HEIGHT, WIDTH, dots, label_of, sheets
from outreach.domain.vocabulary import Role
from outreach.reports import By
from outreach.reports.monthly import (
    Monthly,
    last_month_with_visits,
    monthly,
    months_to_report,
)

READERS = (Role.LIAISON, Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR)


def _asked(request: DeskRequest) -> Monthly:
    """Report the month that the address names, else the last one in which homes were assessed."""
    try:
        month = date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        month = last_month_with_visits(request.user.division) or clock.today()
    return monthly(month, within=request.user.division)


@only(*READERS)
def report(request: DeskRequest) -> HttpResponse:
    """Show the month with bars, a map of villages and a table beside each."""
    found = _asked(request)
    tallies = found.savings.tallies(By.TOWNSHIP)
    longest = max((tally.saved_fen for tally in tallies), default=0) or 1
    months = months_to_report(request.user.division, clock.today())
    context: dict[str, Any] = {
        "report": found,
        "months": sorted({*months, found.month}, reverse=True),
        "bars": [
            (
                label_of(tally, By.TOWNSHIP),
                tally.saved_fen,
                round(100 * tally.saved_fen / longest, 2),
            )
            for tally in tallies
        ],
        "dots": dots(found.villages),
        "box": (WIDTH, HEIGHT),
        "sheets": [sheet for sheet in sheets(found) if len(sheet[2]) <= 400],
        "is_empty": not found.savings.entries and not found.visits_done,
    }
    return render(request, "desk/report.html", context)


@only(*READERS)
def paper(request: DeskRequest) -> HttpResponseBase:
    """Serve the month as a PDF to print."""
    found = _asked(request)
    name = f"monthly-{found.month:%Y-%m}.pdf"
    return FileResponse(BytesIO(draw_month(found)), content_type="application/pdf", filename=name)


@only(*READERS)
def sheet(request: DeskRequest) -> HttpResponseBase:
    """Serve the month as a spreadsheet, every home on a line of its own."""
    found = _asked(request)
    return book_as_xlsx(f"monthly-{found.month:%Y-%m}", sheets(found))
