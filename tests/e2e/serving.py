"""The server that a county runs, in a child process, on a register of its own."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from outreach.demo.server import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60


@dataclass(frozen=True)
class Service:
    """A running server: where it answers and what it wrote."""

    address: str
    log: Path


@contextmanager
def serving(folder: Path, register: str) -> Iterator[Service]:
    """Prepare one of the registers of `preparing` in `folder`, serve it until the block ends."""
    port = free_port(0)
    service = Service(f"http://127.0.0.1:{port}", folder / "server.log")
    environment = _environment(folder, service.address)
    with service.log.open("wb") as log:
        told = {"cwd": ROOT, "env": environment, "stdout": log, "stderr": log}
        prepare = [sys.executable, "-m", "tests.e2e.preparing", register]
        done = subprocess.run(prepare, check=False, **told)
        assert done.returncode == 0, service.log.read_text()
        server = subprocess.Popen(_command(port), **told)
        try:
            _await(service, server)
            yield service
        finally:
            server.terminate()
            server.wait(timeout=30)


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


def _command(port: int) -> list[str]:
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1", "--blocking-threads", "8",
        "--log-level", "warning", "--no-access-log", "outreach.wsgi:application",
    ]  # fmt: skip


def _await(service: Service, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert server.poll() is None, service.log.read_text()
        try:
            httpx.get(f"{service.address}/sign-in/", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"no answer within {PATIENCE_S} s: {service.log.read_text()}")
