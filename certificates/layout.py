"""Ink on paper: the only module here that knows reportlab.

What all certificates of an issuer share (art, labels, their fonts, seal) is drawn once into a
template; what differs is filled in per certificate.
"""

import io
from functools import lru_cache
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from certificates import art
from certificates.content import CATEGORY_WORDS, GRADE_WORDS, LABELS, MONTHS, SEX_WORDS, Paper
from certificates.filling import Filling, Template, fit, wrap
from certificates.places import (
    BACK_LABEL_Y,
    BAND_BOTTOM,
    CODE,
    DEMO_NOTE,
    HEIGHT,
    INSET,
    ISSUER_AT,
    LABEL_ENGLISH,
    LABEL_SIZE,
    LEFT,
    NOTES,
    PORTRAIT,
    RIGHT,
    RULES,
    SEAL_RADIUS,
    SLOTS,
    TITLE,
    TWO_LINES,
    WIDTH,
    Slot,
)
from certificates.sheet import Inks, Sheet, tag_of
from certificates.syntax import ObjectFile, stream
from certificates.tagging import write_output_intent
from certificates.typeface import Subset, chains


class Press:
    """Fonts and templates kept open from one certificate to the next."""

    def __init__(self, extra_fonts: tuple[Path, ...] = ()) -> None:
        self.regular, self.bold = chains(extra_fonts)
        self._outliner = art.Outliner(self.bold)
        self._templates: dict[tuple[str, bool, bool], Template] = {}

    def check(self, paper: Paper) -> None:
        """Raise `UnprintableCharacter` or `DoesNotFit` where the paper cannot be printed."""
        self.regular.check(paper.texts)
        self.regular.check([paper.issuer])
        for entry in paper.fields:
            fit(self.regular, entry.value.chinese, SLOTS[entry.code], entry.code)

    def draw(self, paper: Paper, qr_text: str) -> bytes:
        """Draw a certificate as a tagged PDF with an empty signature, to be filled by `sign`."""
        self.check(paper)
        template = self._template(paper)
        inks = Inks(self.regular, self.bold, template.shared, is_open=False)
        return Filling(template, paper, inks).write(qr_text)

    def _template(self, paper: Paper) -> Template:
        key = (paper.issuer, paper.red, paper.demo)
        if key not in self._templates:
            self._templates[key] = _TemplateMaker(self, *key).make()
        return self._templates[key]


@lru_cache(maxsize=4)
def press(extra_fonts: tuple[Path, ...] = ()) -> Press:
    """Return the process's press for these fonts."""
    return Press(extra_fonts)


def draw(paper: Paper, qr_text: str) -> bytes:
    """Draw a certificate with the fonts of the package alone."""
    return press().draw(paper, qr_text)


class _TemplateMaker:
    """Draws what certificates share, once."""

    def __init__(self, owner: Press, issuer: str, red: bool, demo: bool) -> None:
        self.issuer, self.demo = issuer, demo
        self.colour = art.RED if red else art.GREEN
        self.outliner = owner._outliner
        shared = tuple(
            Subset(c.main, tag_of(f"shared {c.main.resource}")) for c in (owner.regular, owner.bold)
        )
        self.inks = Inks(owner.regular, owner.bold, shared, is_open=True)  # type: ignore[arg-type]
        self.marks: dict[str, tuple[int, ...]] = {}
        self.file = ObjectFile()

    def make(self) -> Template:
        front, back = self._front(), self._back()
        self._stock()
        return Template(
            file=self.file,
            colour=self.colour,
            sheets=tuple(self.file.add(stream(s.content())) for s in (front, back)),  # type: ignore[arg-type]
            seal=self._seal(),
            blank=self.file.add(_form(b"", 2 * SEAL_RADIUS)),
            intent=write_output_intent(self.file),
            shared=self.inks.shared,
            fonts=tuple(s.write(self.file.add) for s in self.inks.shared),  # type: ignore[arg-type]
            marks=self.marks,
            next_marks=(front.next_mark, back.next_mark),
        )

    def _stock(self) -> None:
        """Take up the characters that most certificates need beside their labels."""
        words = [w for pair in (*CATEGORY_WORDS.values(), *SEX_WORDS.values()) for w in pair]
        words += [*GRADE_WORDS.values(), *MONTHS, "0123456789X年月日Grade汉族无None-·,。"]
        for word in words:
            self.inks.runs(word, bold=False)
        for word in (*GRADE_WORDS.values(), *(c for c, _ in CATEGORY_WORDS.values())):
            self.inks.runs(word, bold=True)

    def _front(self) -> Sheet:
        sheet = Sheet(self.inks)
        sheet.artifact(self._paint(self._front_art))
        self.marks["title"] = self._title(sheet, HEIGHT - 98, (36.0, 12.5))
        if self.demo:
            x, y = LEFT, HEIGHT - 152
            pale = art.shade(self.colour, 0.82)
            self.marks["demo"] = sheet.pair(x, y, DEMO_NOTE, (9.0, 8.0), (art.WHITE, pale))
        for code, slot in SLOTS.items():
            self.marks[code] = self._label(sheet, slot, LABELS[code])
        x, y = ISSUER_AT
        label = Slot(x, y + 22, 0)
        self.marks["issuer_label"] = self._label(sheet, label, ("批准机关", "Issued by"))
        self.marks["issuer"] = (self._issuer(sheet, x, y),)
        words = ("扫码离线核验", "Scan to verify offline")
        self.marks["code"] = sheet.pair(LEFT, CODE[1] - 16, words, (7.6, 6.8))
        self.marks["notes"] = tuple(m for i, n in enumerate(NOTES) for m in self._note(sheet, i, n))
        return sheet

    def _issuer(self, sheet: Sheet, x: float, y: float) -> int:
        """Set the issuer's name; one that would be small in one line stands in two."""
        chain = self.inks.regular
        size = (RIGHT - x) / chain.width(self.issuer)
        if size >= TWO_LINES:
            return sheet.write([(x, y, self.issuer)], min(15.0, size))
        size = min(TWO_LINES, 1.95 * size)
        lines = wrap(chain, self.issuer, (RIGHT - x) / size)
        placed = [(x, y + 6 - i * size * 1.22, line) for i, line in enumerate(lines)]
        return sheet.write(placed, size)

    def _note(self, sheet: Sheet, index: int, words: tuple[str, str]) -> tuple[int, ...]:
        y = 84 - index * 23
        chinese = sheet.write([(LEFT, y, words[0])], 7.4, art.MUTED)
        return chinese, sheet.write([(LEFT, y - 9.4, words[1])], 6.4, art.MUTED)

    def _title(self, sheet: Sheet, y: float, sizes: tuple[float, float]) -> tuple[int, ...]:
        big, small = sizes
        chinese = sheet.write([(LEFT, y, TITLE[0])], big, art.WHITE, bold=True, tracking=big * 0.16)
        pale = art.shade(self.colour, 0.82)
        english = sheet.write([(LEFT + 1, y - 26, TITLE[1])], small, pale, tracking=1.1)
        return chinese, english

    def _label(self, sheet: Sheet, slot: Slot, words: tuple[str, str]) -> tuple[int, ...]:
        colours = (self.colour, art.MUTED)
        return sheet.pair(slot.x, slot.y, words, (LABEL_SIZE, LABEL_ENGLISH), colours, gap=4.0)

    def _back(self) -> Sheet:
        sheet = Sheet(self.inks)
        sheet.artifact(self._paint(self._back_art))
        pale = art.shade(self.colour, 0.82)
        self.marks["remarks"] = sheet.pair(
            LEFT,
            HEIGHT - 84,
            ("备注", "Remarks"),
            (22.0, 12.0),
            (art.WHITE, pale),
            bold=True,
            gap=10,
        )
        for code, x in (("back_name", LEFT), ("back_number", 290.0)):
            words = LABELS[code.removeprefix("back_")]
            self.marks[code] = self._label(sheet, Slot(x, BACK_LABEL_Y, 0), words)
        return sheet

    def _paint(self, *painters: object) -> str:
        canvas = Canvas(io.BytesIO(), pagesize=A4, pageCompression=0)
        for painter in painters:
            painter(canvas)  # type: ignore[operator]
        return str(canvas.getCurrentPageContent())

    def _front_art(self, canvas: Canvas) -> None:
        art.frame(canvas, WIDTH, HEIGHT, self.colour, INSET)
        self._band(canvas, BAND_BOTTOM)
        if self.demo:
            art.watermark(canvas, self.outliner, "演示 DEMO", WIDTH / 2, 330)
        self._panel(canvas)
        canvas.setStrokeColorRGB(*art.HAIRLINE)
        canvas.setLineWidth(0.5)
        for y, start, end in RULES:
            canvas.line(start, y, end, y)
        canvas.rect(*PORTRAIT)
        canvas.setStrokeColorRGB(*art.GOLD)
        canvas.line(LEFT, 100, RIGHT, 100)

    def _back_art(self, canvas: Canvas) -> None:
        art.frame(canvas, WIDTH, HEIGHT, self.colour, INSET)
        self._band(canvas, HEIGHT - 110)
        if self.demo:
            art.watermark(canvas, self.outliner, "演示 DEMO", WIDTH / 2, 330)

    def _band(self, canvas: Canvas, bottom: float) -> None:
        edge = INSET + 6.5
        box = (edge, bottom, WIDTH - 2 * edge, HEIGHT - edge - bottom)
        canvas.setFillColorRGB(*self.colour)
        canvas.rect(*box, stroke=0, fill=1)
        art.guilloche(canvas, box, art.shade(self.colour, 0.2))
        if box[3] > 100:
            art.rosette(canvas, RIGHT - 46, bottom + box[3] / 2, 44, art.shade(self.colour, 0.34))
        canvas.setFillColorRGB(*art.GOLD)
        canvas.rect(edge, bottom - 2.2, box[2], 2.2, stroke=0, fill=1)
        if self.demo:
            self._demo_mark(canvas, RIGHT - 46, bottom + box[3] / 2)

    def _demo_mark(self, canvas: Canvas, x: float, y: float) -> None:
        canvas.setFillColorRGB(*self.colour)
        canvas.setStrokeColorRGB(*art.WHITE)
        canvas.setLineWidth(1.1)
        canvas.roundRect(x - 41, y - 13, 82, 26, 3, stroke=1, fill=1)
        canvas.setFillColorRGB(*art.WHITE)
        self.outliner.centred(canvas, "演示 DEMO", x, y - 4.8, 13.5)

    def _panel(self, canvas: Canvas) -> None:
        canvas.setFillColorRGB(*art.tint(self.colour, 0.07))
        canvas.rect(LEFT, 446, RIGHT - LEFT, 60, stroke=0, fill=1)
        canvas.setFillColorRGB(*self.colour)
        canvas.rect(LEFT, 446, 3, 60, stroke=0, fill=1)

    def _seal(self) -> int:
        foot = "演示专用章" if self.demo else "残疾人证专用章"

        def paint(canvas: Canvas) -> None:
            canvas.translate(SEAL_RADIUS, SEAL_RADIUS)
            art.seal(canvas, self.outliner, self.issuer, foot, SEAL_RADIUS)

        return self.file.add(_form(self._paint(paint).encode(), 2 * SEAL_RADIUS))


def _form(content: bytes, side: float) -> bytes:
    """Write a form XObject as a square of its own size."""
    box = f"/Type/XObject/Subtype/Form/BBox[0 0 {side:.1f} {side:.1f}]/Resources<<>>"
    return stream(content, box)
