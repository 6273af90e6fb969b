"""The audit asks about risky lines, hears a reason beside them, and takes no silence for yes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import audit
from tests.advisories import Advisories, MalformedVersion, Package


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
    assert audit.main([]) == 1
    assert "not looked at (see above): unreached." in capfd.readouterr().out


def test_a_folder_of_advisories_is_looked_into_where_nobody_can_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ours = audit.pinned()
    assert min(map(len, ours.values())) > 50
    django = next(one for one in ours["PyPI"] if one.name == "django")
    module = next(one for one in ours["npm"] if "/" in one.name)
    span = [{"introduced": "0"}, {"last_affected": django.version}]
    python = invented("Django", "PyPI", "ECOSYSTEM", span, said="An invented hole.")
    tablet = invented(module.name, "npm", "SEMVER", [{"introduced": "0"}, {"fixed": "0.0.1"}])
    (tmp_path / "one.yaml").write_text(json.dumps(python))  # JSON is YAML
    (tmp_path / "two.json").write_text(json.dumps(tablet))
    monkeypatch.setitem(audit.PARTS, "our own lines", lambda: True)
    assert audit.main(["--advisories", str(tmp_path)]) == 1
    said = capfd.readouterr().out
    assert f"django {django.version}: INVENTED-1 CVE-0000-0001: An invented hole." in said
    assert "not looked at (see above): Python packages." in said

    (tmp_path / "one.yaml").write_text(json.dumps(python | {"withdrawn": "2018-06-13T00:00:00Z"}))
    assert audit.main(["--advisories", str(tmp_path)]) == 1, "nothing is known about PyPI"
    other = invented("other", "PyPI", "ECOSYSTEM", span)
    (tmp_path / "one.yaml").write_text(json.dumps(other))
    assert audit.main(["--advisories", str(tmp_path)]) == 0


def invented(
    name: str, ecosystem: str, kind: str, events: list[dict[str, str]], said: str = ""
) -> dict[str, Any]:
    """Return an advisory as OSV writes it."""
    package = {"ecosystem": ecosystem, "name": name}
    return {
        "id": "INVENTED-1",
        "modified": "2018-06-12T00:00:00Z",
        "aliases": ["CVE-0000-0001"],
        "summary": said,
        "affected": [{"package": package, "ranges": [{"type": kind, "events": events}]}],
    }


@pytest.mark.parametrize(
    ("ecosystem", "version", "events", "expected"),
    [
        ("PyPI", "1.9", [{"introduced": "0"}, {"fixed": "1.10"}], True),
        ("PyPI", "1.10", [{"introduced": "0"}, {"fixed": "1.10"}], False),
        ("PyPI", "1.10rc1", [{"introduced": "0"}, {"fixed": "1.10"}], True),
        ("PyPI", "1.5", [{"introduced": "2"}, {"introduced": "1"}, {"fixed": "1.4"}], False),
        ("PyPI", "2.1", [{"introduced": "2"}, {"introduced": "1"}, {"fixed": "1.4"}], True),
        ("PyPI", "2.1", [{"introduced": "2.1"}, {"last_affected": "2.1"}], True),
        ("PyPI", "2.2", [{"introduced": "2.1"}, {"last_affected": "2.1"}], False),
        ("npm", "1.0.0-beta.2", [{"introduced": "0"}, {"fixed": "1.0.0-beta.11"}], True),
        ("npm", "1.0.0", [{"introduced": "0"}, {"fixed": "1.0.0-beta.11"}], False),
        ("npm", "1.0.0-rc.1", [{"introduced": "1.0.0-beta"}, {"fixed": "1.0.0"}], True),
        ("npm", "0.9.10", [{"introduced": "0.9.9"}], True),
    ],
)
def test_a_version_is_affected_from_where_a_hole_came_to_where_it_was_mended(
    tmp_path: Path, ecosystem: str, version: str, events: list[dict[str, str]], expected: bool
) -> None:
    kind = {"PyPI": "ECOSYSTEM", "npm": "SEMVER"}[ecosystem]
    (tmp_path / "a.json").write_text(json.dumps(invented("one", ecosystem, kind, events)))
    found = Advisories.read(tmp_path).about([Package(ecosystem, "one", version)])
    assert [hole.advisory for hole in found] == ["INVENTED-1 CVE-0000-0001"] * expected


def test_a_version_that_cannot_be_compared_is_no_clean_bill(tmp_path: Path) -> None:
    advisory = invented("one", "npm", "SEMVER", [{"introduced": "0"}, {"fixed": "2.0.0"}])
    (tmp_path / "a.json").write_text(json.dumps(advisory))
    with pytest.raises(MalformedVersion):
        list(Advisories.read(tmp_path).about([Package("npm", "one", "next")]))
