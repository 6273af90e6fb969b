"""Every promise of sync, like every threat, names a test, and the test exists."""

from __future__ import annotations

from tests.repository.test_security import NAMED, ROOT

PAGE = ROOT / "docs" / "explanation" / "sync.md"


def promises() -> list[str]:
    text = PAGE.read_text(encoding="utf-8").partition("## What is promised")[2]
    rows = [line for line in text.splitlines() if line[:2] == "| "]
    return [row for row in rows if not row.startswith(("| Promise", "| ---"))]


def test_every_promise_names_a_test() -> None:
    assert [row for row in promises() if not NAMED.search(row)] == []
    for number in range(1, 12):
        assert any(f"I{number})" in row or f"I{number}," in row for row in promises()), number


def test_every_test_that_is_named_exists() -> None:
    named = [found for row in promises() for found in NAMED.findall(row)]
    texts = {file: (ROOT / file).read_text(encoding="utf-8") for file, _ in named}
    assert [f"{file}::{name}" for file, name in named if f"def {name}(" not in texts[file]] == []
    assert len(named) >= 25
