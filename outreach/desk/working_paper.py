"""Working papers: what the desk prints besides certificates, all in one hand.

Plain reportlab with the certificates' chain of faces, so that a rare character in a name is
printed and not a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

from certificates.typeface import FontChain, UnprintableCharacter, chains
from outreach.domain.identity import visible

INK, SOFT, LINE, WASH = (HexColor(f"#{code}") for code in ("16201d", "43504b", "6f7a74", "f1efe8"))
MARGIN, FOOT = 16 * mm, 20 * mm
PADDING = 6
"""What reportlab keeps free inside the margins: with it a full table stood off the middle."""
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
            name = f"paper-{path.stem}"
            if name not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(TTFont(name, str(path)))
            self.names[path] = name
        return self.names[path]

    def style(
        self, size: float, *, bold: bool = False, colour: Any = INK, right: bool = False
    ) -> ParagraphStyle:
        """Return a style of the main face."""
        chain = self.bold if bold else self.regular
        return ParagraphStyle(
            f"s{size}{bold}{colour}{right}",
            fontName=self.font(chain.main.path),
            fontSize=size,
            leading=size * 1.35,
            textColor=colour,
            wordWrap="CJK",
            alignment=TA_RIGHT if right else TA_LEFT,
        )

    def write(self, text: str, size: float = 9.5, *, bold: bool = False, **how: Any) -> Any:
        """Return a paragraph; `how` as `style` has it."""
        chain = self.bold if bold else self.regular
        return Paragraph(self._marked(text, chain), self.style(size, bold=bold, **how))

    def _marked(self, text: str, chain: FontChain) -> str:
        pieces = []
        lines = (" ".join(line.split()) for line in visible(text).splitlines())
        for path, letters in groupby("\n".join(lines), lambda letter: self._face(letter, chain)):
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


def printed(
    hand: Hand, story: list[Any], title: str, foot: Sequence[str], page: tuple[float, float]
) -> bytes:
    """Set a story on pages of that size; each ends with the foot's lines and its number."""
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=page,
        leftMargin=MARGIN - PADDING,
        rightMargin=MARGIN - PADDING,
        topMargin=MARGIN,
        bottomMargin=FOOT,
        title=title,
        author=settings.OUTREACH_ISSUER,
        lang="zh-CN",
    )
    font = hand.font(hand.regular.main.path)

    def on_page(canvas: Any, held: Any) -> None:
        canvas.saveState()
        canvas.setFont(font, 7.5)
        canvas.setFillColor(SOFT)
        for number, line in enumerate(reversed(foot)):
            canvas.drawString(MARGIN, (9 + 4 * number) * mm, line)
        canvas.drawRightString(page[0] - MARGIN, 9 * mm, str(held.page))
        canvas.restoreState()

    document.build(story, onFirstPage=on_page, onLaterPages=on_page)
    return file.getvalue()


def grid(
    rows: list[list[Any]], widths: Sequence[float], padding: float, valign: str = "TOP"
) -> Any:
    """Rule rows into a table whose first row is its head, again on every page.

    A row goes over to the next page whole, unless it is longer than one.
    """
    style = [
        ("BACKGROUND", (0, 0), (-1, 0), WASH),
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
        ("VALIGN", (0, 0), (-1, -1), valign),
        ("LEFTPADDING", (0, 0), (-1, -1), padding),
        ("RIGHTPADDING", (0, 0), (-1, -1), padding),
        ("TOPPADDING", (0, 0), (-1, -1), padding),
        ("BOTTOMPADDING", (0, 0), (-1, -1), padding + 1),
    ]
    how: dict[str, Any] = {"style": style, "repeatRows": 1, "splitInRow": 1, "hAlign": "LEFT"}
    return Table(rows, colWidths=list(widths), **how)
