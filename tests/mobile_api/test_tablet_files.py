"""The tablet app as the server hands it out: small, under its policy, the last three builds."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest
from django.test import Client

from mobile_api.tablet_builds import KEPT, earlier_assets
from mobile_api.tablet_views import BUILT

SHELL_LIMIT = 150_000


def build(folder: Path, *names: str) -> Path:
    """Return a folder as the build hook leaves it."""
    for name in names:
        file = folder / "assets" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return folder


def test_the_whole_shell_weighs_at_most_150_kilobytes_packed() -> None:
    worker = (BUILT / "sw.js").read_text()
    listed = re.search(r"\[`\./`[^\]]*\]|\[\"\./\"[^\]]*\]", worker)
    assert listed is not None
    names = re.findall(r"[`\"]([^`\",]+)[`\"]", listed.group())
    files = ["index.html" if name == "./" else name for name in names] + ["sw.js"]
    weight = {name: len(gzip.compress((BUILT / name).read_bytes(), mtime=0)) for name in files}
    print(f"shell: {sum(weight.values())} bytes packed, {weight}")
    assert sum(weight.values()) <= SHELL_LIMIT
    assert len(weight) >= 6


@pytest.mark.parametrize("name", ["", "sw.js", "manifest.webmanifest"])
def test_what_may_change_is_asked_for_each_time(client: Client, name: str) -> None:
    answer = client.get(f"/tablet/{name}")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-cache"
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_the_assets_of_the_last_three_builds_are_found(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for number in range(5):
        earlier = earlier_assets(build(tmp_path / str(number), f"app-{number}.js"), kept)
        for build_folder in kept.iterdir():
            moment = build_folder.stat().st_mtime_ns - 1_000_000_000
            os.utime(build_folder, ns=(moment, moment))
    assert sorted(earlier) == ["assets/app-2.js", "assets/app-3.js"]
    assert len(list(kept.iterdir())) == KEPT


def test_a_build_that_is_served_again_is_kept_once(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    folder = build(tmp_path / "a", "app.js", "app.css")
    assert earlier_assets(folder, kept) == {}
    assert earlier_assets(folder, kept) == {}
    assert len(list(kept.iterdir())) == 1


def test_a_folder_that_cannot_be_written_hinders_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert earlier_assets(build(tmp_path / "a", "app.js"), blocked) == {}
