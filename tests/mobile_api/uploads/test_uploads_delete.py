"""DELETE: a tablet takes back what it has not finished (tus: termination)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from outreach.models import StoredBlob
from tests.mobile_api.uploading import Tablet, enrol, jpeg, refused

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mobile_api.uploading")]
PHOTO = jpeg()


def test_a_deleted_upload_is_gone_with_its_bytes(tablet: Tablet):
    where = tablet.create(PHOTO, body=PHOTO[:100])["Location"]

    answer = tablet.send("DELETE", where)

    assert (answer.status_code, answer.content) == (204, b"")
    assert tablet.offset(where) is None
    assert refused(tablet.patch(where, PHOTO[100:], 100)) == (404, "not-found")
    assert list(tablet.files.rglob("*.part")) == []


def test_a_deleted_upload_can_be_announced_anew(tablet: Tablet):
    where = tablet.create(PHOTO, body=PHOTO[:100])["Location"]
    tablet.send("DELETE", where)

    assert tablet.create(PHOTO)["Upload-Offset"] == "0"


def test_a_finished_file_stays_evidence(tablet: Tablet):
    where = tablet.create(PHOTO, body=PHOTO[:100])["Location"]
    tablet.patch(where, PHOTO[100:], 100)

    assert tablet.send("DELETE", where).status_code == 204
    assert tablet.offset(where) is None
    assert tablet.stored(PHOTO) == PHOTO
    assert StoredBlob.objects.count() == 1


def test_the_upload_of_another_tablet_is_unknown(tablet: Tablet):
    where = tablet.create(PHOTO)["Location"]
    other = enrol(tablet.files, "wang")

    assert refused(other.send("DELETE", where)) == (404, "not-found")
    assert tablet.offset(where) == 0


def test_an_upload_that_never_was_is_unknown(tablet: Tablet):
    answer = tablet.send("DELETE", f"/api/v1/uploads/{uuid4()}")

    assert refused(answer) == (404, "not-found")
