"""Every line of the threat model names a test, and the test exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "security.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def threats() -> list[str]:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    return [row for row in rows if not row.startswith(("| They might", "| ---"))]


def test_every_threat_names_a_test() -> None:
    assert [row for row in threats() if not NAMED.search(row)] == []
    assert len(threats()) >= 30


def test_every_test_that_is_named_exists() -> None:
    missing = []
    for row in threats():
        for file, name in NAMED.findall(row):
            path = ROOT / file
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            if not text or (name and f"def {name}(" not in text):
                missing.append(f"{file}::{name}")
    assert missing == []
