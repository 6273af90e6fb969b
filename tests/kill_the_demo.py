"""Kill the demo with SIGKILL at random moments and see that it ends with the same totals.

Outside the ordinary run (it plays the whole campaign): `python -m tests.kill_the_demo --kills 10`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from outreach.demo.environment import write

ROOT = Path(__file__).resolve().parent.parent
#: What differs by nature: the papers carry the real time of signing.
NOT_COMPARED = {"pdf"}


def play(data: Path, kill_after: float | None) -> dict[str, object] | None:
    """Run the demo on a data folder; kill its whole group after some seconds, if it still runs."""
    environment = {
        **os.environ,
        "OUTREACH_ENV_FILE": str(data / "outreach.env"),
        "OUTREACH_DATA": str(data),
    }
    command = [sys.executable, "manage.py", "demo", "--no-serve", "--port", "8765"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None
    if process.returncode:
        raise SystemExit(f"the demo ended with {process.returncode}")
    found: dict[str, object] = json.loads(out.decode().strip().splitlines()[-1])
    return found


def main() -> int:
    """Play once untouched, then with kills, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as untouched, tempfile.TemporaryDirectory() as killed:
        write(Path(untouched) / "outreach.env")
        write(Path(killed) / "outreach.env")
        began = time.monotonic()
        expected = play(Path(untouched), None)
        whole = time.monotonic() - began
        print(f"untouched: {expected} in {whole:.0f} s", flush=True)
        for number in range(1, chosen.kills + 1):
            after = rng.uniform(2, max(4.0, 2 * whole / chosen.kills))
            ended = play(Path(killed), after)
            print(f"kill {number} after {after:.1f} s: {'over' if ended else 'killed'}", flush=True)
        found = play(Path(killed), None)
    assert expected is not None
    assert found is not None
    same = {key: expected[key] == found[key] for key in expected if key not in NOT_COMPARED}
    print(f"after {chosen.kills} kills: {found}\n{'same totals' if all(same.values()) else same}")
    return 0 if all(same.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
