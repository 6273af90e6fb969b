"""The real server, as a child of the demo: the same one that a county runs."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

PATIENCE_S = 60


class ServerDied(RuntimeError):
    """The server ended before it answered."""


def free_port(wanted: int) -> int:
    """Return the wanted port of this machine if it is free, else another one."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", wanted))
        except OSError:
            trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def serving(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server on 127.0.0.1 until the block ends; ends with its parent, killed or not."""
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1", "--blocking-threads", "32",
        "--log-level", "warning", "--no-access-log", "outreach.wsgi:application",
    ]  # fmt: skip
    server = subprocess.Popen(command)  # noqa: S603  # our own interpreter, our own arguments
    try:
        _await(port, server)
        yield server
    finally:
        server.terminate()
        server.wait(timeout=30)


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if server.poll() is not None:
            raise ServerDied("The server did not start; its messages stand above.")
        try:
            httpx.get(f"http://127.0.0.1:{port}/sign-in/", timeout=5)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise ServerDied(f"The server did not answer within {PATIENCE_S} seconds.")
