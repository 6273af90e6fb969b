"""Lines that must outlast the database: what a cut has left of one hides no later one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import LazySettings

from outreach.checks import check_settings
from outreach.files import lines


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
