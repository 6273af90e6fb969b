"""The itinerary of a plan on paper: one page a team and day, for the seat beside the driver.

It names people, homes and telephones, so every page says to keep it and to destroy it. A
working paper, not a certificate: plain reportlab, with the certificates' chain of faces, so
that a rare character in a name is printed and not a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import BaseDocTemplate, Frame, PageBreak, PageTemplate, Paragraph, Spacer
from reportlab.platypus import Table as Grid

from certificates.typeface import FontChain, UnprintableCharacter, chains
from outreach.desk.tags import listed
from outreach.models import Plan, PlannedStop

INK, SOFT, LINE, WASH = (HexColor(f"#{code}") for code in ("16201d", "43504b", "6f7a74", "f1efe8"))
MARGIN = 16 * mm
COLUMNS = (15 * mm, 13 * mm, 62 * mm, 50 * mm, 38 * mm)
#: Stands for a character that no face has (the geta mark of Chinese and Japanese printing).
MISSING = "〓"


class Hand:
    """Writes text with the first face of the chain that has each character."""

    def __init__(self) -> None:
        extra = tuple(Path(name) for name in settings.OUTREACH_FONTS)
        self.regular, self.bold = chains(extra)
        self.names: dict[Path, str] = {}

    def font(self, path: Path) -> str:
        """Return the name under which reportlab has a face."""
        if path not in self.names:
            name = f"itinerary-{path.stem}"
            if name not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(TTFont(name, str(path)))
            self.names[path] = name
        return self.names[path]

    def style(self, size: float, *, bold: bool = False, colour: Any = INK) -> ParagraphStyle:
        """Return a style of the main face."""
        chain = self.bold if bold else self.regular
        return ParagraphStyle(
            f"s{size}{bold}{colour}",
            fontName=self.font(chain.main.path),
            fontSize=size,
            leading=size * 1.35,
            textColor=colour,
            wordWrap="CJK",
        )

    def write(self, text: str, size: float = 9.5, *, bold: bool = False, colour: Any = INK) -> Any:
        """Return a paragraph."""
        chain = self.bold if bold else self.regular
        return Paragraph(self._marked(text, chain), self.style(size, bold=bold, colour=colour))

    def _marked(self, text: str, chain: FontChain) -> str:
        pieces = []
        for path, letters in groupby(text, lambda letter: self._face(letter, chain)):
            run = "".join(letters) if path else MISSING
            face = path or chain.main.path
            piece = escape(run).replace("\n", "<br/>")
            plain = face == chain.main.path
            pieces.append(piece if plain else f'<font name="{self.font(face)}">{piece}</font>')
        return "".join(pieces)

    def _face(self, letter: str, chain: FontChain) -> Path | None:
        if letter == "\n":
            return chain.main.path
        try:
            return chain.find(letter)[0].path
        except UnprintableCharacter:
            return None


def draw(plan: Plan, stops: Sequence[PlannedStop]) -> bytes:
    """Draw the stops, which come by day, team and order, as a PDF."""
    hand, file = Hand(), BytesIO()
    title = f"{plan.campaign.name} · {_('Itinerary')}"
    document = BaseDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=20 * mm,
        title=title,
        author=settings.OUTREACH_ISSUER,
        lang="zh-CN",
    )
    frame = Frame(MARGIN, 20 * mm, A4[0] - 2 * MARGIN, A4[1] - MARGIN - 20 * mm, 0, 0, 0, 0)
    foot = _foot(hand, plan)
    document.addPageTemplates([PageTemplate("day", [frame], onPage=foot)])
    story: list[Any] = []
    for (_on, _team), day in groupby(stops, lambda stop: (stop.on, stop.team_id)):
        story += [PageBreak()] if story else []
        story += _day(hand, plan, list(day))
    document.build(story)
    return file.getvalue()


def _foot(hand: Hand, plan: Plan) -> Any:
    keep = _("Personal data: keep this paper with you and destroy it after the day.")
    left = f"{settings.OUTREACH_ISSUER} · {_('Plan')} {plan.number}"
    font = hand.font(hand.regular.main.path)

    def on_page(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(font, 7.5)
        canvas.setFillColor(SOFT)
        canvas.drawString(MARGIN, 13 * mm, keep)
        canvas.drawString(MARGIN, 9 * mm, left)
        canvas.drawRightString(A4[0] - MARGIN, 9 * mm, str(document.page))
        canvas.restoreState()

    return on_page


def _day(hand: Hand, plan: Plan, stops: Sequence[PlannedStop]) -> list[Any]:
    first = stops[0]
    team = first.team
    crew = [member.user.full_name for member in team.members.select_related("user")]
    figures = next(
        (
            one
            for one in plan.figures.get("days", [])
            if (one["team"], one["on"]) == (str(team.pk), first.on.isoformat())
        ),
        None,
    )
    count = ngettext("%(n)d home", "%(n)d homes", len(stops)) % {"n": len(stops)}
    facts = [count]
    if figures:
        facts += [
            _("leaves %(place)s at %(time)s")
            % {"place": team.base_name, "time": _clock(figures["leave"])},
            _("back about %(time)s") % {"time": _clock(figures["back"])},
            _("%(km)s km") % {"km": f"{figures['km']:.0f}"},
        ]
    people = _(", ").join(crew) + (f" · {team.vehicle}" if team.vehicle else "")
    return [
        hand.write(f"{plan.campaign.name} · {team.name}", 10, colour=SOFT),
        hand.write(f"{first.on:%Y-%m-%d}", 20, bold=True),
        Spacer(1, 3 * mm),
        hand.write(people, 10.5),
        hand.write(" · ".join(facts), 9.5, colour=SOFT),
        Spacer(1, 4 * mm),
        _grid(hand, stops),
    ]


def _grid(hand: Hand, stops: Sequence[PlannedStop]) -> Any:
    heads = (_("Time"), _("No."), _("Person and home"), _("Disability"), _("Telephone"))
    rows = [[hand.write(head, 8, bold=True, colour=SOFT) for head in heads]]
    rows += [_row(hand, number, stop) for number, stop in enumerate(stops, start=1)]
    style = [
        ("BACKGROUND", (0, 0), (-1, 0), WASH),
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
    ]
    return Grid(rows, colWidths=COLUMNS, style=style, repeatRows=1)


def _row(hand: Hand, number: int, stop: PlannedStop) -> list[Any]:
    case = stop.application
    resident, village = case.resident, case.village
    township = f"{village.parent.name} " if village.parent else ""
    home = f"{township}{village.name}\n{resident.address}".strip()
    bedridden = f" · {_('Bedridden')}" if resident.is_bedridden else ""
    minutes = ngettext("%(n)d minute", "%(n)d minutes", stop.minutes) % {"n": stop.minutes}
    liaison = case.nominated_by
    return [
        hand.write(_clock(stop.start), 12, bold=True),
        hand.write(str(number), 10),
        [hand.write(resident.name, 11.5, bold=True), hand.write(home, 8.5, colour=SOFT)],
        [
            hand.write(listed(case.categories, "category") + bedridden),
            hand.write(f"{case.number} · {minutes}", 8, colour=SOFT),
        ],
        [
            hand.write(resident.telephone or "—", 10),
            hand.write(f"{liaison.full_name} {liaison.telephone}", 8, colour=SOFT),
        ],
    ]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
