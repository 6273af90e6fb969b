"""The server of the demo and of these tests ends with whoever started it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

STARTER = """
import sys, time
from pathlib import Path
from tests.e2e.serving import serving
with serving(Path(sys.argv[1]), "cases") as service:
    print(service.address, flush=True)
    time.sleep(600)
"""


def answers(address: str) -> bool:
    """Whether anybody listens at `address`."""
    try:
        httpx.get(f"{address}/sign-in/", timeout=5)
    except httpx.TransportError:
        return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_starter_leaves_no_server_behind(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path)]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    address = starter.stdout.readline().strip()
    assert answers(address)
    starter.send_signal(how)
    starter.wait(timeout=30)
    starter.stdout.close()
    until = time.monotonic() + 30
    while answers(address) and time.monotonic() < until:
        time.sleep(0.1)
    assert not answers(address)
