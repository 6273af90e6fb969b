"""The drawn paper, read back by other people's tools."""

from __future__ import annotations

import io
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from certificates import art
from certificates.authority import Signer, Trust
from certificates.content import Paper
from certificates.credential import read_credential
from certificates.filling import fit
from certificates.layout import draw, press
from certificates.places import SEAL_RADIUS, SLOTS, TWO_LINES, DoesNotFit
from certificates.sheet import Sheet
from certificates.typeface import UnprintableCharacter, chains
from tests.certificates import making
from tests.certificates.kinds import KINDS
from tests.certificates.making import (
    MULTIPLE,
    QR_TEXT,
    drawn,
    paper,
    run,
    run_bytes,
    signed,
    text_of,
)

LONG_ISSUER = "四川省阿坝藏族羌族自治州小金县残疾人联合会"
REGULAR, _ = chains()
NAME_CHARACTERS = [
    chr(code)
    for face in REGULAR.faces
    for code in sorted(face.characters)
    if 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or code >= 0x20000 or code == 0xB7
]
BEYOND_BMP = [character for character in NAME_CHARACTERS if ord(character) > 0xFFFF]


def values(said: Paper) -> list[str]:
    """List the values as the paper should give them back, in reading order."""
    return ["".join((e.value.chinese + e.value.english).split()) for e in said.fields]


def in_order(text: str, wanted: list[str]) -> bool:
    """Tell whether the texts stand in this order."""
    at = 0
    for one in wanted:
        at = text.find(one, at)
        if at < 0:
            return False
    return True


@pytest.mark.parametrize("changes", [{}, MULTIPLE, {"demo": False}, {"guardian_name": "陈建国"}])
def test_every_field_can_be_copied_out(changes: dict[str, Any]) -> None:
    text = text_of(drawn(**changes))
    missing = [value for value in values(paper(**changes)) if value not in text]
    assert missing == []


def test_the_reading_order_is_the_fields_order(tmp_path: Path) -> None:
    file = tmp_path / "paper.pdf"
    file.write_bytes(drawn())
    spoken = "".join(run("pdfinfo", "-struct-text", file).replace('"', "").split())
    labelled = [w for e in paper().fields for w in (e.label.chinese, e.value.chinese)]
    assert in_order(spoken, ["残疾人证", *labelled, "批准机关", "2018年06月20日"])


def test_the_structure_is_a_title_a_table_figures_and_a_form(tmp_path: Path) -> None:
    file = tmp_path / "paper.pdf"
    file.write_bytes(drawn(**MULTIPLE))
    lines = run("pdfinfo", "-struct", file).splitlines()
    top = [match[1] for line in lines if (match := re.match(r"  (\w+)", line))]
    assert top == [
        *("H1", "P", "Figure", "Table", "P", "Figure", "Form", "Figure", "P", "P", "P"),
        *("H2", "Table", "Table"),
    ]


def test_parts_and_remarks_stand_on_a_page_of_their_own() -> None:
    remark = "遗失补办：原证作废。"
    text = text_of(drawn(**MULTIPLE, remarks=(remark,)))
    front, back = text.split("备注Remarks")
    assert in_order(back, ["陈守田", MULTIPLE["number"], "视力", "贰级", "肢体", "叁级", remark])
    assert remark not in front


@pytest.mark.parametrize(
    ("changes", "pages"), [({}, "1"), (MULTIPLE, "2"), ({"remarks": ("换领",)}, "2")]
)
def test_there_is_a_remarks_page_only_when_something_stands_on_it(
    changes: dict[str, Any], pages: str, tmp_path: Path
) -> None:
    file = tmp_path / "paper.pdf"
    file.write_bytes(drawn(**changes))
    assert re.search(r"Pages:\s+(\d)", run("pdfinfo", file))[1] == pages  # type: ignore[index]


def test_every_font_is_embedded_as_a_subset_with_a_unicode_map(tmp_path: Path) -> None:
    file = tmp_path / "paper.pdf"
    file.write_bytes(drawn(name="龘" + BEYOND_BMP[-1]))
    rows = [line.split() for line in run("pdffonts", file).splitlines()[2:]]
    assert rows
    assert {tuple(row[-5:-2]) for row in rows} == {("yes", "yes", "yes")}


def test_only_demonstration_copies_say_so() -> None:
    words = "演示样张，不具法律效力"
    assert words in text_of(drawn(demo=True))
    assert words not in text_of(drawn(demo=False))


def test_the_same_paper_is_drawn_the_same() -> None:
    assert drawn() == drawn()


@settings(max_examples=25)
@given(st.text(st.sampled_from(NAME_CHARACTERS), min_size=1, max_size=50))
def test_any_printable_name_copies_out_as_it_went_in(name: str) -> None:
    assert name in text_of(drawn(name=name))


@settings(max_examples=10)
@given(st.text(st.sampled_from(BEYOND_BMP), min_size=1, max_size=20))
def test_names_beyond_the_basic_plane_copy_out_as_they_went_in(name: str) -> None:
    assert name in text_of(drawn(name=name, address=f"{name}村"))


def test_a_character_no_font_has_is_refused_before_anything_is_drawn() -> None:
    with pytest.raises(UnprintableCharacter, match="U\\+323B0"):
        drawn(name="王\U000323b0")
    with pytest.raises(UnprintableCharacter, match="U\\+E000"):
        drawn(remarks=("\ue000",))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"address": "长" * 200}, "address"),
        ({"guardian_name": "长" * 60}, "guardian"),
        ({"remarks": ("长" * 4000,)}, "remarks"),
    ],
)
def test_a_text_too_long_for_its_place_is_refused(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(DoesNotFit, match=place):
        drawn(**changes)


def test_a_name_of_fifty_characters_fits() -> None:
    name = "阿" * 24 + "·" + "尔" * 25
    printed = text_of(drawn(name=name, guardian_name=name, **MULTIPLE))
    assert printed.count(name) == 3  # the guardian's too, and the holder's on the back


@pytest.mark.parametrize("name", ["陈守田", "龘" * 50])
def test_the_code_is_read_from_a_150_dpi_rendering(name: str, tmp_path: Path, signer: Any) -> None:
    from tests.certificates.making import CERTIFICATE, facts, write_credential

    text = write_credential(facts(name=name), CERTIFICATE, signer.credential)
    file = tmp_path / "paper.pdf"
    file.write_bytes(draw(paper(name=name), text))
    run("pdftoppm", "-r", "150", "-png", "-singlefile", file, tmp_path / "page")
    with Image.open(tmp_path / "page.png") as page:
        codes = zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode)
    assert [code.text for code in codes] == [text]


def test_a_template_never_carries_one_holder_over_to_the_next() -> None:
    first = text_of(drawn(name="龘甲"))
    second = text_of(draw(paper(name="王乙"), QR_TEXT))
    assert "龘甲" in first
    assert "龘" not in second


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_scans_from_a_150_dpi_rendering_at_print_size(
    kind: str, signer: Signer, trust: Trust
) -> None:
    facts = making.facts(**KINDS[kind])
    page = run_bytes(
        "pdftoppm", "-r", "150", "-f", "1", "-l", "1", data=signed(signer, **KINDS[kind])
    )
    (found,) = zxingcpp.read_barcodes(
        Image.open(io.BytesIO(page)), formats=zxingcpp.BarcodeFormat.QRCode
    )
    said = read_credential(found.text, trust.credential_keys)
    assert (said.name, said.number, said.grade) == (facts.name, facts.number, facts.grade)


def test_two_lines_stand_between_label_and_rule() -> None:
    for slot in (slot for slot in SLOTS.values() if slot.lines > 1):
        size, lines = fit(REGULAR, "赵" * int(2 * slot.width / TWO_LINES - 2), slot, "place")
        assert (len(lines), size <= TWO_LINES) == (2, True)


@pytest.mark.parametrize("issuer", ["县残联", "南充市顺庆区残疾人联合会", LONG_ISSUER])
def test_no_character_of_a_seal_stands_on_another(
    issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A county of an autonomous prefecture has a long name; its seal was a red ring."""
    boxes: list[tuple[float, float, float]] = []

    def glyph(_outliner: Any, _canvas: Any, _letter: str, matrix: tuple[float, ...]) -> None:
        a, b, _c, _d, x, y = matrix
        boxes.append((math.hypot(a, b), x, y))

    monkeypatch.setattr(art.Outliner, "glyph", glyph)
    art.seal(Canvas(io.BytesIO()), art.Outliner(press().bold), issuer, "", SEAL_RADIUS)
    for (width, *before), (_width, *after) in pairwise(boxes):
        assert math.dist(before, after) >= width


def test_a_long_name_of_the_issuer_stands_in_two_lines_that_can_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issuer, write = "新疆维吾尔自治区巴音郭楞蒙古自治州焉耆回族自治县残疾人联合会", Sheet.write
    written: list[tuple[str, int, float]] = []

    def noted(sheet: Sheet, lines: Any, size: float, *colour: Any, **how: Any) -> int:
        written.append(("".join(text for _x, _y, text in lines), len(lines), size))
        return write(sheet, lines, size, *colour, **how)

    monkeypatch.setattr(Sheet, "write", noted)
    assert issuer in text_of(drawn(issuer_name=issuer))
    assert (issuer, 2, TWO_LINES) in written
