"""Upload-Expires: what is left unfinished too long is dropped, what is finished never."""

from __future__ import annotations

import os
import time

import pytest

from tests.mobile_api.uploading import Tablet, jpeg, refused

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mobile_api.uploading")]
PHOTO = jpeg()


@pytest.fixture
def expired(tablet: Tablet, settings) -> str:
    settings.OUTREACH_UPLOAD_TTL_HOURS = 0
    where = tablet.create(PHOTO, body=PHOTO[:100])["Location"]
    settings.OUTREACH_UPLOAD_TTL_HOURS = 72
    return where


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_expired_upload_is_gone(tablet: Tablet, expired: str, method: str):
    answer = tablet.send(method, expired, PHOTO[100:], Upload_Offset="100")

    assert refused(answer) == (410, "upload-gone")
    assert tablet.send("HEAD", expired).status_code == 410


def test_announcing_again_gives_it_time_and_keeps_its_bytes(tablet: Tablet, expired: str):
    assert tablet.create(PHOTO)["Upload-Offset"] == "100"
    assert tablet.offset(expired) == 100


def test_the_next_creation_sweeps_what_expired(tablet: Tablet, expired: str):
    an_hour_ago = time.time() - 3601
    os.utime(tablet.files / "uploads" / "swept", (an_hour_ago, an_hour_ago))

    tablet.create(jpeg(seed=1))

    assert tablet.send("HEAD", expired).status_code == 404
    assert len(list(tablet.files.rglob("*.part"))) == 1


def test_a_finished_file_outlives_its_upload(tablet: Tablet, settings):
    settings.OUTREACH_UPLOAD_TTL_HOURS = 0

    tablet.create(PHOTO, body=PHOTO)
    where = tablet.create(PHOTO)["Location"]

    assert tablet.send("HEAD", where).status_code == 410
    assert tablet.stored(PHOTO) == PHOTO
