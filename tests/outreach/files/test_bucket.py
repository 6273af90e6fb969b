"""Files in a bucket: the same promises as in a folder, against a store that answers over HTTP."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import boto3
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command
from django.test import Client
from moto.server import ThreadedMotoServer
from urllib3 import HTTPResponse

from mobile_api.federation import FederationKeys
from mobile_api.models import HandInPart
from outreach.backups import whole
from outreach.backups.archive import new_identity
from outreach.files import files, photo_name
from outreach.files.bucket import bucket_at
from outreach.models import PaperPhoto, StoredBlob
from tests import builders
from tests.e2e.line import a_line
from tests.mobile_api.handing_in import signed_part
from tests.mobile_api.uploading import digest, enrol, jpeg
from tests.outreach.desk.test_nomination import a_photo

PICTURE = jpeg(900, 700, seed=7)


#: An office's own store, `OUTREACH_TEST_STORE=https://key:secret@store?region=…`; else moto's.
OWN = os.environ.get("OUTREACH_TEST_STORE", "")


class Store:
    """A store that answers over HTTP: one in this process, or the one that is named."""

    def __init__(self, named: str = "") -> None:
        self.server = None
        if named:
            parts = urlsplit(named)
            self.key, self.secret = unquote(parts.username or ""), unquote(parts.password or "")
            self.region = parse_qs(parts.query).get("region", ["us-east-1"])[0]
            self.address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        else:
            self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
            self.server.start()
            host, port = self.server.get_host_and_port()
            self.address = f"http://{host}:{port}"
            self.key, self.secret, self.region = "k", "s", "us-east-1"
        self.made: list[str] = []
        self.client = boto3.client(
            "s3",
            endpoint_url=self.address,
            region_name=self.region,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            config=Config(s3={"addressing_style": "path"}),
        )

    def new_bucket(self, name: str) -> str:
        try:
            self.client.create_bucket(Bucket=name)
        except ClientError:  # some stores want to be told their own region once more, others do not
            here = {"LocationConstraint": self.region}
            self.client.create_bucket(Bucket=name, CreateBucketConfiguration=here)
        self.made.append(name)
        return f"{self.address}/{name}?region={self.region}"

    def objects(self, bucket: str) -> dict[str, bytes]:
        found = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {
            one["Key"]: self.client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            for one in found
        }

    def close(self) -> None:
        """Leave nothing in a store that lasts."""
        if self.server:
            self.server.stop()
            return
        for name in self.made:
            for key in self.objects(name):
                self.client.delete_object(Bucket=name, Key=key)
            self.client.delete_bucket(Bucket=name)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    made = Store(OWN)
    yield made
    made.close()


@pytest.mark.skipif(bool(OWN), reason="it is proven where it is")
def test_a_store_is_proven_in_the_region_that_the_manual_names(store: Store) -> None:
    """Each test of an office's own store ended where its bucket was to be made."""
    elsewhere = Store(f"{store.address.replace('//', '//k:s@')}?region=cn-north-1")
    assert elsewhere.new_bucket("there") == f"{store.address}/there?region=cn-north-1"
    elsewhere.close()


@pytest.fixture
def bucket(store: Store, settings: Any, tmp_path: Path) -> str:
    name = f"outreach-tests-{uuid4().hex[:12]}"
    settings.OUTREACH_FILES = tmp_path / "files"
    settings.OUTREACH_BUCKET = store.new_bucket(name)
    settings.OUTREACH_BUCKET_KEY, settings.OUTREACH_BUCKET_SECRET = store.key, store.secret
    return name


@pytest.fixture
def gone(settings: Any, tmp_path: Path) -> None:
    settings.OUTREACH_FILES = tmp_path / "files"
    settings.OUTREACH_BUCKET = "http://127.0.0.1:9/away?region=us-east-1"
    settings.OUTREACH_BUCKET_KEY, settings.OUTREACH_BUCKET_SECRET = "k", "s"


def test_a_file_comes_back_as_it_was_and_lies_sealed(store: Store, bucket: str) -> None:
    for length in (0, 1, 65_536, 300_000):
        files().put(f"blobs/{length}", BytesIO(bytes(length)).read)
        assert files().read(f"blobs/{length}").read() == bytes(length)
        assert files().holds(f"blobs/{length}", length)
    assert list(files().names("blobs")) == [f"blobs/{n}" for n in ("0", "1", "300000", "65536")]
    assert all(body.startswith(b"\x8eOSEAL") for body in store.objects(bucket).values())


def test_a_file_that_goes_in_parts_is_there_whole(store: Store, bucket: str) -> None:
    content = os.urandom(9_000_000)  # boto3 sends it in parts of 8 MiB
    files().put("blobs/large", BytesIO(content).read)
    assert files().holds("blobs/large", len(content))
    assert files().read("blobs/large").read() == content
    assert not store.client.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_counties_share_a_bucket_and_neither_sees_the_other(
    store: Store, bucket: str, settings: Any
) -> None:
    shared, address = {}, f"{store.address}/{bucket}"
    for county in ("511302", "511303"):
        settings.OUTREACH_BUCKET = f"{address}/{county}?region={store.region}"
        shared[county] = files()
        shared[county].put("blobs/a", BytesIO(county.encode()).read)
        shared[county].place.probe()
    assert set(store.objects(bucket)) == {"511302/blobs/a", "511303/blobs/a"}
    shared["511303"].delete("blobs/a")
    assert shared["511302"].read("blobs/a").read() == b"511302"
    assert [list(one.names("blobs")) for one in shared.values()] == [["blobs/a"], []]


def test_a_key_for_one_prefix_is_told_what_is_not_there(
    store: Store, bucket: str, settings: Any
) -> None:
    """Such a key is refused (403) what is not there, as AWS documents and Ceph does."""
    settings.OUTREACH_BUCKET = f"{store.address}/{bucket}/511302?region={store.region}"
    files().put("blobs/a", BytesIO(b"a photo").read)

    def refused(request: AWSRequest, **_: Any) -> AWSResponse | None:
        is_there = str(request.url).endswith("/511302/blobs/a")
        return None if is_there else AWSResponse(request.url, 403, {}, HTTPResponse(BytesIO()))

    place: Any = files().place
    place._storage.bucket.meta.client.meta.events.register("before-send.s3.HeadObject", refused)
    assert files().read("blobs/a").read() == b"a photo"
    assert not files().exists("blobs/none")
    assert not files().holds("blobs", 7)
    with pytest.raises(FileNotFoundError):
        files().read("blobs/none")


def test_a_file_that_is_not_there_is_told_as_such(bucket: str) -> None:
    with pytest.raises(FileNotFoundError):
        files().read("blobs/none")
    assert not files().exists("blobs/none")
    files().delete("blobs/none")


def test_a_source_that_fails_leaves_nothing(store: Store, bucket: str) -> None:
    def failing(_size: int) -> bytes:
        raise ValueError("of the source's")

    with pytest.raises(ValueError, match="source"):
        files().put("blobs/half", failing)
    assert store.objects(bucket) == {}


def test_an_object_that_was_altered_does_not_open(store: Store, bucket: str) -> None:
    from outreach.sealing import SealBroken

    files().put("blobs/a", BytesIO(b"a photo").read)
    body = store.objects(bucket)["blobs/a"]
    altered = body[:-1] + bytes([body[-1] ^ 1])
    store.client.put_object(Bucket=bucket, Key="blobs/a", Body=altered)
    with pytest.raises(SealBroken):
        files().read("blobs/a")


@pytest.mark.django_db
def test_a_tablets_photo_is_in_the_bucket_before_the_tablet_is_told(
    store: Store, bucket: str, settings: Any
) -> None:
    tablet = enrol(settings.OUTREACH_FILES)
    answer = tablet.create(PICTURE, PICTURE)
    assert answer.status_code == 201
    assert answer["Upload-Offset"] == str(len(PICTURE))
    assert set(store.objects(bucket)) == {photo_name(digest(PICTURE))}
    assert StoredBlob.objects.get().sha256 == digest(PICTURE)


@pytest.mark.django_db
def test_a_store_lost_in_the_middle_of_a_photo_costs_nothing_but_time(
    store: Store, bucket: str, settings: Any
) -> None:
    if store.address.startswith("https"):
        pytest.skip("the line between carries no TLS")
    tablet = enrol(settings.OUTREACH_FILES)
    tablet.client.raise_request_exception = False
    where, half = urlsplit(tablet.create(PICTURE)["Location"]).path, len(PICTURE) // 2
    assert tablet.patch(where, PICTURE[:half], 0).status_code == 204
    with a_line(urlsplit(store.address).port or 80) as line:
        settings.OUTREACH_BUCKET = settings.OUTREACH_BUCKET.replace(store.address, line.address)
        line.cut_every = half
        answer = tablet.patch(where, PICTURE[half:], half)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
        assert line.cuts == 3  # it was tried again before the tablet heard of it
        assert tablet.offset(where) is None  # nor is it told that all is there
        assert (StoredBlob.objects.count(), store.objects(bucket)) == (0, {})

        line.cut_every = 0
        assert tablet.offset(where) == len(PICTURE)
        assert set(store.objects(bucket)) == {photo_name(digest(PICTURE))}
        assert StoredBlob.objects.get().sha256 == digest(PICTURE)
        with files().read(photo_name(digest(PICTURE))) as kept:
            assert kept.read() == PICTURE


@pytest.mark.django_db
@pytest.mark.usefixtures("gone")
def test_without_the_store_the_page_says_so_and_nothing_is_registered() -> None:
    client = Client(raise_request_exception=False)
    client.force_login(builders.county().liaison)
    answer = client.post("/cases/nominate/photo/", {"photo-id_card": a_photo()})
    assert answer.status_code == 503
    assert "照片和证件文件暂时无法读写" in answer.content.decode()
    assert (StoredBlob.objects.count(), PaperPhoto.objects.count()) == (0, 0)


def a_part(tmp_path: Path) -> str:
    """Return a part of a hand-in of a tablet that nobody knows."""
    keys = FederationKeys(tmp_path / "keys")
    keys.create()
    key = ec.generate_private_key(ec.SECP256R1())
    return json.dumps(signed_part(key, str(uuid4()), keys, {"entries": []}, reason="unknown"))


@pytest.mark.django_db
def test_what_was_handed_in_lies_in_the_bucket_too_for_a_restored_register(
    place: builders.County, store: Store, bucket: str, tmp_path: Path
) -> None:
    body = a_part(tmp_path)
    answer = Client().post("/api/v1/hand-in", body, content_type="application/json")
    assert answer.status_code == 201
    [(name, kept)] = store.objects(bucket).items()
    assert (name.split("/")[0], kept[:6]) == ("handed", b"\x8eOSEAL")
    assert [member.name for member in whole._in_bucket()] == [f"files/{name}"]
    [before] = HandInPart.objects.values_list("sealed", "received_at")
    HandInPart.objects.all().delete()
    call_command("begin_epoch", stdout=StringIO())
    assert list(HandInPart.objects.values_list("sealed", "received_at")) == [before]


@pytest.mark.django_db
@pytest.mark.usefixtures("gone")
def test_without_the_store_nothing_is_receipted_to_a_tablet_that_hands_in(
    place: builders.County, tmp_path: Path
) -> None:
    client = Client(raise_request_exception=False)
    body = a_part(tmp_path)
    answer = client.post("/api/v1/hand-in", body, content_type="application/json")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
    assert not HandInPart.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("gone")
def test_without_the_store_readyz_says_so() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, json.loads(answer.content)["files"]) == (503, "Remote I/O error")


@pytest.mark.django_db
def test_a_backup_holds_the_bucket_and_a_restore_fills_another(
    store: Store, bucket: str, settings: Any, tmp_path: Path
) -> None:
    files().put(photo_name(digest(PICTURE)), BytesIO(PICTURE).read)
    files().put("thumbnails/a", BytesIO(b"small").read)
    secret, public = new_identity()
    members = list(whole._in_bucket())
    assert [member.name for member in members] == [f"files/{photo_name(digest(PICTURE))}"]

    archive = tmp_path / "backup"
    manifest = whole.Manifest("t", datetime.now(UTC).isoformat(), "sqlite", {})
    whole.write(archive, members, manifest, to=[public], progress=lambda *_: None)
    folder = tmp_path / "opened"
    folder.mkdir()
    found = whole.read(archive, folder, identity=secret, progress=lambda *_: None)
    settings.OUTREACH_BUCKET = store.new_bucket(f"{bucket}-b")
    for name in found.files:
        whole._put_back(name, folder / name)
    assert files().read(photo_name(digest(PICTURE))).read() == PICTURE


@pytest.mark.parametrize(
    "address", ["s3://bucket", "https://store", "https://store/a/b/c", "https://k:s@store/bucket"]
)
def test_an_address_that_names_no_bucket_stops_the_server(settings: Any, address: str) -> None:
    settings.OUTREACH_BUCKET = address
    with pytest.raises(CommandError, match=r"outreach\.E010"):
        call_command("check")


def test_connections_are_made_once(store: Store, bucket: str, settings: Any) -> None:
    given = (settings.OUTREACH_BUCKET, store.key, store.secret)
    assert bucket_at(*given) is bucket_at(*given)
