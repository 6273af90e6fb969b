"""The store alone: what survives a kill, what a sweep takes, and who may write when."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import pytest
from django.conf import LazySettings

from mobile_api.problems import Problem
from mobile_api.tus.store import Store, Upload, upload_id
from outreach.files import GrowingFile, local_files, photo_name
from outreach.models.sealed import key_ring
from tests.mobile_api.uploading import b64, digest

NOW = datetime(2018, 6, 4, tzinfo=UTC)
CONTENT = b"0123456789"


def announced(content: bytes = CONTENT, owner: str = "li", hours: int = 72) -> Upload:
    name = digest(content)
    return Upload(
        id=upload_id(owner, name, len(content)),
        owner=owner,
        length=len(content),
        sha256=name,
        content_type="image/jpeg",
        metadata="sha256 x",
        expires_at=NOW + timedelta(hours=hours),
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def accept(_file: BinaryIO) -> None:
    """Accept every file."""


def refuse(_file: BinaryIO) -> None:
    raise Problem("not-a-picture")


def slug_of(action: object, *arguments: object) -> str | None:
    assert callable(action)
    try:
        action(*arguments)
    except Problem as problem:
        return problem.slug
    return None


def files(folder: Path) -> list[str]:
    return sorted(path.suffix for path in (folder / "uploads").iterdir() if path.suffix)


def test_an_announcement_is_found_by_another_process(store: Store, tmp_path: Path):
    store.create(announced())

    assert Store(tmp_path).find(announced().id) == announced()


def test_what_was_appended_is_there_for_another_process(store: Store, tmp_path: Path):
    store.create(announced())

    assert store.append(announced(), 0, [b"0123", b"45"]) == 6
    assert Store(tmp_path).offset(announced()) == 6


def test_the_same_file_of_two_devices_is_two_uploads():
    assert announced(owner="li").id != announced(owner="wang").id


def test_a_block_is_appended_only_where_the_file_ends(store: Store):
    store.create(announced())
    store.append(announced(), 0, [b"01"])

    assert slug_of(store.append, announced(), 0, [b"01"]) == "upload-offset"
    assert slug_of(store.append, announced(), 3, [b"3"]) == "upload-offset"
    assert store.offset(announced()) == 2


def test_the_newer_writer_goes_on_and_the_older_is_told(store: Store):
    store.create(announced())

    def interrupted():
        yield b"0123"
        store.append(announced(), 4, [b"45"])
        yield b"45"

    assert slug_of(store.append, announced(), 0, interrupted()) == "upload-offset"
    assert store.offset(announced()) == 6


def test_a_writer_is_told_of_a_deletion_meanwhile(store: Store, tmp_path: Path):
    store.create(announced())

    def interrupted():
        yield b"0123"
        store.discard(announced().id)
        yield b"45"

    assert slug_of(store.append, announced(), 0, interrupted()) == "not-found"
    assert files(tmp_path) == []


def test_a_writer_never_touches_what_was_announced_anew(store: Store):
    store.create(announced())

    def interrupted():
        yield b"0123"
        store.discard(announced().id)
        store.create(announced())
        yield b"45"

    assert slug_of(store.append, announced(), 0, interrupted()) == "not-found"
    assert store.offset(announced()) == 0


@pytest.mark.parametrize("ended", ["deleted", "finished by another device"])
def test_a_writer_is_told_of_an_end_that_comes_before_its_flush(
    store: Store, monkeypatch: pytest.MonkeyPatch, ended: str
):
    store.create(announced())
    real = GrowingFile.has_tail

    def has_tail(self: GrowingFile) -> bool:
        found = real(self)
        if ended == "deleted":
            store.discard(announced().id)
        else:
            store.blobs.take(CONTENT, digest(CONTENT), accept)
            store.finish(announced(), accept)
        return found

    monkeypatch.setattr(GrowingFile, "has_tail", has_tail)

    told = slug_of(store.append, announced(), 0, [b"0123"])

    assert told == {"deleted": "not-found"}.get(ended, "upload-offset")
    assert store.is_complete(announced()) is (ended != "deleted")


def test_a_part_that_another_request_tidied_away_is_not_missed(store: Store, tmp_path: Path):
    store.create(announced())
    store.append(announced(), 0, [CONTENT])

    def meanwhile(_file: BinaryIO) -> None:
        store.blobs.take(CONTENT, digest(CONTENT), accept)
        store.finish(announced(), accept)

    assert store.finish(announced(), meanwhile) is None
    assert store.blobs.open(digest(CONTENT)).read() == CONTENT
    assert files(tmp_path) == [".json"]


def test_nothing_is_written_past_the_end(store: Store):
    store.create(announced())

    assert slug_of(store.append, announced(), 0, [CONTENT, b"more"]) == "too-large"
    assert store.offset(announced()) == len(CONTENT)


def test_what_the_line_broke_off_is_kept(store: Store):
    store.create(announced())

    def broken():
        yield b"0123"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.append(announced(), 0, broken())

    assert store.offset(announced()) == 4


def test_a_finished_file_is_named_by_what_it_holds(store: Store, tmp_path: Path):
    store.create(announced())
    store.append(announced(), 0, [CONTENT])

    store.finish(announced(), accept)

    name = digest(CONTENT)
    assert store.blobs.open(name).read() == CONTENT
    assert CONTENT not in (tmp_path / "blobs" / name[:2] / name[2:4] / name).read_bytes()
    assert files(tmp_path) == [".json"]


def test_nothing_lies_in_clear_while_it_arrives(store: Store, tmp_path: Path):
    content = b"a face, a name" * 20_000
    store.create(announced(content))

    for at in range(0, 200_000, 12_345):
        store.append(announced(content), at, [content[at : at + 12_345]])
        lying = [file.read_bytes() for file in (tmp_path / "uploads").iterdir()]
        assert not any(b"a face" in body for body in lying)
        assert sum(map(len, lying)) < at + 12_345 + 70_000


def test_what_an_older_version_had_received_is_sealed_and_goes_on(store: Store, tmp_path: Path):
    content = bytes(range(256)) * 1000
    store.create(announced(content))
    part = tmp_path / "uploads" / f"{announced(content).id}.part"
    part.write_bytes(content[:100_000])

    assert store.offset(announced(content)) == 100_000
    assert content[:64] not in part.read_bytes()
    store.append(announced(content), 100_000, [content[100_000:]])
    store.finish(announced(content), accept)
    assert store.blobs.open(digest(content)).read() == content


class TestKeys:
    """What arrived before the ring's first key was changed."""

    CONTENT = bytes(range(256)) * 600

    @pytest.fixture
    def half(self, store: Store) -> Upload:
        store.create(announced(self.CONTENT))
        store.append(announced(self.CONTENT), 0, [self.CONTENT[:70_000]])
        return announced(self.CONTENT)

    def test_it_goes_on_and_is_kept_under_the_new_key(
        self, store: Store, tmp_path: Path, half: Upload, settings: LazySettings
    ):
        settings.OUTREACH_SEALING_KEYS = (f"next:{b64(b'n' * 32)}", *settings.OUTREACH_SEALING_KEYS)

        assert store.offset(half) == 70_000
        store.append(half, 70_000, [self.CONTENT[70_000:]])
        store.finish(half, accept)

        kept = local_files(tmp_path)
        assert kept.sealed_with(photo_name(half.sha256)) == key_ring().first_tag
        assert store.blobs.open(half.sha256).read() == self.CONTENT

    def test_it_begins_again_where_the_old_key_is_gone(
        self, store: Store, half: Upload, settings: LazySettings
    ):
        settings.OUTREACH_SEALING_KEYS = (f"next:{b64(b'n' * 32)}",)

        assert store.offset(half) == 0
        store.append(half, 0, [self.CONTENT])
        store.finish(half, accept)
        assert store.blobs.open(half.sha256).read() == self.CONTENT


def test_bytes_that_another_process_received_are_verified_too(store: Store, tmp_path: Path):
    content = bytes(range(256)) * 600
    store.create(announced(content))
    store.append(announced(content), 0, [content[:70_000]])
    with (tmp_path / "uploads" / f"{announced(content).id}.part").open("r+b") as part:
        growing = GrowingFile(
            part.fileno(),
            tmp_path / "uploads" / f"{announced(content).id}.tail",
            len(content),
            key_ring(),
            photo_name(announced(content).sha256),
        )
        assert growing.append(70_000, bytes(len(content) - 70_000))

    assert slug_of(store.finish, announced(content), accept) == "upload-checksum"
    assert files(tmp_path) == []


def test_finishing_again_changes_nothing(store: Store):
    store.create(announced())
    store.append(announced(), 0, [CONTENT])

    store.finish(announced(), accept)
    store.finish(announced(), refuse)

    assert store.blobs.open(digest(CONTENT)).read() == CONTENT


def test_an_unfinished_file_cannot_be_finished(store: Store):
    store.create(announced())
    store.append(announced(), 0, [CONTENT[:-1]])

    assert slug_of(store.finish, announced(), accept) == "upload-offset"
    assert store.offset(announced()) == len(CONTENT) - 1


@pytest.mark.parametrize(
    ("content", "examine", "slug"),
    [(b"x" * 10, accept, "upload-checksum"), (CONTENT, refuse, "not-a-picture")],
)
def test_a_refused_file_leaves_nothing(store: Store, tmp_path: Path, content, examine, slug):
    store.create(announced())
    store.append(announced(), 0, [content])

    assert slug_of(store.finish, announced(), examine) == slug
    assert files(tmp_path) == []
    assert store.find(announced().id) is None
    assert not store.is_complete(announced())


def test_two_devices_may_send_the_same_file_at_once(store: Store):
    for owner in ("li", "wang"):
        store.create(announced(owner=owner))
        store.append(announced(owner=owner), 0, [CONTENT[:5]])
    store.append(announced(owner="li"), 5, [CONTENT[5:]])
    store.finish(announced(owner="li"), accept)

    assert store.offset(announced(owner="wang")) == len(CONTENT)
    store.finish(announced(owner="wang"), accept)
    assert store.blobs.open(digest(CONTENT)).read() == CONTENT


def test_a_file_of_another_length_is_not_taken_for_the_blob(store: Store):
    store.create(announced())
    store.append(announced(), 0, [CONTENT])
    store.finish(announced(), accept)

    assert not store.blobs.holds(digest(CONTENT), len(CONTENT) + 1)


def test_an_announcement_that_a_power_cut_tore_is_made_again(store: Store, tmp_path: Path):
    store.create(announced())
    store.append(announced(), 0, [b"0123"])
    info = tmp_path / "uploads" / f"{announced().id}.json"
    info.write_bytes(info.read_bytes()[:20])

    assert store.find(announced().id) is None
    store.create(announced())
    assert store.offset(announced()) == 4


@pytest.mark.parametrize("size", [4, len(CONTENT)])
def test_what_the_disk_failed_to_force_is_sent_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, size: int
):
    """It may be read for a while, and the disk call it forced the next time, without having it."""
    store.create(announced())
    store.append(announced(), 0, [CONTENT[:2]])

    def failing(_handle: int) -> None:
        raise OSError(errno.EIO, "the disk fails")

    def send(offset: int) -> None:
        if store.append(announced(), offset, [CONTENT[offset:size]]) == len(CONTENT):
            store.finish(announced(), accept)

    with monkeypatch.context() as disk:
        disk.setattr(os, "fdatasync", failing)
        with pytest.raises(OSError, match="the disk fails"):
            send(2)

    assert slug_of(store.offset, announced()) == "not-found"
    store.create(announced())
    assert store.append(announced(), 0, [CONTENT]) == len(CONTENT)
    store.finish(announced(), accept)
    assert store.blobs.open(announced().sha256).read() == CONTENT


def test_only_the_owner_of_the_process_may_read(store: Store, tmp_path: Path):
    store.create(announced())
    store.append(announced(), 0, [CONTENT])
    store.finish(announced(), accept)
    name = digest(CONTENT)
    blob = tmp_path / "blobs" / name[:2] / name[2:4] / name

    modes = [path.stat().st_mode & 0o077 for path in (blob, *blob.parents[:3])]
    assert modes == [0, 0, 0, 0]


class TestSweep:
    def test_what_expired_goes_and_the_rest_stays(self, store: Store, tmp_path: Path):
        for content, hours in ((b"old", 1), (b"young", 3)):
            store.create(announced(content, hours=hours))
            store.append(announced(content), 0, [content[:1]])

        store.sweep(NOW + timedelta(hours=2))

        assert store.find(announced(b"old").id) is None
        assert store.offset(announced(b"young")) == 1
        assert files(tmp_path) == [".json", ".part", ".tail"]

    def test_a_blob_outlives_the_upload_it_came_by(self, store: Store):
        store.create(announced())
        store.append(announced(), 0, [CONTENT])
        store.finish(announced(), accept)

        store.sweep(NOW + timedelta(hours=100))

        assert store.find(announced().id) is None
        assert store.is_complete(announced())

    @pytest.mark.parametrize("name", ["{}.part", "{}.tail", "{}.abc.tmp", "{}.json"])
    def test_what_a_crash_left_behind_goes_after_a_day(
        self, store: Store, tmp_path: Path, name: str
    ):
        store.create(announced())
        stray = tmp_path / "uploads" / name.format(uuid4())
        stray.write_bytes(b"torn")
        os.utime(stray, (NOW.timestamp(), NOW.timestamp()))

        store.sweep(NOW + timedelta(hours=23))
        assert stray.exists()
        store.sweep(NOW + timedelta(hours=25))
        assert not stray.exists()
        assert store.offset(announced()) == 0

    @pytest.mark.parametrize("name", [".nfs.0001", "notes.json", "a backup.part", "{}", "{}x.tmp"])
    def test_what_is_not_its_own_is_left_alone(self, store: Store, tmp_path: Path, name: str):
        store.create(announced(hours=0))
        foreign = tmp_path / "uploads" / name.format(uuid4())
        foreign.write_bytes(b"of somebody else")
        os.utime(foreign, (NOW.timestamp(), NOW.timestamp()))

        store.sweep(NOW + timedelta(hours=25))

        assert foreign.exists()
        assert store.find(announced().id) is None

    def test_it_runs_once_an_hour(self, store: Store):
        store.sweep(NOW)
        store.create(announced(hours=0))

        store.sweep(NOW + timedelta(minutes=59))
        assert store.find(announced().id) is not None
        store.sweep(NOW + timedelta(minutes=61))
        assert store.find(announced().id) is None

    def test_it_runs_also_after_a_clock_that_was_a_year_ahead(self, store: Store):
        store.sweep(NOW + timedelta(days=365))
        store.create(announced(hours=0))

        store.sweep(NOW + timedelta(hours=2))

        assert store.find(announced().id) is None

    def test_it_spares_what_is_announced_again_meanwhile(self, store: Store):
        for hour in range(50):
            store.create(announced(hours=0))
            with ThreadPoolExecutor(2) as pool:
                swept = pool.submit(store.sweep, NOW + timedelta(hours=hour))
                pool.submit(store.create, announced(hours=1000)).result()
            swept.result()

            assert store.find(announced().id) == announced(hours=1000)
            assert store.offset(announced()) == 0
