"""What may become evidence: whole JPEG and PNG pictures of a size that can be opened."""

from __future__ import annotations

import errno
import io
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageDraw, PngImagePlugin

from mobile_api.photos import Picture, examine, kept_thumbnail, thumbnail
from mobile_api.problems import Problem
from outreach.files import SealedStorage, local_files, photo_name
from outreach.files.stream import Read
from outreach.models import StoredBlob
from tests.mobile_api.uploading import digest, jpeg, metadata, png, refused

LIMIT = 50_000_000
WHOLE = {"jpeg": jpeg(), "progressive": jpeg(progressive=True), "png": png()}
on_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def saved(picture: Image.Image, kind: str, **saving: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **saving)
    return out.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def claiming(width: int, height: int, content: bytes = b"") -> bytes:
    """Return a PNG of a few bytes that claims to be as large as that."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = [png_chunk(b"IHDR", header), content, png_chunk(b"IDAT", zlib.compress(b"\0"))]
    return b"\x89PNG\r\n\x1a\n" + b"".join([*parts, png_chunk(b"IEND", b"")])


#: Signature, header and end of a PNG, and nothing between.
NO_PIXELS = claiming(4, 4)[:33] + png_chunk(b"IEND", b"")


def jpeg_claiming(width: int, height: int) -> bytes:
    content = bytearray(WHOLE["jpeg"])
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def examined(folder: Path, content: bytes) -> Picture | str:
    try:
        return examine(BytesIO(content), max_pixels=LIMIT)
    except Problem as problem:
        return problem.slug


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_picture_is_told_by_type_and_size(tmp_path: Path, name: str):
    content = WHOLE[name]

    kind = "image/png" if name == "png" else "image/jpeg"
    assert examined(tmp_path, content) == Picture(kind, 64, 48, len(content))


@pytest.mark.parametrize("name", WHOLE)
@on_one_folder
@given(data=st.data())
def test_a_picture_cut_anywhere_is_refused(tmp_path: Path, name: str, data: st.DataObject):
    cut = data.draw(st.integers(0, len(WHOLE[name]) - 1))

    assert examined(tmp_path, WHOLE[name][:cut]) == "not-a-picture"


@pytest.mark.parametrize("name", WHOLE)
@on_one_folder
@given(data=st.data())
def test_no_damage_gets_past_the_two_answers(tmp_path: Path, name: str, data: st.DataObject):
    content = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    answer = examined(tmp_path, bytes(content))

    assert answer == "not-a-picture" or isinstance(answer, Picture)


def with_exif(said: bytes = b"", instead: bytes = b"") -> bytes:
    """Return a JPEG that lies on its side, with notes in EXIF of which one may be misnamed."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageWidth] = 64
    exif[ExifTags.Base.ImageDescription] = "a note"
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.XResolution] = 72.0
    return jpeg(exif=exif).replace(said, instead, 1) + b"a trailer"


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        pytest.param(b"", b"", id="sound"),
        pytest.param(b"\1\0\0\4", b"\1\0\0\1", id="a width of bytes"),
        pytest.param(b"\1\x0e\0\2", b"\1\x1a\0\2", id="a resolution in words"),
        pytest.param(b"\1\x1a\0\5", b"\1\x0d\0\5", id="a name in fractions"),
    ],
)
def test_a_photo_with_notes_of_the_wrong_kind_is_a_photo_all_the_same(
    tmp_path: Path, said: bytes, instead: bytes
):
    content = with_exif(said, instead)

    assert examined(tmp_path, content) == Picture("image/jpeg", 64, 48, len(content))
    assert small(content).size == (30, 40)


@pytest.mark.filterwarnings("ignore::UserWarning")  # as a server has it
@pytest.mark.parametrize("start", [b"MM\0", b"II*\0", b"\0\0\0\0\0\0\0\0"])
def test_a_photo_whose_exif_cannot_be_read_is_shown_as_it_lies(tmp_path: Path, start: bytes):
    exif = b"Exif\0\0" + start
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    content = WHOLE["jpeg"][:2] + segment + WHOLE["jpeg"][2:] + b"a trailer"

    assert examined(tmp_path, content) == Picture("image/jpeg", 64, 48, len(content))
    assert small(content).size == (40, 30)


def test_a_disk_that_cannot_read_does_not_make_a_photo_unusable(tmp_path: Path):
    class Broken(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 1_000:
                raise OSError(errno.EIO, "the disk is broken")
            return super().read(size)

    with pytest.raises(OSError, match="the disk is broken"):
        examine(Broken(WHOLE["jpeg"]), max_pixels=LIMIT)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xd9", id="only an end"),
        pytest.param(b"%PDF-1.7\n", id="PDF"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="SVG"),
        pytest.param(saved(Image.new("RGB", (9, 9)), "GIF"), id="GIF"),
        pytest.param(saved(Image.new("RGB", (9, 9)), "TIFF"), id="TIFF"),
        pytest.param(saved(Image.new("RGB", (9, 9)), "BMP"), id="BMP"),
        pytest.param(saved(Image.new("RGB", (9, 9)), "WEBP"), id="WebP"),
        pytest.param(NO_PIXELS, id="PNG without pixels"),
        pytest.param(claiming(20_000, 10_000), id="200 megapixels"),
        pytest.param(claiming(10_000, 6_000), id="60 megapixels"),
        pytest.param(claiming(10_000, 10_000), id="100 megapixels"),
        pytest.param(claiming(2**31 - 1, 2**31 - 1), id="as large as PNG can say"),
        pytest.param(jpeg_claiming(65_000, 65_000), id="JPEG of 4 gigapixels"),
        pytest.param(
            claiming(1, 1, png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(50_000_000)))),
            id="text that unpacks to 50 MB",
        ),
    ],
)
def test_what_is_not_a_picture_within_limits_is_refused(tmp_path: Path, content: bytes):
    assert examined(tmp_path, content) == "not-a-picture"


def test_the_pixel_limit_itself_is_accepted(tmp_path: Path):
    assert examined(tmp_path, claiming(10_000, 5_000)) == Picture(
        "image/png", 10_000, 5_000, len(claiming(10_000, 5_000))
    )


def test_a_jpeg_with_something_behind_its_end_is_whole(tmp_path: Path):
    content = WHOLE["jpeg"] + b"a maker's own trailer"

    assert examined(tmp_path, content) == Picture("image/jpeg", 64, 48, len(content))


def test_a_jpeg_of_several_pictures_is_its_first(tmp_path: Path):
    second = Image.new("RGB", (10, 10))
    content = saved(Image.new("RGB", (64, 48)), "MPO", save_all=True, append_images=[second])

    assert examined(tmp_path, content) == Picture("image/jpeg", 64, 48, len(content))


class TestOverHttp:
    pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mobile_api.uploading")]

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (WHOLE["jpeg"][:-50], "image/jpeg"),
            (claiming(20_000, 10_000), "image/png"),
            (WHOLE["png"], "image/jpeg"),
            (b"not a picture", "image/png"),
        ],
        ids=["cut", "200 megapixels", "another type than declared", "text"],
    )
    def test_a_refused_file_is_discarded_with_its_upload(self, tablet, content, kind):
        declared = metadata(digest(content), kind)
        where = tablet.create(content, Upload_Metadata=declared)["Location"]

        answer = tablet.patch(where, content, 0)

        assert refused(answer) == (422, "not-a-picture")
        assert tablet.offset(where) is None
        assert tablet.stored(content) is None
        assert StoredBlob.objects.count() == 0

    def test_a_refused_file_takes_nothing_else_along(self, tablet):
        tablet.create(WHOLE["jpeg"], body=WHOLE["jpeg"])

        tablet.create(b"not a picture", body=b"not a picture")

        assert tablet.stored(WHOLE["jpeg"]) == WHOLE["jpeg"]
        assert StoredBlob.objects.count() == 1

    def test_the_pixel_limit_is_a_setting(self, tablet, settings):
        settings.OUTREACH_MAX_PHOTO_PIXELS = 64 * 48 - 1

        answer = tablet.create(WHOLE["jpeg"], body=WHOLE["jpeg"])

        assert refused(answer) == (422, "not-a-picture")

    def test_a_file_without_a_declared_type_is_what_it_is(self, tablet):
        declared = metadata(digest(WHOLE["png"]), "").rpartition(",")[0]

        answer = tablet.create(WHOLE["png"], body=WHOLE["png"], Upload_Metadata=declared)

        assert answer.status_code == 201
        assert StoredBlob.objects.get().content_type == "image/png"


def small(content: bytes, edge: int = 40) -> Image.Image:
    made = thumbnail(BytesIO(content), max_pixels=LIMIT, edge=edge)
    with Image.open(BytesIO(made)) as picture:
        picture.load()
    return picture


def test_a_thumbnail_carries_nothing_but_pixels(tmp_path: Path):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "a maker"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (30.0, 47.0, 0.0)
    original = jpeg(exif=exif, comment=b"a name", icc_profile=b"a profile", xmp=b"a history")

    made = small(original)

    assert made.size == (40, 30)
    assert (made.format, dict(made.getexif())) == ("JPEG", {})
    assert {"comment", "icc_profile", "exif", "xmp"} & set(made.info) == set()


def test_a_thumbnail_of_a_png_carries_no_text(tmp_path: Path):
    note = PngImagePlugin.PngInfo()
    note.add_text("Author", "a name")

    made = thumbnail(BytesIO(png(pnginfo=note)), max_pixels=LIMIT)

    assert b"a name" not in made


def test_a_thumbnail_stands_upright(tmp_path: Path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6

    assert small(jpeg(64, 48, exif=exif)).size == (30, 40)


def test_ink_on_nothing_becomes_ink_on_white(tmp_path: Path):
    signature = Image.new("RGBA", (80, 40))
    ImageDraw.Draw(signature).rectangle((0, 0, 39, 39), fill="black")

    made = small(saved(signature, "PNG"))

    assert made.getpixel((5, 5)) == (0, 0, 0)
    assert made.getpixel((35, 5)) == (255, 255, 255)


def test_a_thumbnail_is_made_once_and_lies_sealed(tmp_path: Path):
    storage, name = local_files(tmp_path), digest(WHOLE["jpeg"])
    storage.put(photo_name(name), BytesIO(WHOLE["jpeg"]).read)
    first = kept_thumbnail(name, storage, max_pixels=LIMIT).read()
    storage.delete(photo_name(name))

    assert kept_thumbnail(name, storage, max_pixels=LIMIT).read() == first
    assert [first[:40] in file.read_bytes() for file in tmp_path.rglob("*.jpg")] == [False]


def test_a_thumbnail_that_rotted_is_made_anew(tmp_path: Path):
    storage, name = local_files(tmp_path), digest(WHOLE["jpeg"])
    storage.put(photo_name(name), BytesIO(WHOLE["jpeg"]).read)
    first = kept_thumbnail(name, storage, max_pixels=LIMIT).read()
    [place] = tmp_path.rglob("*.jpg")
    rotten = bytearray(place.read_bytes())
    rotten[-1] ^= 1
    place.write_bytes(rotten)

    assert kept_thumbnail(name, storage, max_pixels=LIMIT).read() == first


def test_no_thumbnail_is_left_of_a_photo_that_is_erased_while_it_is_made(tmp_path: Path):
    class Busy(SealedStorage):
        def put(self, name: str, read: Read) -> None:
            self.delete(photo_name(digest(WHOLE["jpeg"])))
            super().put(name, read)

    storage = local_files(tmp_path)
    storage.put(photo_name(digest(WHOLE["jpeg"])), BytesIO(WHOLE["jpeg"]).read)
    kept_thumbnail(digest(WHOLE["jpeg"]), Busy(storage.place), max_pixels=LIMIT)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_thumbnail_of_a_small_picture_is_no_larger(tmp_path: Path):
    assert small(WHOLE["jpeg"], edge=500).size == (64, 48)


@pytest.mark.parametrize(
    "content",
    [claiming(20_000, 10_000), claiming(500, 500), WHOLE["jpeg"][:-50]],
    ids=["too large", "no pixels behind the claim", "cut"],
)
def test_no_thumbnail_is_left_of_what_cannot_be_opened(tmp_path: Path, content: bytes):
    with pytest.raises(Problem, match="not-a-picture"):
        thumbnail(BytesIO(content), max_pixels=LIMIT)


def test_a_scan_in_65536_greys_keeps_them(tmp_path: Path):
    grey = Image.new("I;16", (64, 48), 100 * 257)

    assert small(saved(grey, "PNG")).getpixel((5, 5)) == (100, 100, 100)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_every_kind_of_pixel_has_a_thumbnail(tmp_path: Path, mode: str):
    kind = "JPEG" if mode == "CMYK" else "PNG"

    assert small(saved(Image.new(mode, (64, 48)), kind)).size == (40, 30)
