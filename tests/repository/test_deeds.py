"""The audit trail speaks in words: no deed and no record stands there by its name in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from outreach.desk.words import DEEDS

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("outreach", "certificates", "mobile_api")
DEED = re.compile(r"[a-z_]+\.[a-z_]+")
#: Fewer means that the calls were not found.
FLOOR = 50


def recorded() -> Iterator[tuple[str, str]]:
    """Yield each deed that is written into the trail by a name of its own, and where."""
    for file in (file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        if "node_modules" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node) == "record" and node.args:
                for name in ast.walk(node.args[0]):  # one of two, or the one
                    if isinstance(name, ast.Constant) and DEED.fullmatch(str(name.value)):
                        yield name.value, f"{file.relative_to(ROOT)}:{node.lineno}"


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def test_every_deed_has_its_words() -> None:
    found = list(recorded())
    assert [f"{name} ({where})" for name, where in found if name not in DEEDS] == []
    assert len({name for name, _ in found}) >= FLOOR
