"""The portrait: the paper's size, upright, on white, and nothing else of the original."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from certificates.portrait import SIZE, UnreadablePortrait, portrait
from tests.certificates.making import picture


def opened(content: bytes, tmp_path: Path) -> Image.Image:
    return Image.open(io.BytesIO(portrait(io.BytesIO(content))))


@pytest.mark.parametrize("size", [(413, 579), (3000, 4000), (4000, 3000), (50, 60)])
def test_any_photo_becomes_35_by_49_mm(size: tuple[int, int], tmp_path: Path) -> None:
    made = opened(picture(size), tmp_path)
    assert (made.format, made.mode, made.size) == ("JPEG", "RGB", SIZE)


def test_position_and_camera_do_not_stay(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif[0x8825] = {1: "N"}
    made = opened(picture(exif=exif, comment=b"a comment"), tmp_path)
    assert made.getexif() == {}
    assert set(made.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_photo_taken_sideways_stands_upright(tmp_path: Path) -> None:
    sideways = Image.new("RGB", (600, 400), "white")
    sideways.paste("red", (0, 0, 200, 400))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    out = io.BytesIO()
    sideways.save(out, "JPEG", exif=exif)
    made = opened(out.getvalue(), tmp_path)
    top, bottom = made.getpixel((200, 20)), made.getpixel((200, 560))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert (top[1] < 60, bottom[1] > 200) == (True, True)


def test_transparency_becomes_white(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (413, 579), (0, 0, 0, 0)).save(out, "PNG")
    assert opened(out.getvalue(), tmp_path).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("content", [b"", b"GIF89a", picture()[:600]])
def test_what_is_no_picture_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnreadablePortrait):
        portrait(io.BytesIO(content))
