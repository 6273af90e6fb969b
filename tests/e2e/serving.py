"""The server that a county runs, in a child process, on a register of its own."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from outreach.demo.server import free_port
from outreach.demo.server import serving as running
from tests import migrated

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Service:
    """A running server: where it answers, what it wrote, and what it runs in."""

    address: str
    log: Path
    environment: dict[str, str]

    @property
    def port(self) -> int:
        """The port on the loopback."""
        return int(self.address.rpartition(":")[2])


def serving(folder: Path, register: str) -> AbstractContextManager[Service]:
    """Prepare one of the registers of `preparing` in `folder`, serve it until the block ends."""
    migrated.lay_into(folder)
    return _served(folder, "-m", "tests.e2e.preparing", register)


def serving_the_demo(folder: Path, until: date) -> AbstractContextManager[Service]:
    """Play the demo county until the evening of a day, serve it until the block ends."""
    return _served(folder, "manage.py", "demo", "--no-serve", f"--until={until}")


@contextmanager
def _served(folder: Path, *preparing: str) -> Iterator[Service]:
    port = free_port(0)
    address = f"http://127.0.0.1:{port}"
    environment = _environment(folder, address)
    service = Service(address, folder / "server.log", environment)
    with service.log.open("wb") as log:
        told = {"cwd": ROOT, "env": environment, "stdout": log, "stderr": log}
        done = subprocess.run([sys.executable, *preparing], check=False, **told)
        assert done.returncode == 0, service.log.read_text()
        with running(port, threads=8, environment=environment, log=log):
            yield service


def _environment(folder: Path, address: str) -> dict[str, str]:
    ours = ("OUTREACH_", "DATABASE_URL", "DJANGO_")
    rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return rest | {
        "OUTREACH_ENV_FILE": os.devnull,
        "OUTREACH_DATA": str(folder),
        "OUTREACH_DEMO": "1",
        "OUTREACH_CLOCK": "simulated",
        "OUTREACH_PUBLIC_URL": address,
        "OUTREACH_SECRET_KEY": secrets.token_urlsafe(48),
        "OUTREACH_SEALING_KEYS": f"e2e:{_key()}",
        "OUTREACH_INDEX_KEY": _key(),
        "OUTREACH_SQLITE_SYNCHRONOUS": "NORMAL",
    }


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
