"""Files that only grow, a JSON object a line: what must outlast the database."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outreach.flushing import flush_folder, leave_to_owner

log = logging.getLogger(__name__)


def append(file: Path, said: dict[str, Any]) -> None:
    """Append a line, on the disk before this returns; raises `OSError` where it cannot.

    What a power failure or a full disk left of the last one ends here: it would hide this one.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "ab") as written:
        is_first = not os.fstat(descriptor).st_size
        if is_first:
            leave_to_owner(descriptor, file.parent)
        written.write(f"{_end_of_a_torn_line(descriptor)}{json.dumps(said)}\n".encode())
        written.flush()
        os.fsync(descriptor)
    if is_first:  # else a power cut may take the name of the file with it
        flush_folder(file.parent)


def _end_of_a_torn_line(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""


def note(file: Path, said: dict[str, Any], what: str) -> None:
    """Append a line of a deed that no disk, full or gone, keeps anybody from: it is logged."""
    try:
        append(file, said)
    except OSError:
        log.exception("%s is not in %s", what, file)


def read(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines in order; one that a power failure cut, or a disk spoilt, is logged."""
    try:
        text = file.read_text(errors="replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        if isinstance(said, dict):
            yield said
        else:
            log.warning("a line of %s cannot be read", file)
