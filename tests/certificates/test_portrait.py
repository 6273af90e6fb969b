"""The portrait: the paper's size, upright, on white, and nothing else of the original."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest
from PIL import Image

from certificates.portrait import SIZE, UnreadablePortrait, portrait
from tests.certificates.making import picture
from tests.mobile_api.uploads.test_uploads_pictures import with_exif


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


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        pytest.param(b"\1\0\0\4", b"\1\0\0\1", id="a width of bytes"),
        pytest.param(b"\1\x0e\0\2", b"\1\x1a\0\2", id="a resolution in words"),
        pytest.param(b"\1\x1a\0\5", b"\1\x0d\0\5", id="a name in fractions"),
    ],
)
def test_a_photo_with_notes_of_the_wrong_kind_is_a_portrait_all_the_same(
    said: bytes, instead: bytes, tmp_path: Path
) -> None:
    assert opened(with_exif(said, instead), tmp_path).size == SIZE


def test_a_scan_in_65536_greys_keeps_them(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("I;16", (413, 579), 100 * 257).save(out, "PNG")
    assert opened(out.getvalue(), tmp_path).getpixel((5, 5)) == (100, 100, 100)


def test_a_disk_that_cannot_read_does_not_make_a_portrait_unusable() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, "the disk is broken")

    with pytest.raises(OSError, match="the disk is broken"):
        portrait(Broken(picture()))


def test_transparency_becomes_white(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (413, 579), (0, 0, 0, 0)).save(out, "PNG")
    assert opened(out.getvalue(), tmp_path).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("content", [b"", b"GIF89a", picture()[:600]])
def test_what_is_no_picture_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnreadablePortrait):
        portrait(io.BytesIO(content))
