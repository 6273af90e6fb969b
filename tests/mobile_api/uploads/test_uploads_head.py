"""HEAD: how much is stored, which nothing in between may remember."""

from __future__ import annotations

from uuid import uuid4

import pytest

from outreach.models import StoredBlob
from tests.mobile_api.uploading import Tablet, digest, enrol, jpeg, metadata

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mobile_api.uploading")]
PHOTO = jpeg()


def told(tablet: Tablet, where: str) -> dict[str, str | None]:
    answer = tablet.send("HEAD", where)
    names = ("Upload-Offset", "Upload-Length", "Upload-Metadata", "Cache-Control", "Tus-Resumable")
    return {"status": answer.status_code, **{name: answer.get(name) for name in names}}


@pytest.mark.parametrize("arrived", [0, 100, len(PHOTO)])
def test_an_upload_tells_how_far_it_is(tablet: Tablet, arrived: int):
    where = tablet.create(PHOTO)["Location"]
    if arrived:
        tablet.patch(where, PHOTO[:arrived], 0)

    assert told(tablet, where) == {
        "status": 200,
        "Upload-Offset": str(arrived),
        "Upload-Length": str(len(PHOTO)),
        "Upload-Metadata": metadata(digest(PHOTO)),
        "Cache-Control": "no-store",
        "Tus-Resumable": "1.0.0",
    }


def test_what_came_whole_with_its_announcement_leaves_nothing_to_ask_about(tablet: Tablet):
    created = tablet.create(PHOTO, body=PHOTO)

    assert created["Upload-Offset"] == str(len(PHOTO))
    assert tablet.send("HEAD", created["Location"]).status_code == 404
    assert tablet.create(PHOTO)["Upload-Offset"] == str(len(PHOTO))


def test_an_unfinished_upload_says_when_it_will_be_dropped(tablet: Tablet):
    created = tablet.create(PHOTO)

    assert tablet.send("HEAD", created["Location"])["Upload-Expires"] == created["Upload-Expires"]


@pytest.mark.parametrize("which", ["unknown", "another tablet's"])
def test_an_upload_that_is_not_ones_own_is_not_found(tablet: Tablet, which: str):
    other = enrol(tablet.files, "wang").create(PHOTO)["Location"]
    where = other if which == "another tablet's" else f"/api/v1/uploads/{uuid4()}"

    answer = tablet.send("HEAD", where)

    assert (answer.status_code, answer.get("Upload-Offset")) == (404, None)


def test_the_version_is_checked(tablet: Tablet):
    where = tablet.create(PHOTO)["Location"]

    answer = tablet.send("HEAD", where, Tus_Resumable="0.2.2")

    assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")


def test_a_file_whose_last_step_a_crash_cut_off_is_finished_on_asking(tablet: Tablet):
    where = tablet.create(PHOTO)["Location"]
    part = next(tablet.files.rglob("*.part"))
    part.write_bytes(PHOTO)

    assert tablet.offset(where) == len(PHOTO)
    assert tablet.stored(PHOTO) == PHOTO
    assert StoredBlob.objects.get().sha256 == digest(PHOTO)


def test_a_whole_file_that_is_damaged_is_never_called_complete(tablet: Tablet):
    where = tablet.create(PHOTO)["Location"]
    part = next(tablet.files.rglob("*.part"))
    part.write_bytes(b"x" * len(PHOTO))

    assert tablet.send("HEAD", where).status_code == 460
    assert tablet.send("HEAD", where).status_code == 404
