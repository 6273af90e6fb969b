"""POST: an upload is announced, alone or with the beginning of its file."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import count

import pytest

from outreach.models import StoredBlob
from tests.mobile_api.uploading import (
    CHUNK,
    Tablet,
    b64,
    checksum,
    digest,
    enrol,
    jpeg,
    metadata,
    png,
    refused,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mobile_api.uploading")]
PHOTO = jpeg()


def test_a_creation_answers_with_a_place_to_send_to(tablet: Tablet):
    answer = tablet.create(PHOTO)

    assert answer.status_code == 201
    assert re.fullmatch(r"/api/v1/uploads/[0-9a-f-]{36}", answer["Location"])
    assert answer["Upload-Offset"] == "0"
    assert answer["Tus-Resumable"] == "1.0.0"


def test_a_creation_says_when_it_will_be_dropped(tablet: Tablet, settings):
    settings.OUTREACH_UPLOAD_TTL_HOURS = 5

    expires_at = parsedate_to_datetime(tablet.create(PHOTO)["Upload-Expires"])

    until = expires_at - datetime.now(UTC)
    assert timedelta(hours=4, minutes=59) < until <= timedelta(hours=5)


def test_a_creation_may_carry_the_whole_file(tablet: Tablet):
    answer = tablet.create(PHOTO, body=PHOTO)

    assert (answer.status_code, answer["Upload-Offset"]) == (201, str(len(PHOTO)))
    assert "Upload-Expires" not in answer
    assert tablet.stored(PHOTO) == PHOTO


def test_a_creation_may_carry_the_beginning_of_the_file(tablet: Tablet):
    answer = tablet.create(PHOTO, body=PHOTO[:100])

    assert (answer.status_code, answer["Upload-Offset"]) == (201, "100")
    assert tablet.offset(answer["Location"]) == 100


def test_a_finished_file_is_entered_in_the_register(tablet: Tablet):
    tablet.create(PHOTO, body=PHOTO)

    assert list(
        StoredBlob.objects.values_list("sha256", "size", "content_type", "width", "height")
    ) == [(digest(PHOTO), len(PHOTO), "image/jpeg", 64, 48)]


def test_a_png_is_a_picture_too(tablet: Tablet):
    signature = png()

    announced = metadata(digest(signature), "image/png")
    answer = tablet.create(signature, body=signature, Upload_Metadata=announced)

    assert answer.status_code == 201
    assert StoredBlob.objects.get().content_type == "image/png"


def test_a_file_the_server_holds_need_not_be_sent(tablet: Tablet):
    tablet.create(PHOTO, body=PHOTO)
    other = enrol(tablet.files, "wang")

    answer = other.create(PHOTO)

    assert (answer.status_code, answer["Upload-Offset"]) == (201, str(len(PHOTO)))
    assert other.offset(answer["Location"]) == len(PHOTO)


def test_a_file_on_disk_that_a_crash_kept_out_of_the_register_is_entered(tablet: Tablet):
    tablet.create(PHOTO, body=PHOTO)
    StoredBlob.objects.all().delete()

    tablet.create(PHOTO)

    assert StoredBlob.objects.get().sha256 == digest(PHOTO)


def test_a_creation_whose_answer_was_lost_finds_the_same_upload(tablet: Tablet):
    first = tablet.create(PHOTO, body=PHOTO[:100])

    again = tablet.create(PHOTO)

    assert again["Location"] == first["Location"]
    assert again["Upload-Offset"] == "100"


def test_a_repeated_creation_with_data_stores_only_what_is_missing(tablet: Tablet):
    tablet.create(PHOTO, body=PHOTO[:100])

    answer = tablet.create(PHOTO, body=PHOTO[:300], Upload_Checksum=checksum(PHOTO[:300]))

    assert answer["Upload-Offset"] == "300"
    assert tablet.patch(answer["Location"], PHOTO[300:], 300).status_code == 204
    assert tablet.stored(PHOTO) == PHOTO


def test_a_damaged_first_chunk_is_dropped_and_the_upload_stays(tablet: Tablet):
    answer = tablet.create(PHOTO, body=PHOTO[:100], Upload_Checksum=checksum(b"other"))

    assert refused(answer) == (460, "upload-checksum")
    assert tablet.create(PHOTO)["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Upload_Length": ""}, (400, "upload-metadata")),
        ({"Upload_Length": "-1"}, (400, "upload-metadata")),
        ({"Upload_Length": "ten"}, (400, "upload-metadata")),
        ({"Upload_Length": "", "Upload_Defer_Length": "1"}, (400, "upload-metadata")),
        ({"Upload_Length": "0"}, (422, "not-a-picture")),
        ({"Upload_Length": str(12 * 1024 * 1024 + 1)}, (413, "too-large")),
        ({"Upload_Metadata": ""}, (400, "upload-metadata")),
        ({"Upload_Metadata": f"sha256 {b64('abc')}"}, (400, "upload-metadata")),
        ({"Upload_Metadata": "sha256 !!!"}, (400, "upload-metadata")),
        ({"Upload_Metadata": metadata("0" * 64, "image/gif")}, (415, "upload-type")),
        ({"Tus_Resumable": ""}, (412, "upload-version")),
        ({"Tus_Resumable": "0.2.2"}, (412, "upload-version")),
        ({"Authorization": ""}, (401, "no-token")),
        ({"Authorization": "Bearer stolen"}, (401, "expired-token")),
    ],
)
def test_a_malformed_creation_is_refused_and_leaves_nothing(
    tablet: Tablet, headers: dict[str, str], expected: tuple[int, str]
):
    answer = tablet.create(PHOTO, **headers)

    assert refused(answer) == expected
    assert answer["Tus-Resumable"] == "1.0.0"
    assert list(tablet.files.rglob("*.json")) == []


def test_the_size_limit_is_a_setting(tablet: Tablet, settings):
    settings.OUTREACH_MAX_PHOTO_BYTES = len(PHOTO)
    assert tablet.create(PHOTO).status_code == 201

    settings.OUTREACH_MAX_PHOTO_BYTES = len(PHOTO) - 1
    assert refused(tablet.create(PHOTO)) == (413, "too-large")


def test_a_body_that_is_not_a_chunk_is_refused(tablet: Tablet):
    answer = tablet.send(
        "POST",
        "/api/v1/uploads/",
        b"{}",
        kind="application/json",
        Upload_Length="2",
        Upload_Metadata=metadata(digest(b"{}")),
    )

    assert refused(answer) == (415, "upload-type")


def test_a_body_longer_than_the_file_is_refused(tablet: Tablet):
    answer = tablet.create(PHOTO, body=PHOTO + b"more")

    assert refused(answer) == (413, "too-large")
    assert tablet.create(PHOTO)["Upload-Offset"] == "0"


def test_another_method_is_refused_and_told_the_right_ones(tablet: Tablet):
    answer = tablet.send("GET", "/api/v1/uploads/", kind=CHUNK)

    assert refused(answer) == (405, "not-allowed")
    assert answer["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize(
    ("call", "sent", "before"),
    [
        pytest.param("pwritev", -1, 0, id="at the announcement"),
        pytest.param("pwritev", -1, 1, id="at the first bytes"),
        pytest.param("fdatasync", len(PHOTO), 0, id="at the end"),
    ],
)
def test_a_full_disk_is_told_as_such(
    tablet: Tablet, monkeypatch, call: str, sent: int, before: int
):
    # The disk is the process edge here: only the kernel's answer is replaced.
    calls, real = count(), getattr(os, call)

    def full(*arguments: object) -> int:
        if next(calls) < before:
            return real(*arguments)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)

    assert refused(tablet.create(PHOTO, body=PHOTO[:sent])) == (507, "no-room")
    assert [*tablet.files.rglob("*.tmp"), *tablet.files.rglob("*.new")] == []
    monkeypatch.undo()
    assert tablet.create(PHOTO, body=PHOTO)["Upload-Offset"] == str(len(PHOTO))
    assert tablet.stored(PHOTO) == PHOTO
