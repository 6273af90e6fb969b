"""A stranger's file is looked into by a process of its own: it breaks a reader in any way it likes.

It can have one count for hours, or fill the memory. The process knows none of the secrets of the
service, has so much time and so much memory, and lets other work go first.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore

SECONDS = 5
"""Of the processor; a paper with all its time-stamps, or a telephone's picture, takes one."""
ROOM = 1 << 30
"""Bytes of addresses; a process that has read nothing yet has a quarter of them."""
PATIENCE_S = 60
TURN_S = 5
"""For so long a file waits for its turn: whoever asks holds a connection to the database."""
HOUSE = Path(__file__).resolve().parent.parent
_few = BoundedSemaphore(2)


def run(module: str, *arguments: str, content: bytes) -> str | None:
    """Return what a module says of a file, None where that takes more than it may have.

    Raises `OSError` where it cannot be asked now, which says nothing of the file.
    """
    if not _few.acquire(timeout=TURN_S):
        raise TimeoutError("too many files are looked into")
    try:
        done = subprocess.run(  # noqa: S603  # ourselves, no shell
            [sys.executable, "-m", module, *arguments],
            input=content,
            capture_output=True,
            check=False,
            cwd=HOUSE,
            env={},
            timeout=PATIENCE_S,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError("the machine has no time to look into a file") from error
    finally:
        _few.release()
    if done.returncode > 0:
        raise ChildProcessError(done.stderr.decode(errors="replace"))
    return done.stdout.decode() if done.returncode == 0 else None


def given() -> bytes:
    """Return the file that this process is to look into, which has its bounds from now on."""
    content = sys.stdin.buffer.read()
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    return content
