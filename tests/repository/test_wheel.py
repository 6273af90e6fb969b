"""A wheel carries the built tablet app, the checker and the translations: servers never build."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[2]


def test_a_wheel_carries_every_file_that_the_tablet_keeps(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as packed:
        names = set(packed.namelist())
        worker = packed.read("mobile_api/static/tablet/sw.js").decode()
    kept = {name for name in re.findall(r"[`\"]([\w./-]+)[`\"]", worker) if "." in name.strip("./")}
    assert len(kept) >= 6
    assert {f"mobile_api/static/tablet/{name}" for name in kept} - names == set()
    assert "certificates/static/checker/checker.html" in names
    assert "outreach/locale/zh_Hans/LC_MESSAGES/django.mo" in names
    assert not [name for name in names if "node_modules" in name or name.endswith((".vue", ".ts"))]
