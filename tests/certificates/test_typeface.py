"""Fonts: which characters can be printed, and what is embedded of them."""

from __future__ import annotations

import io
from functools import cache

import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from certificates.typeface import FontChain, Subset, UnprintableCharacter, chains

REGULAR, BOLD = chains()
PLANE_2 = next(chr(c) for c in sorted(REGULAR.main.characters) if c > 0x20000)


@cache
def source_font() -> TTFont:
    return TTFont(io.BytesIO(REGULAR.main.path.read_bytes()), lazy=True)


def outline(font: TTFont, name: str) -> list[object]:
    pen = RecordingPen()
    font.getGlyphSet()[name].draw(pen)
    return list(pen.value)


@pytest.mark.parametrize("chain", [REGULAR, BOLD])
def test_the_package_brings_a_chain_of_openly_licensed_faces(chain: FontChain) -> None:
    assert [face.postscript_name.split("-")[0] for face in chain.faces[:4]] == [
        "NotoSansSC",
        "NotoSansTC",
        "NotoSansJP",
        "NotoSansKR",
    ]
    assert all("SIL Open Font License" in face.licence for face in chain.faces[:4])


@pytest.mark.parametrize("character", ["壹", "贰", "叁", "肆", "·", "é", "A", " ", PLANE_2])
def test_ordinary_and_plane_two_characters_can_be_printed(character: str) -> None:
    face, glyph = REGULAR.find(character)
    assert face.glyph_of(character) == glyph


@pytest.mark.parametrize(
    ("character", "named"),
    [
        ("\ue863", "U+E863"),  # private use: what the gb18030 codec yields for some codes
        ("\U00030000", "U+30000"),  # Extension G
        ("\U000323b0", "U+323B0"),  # Extension J
        ("\n", "U+000A"),
        ("\ud800", "U+D800"),
        ("\u200b", "U+200B"),
        ("\U000e0100", "U+E0100"),  # a variation selector
    ],
)
def test_a_character_no_face_prints_is_refused_by_name(character: str, named: str) -> None:
    with pytest.raises(UnprintableCharacter, match=named.replace("+", r"\+")) as refused:
        REGULAR.check(["陈守田", f"王{character}"])
    assert refused.value.character == character


def test_a_later_face_prints_what_the_first_cannot() -> None:
    later = [
        character
        for character in map(chr, sorted(REGULAR.faces[1].characters))
        if ord(character) not in REGULAR.main.characters
    ]
    assert REGULAR.find(later[-1])[0].postscript_name.startswith("NotoSansTC")


@given(st.text(st.sampled_from([chr(c) for c in REGULAR.main.characters]), max_size=12))
def test_a_subset_keeps_every_outline_and_width(text: str) -> None:
    subset = Subset(REGULAR.main, "ABCDEF")
    wanted = {}
    for character in text:
        glyph = REGULAR.main.glyph_of(character)
        if glyph is not None:
            wanted[subset.code(character, glyph)] = character
    embedded = TTFont(io.BytesIO(REGULAR.main.program(subset.glyphs)))
    source = source_font()
    names = embedded.getGlyphOrder()
    for code, character in wanted.items():
        original = source.getBestCmap()[ord(character)]
        assert outline_points(embedded, names[code]) == outline_points(source, original)
        assert embedded["hmtx"][names[code]] == source["hmtx"][original]


def outline_points(font: TTFont, name: str) -> object:
    coordinates, ends, flags = font["glyf"][name].getCoordinates(font["glyf"])
    return list(coordinates), list(ends), list(flags)


def test_composite_glyphs_bring_their_components() -> None:
    glyph = REGULAR.main.glyph_of("é")
    assert glyph is not None
    subset = Subset(REGULAR.main, "ABCDEF")
    subset.code("é", glyph)
    embedded = TTFont(io.BytesIO(REGULAR.main.program(subset.glyphs)))
    source = source_font()
    assert outline(embedded, embedded.getGlyphOrder()[1])[0] is not None
    assert outline_points(embedded, embedded.getGlyphOrder()[1]) == outline_points(
        source, source.getBestCmap()[ord("é")]
    )


def test_two_characters_that_share_a_glyph_copy_out_apart() -> None:
    shared = Subset(REGULAR.main, "ABCDEF")
    assert shared.code("一", 5) != shared.code("⼀", 5)
    assert b"<0001> <4E00>\n<0002> <2F00>" in shared.to_unicode()


def test_a_plane_two_character_maps_to_its_surrogates() -> None:
    subset = Subset(REGULAR.main, "ABCDEF")
    subset.code("\U0002c386", 7)
    assert b"<0001> <D870DF86>" in subset.to_unicode()
