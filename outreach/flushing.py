"""What is written whole, and forced to the disk together."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

Flush = Callable[[], None]
_PARTS_AT_ONCE = 512


def write_all(handle: int, parts: Sequence[bytes], at: int) -> None:
    """Write parts one after the other from a place of an open file on, all of them."""
    for first in range(0, len(parts), _PARTS_AT_ONCE):
        some = parts[first : first + _PARTS_AT_ONCE]
        written = os.pwritev(handle, some, at)
        rest = memoryview(b"".join(some))[written:] if written < sum(map(len, some)) else b""
        at += written
        while rest:
            written = os.pwrite(handle, rest, at)
            rest, at = rest[written:], at + written


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """Hold a file or folder, so that nobody else who holds it is at work there meanwhile.

    Nor takes it for what a killed run left there.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network disks grant no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def leave_to_owner(handle: int, folder: Path) -> None:
    """Give a file that root made to the owner of its folder: the service could not open it else."""
    if not os.geteuid():
        owner = folder.stat()
        with suppress(PermissionError):  # a share to which no root is one
            os.fchown(handle, owner.st_uid, owner.st_gid)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_together(flushes: Sequence[Flush]) -> None:
    """Wait for the disk once: flushes that meet there cost little more than one.

    Raises what one of them raised, after all of them have ended.
    """
    first, *others = flushes
    beside = [_flushers().submit(one) for one in others]
    try:
        first()
    finally:
        wait(beside)
    for one in beside:
        one.result()


@lru_cache(maxsize=1)
def _flushers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=16, thread_name_prefix="flush")
