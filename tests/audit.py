"""`make audit`: known holes in what we use, and risky lines in what we wrote.

Three looks, each of which says what it did; one that could not be taken fails, because a list of
advisories that was not reached is no clean bill. Secrets are looked for by `make test`.

Where no list can be reached, `make audit ADVISORIES=FOLDER` looks into a folder of them instead
(`tests/advisories.py`); both ecosystems may lie below one folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.advisories import Advisories, Package, pinned_modules, pinned_python
from tests.everything import BIN, ROOT
from tests.tablet_checks import TABLET, npm

#: What runs in production; tests are no door.
WRITTEN = ("outreach", "mobile_api", "certificates", "manage.py", "hatch_build.py")
#: Where a whole folder is answered: the invented people of the demo want a seeded generator.
ANSWERED = {("outreach/demo/", "B311")}
PINNED = ("requirements/run.txt", "requirements/dev.txt")


@dataclass(frozen=True)
class Finding:
    """A line that bandit asks about and nobody has answered."""

    file: str
    line: int
    check: str
    said: str


def unanswered(report: dict[str, Any], root: Path = ROOT) -> list[Finding]:
    """Return the findings of a bandit report that no reason stands beside.

    Ruff's S rules are bandit's under the same numbers, so `# noqa: S311  # why` answers B311.
    """
    found = []
    for one in report["results"]:
        file, check, lines = one["filename"].removeprefix("./"), one["test_id"], one["line_range"]
        text = (root / file).read_text(encoding="utf-8").splitlines()[lines[0] - 1 : lines[-1]]
        answered = any(file.startswith(place) and check == of for place, of in ANSWERED)
        if not answered and not any(f"S{check[1:]}" in line for line in text if "noqa" in line):
            found.append(Finding(file, one["line_number"], check, one["issue_text"]))
    return found


def written() -> bool:
    """Look at our own lines with bandit; the checks left out stand with why in pyproject.toml."""
    command = [str(BIN / "bandit"), "-q", "-c", "pyproject.toml", "-f", "json", "-r", *WRITTEN]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    open_ones = unanswered(report)
    for one in open_ones:
        print(f"{one.file}:{one.line}: {one.check} {one.said}")
    lines, asked = report["metrics"]["_totals"]["loc"], len(report["results"])
    print(f"bandit: {lines} lines, {asked} questions, {len(open_ones)} without an answer")
    return not open_ones and not report["errors"]


def packages() -> bool:
    """Ask for advisories about every pinned Python package; one that is not known there fails."""
    command = [str(BIN / "pip-audit"), "--disable-pip", "--require-hashes", "--strict"]
    listed = [part for file in PINNED for part in ("-r", file)]
    return subprocess.run([*command, *listed], cwd=ROOT, check=False).returncode == 0


def modules() -> bool:
    """Ask npm for advisories about the tablet's modules, tools included."""
    return npm("audit") == 0


def pinned() -> dict[str, set[Package]]:
    """Return everything that is pinned, by the ecosystem's name in advisories."""
    files = [(ROOT / file).read_text(encoding="utf-8") for file in PINNED]
    lock = (TABLET / "package-lock.json").read_text(encoding="utf-8")
    return {"PyPI": pinned_python("\n".join(files)), "npm": pinned_modules(lock)}


def kept_advisories(known: Advisories, ecosystem: str) -> bool:
    """Look for the pinned packages of an ecosystem in a folder; one without any of it fails."""
    packages = pinned()[ecosystem]
    holes = list(known.about(sorted(packages, key=lambda one: one.name)))
    for hole in holes:
        one, mended = hole.package, ", ".join(hole.mended) or "no version yet"
        print(f"{one.name} {one.version}: {hole.advisory}: {hole.said} (mended in {mended})")
    about = known.count(ecosystem)
    print(
        f"{len(packages)} packages, {len(holes)} holes; {about} advisories for {ecosystem},"
        f" the newest of {known.newest or 'no day'}"
    )
    return not holes and about > 0


PARTS: dict[str, Callable[[], bool]] = {
    "our own lines": written,
    "Python packages": packages,
    "the tablet's modules": modules,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Take every look, then say which were not clean or could not be taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--advisories", type=Path, metavar="FOLDER", help="look here, ask nobody")
    folder = parser.parse_args(arguments).advisories
    parts = dict(PARTS)
    if folder is not None:
        known = Advisories.read(folder)
        parts["Python packages"] = partial(kept_advisories, known, "PyPI")
        parts["the tablet's modules"] = partial(kept_advisories, known, "npm")
    bad = []
    for name, look in parts.items():
        print(f"\n== {name}", flush=True)
        if not look():
            bad.append(name)
    if bad:
        print(f"\nNot clean, or not looked at (see above): {', '.join(bad)}.")
        return 1
    print("\nNothing known, nothing unanswered.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
