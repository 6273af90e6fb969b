"""What QR codes stand in a picture that somebody sent."""

from __future__ import annotations

import json
import sys
from io import BytesIO

import zxingcpp
from PIL import Image, UnidentifiedImageError

from certificates import apart
from certificates.pixels import UNREADABLE, in_eight_bits

ENOUGH = (3000, 3000)
"""Pixels in which a code is read: a telephone's picture is opened at half its size or less."""
LARGEST_PIXELS = 40_000_000
"""A larger picture is not opened on a stranger's word."""
BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")
CONTAINER = b"ftyp"
"""Stands behind the first four bytes of a HEIC or AVIF, as telephones make them."""


def is_picture(content: bytes) -> bool:
    """Tell by its beginning whether a file is a picture, also one that nobody here can read."""
    return content.startswith(BEGINNINGS) or content[4:8] == CONTAINER


def codes_in(picture: bytes) -> list[str] | None:
    """Return the texts of the codes in a picture, None of a kind that nobody here can read.

    A picture can be made so that to look for a code in it takes hours: there is none. Raises
    `OSError` where it cannot be looked for now.
    """
    said = apart.run("certificates.scanning", content=picture)
    codes: list[str] | None = json.loads(said) if said is not None else []
    return codes


def read(picture: bytes) -> list[str] | None:
    """Read them in this very process."""
    try:
        with Image.open(BytesIO(picture)) as opened:
            opened.draft("L", ENOUGH)
            if opened.width * opened.height > LARGEST_PIXELS:
                return []
            shown = in_eight_bits(opened).convert("L")
    except UnidentifiedImageError:
        return None
    except (*UNREADABLE, MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return []
    only = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in zxingcpp.read_barcodes(shown, formats=only)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read(apart.given())))
