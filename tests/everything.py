"""Everything that CI runs, in order; `python -m tests.everything --help` lists the parts."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
#: What failed, said once more at the very end: a long log may be kept only by its last lines.
FAILURES: list[str] = []
#: Lines of a failure's account that are said again.
SAID_AGAIN = 25
#: What PostgreSQL runs again; the pure rules and the screens do not change with the database.
ON_POSTGRES = [
    "tests/outreach",
    "tests/mobile_api",
    "tests/certificates",
    "tests/generative",
    "tests/kills",
    "tests/malformed",
]
#: What PostgreSQL is spared but in the long run, beside what meets no database: rules, papers, and
#: campaigns whose database is told about by others.
SPARED = [
    "tests/outreach/domain",
    "tests/outreach/desk/rights",
    "tests/generative/test_faults.py",
    "tests/malformed",
    *(
        f"tests/certificates/test_{name}.py"
        for name in [
            "archival",
            "content",
            "credential",
            "keys",
            "paper",
            "portrait",
            "rare_names",
            "signing",
            "tampering",
            "typeface",
            "verapdf",
            "verdicts",
        ]
    ),
]


def run(*command: str, **environment: str) -> bool:
    """Run one command in the project's folder and tell whether it succeeded."""
    print("→", " ".join(command), flush=True)
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False)
    return done.returncode == 0


def lint() -> bool:
    """Format, lint, types, import directions, migrations in step with the models."""
    return all(
        [
            run(str(BIN / "ruff"), "format", "--check", "."),
            run(str(BIN / "ruff"), "check", "."),
            run(str(BIN / "mypy")),
            run(str(BIN / "lint-imports"), "--no-cache"),
            run(
                sys.executable,
                "manage.py",
                "makemigrations",
                "--check",
                "--dry-run",
                DJANGO_SETTINGS_MODULE="tests.settings",
            ),
        ]
    )


def tablet() -> bool:
    """The tablet app's lint, types and unit tests, by the Node that comes from PyPI."""
    return run(sys.executable, "-m", "tests.tablet_checks")


class Aside:
    """A part in a process of its own, beside others; what it says comes when it is waited for."""

    def __init__(self, name: str) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed where it is shown
        command = [sys.executable, "-m", "tests.everything", "--only", name]
        told = {"stdout": self._said, "stderr": subprocess.STDOUT}
        self._process = subprocess.Popen(command, cwd=ROOT, **told)

    def __call__(self) -> bool:
        """Wait for its end, show what it said, and tell whether it succeeded."""
        good = self._process.wait() == 0
        with self._said:
            self._said.seek(0)
            shutil.copyfileobj(self._said, sys.stdout.buffer)
        return good


def in_full() -> bool:
    """Tell whether the issues' full figures are asked for."""
    return os.environ.get("OUTREACH_LONG") == "1"


def pytest(*arguments: str, besides: str = "", **environment: str) -> bool:
    """Run pytest on two cores, without the issues' full figures unless they are asked for."""
    marks = " and ".join(filter(None, [besides, "" if in_full() else "not long"]))
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"]
    # Else files of few tests come last, which are the longest: one of the two would wait for it.
    command.append("--no-loadscope-reorder")
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        good = run(*command, f"--junitxml={results}", "-m", marks, *arguments, **environment)
        FAILURES.extend(failures(results) if results.exists() else ["pytest did not end"])
    return good


def failures(results: Path) -> list[str]:
    """Read what failed, and the end of its account, from a JUnit XML file of pytest's."""
    return [
        "\n".join(
            [
                f"{case.get('classname')}::{case.get('name')}",
                *(said.text or "").splitlines()[-SAID_AGAIN:],
            ]
        )
        for case in ElementTree.parse(results).iter("testcase")
        for said in (*case.findall("failure"), *case.findall("error"))
    ]


def sqlite() -> bool:
    """Every test, on the embedded database."""
    return pytest("--durations=25")


def postgres() -> bool:
    """Every test that meets the database, on PostgreSQL."""
    from tests.postgres import running

    with running(lasting=False) as url:
        spared = [] if in_full() else SPARED
        # A folder that is named is run in spite of `--ignore`.
        told = [f"--ignore={path}" for path in spared] + sorted({*ON_POSTGRES} - {*spared})
        told += [] if in_full() else ["--meets-the-database"]
        return pytest("--durations=25", *told, besides="not browser", DATABASE_URL=url)


PARTS: dict[str, Callable[..., bool]] = {
    "lint": lint,
    "tablet": tablet,
    "sqlite": sqlite,
    "postgres": postgres,
}
#: What is played beside which part: each waits for disks, servers and lines a third of its time.
BESIDE = {"lint": "tablet", "sqlite": "postgres"}


def main() -> int:
    """Run the parts, say how long each took, and fail if one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--long", action="store_true", help="the issues' full figures")
    chosen = parser.parse_args()
    if chosen.long:
        os.environ["OUTREACH_LONG"] = "1"
    # Where it is set, each worker and each process that a test starts compiles everything anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    results = {}
    parts = dict(PARTS)
    for name in chosen.only or parts:
        if name in BESIDE and not chosen.only:
            parts[BESIDE[name]] = Aside(BESIDE[name])
        began = time.monotonic()
        results[name] = parts[name]()
        took = f"{time.monotonic() - began:.0f} s"
        print(f"■ {name}: {'ok' if results[name] else 'FAILED'} in {took}", flush=True)
    if FAILURES:
        print(f"\n{len(FAILURES)} failed:\n", "\n\n".join(FAILURES), sep="\n")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
