"""The real server, as a child of the demo: the same one that a county runs."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

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
def serving(
    port: int,
    *,
    threads: int = 32,
    environment: Mapping[str, str] | None = None,
    log: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server on 127.0.0.1 until the block ends; on Linux also when its parent is killed.

    Without an `environment` it has this process' own, without a `log` it speaks where this
    process does. Raises `ServerDied` when it does not answer.
    """
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1", "--blocking-threads", str(threads),
        "--log-level", "error", "--no-access-log", "outreach.wsgi:application",
    ]  # fmt: skip
    server = subprocess.Popen(  # noqa: S603  # our own interpreter, our own arguments
        command,
        env=environment,
        stdout=log,
        stderr=log,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )
    try:
        _await(port, server)
        yield server
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:  # it hangs, or the machine is that busy
            server.kill()
            server.wait()


def _end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent is gone: prctl(2), PR_SET_PDEATHSIG."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    # One client: each reads all certificates of the system, which takes as long as a good answer.
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
        while time.monotonic() < until:
            if server.poll() is not None:
                raise ServerDied("The server did not start; its messages say why.")
            try:
                client.get("/sign-in/")
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
    raise ServerDied(f"The server did not answer within {PATIENCE_S} seconds.")
