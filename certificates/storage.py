"""Signed papers on disk, named by what they hold: whole or not there at all."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

FOLDER = "certificates"


def keep(root: Path, paper: bytes) -> str:
    """Write a paper under its SHA-256, synced to the disk; return its path below `root`."""
    name = hashlib.sha256(paper).hexdigest()
    relative = f"{FOLDER}/{name[:2]}/{name}.pdf"
    target = root / relative
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = target.with_suffix(f".{os.getpid()}.new")
    with beside.open("wb") as file:
        file.write(paper)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(target)
    _sync(target.parent)
    return relative


def _sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_kept(root: Path, relative: str) -> BinaryIO:
    """Open a kept paper for reading."""
    return (root / relative).open("rb")


def blob(root: Path, sha256: str) -> Path:
    """Return where an uploaded photo lies."""
    return root / "blobs" / sha256[:2] / sha256[2:4] / sha256
