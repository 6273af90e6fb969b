"""The monthly report on paper: A4, the figures first, then each table; Chinese faces embedded."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Spacer

from outreach.desk.reports import sheets
from outreach.desk.working_paper import INK, MARGIN, SOFT, Hand, grid, printed
from outreach.reports.monthly import Monthly

#: A heading stands with the head of its table and some rows, or on the next page.
ROOM = 40 * mm


def draw_month(report: Monthly) -> bytes:
    """Draw the report of a month as a PDF."""
    hand, page = Hand(), landscape(A4)
    title = f"{report.division.name} · {_('Monthly report')} {report.month:%Y-%m}"
    story: list[Any] = [
        hand.write(settings.OUTREACH_ISSUER, 10, colour=SOFT),
        hand.write(title, 20, bold=True),
        Spacer(1, 5 * mm),
    ]
    width = page[0] - 2 * MARGIN
    each_home = _("Each home")
    for name, heads, rows in sheets(report):
        if name == each_home:
            continue
        table = _table(hand, heads, rows, width)
        heading = hand.write(name, 13, bold=True)
        story += [CondPageBreak(ROOM), heading, Spacer(1, 2 * mm), table, Spacer(1, 6 * mm)]
    note = _("Every amount follows from the recorded journeys and the tariff pinned to each.")
    story.append(hand.write(note, 8.5, colour=SOFT))
    return printed(hand, story, title, [title], page)


def _table(hand: Hand, heads: list[str], rows: list[list[Any]], width: float) -> Any:
    small = len(heads) > 4
    size = 7.5 if small else 9.5
    first = width * (0.2 if small else 0.5)
    rest = (width - first) / (len(heads) - 1)
    if not small:
        rest = min(rest, 45 * mm)
    lines = [_line(hand, heads, size - 0.5, bold=True, colour=SOFT)]
    lines += [_line(hand, row, size, bold=row[0] == _("All"), colour=INK) for row in rows]
    widths = [first, *([rest] * (len(heads) - 1))]
    return grid(lines, widths, 3, "MIDDLE")


def _line(hand: Hand, cells: list[Any], size: float, **how: Any) -> list[Any]:
    """Write a row: what it is about on the left, figures under each other on the right."""
    return [
        hand.write(_shown(cell), size, right=index > 0, **how) for index, cell in enumerate(cells)
    ]


def _shown(cell: Any) -> str:
    return f"{cell:,.2f}" if isinstance(cell, float) else str(cell)
