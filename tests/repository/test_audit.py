"""The audit asks about risky lines, hears a reason beside them, and takes no silence for yes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import audit


def report(file: str, check: str) -> dict[str, Any]:
    one = {"filename": f"./{file}", "test_id": check, "line_range": [2], "line_number": 2}
    return {"results": [one | {"issue_text": "risky"}]}


DOOR, DEMO = "room/door.py", "outreach/demo/people.py"
SHELL = "run(command, shell=True)"


@pytest.mark.parametrize(
    ("file", "check", "line", "expected"),
    [
        (DOOR, "B602", SHELL, [f"{DOOR}:2"]),
        (DOOR, "B602", f"{SHELL}  # noqa: S602  # ours", []),
        (DOOR, "B602", f"{SHELL}  # noqa: S603  # another", [f"{DOOR}:2"]),
        (DOOR, "B602", "run('S602', shell=True)", [f"{DOOR}:2"]),
        (DEMO, "B311", "Random(seed)", []),
        (DEMO, "B602", SHELL, [f"{DEMO}:2"]),
    ],
)
def test_a_risky_line_needs_its_own_reason(
    tmp_path: Path, file: str, check: str, line: str, expected: list[str]
) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(f"first\n{line}\n", encoding="utf-8")
    found = audit.unanswered(report(file, check), tmp_path)
    assert [f"{one.file}:{one.line}" for one in found] == expected


def test_our_own_lines_are_clean(capfd: pytest.CaptureFixture[str]) -> None:
    assert audit.written(), capfd.readouterr().out


def test_a_look_that_could_not_be_taken_fails(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "PARTS", {"seen": lambda: True, "unreached": lambda: False})
    assert audit.main() == 1
    assert "not looked at (see above): unreached." in capfd.readouterr().out
