"""Our own drawings on the paper: frame, band, guilloche, seal. No official emblem is used.

Everything is drawn on a reportlab canvas handed in by `layout`, as paths only.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fontTools.pens.basePen import BasePen
from fontTools.pens.transformPen import TransformPen

from certificates.typeface import FontChain

Colour = tuple[float, float, float]

WHITE: Colour = (1, 1, 1)
INK: Colour = (0.11, 0.13, 0.12)
MUTED: Colour = (0.42, 0.45, 0.44)
HAIRLINE: Colour = (0.82, 0.83, 0.82)
GOLD: Colour = (0.72, 0.58, 0.30)
VERMILION: Colour = (0.80, 0.13, 0.12)
GREEN: Colour = (0.07, 0.33, 0.25)
RED: Colour = (0.55, 0.09, 0.13)


def tint(colour: Colour, share: float) -> Colour:
    """Mix a colour with white; `share` 1 leaves it, 0 is white (no transparency in the file)."""
    return tuple(1 - share * (1 - c) for c in colour)  # type: ignore[return-value]


def shade(colour: Colour, share: float) -> Colour:
    """Lighten a dark colour by `share` towards white."""
    return tint(colour, 1 - share)


class _PathPen(BasePen):  # type: ignore[misc]
    """Adds glyph outlines to a reportlab path."""

    def __init__(self, path: Any) -> None:
        super().__init__(None)
        self._path = path

    def _moveTo(self, pt: tuple[float, float]) -> None:  # noqa: N802
        self._path.moveTo(*pt)

    def _lineTo(self, pt: tuple[float, float]) -> None:  # noqa: N802
        self._path.lineTo(*pt)

    def _curveToOne(self, p1: Any, p2: Any, p3: Any) -> None:  # noqa: N802
        self._path.curveTo(*p1, *p2, *p3)

    def _closePath(self) -> None:  # noqa: N802
        self._path.close()


@contextmanager
def _state(canvas: Any) -> Iterator[None]:
    canvas.saveState()
    yield
    canvas.restoreState()


@dataclass(frozen=True)
class Outliner:
    """Draws words as outlines: part of a picture, never part of the text."""

    chain: FontChain

    def glyph(self, canvas: Any, character: str, matrix: tuple[float, ...]) -> None:
        """Fill one character, transformed from em units by `matrix`."""
        path = canvas.beginPath()
        face, _ = self.chain.find(character)
        a, b, c, d, e, f = matrix
        scale = 1 / face.units
        pen = TransformPen(_PathPen(path), (a * scale, b * scale, c * scale, d * scale, e, f))
        face.draw(character, pen)
        canvas.drawPath(path, stroke=0, fill=1, fillMode=1)  # non-zero: overlapping strokes stay

    def centred(self, canvas: Any, text: str, x: float, y: float, size: float) -> None:
        """Fill a line of words centred on x."""
        at = x - self.chain.width(text) * size / 2
        for character in text:
            self.glyph(canvas, character, (size, 0, 0, size, at, y))
            at += self.chain.width(character) * size

    def on_arc(self, canvas: Any, text: str, radius: float, size: float, span: float) -> None:
        """Fill words along the upper arc of a circle around the origin, over `span` degrees.

        Of a long name each character is narrower, as on any seal.
        """
        step = span / max(len(text) - 1, 1)
        narrow = min(0.92, 0.96 * radius * math.radians(step) / size)
        for index, character in enumerate(text):
            angle = math.radians(90 + span / 2 - index * step)
            turn = angle - math.pi / 2
            cos, sin = math.cos(turn) * size, math.sin(turn) * size
            half = self.chain.width(character) / 2 * narrow
            x = radius * math.cos(angle) - cos * half
            y = radius * math.sin(angle) - sin * half
            self.glyph(canvas, character, (cos * narrow, sin * narrow, -sin, cos, x, y))


def frame(canvas: Any, width: float, height: float, colour: Colour, inset: float) -> None:
    """Draw the double line around the page."""
    with _state(canvas):
        canvas.setStrokeColorRGB(*colour)
        for extra, weight in ((0, 1.1), (3.2, 0.35)):
            at = inset + extra
            canvas.setLineWidth(weight)
            canvas.rect(at, at, width - 2 * at, height - 2 * at)


def guilloche(
    canvas: Any, box: tuple[float, float, float, float], colour: Colour, lines: int = 11
) -> None:
    """Draw interlaced waves within a box (x, y, width, height)."""
    x, y, width, height = box
    with _state(canvas):
        clip = canvas.beginPath()
        clip.rect(x, y, width, height)
        canvas.clipPath(clip, stroke=0, fill=0)
        canvas.setStrokeColorRGB(*colour)
        canvas.setLineWidth(0.3)
        for index in range(lines):
            _wave(canvas, box, index / lines)


def _wave(canvas: Any, box: tuple[float, float, float, float], phase: float) -> None:
    x, y, width, height = box
    steps = 96
    path = canvas.beginPath()
    for step in range(steps + 1):
        t = step / steps
        swing = math.sin(2 * math.pi * (2.5 * t + phase)) * math.cos(2 * math.pi * (t + phase) / 2)
        point = x + width * t, y + height * (0.5 + 0.46 * swing)
        (path.lineTo if step else path.moveTo)(*point)
    canvas.drawPath(path, stroke=1, fill=0)


def rosette(canvas: Any, x: float, y: float, radius: float, colour: Colour) -> None:
    """Draw a fine rosette: a rose curve wound between two circles."""
    with _state(canvas):
        canvas.setStrokeColorRGB(*colour)
        canvas.setLineWidth(0.28)
        for turn in range(6):
            path = canvas.beginPath()
            for step in range(241):
                t = 2 * math.pi * step / 240
                r = radius * (0.72 + 0.28 * math.cos(12 * t + turn * math.pi / 3))
                point = x + r * math.cos(t), y + r * math.sin(t)
                (path.lineTo if step else path.moveTo)(*point)
            path.close()
            canvas.drawPath(path, stroke=1, fill=0)


def seal(canvas: Any, outliner: Outliner, issuer: str, foot: str, radius: float) -> None:
    """Draw the round seal around the origin: issuer on the arc, a home with an open door."""
    with _state(canvas):
        canvas.setStrokeColorRGB(*VERMILION)
        canvas.setFillColorRGB(*VERMILION)
        canvas.setLineWidth(radius * 0.045)
        canvas.circle(0, 0, radius * 0.975)
        canvas.setLineWidth(radius * 0.012)
        canvas.circle(0, 0, radius * 0.915)
        span = min(232.0, 21.5 * max(len(issuer) - 1, 1))
        outliner.on_arc(canvas, issuer, radius * 0.665, min(15.0, radius * 0.235), span)
        outliner.centred(canvas, foot, 0, -radius * 0.66, radius * 0.165)
        _home(canvas, radius * 0.36)


def _home(canvas: Any, size: float) -> None:
    """Draw a house whose door is open and from which a path leads to the reader."""
    canvas.setLineWidth(size * 0.16)
    canvas.setLineCap(1)
    canvas.setLineJoin(1)
    roof = canvas.beginPath()
    roof.moveTo(-size, size * 0.22)
    roof.lineTo(0, size * 1.02)
    roof.lineTo(size, size * 0.22)
    canvas.drawPath(roof, stroke=1, fill=0)
    walls = canvas.beginPath()
    walls.moveTo(-size * 0.68, size * 0.30)
    walls.lineTo(-size * 0.68, -size * 0.62)
    walls.moveTo(size * 0.68, size * 0.30)
    walls.lineTo(size * 0.68, -size * 0.62)
    canvas.drawPath(walls, stroke=1, fill=0)
    _heart(canvas, size * 0.46)


def _heart(canvas: Any, size: float) -> None:
    path = canvas.beginPath()
    path.moveTo(0, -size * 1.1)
    path.curveTo(-size * 1.9, size * 0.1, -size * 0.75, size * 1.25, 0, size * 0.45)
    path.curveTo(size * 0.75, size * 1.25, size * 1.9, size * 0.1, 0, -size * 1.1)
    path.close()
    canvas.drawPath(path, stroke=0, fill=1)


def watermark(canvas: Any, outliner: Outliner, text: str, x: float, y: float) -> None:
    """Draw pale words across the page, under everything else."""
    with _state(canvas):
        canvas.setFillColorRGB(*tint(INK, 0.05))
        canvas.translate(x, y)
        canvas.rotate(38)
        outliner.centred(canvas, text, 0, -34, 92)
