"""Files in a bucket: the same promises as in a folder, against a store that answers over HTTP."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from moto.server import ThreadedMotoServer

from outreach.backups import whole
from outreach.backups.archive import new_identity
from outreach.files import files, photo_name
from outreach.files.bucket import bucket_at
from outreach.models import PaperPhoto, StoredBlob
from tests import builders
from tests.mobile_api.uploading import digest, enrol, jpeg
from tests.outreach.desk.test_nomination import a_photo

PICTURE = jpeg(900, 700, seed=7)


class Store:
    """A store in this process; `stop` takes it off the network."""

    def __init__(self) -> None:
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        host, port = self.server.get_host_and_port()
        self.address = f"http://{host}:{port}"
        self.client = boto3.client(
            "s3",
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id="k",
            aws_secret_access_key="s",
        )

    def new_bucket(self, name: str) -> str:
        self.client.create_bucket(Bucket=name)
        return f"{self.address}/{name}?region=us-east-1"

    def objects(self, bucket: str) -> dict[str, bytes]:
        found = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {
            one["Key"]: self.client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            for one in found
        }


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.server.stop()


@pytest.fixture
def bucket(store: Store, settings: Any, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:20]
    settings.OUTREACH_FILES = tmp_path / "files"
    settings.OUTREACH_BUCKET = store.new_bucket(name)
    settings.OUTREACH_BUCKET_KEY, settings.OUTREACH_BUCKET_SECRET = "k", "s"
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


def test_counties_share_a_bucket_and_neither_sees_the_other(
    store: Store, bucket: str, settings: Any
) -> None:
    shared, address = {}, f"{store.address}/{bucket}"
    for county in ("511302", "511303"):
        settings.OUTREACH_BUCKET = f"{address}/{county}?region=us-east-1"
        shared[county] = files()
        shared[county].put("blobs/a", BytesIO(county.encode()).read)
        shared[county].place.probe()
    assert set(store.objects(bucket)) == {"511302/blobs/a", "511303/blobs/a"}
    shared["511303"].delete("blobs/a")
    assert shared["511302"].read("blobs/a").read() == b"511302"
    assert [list(one.names("blobs")) for one in shared.values()] == [["blobs/a"], []]


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
    store.client.put_object(Bucket=bucket, Key="blobs/a", Body=body[:-1] + b"\0")
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
@pytest.mark.usefixtures("gone")
def test_without_the_store_the_page_says_so_and_nothing_is_registered() -> None:
    client = Client(raise_request_exception=False)
    client.force_login(builders.county().liaison)
    answer = client.post("/cases/nominate/photo/", {"photo-id_card": a_photo()})
    assert answer.status_code == 503
    assert "照片和证件文件暂时无法读写" in answer.content.decode()
    assert (StoredBlob.objects.count(), PaperPhoto.objects.count()) == (0, 0)


@pytest.mark.django_db
@pytest.mark.usefixtures("gone")
def test_without_the_store_readyz_says_so() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, json.loads(answer.content)["files"]) == (503, "Input/output error")


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
    settings.OUTREACH_BUCKET = store.new_bucket(f"{bucket}b")
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
    given = (settings.OUTREACH_BUCKET, "k", "s")
    assert bucket_at(*given) is bucket_at(*given)
