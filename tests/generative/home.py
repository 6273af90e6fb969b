"""The folder of a service: files, keys, and what outlasts its database."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

_PLACES = {
    "OUTREACH_FILES": "files",
    "OUTREACH_KEYS_DIR": "keys",
    "OUTREACH_REVOCATIONS": "revocations.jsonl",
    "OUTREACH_ENROLMENTS": "enrolments.jsonl",
    "OUTREACH_ERASURES": "erasures.jsonl",
}


@contextmanager
def home() -> Iterator[None]:
    """Let the service live in a fresh folder, in memory where the system has such a one."""
    memory = Path("/dev/shm")
    before = {name: getattr(settings, name) for name in (*_PLACES, "OUTREACH_CO_SIGNERS")}
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        try:
            for name, place in _PLACES.items():
                setattr(settings, name, Path(folder) / place)
            yield
        finally:
            for name, place in before.items():
                setattr(settings, name, place)


def lose_enrolments() -> None:
    """Lose the disk with the file of enrolments."""
    settings.OUTREACH_ENROLMENTS.unlink(missing_ok=True)


def forget_tablets() -> None:
    """Begin with nobody enrolled, stopped, erased, nothing handed in but what the database says."""
    lose_enrolments()
    settings.OUTREACH_ERASURES.unlink(missing_ok=True)
    settings.OUTREACH_REVOCATIONS.unlink(missing_ok=True)
    shutil.rmtree(settings.OUTREACH_FILES / "handed", ignore_errors=True)
