from io import BytesIO

import pytest
from PIL import Image

from outreach.demo.pictures import picture
from outreach.domain.vocabulary import EvidenceKind, Sex

CHUNK = 64 * 1024
KEYS = [f"R{number:03d}" for number in range(1, 41)]


@pytest.mark.parametrize("kind", EvidenceKind)
def test_a_picture_is_a_jpeg_of_two_chunks(kind: EvidenceKind) -> None:
    for number, key in enumerate(KEYS):
        content = picture(kind, key, sex=list(Sex)[number % 2], age=5 + 2 * number)
        assert CHUNK < len(content) <= 2 * CHUNK
        with Image.open(BytesIO(content)) as image:
            image.load()
            assert (image.format, image.mode) == ("JPEG", "RGB")


def test_every_kind_and_key_has_a_picture_of_its_own() -> None:
    pictures = [picture(kind, key) for kind in EvidenceKind for key in KEYS]
    assert len(set(pictures)) == len(EvidenceKind) * len(KEYS)


def test_the_same_key_gives_the_same_picture() -> None:
    again = picture(EvidenceKind.PORTRAIT, "R001", sex=Sex.FEMALE, age=88)
    assert picture(EvidenceKind.PORTRAIT, "R001", sex=Sex.FEMALE, age=88) == again


def test_a_portrait_stands_on_white_in_the_shape_of_a_two_inch_photo() -> None:
    with Image.open(BytesIO(picture(EvidenceKind.PORTRAIT, "R001"))) as image:
        corners = [image.getpixel(at) for at in ((5, 5), (594, 5), (5, 300), (594, 300))]
        assert image.width / image.height == pytest.approx(35 / 49, abs=0.01)
    assert all(min(pixel) > 225 for pixel in corners if isinstance(pixel, tuple))
