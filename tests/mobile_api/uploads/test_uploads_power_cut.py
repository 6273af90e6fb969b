"""A power cut between a photo's name and its bytes: nobody was told yet, and it is sent again."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pytest

from outreach.files import SealedStorage, photo_name
from outreach.files.stream import sealed_size
from outreach.models import StoredBlob
from tests.mobile_api.uploading import Tablet, digest, enrol, jpeg, refused

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mobile_api.uploading")]
PHOTO = jpeg()


def left(tablet: Tablet, content: bytes) -> Path:
    """Leave the file that a cut would have left under the photo's name."""
    place = tablet.files / photo_name(digest(PHOTO))
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    return place


def test_a_name_without_its_bytes_makes_room(tablet: Tablet):
    left(tablet, b"")

    assert tablet.create(PHOTO, body=PHOTO)["Upload-Offset"] == str(len(PHOTO))
    assert tablet.stored(PHOTO) == PHOTO


def test_a_name_with_other_bytes_is_never_called_complete(tablet: Tablet):
    place = left(tablet, bytes(sealed_size(len(PHOTO))))

    assert refused(tablet.create(PHOTO, body=PHOTO)) == (460, "upload-checksum")
    assert not place.exists()
    assert not StoredBlob.objects.exists()
    assert tablet.create(PHOTO, body=PHOTO)["Upload-Offset"] == str(len(PHOTO))
    assert tablet.stored(PHOTO) == PHOTO


def test_what_somebody_brings_whole_while_a_torn_one_is_looked_at_stays(
    tablet: Tablet, monkeypatch: pytest.MonkeyPatch
):
    place = left(tablet, bytes(sealed_size(len(PHOTO))))
    other, look = enrol(tablet.files, "wang"), SealedStorage.read

    def slowly(files: SealedStorage, name: str) -> BinaryIO:
        """Read what lies there; two others find out sooner, and bring it anew."""
        monkeypatch.setattr(SealedStorage, "read", look)
        torn = look(files, name)
        assert refused(other.create(PHOTO, body=PHOTO)) == (460, "upload-checksum")
        assert other.create(PHOTO, body=PHOTO)["Upload-Offset"] == str(len(PHOTO))
        return torn

    monkeypatch.setattr(SealedStorage, "read", slowly)
    assert refused(tablet.create(PHOTO)) == (460, "upload-checksum")
    assert (place.exists(), StoredBlob.objects.count()) == (True, 1)
    assert tablet.stored(PHOTO) == PHOTO


def test_a_whole_file_that_nobody_entered_yet_is_entered(tablet: Tablet):
    tablet.create(PHOTO, body=PHOTO)
    StoredBlob.objects.all().delete()

    assert enrol(tablet.files, "wang").create(PHOTO)["Upload-Offset"] == str(len(PHOTO))
    assert StoredBlob.objects.get().sha256 == digest(PHOTO)


def test_an_erased_photo_that_comes_back_is_to_be_removed_again(tablet: Tablet):
    tablet.create(PHOTO, body=PHOTO)
    now = StoredBlob.objects.get().stored_at
    StoredBlob.objects.update(erased_at=now, removed_at=now)
    (tablet.files / photo_name(digest(PHOTO))).unlink()

    assert tablet.create(PHOTO, body=PHOTO)["Upload-Offset"] == str(len(PHOTO))

    row = StoredBlob.objects.get()
    assert (row.erased_at, row.removed_at, row.stored_at) == (now, None, now)


def test_an_erased_photo_that_comes_back_torn_is_sent_again(tablet: Tablet):
    tablet.create(PHOTO, body=PHOTO)
    now = StoredBlob.objects.get().stored_at
    StoredBlob.objects.update(erased_at=now, removed_at=now)
    (tablet.files / photo_name(digest(PHOTO))).write_bytes(bytes(sealed_size(len(PHOTO))))

    assert refused(tablet.create(PHOTO)) == (460, "upload-checksum")
    assert tablet.create(PHOTO, body=PHOTO)["Upload-Offset"] == str(len(PHOTO))
    assert tablet.stored(PHOTO) == PHOTO
