"""A stranger's file is looked into by a process of its own: it breaks a parser in any way it likes.

Only what carries a genuine signature of ours gets so far, but every holder has such a file, and can
append to it what has a reader count for hours, or fill the memory. The process knows none of the
service's secrets, has so much time and so much memory, and goes behind all other work.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore

from certificates.authority import load_trust
from certificates.examination import Change, Examination, Verdict, examine

SECONDS = 5
"""Of the processor; a paper with all its time-stamps takes less than one."""
ROOM = 1 << 30
"""Bytes of addresses; a process that has read nothing yet has a quarter of them."""
PATIENCE_S = 60
HOUSE = Path(__file__).resolve().parent.parent
BEYOND = Examination(Verdict.ALTERED, (Change.CONTENT,))
"""What is said of a file that takes more."""
_few = BoundedSemaphore(2)


def examined(pdf: bytes, folder: Path) -> Examination:
    """Judge a file like `examine`, by the roots in a folder of keys.

    Raises `OSError` where that cannot be done now, which says nothing of the file.
    """
    if not _few.acquire(timeout=PATIENCE_S):
        raise TimeoutError("too many files are looked into")
    try:
        done = subprocess.run(  # noqa: S603  # ourselves, no shell
            [sys.executable, "-m", "certificates.apart", folder.resolve()],
            input=pdf,
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
    if done.returncode < 0:
        return BEYOND
    verdict, *changes = done.stdout.decode().split()
    return Examination(Verdict(verdict), tuple(map(Change, changes)))


def main() -> None:
    """Read a file from the standard input and say what it is."""
    pdf, trust = sys.stdin.buffer.read(), load_trust(Path(sys.argv[1]))
    os.nice(19)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    found = examine(pdf, trust)
    sys.stdout.write(" ".join((found.verdict, *found.changes)))


if __name__ == "__main__":
    main()
