"""Many requests for one upload at once: one goes on, the others are told, no byte is mixed."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.mobile_api.tus.serving import Register, Server, place
from tests.mobile_api.uploading import digest

CONTENT = Random(1).randbytes(600_000)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path, Register())


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run the work in that many threads, started together."""
    gate = threading.Barrier(count)

    def started(number: int) -> Any:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(started, range(count)))


@pytest.mark.parametrize("size", [10, 200_000, len(CONTENT)])
def test_of_equal_chunks_at_once_one_is_taken(server: Server, size: int):
    upload = place(server.create("li", CONTENT))

    answers = at_once(8, lambda _: server.patch("li", upload, CONTENT[:size], 0).status_code)

    assert Counter(answers) == {204: 1, 409: 7}
    assert server.offset("li", upload) == size


def test_a_request_that_hangs_locks_nobody_out(server: Server):
    upload = place(server.create("li", CONTENT))
    arrived, released = threading.Event(), threading.Event()

    class HangingLine(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() == 4096:
                arrived.set()
                released.wait(20)
            return super().read(size)

    line = HangingLine(CONTENT[:8192])
    environ = {"wsgi.input": line, "CONTENT_LENGTH": "8192"}
    with ThreadPoolExecutor(1) as pool:
        stalled = pool.submit(server.patch, "li", upload, b"", 0, environ=environ)
        assert arrived.wait(20)
        assert server.offset("li", upload) == 0  # what came is held until more comes, or none
        assert server.patch("li", upload, CONTENT, 0).status_code == 204
        released.set()

    assert stalled.result().status_code == 409
    assert server.register.entered == {digest(CONTENT)}


def test_last_chunks_at_once_finish_the_file_once(server: Server):
    upload = place(server.create("li", CONTENT))
    server.patch("li", upload, CONTENT[:-10], 0)

    def last_or_ask(number: int) -> int:
        if number % 2:
            return server.patch("li", upload, CONTENT[-10:], len(CONTENT) - 10).status_code
        return server.ask("HEAD", "li", upload).status_code

    answers = Counter(at_once(8, last_or_ask))

    assert answers == {200: 4, 204: 1, 409: 3}
    assert server.store.blobs.open(digest(CONTENT)).read() == CONTENT


def test_creations_at_once_are_one_upload(server: Server):
    places = at_once(8, lambda _: place(server.create("li", CONTENT)))

    assert len(set(places)) == 1
    assert server.offset("li", places[0]) == 0


def test_tablets_with_the_same_file_at_once_all_succeed(server: Server):
    answers = at_once(6, lambda n: server.create(f"tablet {n}", CONTENT, CONTENT))

    assert [answer["Upload-Offset"] for answer in answers] == [str(len(CONTENT))] * 6
    assert server.store.blobs.open(digest(CONTENT)).read() == CONTENT


def test_deletions_among_chunks_leave_whole_uploads_or_none(server: Server):
    upload = place(server.create("li", CONTENT))

    def chunk_or_delete(number: int) -> int:
        if number == 3:
            return server.ask("DELETE", "li", upload).status_code
        return server.patch("li", upload, CONTENT, 0).status_code

    at_once(6, chunk_or_delete)

    assert server.offset("li", upload) is None
    assert list(server.root.rglob("*.part")) == []
    assert server.create("li", CONTENT, CONTENT)["Upload-Offset"] == str(len(CONTENT))
