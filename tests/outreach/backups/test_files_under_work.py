"""Files that are erased or sealed anew while a backup runs, and files that lie on another disk."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from outreach.backups import whole
from outreach.backups.archive import Manifest, read, write
from outreach.files import files
from tests.mobile_api.uploading import digest

KEPT = bytes(200_000)


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.OUTREACH_FILES = tmp_path / "files"
    return tmp_path / "files"


def backed_up(key: tuple[Path, str], folder: Path, meanwhile: Callable[[], object]) -> Manifest:
    """Back up the files, and do something once they are listed; return what the backup holds."""
    target, there = folder.parent / "backup.age", folder.parent / "there"
    members, said = list(whole._files(folder, [])), Manifest("", "", "", {})
    meanwhile()
    write(target, members, said, to=[key[1]], progress=lambda *_: None)
    return read(target, there, identity=key[0].read_text(), progress=lambda *_: None)


def test_a_file_that_is_erased_meanwhile_is_left_out(key: tuple[Path, str], folder: Path) -> None:
    for name in ("certificates/one.pdf", "certificates/two.pdf"):
        files().put(name, BytesIO(KEPT).read)

    told = backed_up(key, folder, lambda: files().delete("certificates/one.pdf"))

    assert list(told.files) == ["files/certificates/two.pdf"]


def test_a_file_that_is_sealed_anew_meanwhile_is_kept_whole(
    key: tuple[Path, str], folder: Path
) -> None:
    """It lay in clear, and is longer now."""
    place = folder / "certificates" / "one.pdf"
    place.parent.mkdir(parents=True)
    place.write_bytes(KEPT)

    told = backed_up(key, folder, lambda: files().reseal("certificates/one.pdf"))

    assert told.files == {"files/certificates/one.pdf": digest(place.read_bytes())}


def test_of_two_backups_in_one_second_the_first_stays_whole(
    key: tuple[Path, str], folder: Path
) -> None:
    """As by a timer and by hand: the second was written over it, and it was called whole."""
    files().put("certificates/one.pdf", BytesIO(KEPT).read)
    target, members = folder.parent / "backup.age", list(whole._files(folder, []))
    second = partial(write, target, [], Manifest("", "", "", {}), to=[key[1]], progress=print)

    def meanwhile(*_: int) -> None:
        with pytest.raises(FileExistsError):
            second()

    write(target, members, Manifest("", "", "", {}), to=[key[1]], progress=meanwhile)

    told = read(target, folder.parent / "there", identity=key[0].read_text(), progress=print)
    assert list(told.files) == ["files/certificates/one.pdf"]


@pytest.mark.django_db
def test_a_file_on_a_sector_that_the_disk_lost_keeps_nobody_from_the_others(
    key: tuple[Path, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad sector, and "Nothing was backed up", night after night, without a name."""
    for name in ("certificates/one.pdf", "certificates/two.pdf"):
        files().put(name, BytesIO(KEPT).read)
    lost, read_bytes = folder / "certificates/one.pdf", Path.read_bytes

    def reading(file: Path) -> bytes:
        if file == lost:
            raise OSError(errno.EIO, "Input/output error")
        return read_bytes(file)

    class Dumped:
        file_name, vendor = "dump", "sqlite"

        def dump(self, target: Path) -> dict[str, int]:
            target.write_bytes(b"rows")
            return {"table": 1}

    monkeypatch.setattr(Path, "read_bytes", reading)
    monkeypatch.setattr(whole, "database", Dumped)
    with pytest.raises(whole.FilesAway, match=f"without 1 files .*: {lost}"):
        whole.back_up(folder.parent, to=[key[1]], at=datetime.now(UTC), progress=lambda *_: None)

    monkeypatch.undo()
    [made] = folder.parent.glob("outreach-*.tar.age")
    there = folder.parent / "there"
    told = read(made, there, identity=key[0].read_text(), progress=lambda *_: None)
    assert set(told.files) == {"dump", "files/certificates/two.pdf"}


@pytest.fixture
def another_disk(tmp_path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        if Path(name).stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is one file system only")
        yield Path(name)


def test_files_are_put_back_onto_another_disk(
    tmp_path: Path, another_disk: Path, settings: Any
) -> None:
    settings.OUTREACH_FILES = another_disk / "files"
    (tmp_path / "unpacked").write_bytes(KEPT)

    whole._put_back("files/certificates/one.pdf", tmp_path / "unpacked")

    assert (another_disk / "files/certificates/one.pdf").read_bytes() == KEPT
