"""Lines that must outlast the database: what a cut has left of one hides no later one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import LazySettings

from certificates.keys import write
from outreach.checks import check_settings
from outreach.files import Folder, lines


def test_a_line_that_a_full_disk_broke_off_hides_no_later_one(tmp_path: Path) -> None:
    """Half of it is on the disk; when there is room again the next one is noted."""
    file = tmp_path / "apart" / "erasures.jsonl"
    lines.append(file, {"case": 1})
    whole = file.read_bytes()
    lines.append(file, {"case": 2})
    os.truncate(file, len(whole) + 6)
    lines.append(file, {"case": 3})
    lines.append(file, {"case": 4})
    assert list(lines.read(file)) == [{"case": 1}, {"case": 3}, {"case": 4}]


def test_a_line_whose_end_alone_is_lost_counts(tmp_path: Path) -> None:
    file = tmp_path / "stops.jsonl"
    lines.append(file, {"device": 1})
    os.truncate(file, file.stat().st_size - 1)
    lines.append(file, {"device": 2})
    assert list(lines.read(file)) == [{"device": 1}, {"device": 2}]
    assert file.read_bytes().count(b"\n") == 2


def test_the_first_line_survives_with_the_name_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut took the file with the first stop in it: only its bytes were on the disk."""
    file, forced, fsync = tmp_path / "apart" / "stops.jsonl", list[str](), os.fsync

    def noted(handle: int) -> None:
        forced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    lines.append(file, {"device": 1})
    assert forced == [str(file), str(file.parent)]
    lines.append(file, {"device": 2})
    assert forced[2:] == [str(file)]


def test_a_file_that_cannot_grow_is_warned_of_at_the_start(
    tmp_path: Path, settings: LazySettings
) -> None:
    """As on another disk, which systemd lets nobody write to unless the unit names it."""
    (tmp_path / "no folder").touch()
    settings.OUTREACH_REVOCATIONS = tmp_path / "apart" / "deep" / "stops.jsonl"
    settings.OUTREACH_ENROLMENTS = tmp_path / "no folder" / "enrolments.jsonl"
    settings.OUTREACH_ERASURES = tmp_path / "erasures.jsonl"
    settings.OUTREACH_ERASURES.touch()
    warned = [one.msg for one in check_settings() if one.id == "outreach.W011"]
    assert warned == [f"OUTREACH_ENROLMENTS cannot be written: {settings.OUTREACH_ENROLMENTS}."]


def test_what_another_account_owns_is_named_at_the_start(
    tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a command that was run as root: every page was an error, and nothing said why."""
    settings.OUTREACH_DATA, settings.OUTREACH_FILES = tmp_path, tmp_path / "files"
    (root_made := tmp_path / "outreach.sqlite3-wal").touch()
    (tmp_path / "outreach.sqlite3").touch()

    def may(path: Path, how: int) -> bool:
        return path.exists() and (how == os.F_OK or path != root_made)

    monkeypatch.setattr(os, "access", may)
    found = [one.msg for one in check_settings() if one.id == "outreach.E016"]
    assert found == [f"{root_made} cannot be written."]


@pytest.mark.parametrize("what", ["key", "line", "photo"])
def test_what_root_makes_is_the_services_whose_folder_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """With a receipt key of root each exchange was a 503; of photos sealed anew none was shown."""
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda _handle, *owner: given.append(owner))
    if what == "key":
        write(tmp_path / "receipt.key.pem", b"a key")
    elif what == "line":
        lines.append(tmp_path / "revocations.jsonl", {})
        lines.append(tmp_path / "revocations.jsonl", {})
    else:
        Folder(tmp_path).put("photo", [b"sealed"])
    owner = tmp_path.stat()
    assert given == [(owner.st_uid, owner.st_gid)]


def test_a_data_folder_of_another_account_is_named_too(
    tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look into it was a Python traceback."""
    settings.OUTREACH_DATA = closed = tmp_path / "closed"
    settings.OUTREACH_FILES = closed / "files"
    closed.mkdir()
    look = Path.stat

    def refusing(path: Path, **how: bool) -> os.stat_result:
        if closed in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, **how)

    monkeypatch.setattr(Path, "stat", refusing)
    seen = {closed, *closed.parents}
    monkeypatch.setattr(os, "access", lambda path, how: path in seen and how == os.F_OK)
    found = [one.msg for one in check_settings() if one.id == "outreach.E016"]
    assert found == [f"{closed} cannot be written."]


def test_photos_beside_a_bucket_that_was_only_named_are_warned_of(
    tmp_path: Path, settings: LazySettings
) -> None:
    """They are looked for in the bucket alone, and read as lost."""
    settings.OUTREACH_FILES = tmp_path
    settings.OUTREACH_BUCKET = "https://store.example/outreach"
    (folder := tmp_path / "blobs" / "ab").mkdir(parents=True)
    assert "outreach.W013" not in [one.id for one in check_settings()]
    (folder / "photo").touch()
    assert "outreach.W013" in [one.id for one in check_settings()]
    settings.OUTREACH_BUCKET = ""
    assert "outreach.W013" not in [one.id for one in check_settings()]
