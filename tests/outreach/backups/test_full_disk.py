"""A disk that is full says so, and nobody waits for it or takes a backup for damaged."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from outreach.backups.archive import Manifest, Member, read, write

ROOM = 100_000


@contextmanager
def little_room() -> Iterator[None]:
    """Let no file grow beyond some bytes, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def photos(tmp_path: Path) -> list[Member]:
    """Two that are larger than the room and than any pipe."""
    found = []
    for name in ("one", "two"):
        (file := tmp_path / name).write_bytes(os.urandom(5 * ROOM))
        found.append(Member(f"files/{name}", 5 * ROOM, partial(cast(Any, file.open), "rb")))
    return found


def backed_up(photos: list[Member], folder: Path, recipient: str) -> Path:
    target, said = folder / "backup.age", Manifest("", "", "", {})
    write(target, photos, said, to=[recipient], progress=lambda *_: None)
    return target


def test_a_restore_onto_a_full_disk_ends_and_says_so(
    key: tuple[Path, str], photos: list[Member], tmp_path: Path
) -> None:
    """It waited for ever, and would have called the backup cut or altered."""
    opened = partial(
        read,
        backed_up(photos, tmp_path, key[1]),
        identity=key[0].read_text(),
        progress=lambda *_: None,
    )
    with little_room(), pytest.raises(OSError, match="too large"):
        opened(tmp_path / "there")
    assert set(opened(tmp_path / "again").files) == {"files/one", "files/two"}


def test_a_backup_onto_a_full_disk_says_so_and_leaves_nothing(
    key: tuple[Path, str], photos: list[Member], tmp_path: Path
) -> None:
    """It said that a pipe was broken."""
    with little_room(), pytest.raises(OSError, match="too large"):
        backed_up(photos, tmp_path, key[1])
    assert not list(tmp_path.glob("backup.age*"))
