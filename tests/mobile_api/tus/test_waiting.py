"""What those who wait for a line or a turn hold meanwhile: no connection, and little memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest

from mobile_api.tus import body
from mobile_api.tus.store import Upload
from tests.mobile_api.tus.serving import Register, Server, place

CONTENT = bytes(range(256)) * 8


class Pool:
    """One connection: taken to find out who asks, and asked for once more within a turn."""

    def __init__(self) -> None:
        self.is_taken, self.turns = False, 0

    def owner_of(self, _request: HttpRequest) -> str:
        self.is_taken = True
        return "one tablet"

    def let_go(self) -> None:
        self.is_taken = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        assert not self.is_taken
        self.turns += 1
        yield


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def server(tmp_path: Path, pool: Pool) -> Server:
    around: dict[str, Any] = {"let_go": pool.let_go, "turn": pool.turn}
    return Server(tmp_path, Register(), owner_of=pool.owner_of, around=around)


def test_who_asks_how_far_a_whole_upload_is(server: Server, pool: Pool):
    where = place(server.create("", CONTENT))
    server.patch("", where, CONTENT, 0)

    assert server.offset("", where) == len(CONTENT)
    assert pool.turns == 2


def test_who_announces_a_file_that_is_here(server: Server, pool: Pool):
    server.create("", CONTENT, CONTENT)
    announced = server.create("", CONTENT, environ={"CONTENT_TYPE": ""})

    assert announced["Upload-Offset"] == str(len(CONTENT))
    assert pool.turns == 2


@pytest.mark.parametrize(("size", "is_held"), [(body.AT_ONCE, True), (body.AT_ONCE + 1, False)])
def test_a_large_file_is_never_held_whole(
    server: Server, monkeypatch: pytest.MonkeyPatch, size: int, is_held: bool
):
    monkeypatch.setattr(body, "LARGEST_BLOCK", 64 * 1024)
    content, arrived = bytes(size), list[int]()
    real = server.store.append

    def append(upload: Upload, offset: int, blocks: Iterator[bytes]) -> int:
        arrived.extend(map(len, blocks := list(blocks)))
        return real(upload, offset, blocks)

    monkeypatch.setattr(server.store, "append", append)

    answer = server.create("", content, content)

    assert answer["Upload-Offset"] == str(size)
    assert arrived == ([] if is_held else [64 * 1024] * 16 + [1])
