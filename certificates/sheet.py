"""One page's operators: text in the document's fonts, every mark tagged or an artifact."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from certificates.art import INK, MUTED, Colour
from certificates.syntax import number, text_string
from certificates.typeface import FontChain, Subset


@dataclass(slots=True)
class Inks:
    """The fonts of one document: shared subsets, drawn on first, and extra ones for the rest."""

    regular: FontChain
    bold: FontChain
    shared: tuple[Subset, Subset]
    is_open: bool
    extra: dict[str, Subset] = field(default_factory=dict)

    def runs(self, text: str, bold: bool) -> list[tuple[str, str]]:
        """Split a text into (font resource, hexadecimal codes) runs."""
        runs: list[tuple[str, str]] = []
        for character in text:
            name, code = self._code(character, bold)
            if runs and runs[-1][0] == name:
                runs[-1] = name, runs[-1][1] + code
            else:
                runs.append((name, code))
        return runs

    def _code(self, character: str, bold: bool) -> tuple[str, str]:
        subset = self.shared[bold]
        code = subset.codes.get(character)
        if code is not None:
            return f"F{int(bold)}", f"{code:04X}"
        face, glyph = (self.bold if bold else self.regular).find(character)
        if self.is_open and face is subset.face:
            return f"F{int(bold)}", f"{subset.code(character, glyph):04X}"
        if face.resource not in self.extra:
            self.extra[face.resource] = Subset(face, tag_of(face.resource))
        return face.resource, f"{self.extra[face.resource].code(character, glyph):04X}"


def tag_of(seed: str) -> str:
    """Make the six letters that mark a subset (ISO 32000-1, 9.6.4)."""
    return "".join(chr(65 + byte % 26) for byte in sha256(seed.encode()).digest()[:6])


@dataclass(slots=True)
class Sheet:
    """One page's content stream, every operator in a tag or marked as artifact."""

    inks: Inks
    next_mark: int = 0
    ops: list[str] = field(default_factory=list)

    def content(self) -> bytes:
        """Return the content stream."""
        return "\n".join(self.ops).encode()

    def artifact(self, operators: str) -> None:
        """Add decoration that nobody needs to hear about."""
        self.ops += ["/Artifact BMC q", operators, "Q EMC"]

    def figure(self, operators: str) -> int:
        """Add a picture; return its mark."""
        self.next_mark += 1
        self.ops += [f"/Figure <</MCID {self.next_mark - 1}>> BDC q", operators, "Q EMC"]
        return self.next_mark - 1

    def write(
        self,
        lines: Sequence[tuple[float, float, str]],
        size: float,
        colour: Colour = INK,
        *,
        bold: bool = False,
        tracking: float = 0.0,
    ) -> int:
        """Set lines of text at (x, baseline) as one marked-content sequence; return its mark."""
        mark, self.next_mark = self.next_mark, self.next_mark + 1
        actual = "".join(text for _, _, text in lines)
        spoken = f"/ActualText {text_string(actual)}" if tracking or len(lines) > 1 else ""
        self.ops.append(f"/Span <</MCID {mark}{spoken}>> BDC BT")
        self.ops.append(f"{' '.join(map(number, colour))} rg {number(tracking)} Tc")
        for x, y, text in lines:
            self.ops.append(f"1 0 0 1 {number(x)} {number(y)} Tm")
            for font, codes in self.inks.runs(text, bold):
                self.ops.append(f"/{font} {number(size)} Tf <{codes}> Tj")
        self.ops.append("ET EMC")
        return mark

    def pair(
        self,
        x: float,
        y: float,
        words: tuple[str, str],
        sizes: tuple[float, float],
        colours: tuple[Colour, Colour] = (MUTED, MUTED),
        *,
        bold: bool = False,
        gap: float = 5.0,
    ) -> tuple[int, ...]:
        """Set Chinese words and the English ones behind them; return their marks."""
        chain = self.inks.bold if bold else self.inks.regular
        first = self.write([(x, y, words[0])], sizes[0], colours[0], bold=bold)
        if not words[1]:
            return (first,)
        behind = x + chain.width(words[0]) * sizes[0] + gap
        return first, self.write([(behind, y, words[1])], sizes[1], colours[1])
