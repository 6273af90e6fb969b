"""PATCH: chunks arrive in order, are checked, and survive a cut line."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from django.utils import timezone

from outreach.models import StoredBlob
from tests.mobile_api.uploading import Tablet, checksum, digest, enrol, jpeg, metadata, refused

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mobile_api.uploading")]
PHOTO = jpeg(400, 300)


class CutLine(io.BytesIO):
    """A request body whose line dies after its last byte, as servers report it."""

    def __init__(self, arrived: bytes, error: OSError | None) -> None:
        super().__init__(arrived)
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        if not block and self._error:
            raise self._error
        return block


@pytest.fixture
def where(tablet: Tablet) -> str:
    return tablet.create(PHOTO)["Location"]


def test_chunks_in_order_make_the_file(tablet: Tablet, where: str):
    for start in range(0, len(PHOTO), 65536):
        chunk = PHOTO[start : start + 65536]
        answer = tablet.patch(where, chunk, start)
        assert (answer.status_code, answer["Upload-Offset"]) == (204, str(start + len(chunk)))

    assert tablet.stored(PHOTO) == PHOTO
    assert StoredBlob.objects.get().size == len(PHOTO)


def test_an_unfinished_upload_says_when_it_will_be_dropped(tablet: Tablet, where: str):
    unfinished = tablet.patch(where, PHOTO[:10], 0)
    finished = tablet.patch(where, PHOTO[10:], 10)

    assert [("Upload-Expires" in answer) for answer in (unfinished, finished)] == [True, False]


def test_an_empty_chunk_changes_nothing(tablet: Tablet, where: str):
    answer = tablet.patch(where, b"", 0)

    assert (answer.status_code, answer["Upload-Offset"]) == (204, "0")


def test_a_chunk_sent_twice_is_refused_the_second_time(tablet: Tablet, where: str):
    tablet.patch(where, PHOTO[:100], 0)

    assert refused(tablet.patch(where, PHOTO[:100], 0)) == (409, "upload-offset")
    assert tablet.offset(where) == 100


def test_a_chunk_after_the_end_is_refused(tablet: Tablet, where: str):
    tablet.patch(where, PHOTO, 0)

    assert refused(tablet.patch(where, b"more", len(PHOTO))) == (413, "too-large")
    assert tablet.stored(PHOTO) == PHOTO


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Upload_Offset": ""}, (400, "upload-metadata")),
        ({"Upload_Offset": "-5"}, (400, "upload-metadata")),
        ({"Upload_Offset": "1"}, (409, "upload-offset")),
        ({"Upload_Checksum": "md5 abc"}, (400, "upload-metadata")),
        ({"Upload_Checksum": "sha256 abc"}, (400, "upload-metadata")),
        ({"Upload_Checksum": "sha256"}, (400, "upload-metadata")),
        ({"Tus_Resumable": "2.0.0"}, (412, "upload-version")),
        ({"Authorization": "Basic abc"}, (401, "no-token")),
    ],
)
def test_a_malformed_chunk_is_refused_and_nothing_of_it_kept(
    tablet: Tablet, where: str, headers: dict[str, str], expected: tuple[int, str]
):
    assert refused(tablet.patch(where, PHOTO[:100], 0, **headers)) == expected
    assert tablet.offset(where) == 0


def test_another_media_type_is_refused(tablet: Tablet, where: str):
    answer = tablet.send("PATCH", where, PHOTO, kind="image/jpeg", Upload_Offset="0")

    assert refused(answer) == (415, "upload-type")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_chunk_that_matches_its_checksum_is_kept(tablet: Tablet, where: str, algorithm: str):
    answer = tablet.patch(where, PHOTO, 0, Upload_Checksum=checksum(PHOTO, algorithm))

    assert answer.status_code == 204
    assert tablet.stored(PHOTO) == PHOTO


def test_a_chunk_that_does_not_match_its_checksum_is_dropped_alone(tablet: Tablet, where: str):
    tablet.patch(where, PHOTO[:100], 0)

    answer = tablet.patch(where, b"x" * 100, 100, Upload_Checksum=checksum(PHOTO[100:200]))

    assert refused(answer) == (460, "upload-checksum")
    assert tablet.offset(where) == 100
    assert tablet.patch(where, PHOTO[100:], 100).status_code == 204


@pytest.mark.parametrize("error", [None, ConnectionResetError("cut")], ids=["ends", "raises"])
class TestCutLine:
    def test_what_arrived_of_a_chunk_is_kept(self, tablet, where, error):
        cut = {"wsgi.input": CutLine(PHOTO[:7000], error), "CONTENT_LENGTH": str(len(PHOTO))}

        answer = tablet.patch(where, b"", 0, environ=cut)

        assert (answer.status_code, answer["Upload-Offset"]) == (204, "7000")
        assert tablet.offset(where) == 7000
        tablet.patch(where, PHOTO[7000:], 7000)
        assert tablet.stored(PHOTO) == PHOTO

    def test_what_arrived_of_a_checked_chunk_is_dropped(self, tablet, where, error):
        cut = {"wsgi.input": CutLine(PHOTO[:7000], error), "CONTENT_LENGTH": str(len(PHOTO))}

        answer = tablet.patch(where, b"", 0, environ=cut, Upload_Checksum=checksum(PHOTO))

        assert refused(answer) == (460, "upload-checksum")
        assert tablet.offset(where) == 0

    def test_what_arrived_with_the_creation_is_found_by_the_next_one(self, tablet, error):
        photo = jpeg(400, 300, seed=1)
        cut = {"wsgi.input": CutLine(photo[:7000], error), "CONTENT_LENGTH": str(len(photo))}
        announced = {"Upload_Length": str(len(photo)), "Upload_Metadata": metadata(digest(photo))}

        tablet.send("POST", "/api/v1/uploads/", environ=cut, **announced)

        assert tablet.create(photo)["Upload-Offset"] == "7000"


def chunked(body: bytes) -> dict[str, object]:
    """Return a body of unknown length as a WSGI server hands it over."""
    return {
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_LENGTH": "",
    }


def test_a_body_of_unknown_length_is_read_to_its_end(tablet: Tablet, where: str):
    answer = tablet.patch(where, b"", 0, environ=chunked(PHOTO))

    assert (answer.status_code, answer["Upload-Offset"]) == (204, str(len(PHOTO)))


@pytest.mark.parametrize("checked", [False, True])
def test_a_body_of_unknown_length_stops_at_the_end_of_the_file(
    tablet: Tablet, where: str, checked: bool
):
    body = PHOTO + b"more" * 100_000
    headers = {"Upload_Checksum": checksum(body)} if checked else {}

    answer = tablet.patch(where, b"", 0, environ=chunked(body), **headers)

    assert refused(answer) == (413, "too-large")
    assert tablet.stored(PHOTO) is None


def test_a_file_that_differs_from_its_sha256_is_discarded_whole(tablet: Tablet, where: str):
    answer = tablet.patch(where, b"x" * len(PHOTO), 0)

    assert refused(answer) == (460, "upload-checksum")
    assert tablet.offset(where) is None
    assert StoredBlob.objects.count() == 0
    assert tablet.create(PHOTO, body=PHOTO).status_code == 201


def test_the_upload_of_another_tablet_is_unknown(tablet: Tablet, where: str):
    other = enrol(tablet.files, "wang")

    assert refused(other.patch(where, PHOTO, 0)) == (404, "not-found")
    assert tablet.offset(where) == 0


def test_an_upload_that_never_was_is_unknown(tablet: Tablet):
    answer = tablet.patch(f"/api/v1/uploads/{uuid4()}", PHOTO, 0)

    assert refused(answer) == (404, "not-found")


def test_a_revoked_tablet_is_told_to_wipe(tablet: Tablet, where: str):
    tablet.device.revoked_at = timezone.now()
    tablet.device.save()

    answer = tablet.patch(where, PHOTO, 0)

    assert refused(answer) == (403, "revoked")
    assert answer.json()["wipe"] is True
    assert tablet.stored(PHOTO) is None


def test_a_chunk_on_its_way_asks_the_database_once(
    tablet: Tablet, where: str, django_assert_num_queries
):
    with django_assert_num_queries(1):
        tablet.patch(where, PHOTO[:1000], 0)
