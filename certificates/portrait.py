"""The holder's portrait in the paper's size, with nothing of the original but its pixels."""

from io import BytesIO
from typing import BinaryIO

from PIL import Image, ImageOps

from certificates.pixels import UNREADABLE, in_eight_bits, is_of_the_disk, upright

SIZE = (413, 579)  # 35 × 49 mm at 300 dpi
ABOVE_CENTRE = (0.5, 0.35)  # heads stand in the upper part of a picture


class UnreadablePortrait(Exception):
    """There is no picture, or it cannot be read."""


def portrait(file: BinaryIO) -> bytes:
    """Return a picture as an upright baseline JPEG on white, cut to 5:7, without metadata."""
    try:
        with Image.open(file, formats=("JPEG", "PNG")) as picture:
            picture.draft("RGB", (SIZE[1], SIZE[1]))  # whichever side will be up
            fitted = ImageOps.fit(_on_white(upright(picture)), SIZE, centering=ABOVE_CENTRE)
    except (*UNREADABLE, Image.DecompressionBombError) as error:
        if is_of_the_disk(error):
            raise
        raise UnreadablePortrait from error
    fitted.info.clear()  # what Pillow would carry over: comment, colour profile
    out = BytesIO()
    fitted.save(out, "JPEG", quality=85, optimize=False, progressive=False)
    return out.getvalue()


def _on_white(picture: Image.Image) -> Image.Image:
    picture = in_eight_bits(picture)
    if picture.mode not in ("RGBA", "LA", "P"):
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    white = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(white, layered).convert("RGB")
