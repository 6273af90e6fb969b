"""Lines that must outlast the database: what a cut has left of one hides no later one."""

from __future__ import annotations

import os
from pathlib import Path

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
