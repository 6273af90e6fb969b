"""Fonts kept open: which face prints a character, how wide, and a subset to embed.

reportlab's own TrueType embedding writes a wrong ToUnicode map beyond the basic plane, draws
missing glyphs as boxes and copies the whole glyf table per document; so the faces are read
here once and every document gets a small CIDFontType2 of the glyphs it uses (ISO 32000-1,
9.7.4 and 9.10.3).
"""

import mmap
import struct
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

from fontTools.ttLib import TTFont

from certificates.syntax import AddObject, stream

COMPOSITE_ARGS_ARE_WORDS, COMPOSITE_HAS_SCALE, COMPOSITE_MORE = 0x0001, 0x0008, 0x0020
COMPOSITE_HAS_XY_SCALE, COMPOSITE_HAS_TWO_BY_TWO = 0x0040, 0x0080
KEPT_TABLES = ("cvt ", "fpgm", "prep")


PACK = "pretix_fontpackfree"
PACK_REGULAR = ("SC_v*_regular", "TC_v*_regular", "JP_v*_regular", "KR_v*_regular")
PACK_BOLD = ("SC_v*_bold", "TC_v*_bold", "JP_v*_bold", "KR_v*_bold")
SYSTEM = (
    Path("/usr/share/fonts/truetype/hanazono/HanaMinB.ttf"),
    Path("/usr/share/fonts/truetype/hanazono/HanaMinA.ttf"),
)
"""Debian's fonts-hanazono: every rare character of GB 18030-2022 level 3, where installed."""


class UnprintableCharacter(ValueError):
    """No face of the chain can print this character, so the certificate cannot be issued."""

    def __init__(self, character: str) -> None:
        self.character = character
        name = unicodedata.name(character, "no name")
        super().__init__(f"no font prints “{character}” (U+{ord(character):04X}, {name})")


class Face:
    """One TrueType file, its tables mapped into memory and never copied."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        font = TTFont(self._file, lazy=True)
        if "glyf" not in font:
            raise ValueError(f"{path.name} has no TrueType outlines")
        # By number: to give 60,000 glyphs names of their own takes most of what opening does.
        font.setGlyphOrder([str(glyph) for glyph in range(font["maxp"].numGlyphs)])
        self.characters: dict[int, str] = font.getBestCmap()
        self.postscript_name: str = font["name"].getDebugName(6)
        self.licence: str = font["name"].getDebugName(13) or ""
        self.units: int = font["head"].unitsPerEm
        self.ascent: int = font["hhea"].ascent
        self.descent: int = font["hhea"].descent
        self.cap_height: int = getattr(font["OS/2"], "sCapHeight", 0) or self.ascent
        self.bounds = tuple(getattr(font["head"], k) for k in ("xMin", "yMin", "xMax", "yMax"))
        self._font = font
        self._locations = font["loca"].locations
        self._raw = {t: font.reader[t] for t in ("head", "hhea", "maxp", "hmtx")}
        self._kept = {t: font.reader[t] for t in KEPT_TABLES if t in font}
        self._metrics_count: int = font["hhea"].numberOfHMetrics
        self._glyf_at: int = font.reader.tables["glyf"].offset

    @property
    def resource(self) -> str:
        """Return the name under which a page's resources list the face."""
        return "".join(c for c in self.postscript_name if c.isalnum())

    def glyph_of(self, character: str) -> int | None:
        """Return the glyph of a character, or None when the face cannot print it."""
        name = self.characters.get(ord(character))
        if name is None:
            return None
        glyph: int = self._font.getGlyphID(name)
        if not self.outline(glyph) and unicodedata.category(character) != "Zs":
            return None  # mapped to an empty glyph: printing it would silently lose it
        return glyph if glyph else None

    def metrics(self, glyph: int) -> tuple[int, int]:
        """Return (advance width, left side bearing) in font units."""
        count, table = self._metrics_count, self._raw["hmtx"]
        if glyph < count:
            return struct.unpack_from(">Hh", table, 4 * glyph)
        (advance,) = struct.unpack_from(">H", table, 4 * (count - 1))
        (bearing,) = struct.unpack_from(">h", table, 4 * count + 2 * (glyph - count))
        return advance, bearing

    def outline(self, glyph: int) -> bytes:
        """Return the glyf entry of a glyph."""
        start, end = self._locations[glyph], self._locations[glyph + 1]
        return self._file[self._glyf_at + start : self._glyf_at + end]

    def draw(self, character: str, pen: object) -> float:
        """Draw a character's outline with a fontTools pen; return its advance in ems."""
        name = self.characters[ord(character)]
        glyphs = self._font.getGlyphSet()
        glyphs[name].draw(pen)
        return float(glyphs[name].width) / self.units

    def program(self, glyphs: Sequence[int]) -> bytes:
        """Build a TrueType program whose glyph n is `glyphs[n]` (ISO 32000-1, 9.9, table 126)."""
        order = list(glyphs)
        outlines: list[bytes] = []
        while len(outlines) < len(order):  # _renumber appends the components of composites
            outlines.append(_renumber(self.outline(order[len(outlines)]), order))
        return _assemble(self, order, outlines)


def _renumber(outline: bytes, order: list[int]) -> bytes:
    """Point a composite's components at their new numbers, appending those not yet in `order`.

    OpenType 1.9, 'glyf', composite glyph description.
    """
    if len(outline) < 10 or struct.unpack_from(">h", outline)[0] >= 0:
        return outline
    data, at, flags = bytearray(outline), 10, COMPOSITE_MORE
    while flags & COMPOSITE_MORE:
        flags, component = struct.unpack_from(">HH", data, at)
        if component not in order:
            order.append(component)
        struct.pack_into(">H", data, at + 2, order.index(component))
        at += 8 if flags & COMPOSITE_ARGS_ARE_WORDS else 6
        if flags & COMPOSITE_HAS_SCALE:
            at += 2
        elif flags & COMPOSITE_HAS_XY_SCALE:
            at += 4
        elif flags & COMPOSITE_HAS_TWO_BY_TWO:
            at += 8
    return bytes(data)


def _assemble(face: Face, order: Sequence[int], outlines: Sequence[bytes]) -> bytes:
    offsets, glyf = [0], bytearray()
    for outline in outlines:
        glyf += outline + b"\0" * (-len(outline) % 4)
        offsets.append(len(glyf))
    count = len(outlines)
    head = bytearray(face._raw["head"])
    struct.pack_into(">I", head, 8, 0)
    struct.pack_into(">h", head, 50, 1)  # long loca offsets
    hhea = bytearray(face._raw["hhea"])
    struct.pack_into(">H", hhea, 34, count)
    maxp = bytearray(face._raw["maxp"])
    struct.pack_into(">H", maxp, 4, count)
    tables = {
        "glyf": bytes(glyf),
        "head": bytes(head),
        "hhea": bytes(hhea),
        "hmtx": b"".join(struct.pack(">Hh", *face.metrics(g)) for g in order),
        "loca": struct.pack(f">{count + 1}I", *offsets),
        "maxp": bytes(maxp),
    } | face._kept
    return _sfnt(tables)


def _sfnt(tables: dict[str, bytes]) -> bytes:
    """Lay out a TrueType file (OpenType 1.9, table directory)."""
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    directory = struct.pack(
        ">IHHHH", 0x00010000, count, power * 16, power.bit_length() - 1, (count - power) * 16
    )
    at, body, head_at = 12 + 16 * count, bytearray(), 0
    for tag in sorted(tables):
        data = tables[tag]
        if tag == "head":
            head_at = at + len(body)
        directory += struct.pack(">4sIII", tag.encode(), _checksum(data), at + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    program = bytearray(directory + body)
    struct.pack_into(">I", program, head_at + 8, (0xB1B0AFBA - _checksum(program)) & 0xFFFFFFFF)
    return bytes(program)


def _checksum(data: bytes | bytearray) -> int:
    padded = bytes(data) + b"\0" * (-len(data) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}I", padded)
    return sum(words) & 0xFFFFFFFF


class FontChain:
    """Faces in order of preference; each character is printed by the first that can."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self._faces: dict[Path, Face] = {}
        self._found: dict[str, tuple[Face, int]] = {}
        self._widths: dict[str, float] = {}

    @cached_property
    def main(self) -> Face:
        """Open the first face, which also sets the page's ordinary metrics."""
        return self._open(self.paths[0])

    @property
    def faces(self) -> list[Face]:
        """Open every face of the chain."""
        return [self._open(path) for path in self.paths]

    def _open(self, path: Path) -> Face:
        if path not in self._faces:
            self._faces[path] = Face(path)
        return self._faces[path]

    def find(self, character: str) -> tuple[Face, int]:
        """Return (face, glyph) for a character or raise `UnprintableCharacter`."""
        if (found := self._found.get(character)) is not None:
            return found
        if unicodedata.category(character) in ("Co", "Cs", "Cc", "Cn"):
            raise UnprintableCharacter(character)
        for path in self.paths:
            face = self._open(path)
            if (glyph := face.glyph_of(character)) is not None:
                self._found[character] = face, glyph
                return face, glyph
        raise UnprintableCharacter(character)

    def check(self, texts: Iterable[str]) -> None:
        """Raise `UnprintableCharacter` for the first character no face can print."""
        for text in texts:
            for character in text:
                self.find(character)

    def width(self, text: str) -> float:
        """Measure a text in ems."""
        return sum(map(self.advance, text))

    def advance(self, character: str) -> float:
        """Measure one character in ems; kept, for most are met again."""
        if (width := self._widths.get(character)) is None:
            face, glyph = self.find(character)
            width = self._widths[character] = face.metrics(glyph)[0] / face.units
        return width


class Subset:
    """The glyphs one document uses of one face, numbered from 1 in order of first use."""

    def __init__(self, face: Face, tag: str) -> None:
        self.face = face
        self.tag = tag
        self.codes: dict[str, int] = {}
        self.glyphs = [0]

    def code(self, character: str, glyph: int) -> int:
        """Return the CID of a character.

        Two characters sharing a glyph get a CID each, so that both copy out as they went in.
        """
        code = self.codes.get(character)
        if code is None:
            code = self.codes[character] = len(self.glyphs)
            self.glyphs.append(glyph)
        return code

    @property
    def name(self) -> str:
        """Return the subset's PostScript name (ISO 32000-1, 9.6.4)."""
        return f"{self.tag}+{self.face.postscript_name}"

    def widths(self) -> str:
        """Return the W array in thousandths of an em (ISO 32000-1, 9.7.4.3)."""
        face = self.face
        widths = (round(face.metrics(g)[0] * 1000 / face.units) for g in self.glyphs)
        return f"[0[{' '.join(map(str, widths))}]]"

    def to_unicode(self) -> bytes:
        """Return the ToUnicode CMap; characters beyond the BMP as surrogate pairs (9.10.3)."""
        rows = [
            f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>"
            for character, code in self.codes.items()
        ]
        blocks = [rows[i : i + 100] for i in range(0, len(rows), 100)]
        maps = "".join(
            f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar\n" for block in blocks
        )
        return (
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo <</Registry (Adobe)/Ordering (UCS)/Supplement 0>> def\n"
            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
            f"{maps}endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
        ).encode()

    def write(self, add: AddObject) -> int:
        """Write the font as a Type 0 font through `add`; return its object number."""
        face, scale = self.face, 1000 / self.face.units
        program = face.program(self.glyphs)
        file = add(stream(program, f"/Length1 {len(program)}"))
        box = " ".join(str(round(v * scale)) for v in face.bounds)
        descriptor = add(
            f"<</Type/FontDescriptor/FontName/{self.name}/Flags 4/FontBBox[{box}]/ItalicAngle 0"
            f"/Ascent {round(face.ascent * scale)}/Descent {round(face.descent * scale)}"
            f"/CapHeight {round(face.cap_height * scale)}/StemV 80/FontFile2 {file} 0 R>>".encode()
        )
        descendant = add(
            f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{self.name}"
            "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
            f"/FontDescriptor {descriptor} 0 R/DW 1000/W {self.widths()}"
            "/CIDToGIDMap/Identity>>".encode()
        )
        unicode_map = add(stream(self.to_unicode()))
        return add(
            f"<</Type/Font/Subtype/Type0/BaseFont/{self.name}/Encoding/Identity-H"
            f"/DescendantFonts[{descendant} 0 R]/ToUnicode {unicode_map} 0 R>>".encode()
        )


@lru_cache(maxsize=4)
def chains(extra: tuple[Path, ...] = ()) -> tuple[FontChain, FontChain]:
    """Return the (regular, bold) chains: the font package, `extra` files, rare-character fonts.

    Fonts are opened once per process; a file that is absent is left out.
    """
    rare = [path for path in (*extra, *SYSTEM) if path.is_file()]
    return tuple(  # type: ignore[return-value]
        FontChain([*_packed(patterns), *rare]) for patterns in (PACK_REGULAR, PACK_BOLD)
    )


def _packed(patterns: Sequence[str]) -> list[Path]:
    spec = find_spec(PACK)
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(spec.submodule_search_locations[0]) / "static" / PACK
    return [path for p in patterns for path in sorted(folder.glob(f"Noto-Sans-{p}.ttf"))[-1:]]
