"""Generated pictures in place of photos: drawn figures with a grain, about 100 kB each.

The same key and kind give the same picture, another key another one; each is a JPEG of more
than one and at most two chunks of 64 KiB. Wherever it is no portrait it says 演示.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFont

from outreach.domain.vocabulary import EvidenceKind, Sex

K = EvidenceKind
Colour = tuple[int, int, int]

PORTRAIT = (600, 840)  # two inches: 35 × 49 mm
SCENE = (720, 540)
WHITE = (255, 255, 255)
#: Grain of a portrait and of a scene, and the JPEG quality, by which about 100 kB come out.
_GRAIN = {PORTRAIT: (15, 88), SCENE: (30, 86)}

_SKIN: tuple[Colour, ...] = ((224, 188, 160), (206, 168, 138), (190, 150, 122))
_CLOTH: tuple[Colour, ...] = ((70, 90, 120), (110, 70, 70), (80, 100, 80), (120, 110, 90))
_WALL: tuple[Colour, ...] = ((214, 206, 190), (200, 204, 196), (222, 212, 204))
_INK = (40, 40, 48)


def picture(kind: EvidenceKind, key: str, *, sex: Sex = Sex.MALE, age: int = 60) -> bytes:
    """Draw the picture of one kind for one evaluation (or another key) as a JPEG."""
    rng = Random(f"{kind}:{key}")
    size = PORTRAIT if kind == K.PORTRAIT else SCENE
    image = Image.new("RGB", size, WHITE)
    pen = ImageDraw.Draw(image)
    _SCENES[kind](pen, rng, sex, age)
    if kind != K.PORTRAIT:
        image.paste(_INK, (18, 14), _label())
    strength, quality = _GRAIN[size]
    return _jpeg(_grained(image, rng, strength), quality)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _grained(image: Image.Image, rng: Random, strength: int) -> Image.Image:
    """Lay a film grain over the picture: it makes the bytes unique and of a photo's weight."""
    width, height = image.size[0] // 2, image.size[1] // 2
    noise = Image.frombytes("L", (width, height), rng.randbytes(width * height))
    flat = noise.point([round(strength * value / 255) for value in range(256)])
    grain = flat.resize(image.size, Image.Resampling.NEAREST)
    return ImageChops.subtract(image, Image.merge("RGB", (grain, grain, grain)))


@cache
def _label() -> Image.Image:
    """The mask of the word 演示, set once."""
    spec = find_spec("pretix_fontpackfree")
    if spec is None or spec.origin is None:
        raise RuntimeError("The package pretix-fontpack-free is not installed.")
    (face,) = Path(spec.origin).parent.glob("static/*/*-SC_v*_bold.ttf")
    font = ImageFont.truetype(str(face), 44)
    mask = Image.new("L", (120, 64), 0)
    ImageDraw.Draw(mask).text((4, 0), "演示", fill=255, font=font)
    return mask


def _portrait(pen: ImageDraw.ImageDraw, rng: Random, sex: Sex, age: int) -> None:
    """Head and shoulders on white, bare-headed."""
    skin, cloth = rng.choice(_SKIN), rng.choice(_CLOTH)
    wide, long = rng.randint(105, 125), rng.randint(145, 165)
    hair = _hair(age, rng)
    pen.ellipse((80, 560, 520, 1100), fill=cloth)
    pen.polygon([(250, 560), (350, 560), (300, 650)], fill=WHITE)
    pen.rectangle((262, 470, 338, 580), fill=skin)
    if sex == Sex.FEMALE:
        pen.ellipse((300 - wide - 22, 180, 300 + wide + 22, 470), fill=hair)
    pen.ellipse((300 - wide, 350 - long, 300 + wide, 350 + long), fill=skin)
    pen.pieslice((300 - wide, 345 - long, 300 + wide, 345 + long // 2), 190, 350, fill=hair)
    for eye in (252, 348):
        pen.ellipse((eye - 14, 338, eye + 14, 354), fill=WHITE)
        pen.ellipse((eye - 7, 338, eye + 7, 354), fill=_INK)
        pen.arc((eye - 26, 306, eye + 26, 346), 200, 340, fill=hair, width=5)
    pen.line([(300, 350), (292, 400), (304, 402)], fill=_darker(skin), width=4)
    pen.arc((262, 400, 338, 450), 20, 160, fill=(150, 70, 70), width=6)
    if age >= 60:
        for dy in (-58, -44):
            pen.arc((240, 300 + dy, 360, 340 + dy), 200, 340, fill=_darker(skin), width=3)


def _whole_body(pen: ImageDraw.ImageDraw, rng: Random, _sex: Sex, age: int) -> None:
    """Somebody sitting on the edge of a bed."""
    _room(pen, rng)
    skin, cloth, trousers = rng.choice(_SKIN), rng.choice(_CLOTH), (60, 62, 74)
    _bed(pen, rng)
    at = rng.randint(300, 420)
    pen.line([(at, 345), (at + 62, 352), (at + 66, 470)], fill=trousers, width=34)
    pen.rounded_rectangle((at - 44, 190, at + 40, 352), 26, fill=cloth)
    pen.line([(at - 30, 225), (at - 62, 300), (at + 20, 330)], fill=_darker(cloth), width=24)
    pen.ellipse((at - 36, 108, at + 34, 190), fill=skin)
    pen.pieslice((at - 38, 104, at + 36, 176), 180, 350, fill=_hair(age, rng))
    pen.ellipse((at + 42, 462, at + 96, 486), fill=_INK)


def _affected_part(pen: ImageDraw.ImageDraw, rng: Random, _sex: Sex, _age: int) -> None:
    """A limb with a swollen joint on a sheet, a scale beside it."""
    pen.rectangle((0, 0, *SCENE), fill=rng.choice(_WALL))
    skin, bend = rng.choice(_SKIN), rng.randint(-50, 50)
    pen.line([(70, 300), (360, 290 + bend), (660, 310)], fill=skin, width=96, joint="curve")
    swollen = rng.randint(58, 84)
    pen.ellipse((360 - swollen, 290 + bend - swollen, 360 + swollen, 290 + bend + swollen), skin)
    for ring in range(3):
        inner = swollen - 16 - 12 * ring
        box = (360 - inner, 290 + bend - inner, 360 + inner, 290 + bend + inner)
        pen.arc(box, 200, 330, fill=_darker(skin), width=4)
    for mark in range(24):
        pen.line([(70 + 24 * mark, 470), (70 + 24 * mark, 490 + 12 * (mark % 5 == 0))], _INK, 2)
    pen.line([(70, 470), (646, 470)], fill=_INK, width=3)


def _environment(pen: ImageDraw.ImageDraw, rng: Random, _sex: Sex, _age: int) -> None:
    """A farmhouse in the hills."""
    pen.rectangle((0, 0, SCENE[0], 400), fill=(188, 208, 224))
    for hill in range(3):
        left = rng.randint(-120, 80) + 240 * hill
        pen.ellipse((left, 170 + 20 * hill, left + 420, 480), fill=(120, 150 - 12 * hill, 110))
    pen.rectangle((0, 400, *SCENE), fill=(150, 132, 104))
    at = rng.randint(150, 300)
    pen.rectangle((at, 260, at + 260, 440), fill=rng.choice(_WALL))
    pen.polygon([(at - 30, 262), (at + 130, 180), (at + 290, 262)], fill=(92, 78, 72))
    pen.rectangle((at + 100, 330, at + 160, 440), fill=(96, 66, 44))
    for window in (at + 30, at + 190):
        pen.rectangle((window, 310, window + 44, 360), fill=(70, 84, 96))
    for step in range(rng.randint(2, 5)):
        pen.rectangle((at + 90, 440 + 12 * step, at + 170, 450 + 12 * step), fill=(120, 116, 110))


def _document(pen: ImageDraw.ImageDraw, rng: Random, _sex: Sex, _age: int) -> None:
    """A paper on a table, its lines unreadable."""
    pen.rectangle((0, 0, *SCENE), fill=(126, 98, 72))
    tilt = rng.randint(-18, 18)
    pen.polygon([(160 + tilt, 60), (560, 60 + tilt), (560 - tilt, 500), (160, 500 - tilt)], WHITE)
    for line in range(12):
        length = rng.randint(180, 340)
        pen.line([(200, 110 + 30 * line), (200 + length, 110 + 30 * line)], (150, 150, 156), 8)


def _signature(pen: ImageDraw.ImageDraw, rng: Random, _sex: Sex, _age: int) -> None:
    """A finger-drawn scribble."""
    points = [(90 + 36 * n, 290 + rng.randint(-90, 90)) for n in range(16)]
    pen.line(points, fill=_INK, width=7, joint="curve")


def _room(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    wall = rng.choice(_WALL)
    pen.rectangle((0, 0, SCENE[0], 430), fill=wall)
    pen.rectangle((0, 430, *SCENE), fill=(140, 124, 108))
    left = rng.randint(480, 580)
    pen.rectangle(
        (left, 70, left + 110, 200), fill=(196, 216, 228), outline=(120, 100, 80), width=8
    )


def _bed(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    pen.rectangle(
        (60, 340, 640, 420), fill=rng.choice(((168, 60, 60), (70, 96, 140), (96, 130, 96)))
    )
    pen.rectangle((50, 280, 70, 480), fill=(96, 70, 50))
    pen.rectangle((630, 300, 650, 480), fill=(96, 70, 50))
    pen.rounded_rectangle((80, 308, 200, 348), 16, fill=(236, 232, 222))


def _hair(age: int, rng: Random) -> Colour:
    shade = min(205, max(36, (age - 40) * 5)) + rng.randint(-10, 10)
    return (shade, shade, shade + 4)


def _darker(colour: Colour) -> Colour:
    red, green, blue = colour
    return (red * 3 // 4, green * 3 // 4, blue * 3 // 4)


_SCENES: dict[EvidenceKind, Callable[[ImageDraw.ImageDraw, Random, Sex, int], None]] = {
    K.PORTRAIT: _portrait,
    K.WHOLE_BODY: _whole_body,
    K.AFFECTED_PART: _affected_part,
    K.ENVIRONMENT: _environment,
    K.DOCUMENT: _document,
    K.SIGNATURE_RESIDENT: _signature,
    K.SIGNATURE_ASSESSOR: _signature,
}
