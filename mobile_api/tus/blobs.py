"""Finished photos among the files: named by what they hold, verified before they have the name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, TypeVar

from mobile_api.problems import Problem
from outreach.files import GrowingFile, SealedStorage, lost_sectors_told, photo_name
from outreach.sealing import SealBroken

#: What looking at a file tells.
Found = TypeVar("Found")
_GONE = "whoever brought the file could not keep it; create it again"
_DIFFERS = "the file differs from its SHA-256; create it again"
_READ = 256 * 1024
_REMEMBERED = 2_000


class Blobs:
    """Keeps whole files, sealed, under the SHA-256 of what they hold in plain."""

    def __init__(self, files: SealedStorage) -> None:
        self._files = files

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob in plain, or raise `FileNotFoundError`."""
        return self._files.read(photo_name(sha256))

    def holds(self, sha256: str, length: int) -> bool:
        """Tell whether the blob is here in its full length."""
        return self._files.holds(photo_name(sha256), length)

    def verified(self, sha256: str) -> BinaryIO:
        """Open a blob that nobody answers for yet, once it is found whole and made durable.

        A power cut may have left it under its name without its bytes (`put_new`): that one is
        removed, and its `Problem` lets the tablet send the file again.
        """
        name = photo_name(sha256)
        try:
            if self._is_wrong(sha256):
                # By now somebody may have brought it whole.
                self._files.delete_where(name, partial(self._is_wrong, sha256))
                raise Problem("upload-checksum", _DIFFERS)
            self._files.assure(name)
            return self.open(sha256)
        except FileNotFoundError:  # erased, or of somebody who could not keep it
            raise Problem("not-found", _GONE) from None

    def _is_wrong(self, sha256: str) -> bool:
        name = photo_name(sha256)
        try:
            with lost_sectors_told(name), self._files.read(name) as blob:
                return _sha256_of(blob) != sha256
        except SealBroken:
            return True

    def adopt(
        self,
        growing: GrowingFile,
        path: Path,
        sha256: str,
        known: str | None,
        examine: Callable[[BinaryIO], Found],
    ) -> Found | None:
        """Give a whole sealed part its place, durably, where it holds what its name says.

        `known` is its SHA-256 where all of it went by here. A file of another one, or that
        `examine` refuses, raises a `Problem` and is not kept. None where somebody else has just
        put the same one there. A part that an older key has sealed is sealed anew.
        """
        try:
            with growing.plain() as file:
                _check_digest(known or _sha256_of(file), sha256)
                file.seek(0)
                found = examine(file)
                if growing.is_under_the_first_key():
                    is_new = self._is_taken_over(sha256, path)
                    is_new = is_new or self._is_mended(sha256, file, growing.length)
                else:
                    is_new = self._is_put(sha256, file, growing.length)
        except SealBroken:
            raise Problem("upload-checksum", _DIFFERS) from None
        return found if is_new else None

    def take(
        self, content: bytes, sha256: str, examine: Callable[[BinaryIO], Found]
    ) -> Found | None:
        """Seal what arrived in one piece to its place, as `adopt` does with a part."""
        _check_digest(hashlib.sha256(content).hexdigest(), sha256)
        found = examine(BytesIO(content))
        return found if self._is_put(sha256, BytesIO(content), len(content)) else None

    def _is_taken_over(self, sha256: str, path: Path) -> bool:
        """Give a part its name as a blob; not where another request tidied it away, as done."""
        try:
            return self._files.take_over(photo_name(sha256), path)
        except FileNotFoundError:
            return False

    def _is_put(self, sha256: str, file: BinaryIO, length: int) -> bool:
        """Seal a file to its place; tell whether it was not there yet in its full length."""
        file.seek(0)
        is_new = self._files.put_new(photo_name(sha256), file.read)
        return is_new or self._is_mended(sha256, file, length)

    def _is_mended(self, sha256: str, file: BinaryIO, length: int) -> bool:
        """Seal a file over one of its name that is not there in its full length."""
        if self.holds(sha256, length):
            return False
        file.seek(0)
        self._files.put(photo_name(sha256), file.read)
        return True


class Running:
    """The SHA-256 of parts as far as all their bytes went by in this process."""

    def __init__(self) -> None:
        self._reached: dict[bytes, tuple[int, Any]] = {}
        self._lock = Lock()

    def add(self, salt: bytes, offset: int, block: bytes) -> None:
        """Go on with a part whose bytes up to `offset` went by, too; forget any other."""
        with self._lock:
            reached, digest = self._reached.pop(salt, (0, None))
        if offset == 0:
            reached, digest = 0, hashlib.sha256()
        if digest is None or reached != offset:
            return
        digest.update(block)
        with self._lock:
            if len(self._reached) >= _REMEMBERED:
                del self._reached[next(iter(self._reached))]
            self._reached[salt] = offset + len(block), digest

    def taken(self, salt: bytes, length: int) -> str | None:
        """Return the SHA-256 of a part of that length, once, or None where some went elsewhere."""
        with self._lock:
            reached, digest = self._reached.pop(salt, (0, None))
        return digest.hexdigest() if digest is not None and reached == length else None


def _check_digest(found: str, declared: str) -> None:
    if found != declared:
        raise Problem("upload-checksum", _DIFFERS)


def _sha256_of(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(_READ):
        digest.update(block)
    return digest.hexdigest()
