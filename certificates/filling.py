"""What differs from one certificate to the next, written onto the issuer's template."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import zxingcpp

from certificates import art
from certificates.content import Paper, Words
from certificates.places import (
    BACK_LABEL_Y,
    CODE,
    HEIGHT,
    ISSUER_AT,
    LABEL_ENGLISH,
    LABEL_SIZE,
    LEFT,
    PORTRAIT,
    RIGHT,
    SEAL_AT,
    SEAL_RADIUS,
    SLOTS,
    TABLE_ROW,
    TABLE_TOP,
    TITLE,
    TWO_LINES,
    WIDTH,
    DoesNotFit,
    Slot,
)
from certificates.sheet import Inks, Sheet
from certificates.syntax import ObjectFile, number, signature_dictionary, stream, text_string
from certificates.tagging import ENGLISH, ROOT, Tags, write_metadata
from certificates.typeface import FontChain, Subset

ENGLISH_SHARE = 0.62
SCOPE = "/A<</O/Table/Scope/{}>>"
PORTRAIT_ALT = "持证人照片 Portrait of the holder"
CODE_ALT = "二维码：可离线核验的证件信息 QR code: this certificate's data, verifiable offline"
SEAL_ALT = "印章：{} Seal of the issuer"
REMARK_SIZE, REMARK_STEP, REMARK_FLOOR = 11.0, 19.0, 70.0


@dataclass(frozen=True, slots=True)
class Template:
    """What all certificates of one issuer and colour share, already written."""

    file: ObjectFile
    colour: art.Colour
    shared: tuple[Subset, Subset]
    fonts: tuple[int, int]
    sheets: tuple[int, int]
    marks: dict[str, tuple[int, ...]]
    next_marks: tuple[int, int]
    seal: int
    blank: int
    intent: int


def fit(chain: FontChain, text: str, slot: Slot, place: str) -> tuple[float, list[str]]:
    """Return the first size at which a text fits its slot, and its lines; else `DoesNotFit`."""
    for size in slot.sizes:
        room = (slot.width - slot.tracking * len(text)) / size
        lines = wrap(chain, text, room)
        if len(lines) == 1 or (len(lines) <= slot.lines and size <= TWO_LINES):
            return size, lines
    raise DoesNotFit(place)


def wrap(chain: FontChain, text: str, room: float) -> list[str]:
    """Break a text into lines of at most `room` ems, between any two characters."""
    lines, used = [""], 0.0
    for character in text:
        width = chain.advance(character)
        if used + width > room and lines[-1]:
            lines.append("")
            used = 0.0
        lines[-1] += character
        used += width
    return lines


class Filling:
    """One certificate on its way to paper."""

    def __init__(self, template: Template, paper: Paper, inks: Inks) -> None:
        self.template, self.paper, self.inks = template, paper, inks
        self.file = template.file.copy()
        self.values = {f.code: f.value for f in paper.fields}
        reserved = (self.file.reserve() for _ in range(4))
        self.catalog, self.tree, self.widget, self.signature = reserved
        self.has_back = bool(paper.parts or paper.remarks)
        self.pages = [self.file.reserve() for _ in range(1 + self.has_back)]
        self.front = Sheet(inks, template.next_marks[0])
        self.back = Sheet(inks, template.next_marks[1])

    def write(self, qr_text: str) -> bytes:
        """Draw, tag and write the file, its signature still empty."""
        images = {
            "Portrait": self.file.add(_jpeg(self.paper.portrait)),
            "Code": self.file.add(_code(qr_text)),
            "Seal": self.template.seal,
        }
        title = f"{TITLE[0]} {TITLE[1]}"
        metadata = write_metadata(self.file, title=title, creator=self.paper.issuer)
        tags = Tags(self.pages, len(self.file.offsets))
        self._read_front(tags)
        if self.has_back:
            self._read_back(tags)
        structure = tags.write(self.file)
        fonts = dict(zip(("F0", "F1"), self.template.fonts, strict=True))
        fonts |= {name: s.write(self.file.add) for name, s in self.inks.extra.items()}
        self._put_pages(f"<</Font{_names(fonts)}/XObject{_names(images)}>>")
        self._put_catalog(metadata, structure)
        return self.file.finish(self.catalog, sha256(qr_text.encode()).digest()[:16])

    # ---- front, in reading order

    def _read_front(self, tags: Tags) -> None:
        marks = self.template.marks
        self._words(tags, tags.open("H1", ROOT), 0, marks["title"])
        if "demo" in marks:
            self._words(tags, tags.open("P", ROOT), 0, marks["demo"])
        self._picture(tags, PORTRAIT, "Portrait", PORTRAIT_ALT)
        self._read_fields(tags)
        self._read_issuer(tags)
        self._picture(tags, CODE, "Code", CODE_ALT)
        self._words(tags, tags.open("P", ROOT), 0, marks["code"])
        for note in (marks["notes"][:2], marks["notes"][2:]):
            self._words(tags, tags.open("P", ROOT), 0, note)

    def _read_fields(self, tags: Tags) -> None:
        table = tags.open("Table", ROOT)
        for entry in self.paper.fields:
            row = tags.open("TR", table)
            head = tags.open("TH", row, more=SCOPE.format("Row"))
            self._words(tags, head, 0, self.template.marks[entry.code])
            slot = SLOTS[entry.code]
            marks = self._value(self.front, entry.code, entry.value, slot)
            self._words(tags, tags.open("TD", row), 0, marks)

    def _value(self, sheet: Sheet, place: str, words: Words, slot: Slot) -> tuple[int, ...]:
        chain = self.inks.bold if slot.bold else self.inks.regular
        size, lines = fit(chain, words.chinese, slot, place)
        top = slot.y - slot.drop + (len(lines) - 1) * size * 0.86
        colour = self.template.colour if slot.bold else art.INK
        if len(lines) > 1 or not words.english:
            placed = [(slot.x, top - i * size * 1.22, line) for i, line in enumerate(lines)]
            return (sheet.write(placed, size, colour, bold=slot.bold, tracking=slot.tracking),)
        sizes, colours = (size, size * ENGLISH_SHARE), (colour, art.MUTED)
        pair = (words.chinese, words.english)
        return sheet.pair(slot.x, top, pair, sizes, colours, bold=slot.bold, gap=size * 0.5)

    def _read_issuer(self, tags: Tags) -> None:
        marks, words = self.template.marks, self.paper.issued.chinese
        block = tags.open("P", ROOT)
        self._words(tags, block, 0, marks["issuer_label"])
        self._words(tags, block, 0, marks["issuer"])
        place = (ISSUER_AT[0], ISSUER_AT[1] - 23, words)
        self._words(tags, block, 0, (self.front.write([place], 12),))
        corner = (SEAL_AT[0] - SEAL_RADIUS, SEAL_AT[1] - SEAL_RADIUS)
        box = (*corner, 2 * SEAL_RADIUS, 2 * SEAL_RADIUS)
        self._picture(tags, box, "Seal", SEAL_ALT.format(self.paper.issuer), unit=1)
        form = tags.open("Form", ROOT, alt=SEAL_ALT.format(self.paper.issuer))
        self._put_widget(tags.annotate(form, 0, self.widget), box)

    def _picture(
        self,
        tags: Tags,
        box: tuple[float, float, float, float],
        name: str,
        alt: str,
        unit: float = 0,
    ) -> None:
        """Place an image (a unit square) or, with `unit`, a form drawn at its own size."""
        x, y, width, height = map(number, box)
        scale = f"{unit:.0f} 0 0 {unit:.0f}" if unit else f"{width} 0 0 {height}"
        mark = self.front.figure(f"{scale} {x} {y} cm /{name} Do")
        corners = f"{x} {y} {number(box[0] + box[2])} {number(box[1] + box[3])}"
        layout = f"/A<</O/Layout/Placement/Block/BBox[{corners}]>>"
        tags.claim(tags.open("Figure", ROOT, alt=alt, more=layout), 0, mark)

    def _words(self, tags: Tags, element: int, page: int, marks: Sequence[int]) -> None:
        """Give an element Chinese words and, in a span of their own language, the English."""
        tags.claim(element, page, marks[0])
        for mark in marks[1:]:
            tags.claim(tags.open("Span", element, lang=ENGLISH), page, mark)

    # ---- remarks page

    def _read_back(self, tags: Tags) -> None:
        self._words(tags, tags.open("H2", ROOT), 1, self.template.marks["remarks"])
        holder = tags.open("Table", ROOT)
        for code, x, width in (("name", LEFT, 210.0), ("number", 290.0, RIGHT - 290.0)):
            row = tags.open("TR", holder)
            head = tags.open("TH", row, more=SCOPE.format("Row"))
            self._words(tags, head, 1, self.template.marks[f"back_{code}"])
            slot = Slot(x, BACK_LABEL_Y, width, (13.0, 10.0, 8.6, 7.6), lines=2)
            marks = self._value(self.back, code, self.values[code], slot)
            self._words(tags, tags.open("TD", row), 1, marks)
        bottom = self._read_parts(tags) if self.paper.parts else TABLE_TOP
        self._read_remarks(tags, bottom)

    def _read_parts(self, tags: Tags) -> float:
        table, y, columns = tags.open("Table", ROOT), TABLE_TOP, (LEFT + 14, 290.0)
        row = tags.open("TR", table)
        heads = (("残疾类别", "Category"), ("残疾等级", "Grade"))
        self.back.artifact(self._shade(y - 13, 36))
        for x, words in zip(columns, heads, strict=True):
            head = tags.open("TH", row, more=SCOPE.format("Column"))
            colours = (self.template.colour, art.MUTED)
            marks = self.back.pair(x, y, words, (LABEL_SIZE + 1, LABEL_ENGLISH + 1), colours)
            self._words(tags, head, 1, marks)
        for part in self.paper.parts:
            y -= TABLE_ROW
            row = tags.open("TR", table)
            for x, value in zip(columns, part, strict=True):
                slot = Slot(x, y, 180, (15.0,), bold=True, drop=0)
                marks = self._value(self.back, "part", value, slot)
                self._words(tags, tags.open("TD", row), 1, marks)
            self.back.artifact(_line(y - 12))
        return y - 52

    def _read_remarks(self, tags: Tags, y: float) -> None:
        for remark in self.paper.remarks:
            lines = wrap(self.inks.regular, remark, (RIGHT - LEFT) / REMARK_SIZE)
            placed = [(LEFT, y - i * REMARK_STEP, line) for i, line in enumerate(lines)]
            y = placed[-1][1] - REMARK_STEP * 1.5
            if placed[-1][1] < REMARK_FLOOR:
                raise DoesNotFit("remarks")
            mark = self.back.write(placed, REMARK_SIZE)
            self._words(tags, tags.open("P", ROOT), 1, (mark,))

    def _shade(self, y: float, height: float) -> str:
        colour = " ".join(map(number, art.tint(self.template.colour, 0.07)))
        return (
            f"{colour} rg {number(LEFT)} {number(y)} {number(RIGHT - LEFT)} {number(height)} re f"
        )

    # ---- objects

    def _put_widget(self, key: int, box: tuple[float, float, float, float]) -> None:
        reason = "签发残疾人证 Issue of a disability certificate"
        dictionary = signature_dictionary(reason=reason, signer=self.paper.issuer)
        self.file.put(self.signature, dictionary)
        x, y, width, height = box
        label = f"电子签名：{self.paper.issuer} Electronic signature of the issuer"
        self.file.put(
            self.widget,
            f"<</Type/Annot/Subtype/Widget/FT/Sig/T(Signature)/TU {text_string(label)}"
            f"/Rect[{' '.join(map(number, (x, y, x + width, y + height)))}]/F 132"
            f"/P {self.pages[0]} 0 R/V {self.signature} 0 R/StructParent {key}"
            f"/AP<</N {self.template.blank} 0 R>>>>".encode(),
        )

    def _put_pages(self, resources: str) -> None:
        for index, (page, sheet) in enumerate(zip(self.pages, self._sheets(), strict=True)):
            content = self.file.add(stream(sheet.content()))
            annotations = f"/Annots[{self.widget} 0 R]" if index == 0 else ""
            self.file.put(
                page,
                f"<</Type/Page/Parent {self.tree} 0 R"
                f"/MediaBox[0 0 {number(WIDTH)} {number(HEIGHT)}]/Resources{resources}"
                f"/Contents[{self.template.sheets[index]} 0 R {content} 0 R]"
                f"/StructParents {index}/Tabs/S{annotations}>>".encode(),
            )
        kids = " ".join(f"{page} 0 R" for page in self.pages)
        self.file.put(self.tree, f"<</Type/Pages/Count {len(self.pages)}/Kids[{kids}]>>".encode())

    def _sheets(self) -> list[Sheet]:
        return [self.front, self.back][: len(self.pages)]

    def _put_catalog(self, metadata: int, structure: int) -> None:
        self.file.put(
            self.catalog,
            f"<</Type/Catalog/Version/1.7/Pages {self.tree} 0 R/Lang(zh-CN)"
            f"/MarkInfo<</Marked true>>/StructTreeRoot {structure} 0 R/Metadata {metadata} 0 R"
            f"/OutputIntents[{self.template.intent} 0 R]/ViewerPreferences<</DisplayDocTitle true>>"
            f"/AcroForm<</Fields[{self.widget} 0 R]/SigFlags 3>>"
            f"/Perms<</DocMDP {self.signature} 0 R>>>>".encode(),
        )


def _line(y: float) -> str:
    colour = " ".join(map(number, art.HAIRLINE))
    return f"{colour} RG 0.5 w {number(LEFT)} {number(y)} m {number(RIGHT)} {number(y)} l S"


def _names(objects: dict[str, int]) -> str:
    return f"<<{''.join(f'/{name} {number} 0 R' for name, number in objects.items())}>>"


def _jpeg(data: bytes) -> bytes:
    """Write a JPEG file as an image as it is (ISO 32000-1, 7.4.8)."""
    width, height, components = _jpeg_size(data)
    space = {1: "/DeviceGray", 3: "/DeviceRGB"}[components]
    return stream(
        data,
        f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent 8"
        f"/ColorSpace{space}/Filter/DCTDecode",
        compress=False,
    )


def _jpeg_size(data: bytes) -> tuple[int, int, int]:
    """Read width, height, components from the frame header (ITU-T T.81, B.2.2)."""
    at = 2
    while data[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    height, width, components = struct.unpack_from(">HHB", data, at + 5)
    return width, height, components


HEXADECIMAL = bytes.maketrans(b"\x00\xff", b"0F")


def _code(text: str) -> bytes:
    """Write a QR code as a one-bit image, four pixels a module so that no reader blurs it.

    A module is one hexadecimal digit of its row: 0 is four black pixels, F four white ones.
    """
    code: Any = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    image: Any = memoryview(code.to_image(add_quiet_zones=False))
    side = image.shape[0]
    digits, pad = image.tobytes().translate(HEXADECIMAL).decode(), "0" * (side % 2)
    lines = (digits[at : at + side] + pad for at in range(0, side * side, side))
    return stream(
        b"".join(bytes.fromhex(line) * 4 for line in lines),
        f"/Type/XObject/Subtype/Image/Width {4 * side}/Height {4 * side}"
        "/BitsPerComponent 1/ColorSpace/DeviceGray",
    )
