"""Write the demo's settings file once: fresh keys, the simulated clock, the demo marked as such."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "var" / "outreach.env"


def write(file: Path) -> bool:
    """Create `file` with fresh keys, readable by its owner only; keep one that is there."""
    if file.exists():
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = {
        "OUTREACH_DEMO": "1",
        "OUTREACH_CLOCK": "simulated",
        "OUTREACH_SECRET_KEY": secrets.token_urlsafe(48),
        "OUTREACH_SEALING_KEYS": f"demo:{_key()}",
        "OUTREACH_INDEX_KEY": _key(),
    }
    beside = file.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write("# The demo county's settings; delete the folder to begin again.\n")
        stream.writelines(f"{name}={value}\n" for name, value in lines.items())
    beside.replace(file)
    return True


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


if __name__ == "__main__":
    write(FILE)
