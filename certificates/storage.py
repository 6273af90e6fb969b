"""Signed papers and photos among the register's files: sealed, whole or not there at all."""

import hashlib
from io import BytesIO
from typing import BinaryIO

from outreach.files import SealedStorage, photo_name
from outreach.files import files as _files
from outreach.sealing import SealBroken

FOLDER = "certificates"
#: What opening or reading a paper raises that is lost, or not what was kept.
GONE = (FileNotFoundError, SealBroken)


def keep(paper: bytes, within: SealedStorage | None = None) -> str:
    """Keep a paper under its SHA-256, forced to the disk; return its name among the files."""
    digest = hashlib.sha256(paper).hexdigest()
    name = f"{FOLDER}/{digest[:2]}/{digest}.pdf"
    (within or _files()).put(name, BytesIO(paper).read)
    return name


def open_kept(name: str) -> BinaryIO:
    """Open a kept paper in plain."""
    return _files().read(name)


def open_photo(sha256: str) -> BinaryIO:
    """Open an uploaded photo in plain, or raise `FileNotFoundError`."""
    return _files().read(photo_name(sha256))
