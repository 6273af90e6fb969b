"""Pictures that people bring: upright and in 256 steps, whatever their notes say or fail to say."""

from __future__ import annotations

import errno
import struct
from typing import Any

from PIL import ExifTags, Image

#: What Pillow raises on hostile input, beside the warnings that a strict process makes errors.
UNREADABLE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    UserWarning,
    ValueError,
    struct.error,
)
_OF_PILLOW = (None, errno.EINVAL)
# How each orientation of EXIF (CIPA DC-008, tag 0x0112) but the first is turned upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def is_of_the_disk(error: Exception) -> bool:
    """Tell whether a disk or store failed: what it cannot read now says nothing of the picture."""
    return isinstance(error, OSError) and error.errno not in _OF_PILLOW


def upright(picture: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF says; one whose EXIF nobody can read stays as it lies."""
    turn = _TURNS.get(_orientation(picture))
    return picture if turn is None else picture.transpose(turn)


def in_eight_bits(picture: Image.Image) -> Image.Image:
    """Return a scan in 65,536 greys in 256: Pillow takes all but its 256 darkest for white."""
    if not picture.mode.startswith("I"):
        return picture
    return picture.point(lambda grey: grey * (1 / 257)).convert("L")


def _orientation(picture: Image.Image) -> Any:
    try:
        return picture.getexif().get(ExifTags.Base.Orientation)
    except UNREADABLE:
        return None
