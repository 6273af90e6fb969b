"""What somebody with an editor, and without our key, can do to a certificate's file."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import (
    ArrayObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    StreamObject,
    pdf_name,
    pdf_string,
)
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from certificates.authority import Signer
from certificates.content import compose
from certificates.credential import write_credential
from certificates.layout import draw
from certificates.signing import sign
from tests.certificates import making

VALUE = re.compile(rb"/Contents ?<([0-9a-fA-F]+)>")


@dataclass(frozen=True)
class Material:
    """What the forger holds: two genuine papers and an authority that calls itself the same."""

    paper: bytes
    changes: dict[str, Any]
    other: bytes
    impostor: Signer


Tamper = Callable[[Material, Random], bytes]
TAMPERINGS: dict[str, Tamper] = {}


def _way(name: str) -> Callable[[Tamper], Tamper]:
    def keep(tamper: Tamper) -> Tamper:
        TAMPERINGS[name] = tamper
        return tamper

    return keep


# ---- bytes


@_way("bit flipped anywhere")
def _flip(given: Material, random: Random) -> bytes:
    pdf = bytearray(given.paper)
    pdf[random.randrange(len(pdf))] ^= 1 << random.randrange(8)
    return bytes(pdf)


@_way("bit flipped within a signature or its padding")
def _flip_signature(given: Material, random: Random) -> bytes:
    pdf = bytearray(given.paper)
    start, end = random.choice([found.span(1) for found in VALUE.finditer(given.paper)])
    pdf[random.randrange(start, end)] ^= 1 << random.randrange(8)
    return bytes(pdf)


@_way("bytes overwritten")
def _overwrite(given: Material, random: Random) -> bytes:
    size = random.randint(2, 400)
    at = random.randrange(len(given.paper) - size)
    return given.paper[:at] + random.randbytes(size) + given.paper[at + size :]


@_way("bytes inserted")
def _insert(given: Material, random: Random) -> bytes:
    at = random.randrange(len(given.paper))
    return given.paper[:at] + random.randbytes(random.randint(1, 60)) + given.paper[at:]


@_way("bytes cut out")
def _cut_out(given: Material, random: Random) -> bytes:
    at, size = random.randrange(len(given.paper) - 100), random.randint(1, 100)
    return given.paper[:at] + given.paper[at + size :]


@_way("truncated")
def _truncate(given: Material, random: Random) -> bytes:
    return given.paper[: random.randrange(len(given.paper))]


@_way("truncated near the end")
def _truncate_end(given: Material, random: Random) -> bytes:
    return given.paper[: -random.randint(1, 900)]


@_way("trailing bytes")
def _trail(given: Material, random: Random) -> bytes:
    tails = (b"\n", b" ", b"\0" * 16, b"\n%%EOF\n", b"% note\n", random.randbytes(40))
    return given.paper + random.choice(tails) * random.randint(1, 3)


@_way("leading bytes")
def _lead(given: Material, random: Random) -> bytes:
    return random.choice((b"\n", b"%PDF-1.4\n", random.randbytes(12))) + given.paper


@_way("another paper appended")
def _concatenate(given: Material, random: Random) -> bytes:
    pair = (given.paper, given.other)
    return b"".join(pair if random.random() < 0.5 else reversed(pair))


# ---- incremental updates


def _update(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _page(writer: IncrementalPdfFileWriter) -> DictionaryObject:
    page: DictionaryObject = writer.root["/Pages"]["/Kids"][0]
    return page


def _draw_over(pdf: bytes, operators: str) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        page = _page(writer)
        added = writer.add_object(StreamObject(stream_data=operators.encode()))
        page[NameObject("/Contents")] = ArrayObject([*page["/Contents"], added])
        writer.update_container(page)

    return _update(pdf, change)


@_way("white box over a field")
def _white_box(given: Material, random: Random) -> bytes:
    x, y = random.choice(((60, 615), (60, 540), (80, 460), (310, 460), (60, 400), (318, 300)))
    box = f"{x + random.randint(-3, 3)} {y} {random.randint(120, 240)} {random.randint(22, 34)}"
    return _draw_over(given.paper, f"q 1 1 1 rg {box} re f Q")


@_way("other words over the name")
def _rename(given: Material, random: Random) -> bytes:
    text = random.choice(("AB", "0102", "0A0B0C"))
    return _draw_over(
        given.paper,
        f"q 1 1 1 rg 60 615 240 30 re f Q BT /F0 {random.randint(12, 20)} Tf 66 623 Td"
        f" <00{text[:2]}00{text[-2:]}> Tj ET",
    )


@_way("note laid on top")
def _annotate(given: Material, random: Random) -> bytes:
    kind = random.choice(("/FreeText", "/Square", "/Stamp", "/Text", "/Link"))

    def change(writer: IncrementalPdfFileWriter) -> None:
        page = _page(writer)
        corners = (60, 615, 60 + random.randint(80, 300), 650)
        note = DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name(kind),
                pdf_name("/Rect"): ArrayObject(map(FloatObject, corners)),
                pdf_name("/Contents"): pdf_string("another name"),
                pdf_name("/F"): NumberObject(4),
            }
        )
        page[NameObject("/Annots")] = ArrayObject([*page["/Annots"], writer.add_object(note)])
        writer.update_container(page)

    return _update(given.paper, change)


@_way("content replaced by an update")
def _replace_content(given: Material, random: Random) -> bytes:
    index = random.randrange(2)

    def change(writer: IncrementalPdfFileWriter) -> None:
        source = PdfFileReader(io.BytesIO(given.other)).root["/Pages"]["/Kids"][0]
        added = StreamObject(stream_data=source["/Contents"][index].data)
        page = _page(writer)
        page["/Contents"][index] = writer.add_object(added)
        writer.update_container(page["/Contents"])

    return _update(given.paper, change)


@_way("QR code swapped by an update")
def _swap_code(given: Material, random: Random) -> bytes:
    name = random.choice(("/Code", "/Portrait"))

    def change(writer: IncrementalPdfFileWriter) -> None:
        images = _page(writer)["/Resources"]["/XObject"]
        source = PdfFileReader(io.BytesIO(given.other)).root["/Pages"]["/Kids"][0]
        taken = writer.import_object(source["/Resources"]["/XObject"][name])
        images[NameObject(name)] = writer.add_object(taken)
        writer.update_container(images)

    return _update(given.paper, change)


@_way("document changed by an update")
def _change_root(given: Material, random: Random) -> bytes:
    key = random.choice(("/Lang", "/Metadata", "/StructTreeRoot", "/OutputIntents", "/OpenAction"))

    def change(writer: IncrementalPdfFileWriter) -> None:
        if key == "/Lang":
            writer.root[NameObject(key)] = pdf_string("en")
        else:
            writer.root[NameObject(key)] = DictionaryObject()
        writer.update_root()

    return _update(given.paper, change)


# ---- signatures


@_way("signature zeroed")
def _zero(given: Material, random: Random) -> bytes:
    start, end = random.choice([found.span(1) for found in VALUE.finditer(given.paper)])
    size = random.choice((end - start, 64, 1000))
    return given.paper[:start] + b"0" * size + given.paper[start + size :]


@_way("signature removed by an update")
def _unsign(given: Material, random: Random) -> bytes:
    how = random.randrange(3)

    def change(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        if how == 0:
            field = form["/Fields"][0]
            del field["/V"]
            writer.update_container(field)
        elif how == 1:
            form[NameObject("/Fields")] = ArrayObject()
            writer.update_container(form)
        else:
            del writer.root["/AcroForm"]
            writer.root.pop("/Perms", None)
            writer.update_root()

    return _update(given.paper, change)


@_way("saved anew")
def _resave(given: Material, random: Random) -> bytes:
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(given.paper)))
    if random.random() < 0.5:
        writer.root[NameObject("/Lang")] = generic.pdf_string("en")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@_way("signature transplanted")
def _transplant(given: Material, random: Random) -> bytes:
    """Put the genuine signature of one paper into another: of the same kind or the blank form."""
    (_, ours), theirs = _first_value(given.paper), _first_value(given.other)
    if random.random() < 0.5:
        target = given.other
    else:
        changes = given.changes | {"name": random.choice(("王大明", "李晓", "赵金生"))}
        drawn = draw(compose(making.facts(**changes)), making.QR_TEXT)
        target = sign(drawn, given.impostor, making.SIGNED_AT)
        theirs = _first_value(target)
    (start, _) = theirs
    room = VALUE.search(target)
    assert room is not None
    value = ours[: room.end(1) - start].ljust(room.end(1) - start, b"0")
    return target[:start] + value + target[room.end(1) :]


def _first_value(pdf: bytes) -> tuple[int, bytes]:
    found = VALUE.search(pdf)
    assert found is not None
    return found.start(1), found[1]


@_way("same-named authority")
def _impostor(given: Material, random: Random) -> bytes:
    """Draw whatever is wanted and sign it with a key whose authority has our name."""
    names = ("陈守田", "王大明", "李晓", "赵金生", "孙桂兰", "周永福")
    changes = given.changes | {
        "name": random.choice(names),
        "telephone": str(random.random())[2:13],
    }
    facts = making.facts(**changes)
    code = write_credential(facts, making.CERTIFICATE, given.impostor.credential)
    return sign(draw(compose(facts), code), given.impostor, making.SIGNED_AT)


@_way("genuine QR code on a forged paper")
def _stolen_code(given: Material, random: Random) -> bytes:
    changes = given.changes | {"name": random.choice(("王大明", "李晓", "赵金生"))}
    drawn = draw(compose(making.facts(**changes)), f"{making.QR_TEXT}{random.random()}")
    return sign(drawn, given.impostor, making.SIGNED_AT) if random.random() < 0.5 else drawn
