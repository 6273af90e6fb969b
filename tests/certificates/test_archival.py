"""What an archive and a screen reader ask of the file (ISO 19005-2, ISO 14289-1)."""

from __future__ import annotations

import io
import re
import zlib
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from PIL import ImageCms
from pyhanko.pdf_utils.reader import PdfFileReader

from tests.certificates.making import MULTIPLE, drawn

KINDS: list[dict[str, Any]] = [{}, MULTIPLE, {"demo": False}, {"name": "𠮷野家"}]
PDFA = "{http://www.aiim.org/pdfa/ns/id/}"
PDFUA = "{http://www.aiim.org/pdfua/ns/id/}"


@pytest.fixture(params=KINDS, ids=["ordinary", "multiple", "not demo", "plane 2"])
def reader(request: pytest.FixtureRequest) -> PdfFileReader:
    return PdfFileReader(io.BytesIO(drawn(**request.param)))


def items(array: Any) -> list[Any]:
    """Resolve the references of an array."""
    return [array[index] for index in range(len(array))]


def pages(reader: PdfFileReader) -> list[Any]:
    return items(reader.root["/Pages"]["/Kids"])


def test_the_metadata_claim_the_two_standards(reader: PdfFileReader) -> None:
    packet = ET.fromstring(reader.root["/Metadata"].data)
    texts = {element.tag: element.text for element in packet.iter()}
    assert (texts[f"{PDFA}part"], texts[f"{PDFA}conformance"]) == ("2", "A")
    assert texts[f"{PDFUA}part"] == "1"
    assert "/Filter" not in reader.root["/Metadata"]


def test_the_catalogue_names_language_title_and_tags(reader: PdfFileReader) -> None:
    root = reader.root
    assert root["/Lang"] == "zh-CN"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert {page["/Tabs"] for page in pages(reader)} == {"/S"}


def test_colours_have_a_profile(reader: PdfFileReader) -> None:
    (intent,) = items(reader.root["/OutputIntents"])
    profile = ImageCms.ImageCmsProfile(io.BytesIO(intent["/DestOutputProfile"].data))
    assert profile.profile.xcolor_space.strip() == "RGB"
    assert intent["/S"] == "/GTS_PDFA1"


def test_every_operator_is_tagged_or_an_artifact(reader: PdfFileReader) -> None:
    """14.8.2.2: text, paths and images all stand between BDC or BMC and EMC."""
    for page in pages(reader):
        depth, shows = 0, re.compile(rb"^(BDC|BMC|EMC|Tj|Do|f|f\*|S|B|re)$")
        for stream in items(page["/Contents"]):
            for token in stream.data.split():
                if not shows.match(token):
                    continue
                depth += {b"BDC": 1, b"BMC": 1, b"EMC": -1}.get(token, 0)
                assert depth == 1 or token in (b"BDC", b"BMC", b"EMC"), token
                assert depth in (0, 1)
            assert depth == 0


def test_every_mark_belongs_to_one_element(reader: PdfFileReader) -> None:
    numbers = reader.root["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    for index, page in enumerate(pages(reader)):
        owners = numbers[2 * index + 1]
        content = b"".join(stream.data for stream in items(page["/Contents"]))
        marks = sorted(int(mark) for mark in re.findall(rb"/MCID (\d+)", content))
        assert marks == list(range(len(owners)))


def test_figures_and_the_form_have_words_for_those_who_do_not_see(reader: PdfFileReader) -> None:
    def walk(element: Any) -> list[tuple[str, bool]]:
        kids = [kid for kid in items(element["/K"]) if hasattr(kid, "keys") and "/S" in kid]
        below = [found for kid in kids for found in walk(kid)]
        return [(element["/S"], "/Alt" in element), *below]

    kinds = walk(reader.root["/StructTreeRoot"]["/K"])
    pictured = [has for kind, has in kinds if kind in ("/Figure", "/Form")]
    assert pictured == [True] * 4
    assert items(pages(reader)[0]["/Annots"])[0]["/TU"].startswith("电子签名")


def test_streams_end_on_a_line_of_their_own() -> None:
    pdf = drawn()
    assert len(re.findall(rb"\nendstream", pdf)) == len(re.findall(rb"endstream", pdf))


def test_every_stream_has_its_length() -> None:
    pdf = drawn(**MULTIPLE)
    found = list(re.finditer(rb"/Length (\d+)>>\nstream\n", pdf))
    assert found
    assert all(pdf[m.end() + int(m[1]) :].startswith(b"\nendstream") for m in found)
    zlib.decompress(pdf[found[0].end() : found[0].end() + int(found[0][1])])
