"""Every line of the threat model and of the tablet's promises names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "security.md"
TABLET = ROOT / "docs" / "explanation" / "tablet.md"
NAMED = re.compile(r"`((?:tests|mobile_api/tablet/tests)/[\w/.]+\.(?:py|ts))(?:::(\w+))?`")


def rows_of(page: Path) -> list[str]:
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    return [row for row in rows if not row.startswith(("| They might", "| It promises", "| ---"))]


@pytest.mark.parametrize("page", [PAGE, TABLET], ids=lambda page: page.stem)
def test_every_line_names_a_test(page: Path) -> None:
    assert [row for row in rows_of(page) if not NAMED.search(row)] == []
    assert len(rows_of(page)) >= 30


@pytest.mark.parametrize("page", [PAGE, TABLET], ids=lambda page: page.stem)
def test_every_test_that_is_named_exists(page: Path) -> None:
    missing = []
    for row in rows_of(page):
        for file, name in NAMED.findall(row):
            path = ROOT / file
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            if not text or (name and f"def {name}(" not in text):
                missing.append(f"{file}::{name}")
    assert missing == []
