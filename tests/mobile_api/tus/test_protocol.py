"""The protocol's decisions, without a server: headers in, a reading or a refusal out."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_api.problems import Problem
from mobile_api.tus import protocol
from mobile_api.tus.protocol import Append, Checksum, Creation, Progress
from tests.mobile_api.uploading import CHUNK, b64, checksum, metadata

SHA256 = "ab" * 32
AT_NOON = datetime(2018, 6, 4, 12, 0, tzinfo=timezone(timedelta(hours=8)))
CREATION = {"Upload-Length": "10", "Upload-Metadata": metadata(SHA256)}


def slug_of(decision: object, *arguments: object, **named: object) -> str | None:
    assert callable(decision)
    try:
        decision(*arguments, **named)
    except Problem as problem:
        return problem.slug
    return None


@pytest.mark.parametrize(
    ("method", "override", "obeyed"),
    [("POST", None, "POST"), ("POST", "PATCH", "PATCH"), ("GET", "delete", "DELETE")],
)
def test_an_overriding_method_replaces_the_actual_one(method, override, obeyed):
    headers = {"X-HTTP-Method-Override": override} if override else {}

    assert protocol.effective_method(method, headers) == obeyed


@pytest.mark.parametrize(
    ("method", "version", "slug"),
    [
        ("POST", "1.0.0", None),
        ("POST", "1.0.1", "upload-version"),
        ("HEAD", "", "upload-version"),
        ("OPTIONS", "", None),
    ],
)
def test_every_request_but_options_names_the_version(method, version, slug):
    assert slug_of(protocol.check_version, method, {"Tus-Resumable": version}) == slug


def test_a_creation_is_read():
    read = protocol.read_creation(CREATION, 0, max_bytes=10)

    assert read == Creation(10, SHA256, "image/jpeg", metadata(SHA256), False, None)


def test_a_creation_with_data_is_read_with_its_checksum():
    headers = {**CREATION, "Content-Type": CHUNK, "Upload-Checksum": checksum(b"data")}

    read = protocol.read_creation(headers, 4, max_bytes=10)

    assert read.has_body
    assert read.checksum is not None
    assert read.checksum.algorithm == "sha256"


@pytest.mark.parametrize(
    ("length", "slug"),
    [
        ("1", None),
        ("10", None),
        ("11", "too-large"),
        ("0", "not-a-picture"),
        ("", "upload-metadata"),
        ("+1", "upload-metadata"),
        ("1.0", "upload-metadata"),
        ("１", "upload-metadata"),
        ("9" * 16, "upload-metadata"),
    ],
)
def test_the_length_of_a_creation_is_bounded(length, slug):
    headers = {**CREATION, "Upload-Length": length}

    assert slug_of(protocol.read_creation, headers, 0, max_bytes=10) == slug


@pytest.mark.parametrize(
    ("offset", "stored", "announced", "slug"),
    [
        (0, 0, 10, None),
        (4, 4, 6, None),
        (4, 4, None, None),
        (4, 4, 7, "too-large"),
        (4, 0, 6, "upload-offset"),
        (0, 4, 6, "upload-offset"),
        (10, 10, 0, None),
        (10, 10, 1, "too-large"),
    ],
)
def test_a_chunk_starts_where_the_file_ends_and_ends_inside_it(offset, stored, announced, slug):
    append = Append(offset, None)

    assert slug_of(protocol.check_append, append, stored, 10, announced) == slug


@pytest.mark.parametrize(
    ("kind", "slug"),
    [
        (CHUNK, None),
        (CHUNK.upper(), None),
        (f"{CHUNK}; charset=binary", None),
        ("application/octet-stream", "upload-type"),
        ("", "upload-type"),
    ],
)
def test_a_chunk_has_its_own_media_type(kind, slug):
    headers = {"Content-Type": kind, "Upload-Offset": "0"}

    assert slug_of(protocol.read_append, headers) == slug


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("", {}),
        ("name", {"name": ""}),
        (f"name {b64('李')}", {"name": "李"}),
        (f"a {b64('1')},b {b64('2')}", {"a": "1", "b": "2"}),
        (f"a {b64('1')}, b", {"a": "1", "b": ""}),
        ("a =", None),
        ("a 5", None),
        (f"a {b64(b'%c' % 255)}", None),
        (f"a {b64('1')},a {b64('2')}", None),
        (f"a {b64('1')},", None),
        (" ,a", None),
        (f"a {b64('1' * 4096)}", None),
    ],
)
def test_metadata_is_pairs_of_a_key_and_base64(header, values):
    if values is None:
        assert slug_of(protocol.read_metadata, header) == "upload-metadata"
    else:
        assert protocol.read_metadata(header) == values


KEYS = st.text(st.characters(codec="ascii", exclude_characters=" ,", categories=["L", "N", "P"]))


@given(st.dictionaries(KEYS.filter(bool), st.text(max_size=20), max_size=5))
def test_metadata_is_read_as_it_was_written(values):
    header = ",".join(f"{key} {b64(value)}" for key, value in values.items())

    assert protocol.read_metadata(header) == values


@given(st.text(max_size=80))
def test_no_metadata_gets_past_the_two_answers(header):
    assert slug_of(protocol.read_metadata, header) in (None, "upload-metadata")


@given(st.text(max_size=80))
def test_no_checksum_gets_past_the_two_answers(header):
    headers = {"Upload-Checksum": header}

    assert slug_of(protocol.read_checksum, headers) in (None, "upload-metadata")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_checksum_names_its_algorithm(algorithm):
    read = protocol.read_checksum({"Upload-Checksum": checksum(b"data", algorithm)})

    assert isinstance(read, Checksum)
    assert (read.algorithm, len(read.digest)) == (algorithm, protocol.CHECKSUMS[algorithm])


def test_no_checksum_is_no_checksum():
    assert protocol.read_checksum({}) is None


def test_a_hexadecimal_sha256_may_be_in_capitals():
    headers = {**CREATION, "Upload-Metadata": metadata(SHA256.upper())}

    assert protocol.read_creation(headers, 0, max_bytes=10).sha256 == SHA256


def test_an_expiry_is_told_as_an_http_date():
    told = protocol.appended(Progress(10, 4, "", AT_NOON))

    assert told == {"Upload-Offset": "4", "Upload-Expires": "Mon, 04 Jun 2018 04:00:00 GMT"}


def test_a_complete_upload_does_not_expire():
    assert protocol.appended(Progress(10, 10, "", None)) == {"Upload-Offset": "10"}
