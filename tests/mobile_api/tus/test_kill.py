"""SIGKILL at any moment: every acknowledged byte is there, and the upload goes on from it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mobile_api.tus.body import LARGEST_BLOCK
from mobile_api.tus.store import Store
from tests.mobile_api.tus.running import BASE, Service
from tests.mobile_api.tus.test_store import accept, announced
from tests.mobile_api.uploading import CHUNK, digest, jpeg, metadata

PHOTO = jpeg(1000, 800, quality=95)
HEADERS = {"Tus-Resumable": "1.0.0", "Authorization": "Bearer li", "Content-Type": CHUNK}

ENVIRONMENT = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
WRITER = """
import sys
from pathlib import Path
from random import Random
import django
django.setup()
from mobile_api.tus.store import Store
from tests.mobile_api.tus.test_store import announced

content, store, offset = Path(sys.argv[2]).read_bytes(), Store(Path(sys.argv[1])), 0
store.create(announced(content))
while True:
    size = Random(offset).randint(1, 40_000)
    blocks = [content[offset + at : offset + at + 977] for at in range(0, size, 977)]
    offset = store.append(announced(content), offset, blocks)
    print(offset, flush=True)
"""


@pytest.mark.parametrize("seed", range(8))
def test_a_killed_writer_leaves_a_prefix_with_all_it_acknowledged(tmp_path: Path, seed: int):
    content = Random(seed).randbytes(30_000_000)
    (tmp_path / "content").write_bytes(content)
    command = [sys.executable, "-c", WRITER, str(tmp_path / "files"), str(tmp_path / "content")]
    with subprocess.Popen(command, cwd=BASE, env=ENVIRONMENT, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        time.sleep(Random(seed).uniform(0, 0.1))
        writer.send_signal(signal.SIGKILL)
        for line in writer.communicate()[0].split():
            acknowledged = int(line)

    store, upload = Store(tmp_path / "files"), announced(content)
    offset = store.offset(upload)
    assert acknowledged <= offset < len(content)
    store.append(upload, offset, [content[offset:]])
    store.finish(upload, accept)
    assert store.blobs.open(upload.sha256).read() == content


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path)
    running.start()
    yield running
    running.kill()


def ask(service: Service, method: str, where: str, body: Any = b"", **told: str) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", service.port, timeout=30)
    headers = {**HEADERS, **{name.replace("_", "-"): value for name, value in told.items()}}
    try:
        connection.request(method, where, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def create(service: Service, content: bytes, body: bytes = b"") -> HTTPResponse:
    told = {"Upload_Length": str(len(content)), "Upload_Metadata": metadata(digest(content))}
    return ask(service, "POST", "/uploads/", body, **told)


def blob(service: Service, content: bytes) -> bytes | None:
    try:
        return Store(service.root).blobs.open(digest(content)).read()
    except FileNotFoundError:
        return None


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_server_killed_inside_a_chunk_goes_on_from_what_it_has(service: Service, share: float):
    where = create(service, PHOTO).headers["Location"]
    sent = int(len(PHOTO) * share)

    def until_the_kill() -> Iterator[bytes]:
        yield PHOTO[:sent]
        time.sleep(0.3)
        service.kill()
        yield PHOTO[sent:]

    length = str(len(PHOTO))
    with suppress(OSError, HTTPException):
        ask(service, "PATCH", where, until_the_kill(), Upload_Offset="0", Content_Length=length)
        pytest.fail("the server answered after its end")
    service.start()

    offset = int(ask(service, "HEAD", where).headers["Upload-Offset"])
    assert sent - LARGEST_BLOCK <= offset <= sent
    answer = ask(service, "PATCH", where, PHOTO[offset:], Upload_Offset=str(offset))
    assert (answer.status, answer.headers["Upload-Offset"]) == (204, length)
    assert blob(service, PHOTO) == PHOTO


def test_no_photo_is_lost_by_a_server_that_is_killed_again_and_again(service: Service):
    photos = [jpeg(seed=seed) for seed in range(60)]
    acknowledged: list[bytes] = []

    def send_all() -> None:
        for photo in photos:
            while not was_taken(service, photo):
                time.sleep(0.02)
            acknowledged.append(photo)

    sender = threading.Thread(target=send_all)
    sender.start()
    for kill in range(3):
        while sender.is_alive() and len(acknowledged) < 15 * (kill + 1):
            time.sleep(0.001)
        service.kill()
        kept = list(acknowledged)
        assert [blob(service, photo) for photo in kept] == kept
        service.start()
    sender.join()

    assert acknowledged == photos
    assert [blob(service, photo) for photo in photos] == photos
    register = (service.root / "register").read_text().split()
    assert set(register) == {digest(photo) for photo in photos}
    assert list(service.root.rglob("*.part")) == []


def was_taken(service: Service, photo: bytes) -> bool:
    try:
        return create(service, photo, photo).headers["Upload-Offset"] == str(len(photo))
    except (OSError, HTTPException):
        return False
