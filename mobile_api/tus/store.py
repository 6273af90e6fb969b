"""Unfinished uploads and finished blobs on disk, so that a kill at any moment loses no byte.

    <root>/uploads/<id>.json   what the client announced
    <root>/uploads/<id>.part   the bytes that arrived, sealed, with the last few of them in
    <root>/uploads/<id>.tail   (`outreach.files.growing`): how far they reach is the offset
    blobs/ab/cd/<sha256>         whole files, verified, sealed, named by what they hold in plain

Nothing that matters is remembered in memory: the state of an upload is read from the disk each
time. It is complete when its blob is there, else as far as its part reaches. Each block is
appended under a lock that is held for that one write and never while the network is waited for,
and only where the part still ends at the block's own offset. So of two racing writers one goes on
and the other is told, and a dead connection never locks a tablet out of its own upload.

A whole part is its blob already: it is given that name, too, and its SHA-256 is known from what
was sealed, or read from the disk where another process sealed some of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO, ClassVar
from uuid import UUID, uuid5

from mobile_api.problems import Problem
from mobile_api.tus.blobs import Blobs, Found, Running
from outreach.files import GrowingFile, SealedStorage, local_files, photo_name
from outreach.files.growing import contents
from outreach.flushing import flush_folder, flush_together, write_all
from outreach.models.sealed import key_ring

SWEEP_EVERY = timedelta(hours=1)
STRAY_AFTER = timedelta(days=1)
_REMEMBERED_PARTS = 10_000
_NAMESPACE = UUID("5b5b7a52-6f0c-5d0c-9c37-0f3c1d5a2b10")
#: The files that this store makes, drafts of them too; others among them are left alone.
_OWN = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\..+")
_FASTER = "another request has written here; ask with HEAD"
_GONE = "there is no such upload; create it again"


class _NoPart(Exception):
    """The part is not there: never was, deleted, or moved to its blob."""


@dataclass(frozen=True)
class Upload:
    """What a device announced; immutable but for a new `expires_at` when announced again."""

    id: UUID
    owner: str
    length: int
    sha256: str
    content_type: str
    metadata: str
    expires_at: datetime


def upload_id(owner: str, sha256: str, length: int) -> UUID:
    """Name an upload by its device and file, so that a POST whose answer was lost finds it."""
    return uuid5(_NAMESPACE, f"{owner}|{sha256}|{length}")


class Store:
    """Holds the uploads below one folder; any number of processes may share it."""

    #: Parts, with or without a tail, whose names this process has forced to the disk.
    _durable: ClassVar[set[tuple[bytes, bool]]] = set()
    _running: ClassVar[Running] = Running()

    def __init__(self, root: Path, files: SealedStorage | None = None) -> None:
        self.blobs = Blobs(files or local_files(root))
        self._uploads = root / "uploads"

    def create(self, upload: Upload) -> None:
        """Record an announcement; bytes that an earlier one received are kept.

        It is not forced to the disk: should a power cut take it, the device announces again
        and finds its bytes, for the part is named by device and file.
        """
        self._uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.is_complete(upload):
            _write_at_once(self._info(upload.id), _encode(upload))
            return
        with self._part(upload.id, os.O_CREAT):
            _write_at_once(self._info(upload.id), _encode(upload))

    def knows_nothing_of(self, upload: Upload) -> bool:
        """Tell whether no byte of the upload came yet, and nobody announced it."""
        return not self.is_complete(upload) and not Path(self._part_path(upload.id)).exists()

    def find(self, identifier: UUID) -> Upload | None:
        """Return the upload, or None where there is none (any more)."""
        try:
            return _decode(contents(self._info(identifier)))
        except ValueError:
            # A power cut can tear an announcement too; it is made again like a lost one.
            return None

    def offset(self, upload: Upload) -> int:
        """Return how many bytes of the upload are here."""
        if self.is_complete(upload):
            return upload.length
        try:
            with self._opened(upload.id) as part:
                growing = self._growing(upload, part)
                if growing.lies_in_clear():
                    with _locked(part):
                        growing.seal_what_lies_in_clear()
                return growing.offset()
        except _NoPart:
            # Between the two looks another request may have finished it.
            if self.is_complete(upload):
                return upload.length
            raise Problem("not-found", _GONE) from None

    def is_complete(self, upload: Upload) -> bool:
        """Tell whether the whole file is here and was verified."""
        return self.blobs.holds(upload.sha256, upload.length)

    def append(self, upload: Upload, offset: int, blocks: Iterable[bytes]) -> int:
        """Append blocks as they come and return the new offset once they are on the disk.

        Raises `upload-offset` where another writer was faster and `not-found` where the
        upload was deleted meanwhile; what was appended before that stays.
        """
        try:
            with self._opened(upload.id) as part:
                growing = self._growing(upload, part)
                try:
                    for block in blocks:
                        with _locked(part):
                            self._append_block(growing, part, offset, block)
                        offset += len(block)
                    return offset
                finally:
                    # A whole file is forced to the disk with its new name, before an answer.
                    if not growing.is_whole():
                        self._flush(upload.id, growing)
        except _NoPart:
            slug = "upload-offset" if self.is_complete(upload) else "not-found"
            raise Problem(slug, _GONE) from None

    def finish(self, upload: Upload, examine: Callable[[BinaryIO], Found]) -> Found | None:
        """Verify a part that is all there and keep it as a blob, sealed.

        Returns what `examine` found, or None where the blob was there already. A file that does
        not match, does not open, or that `examine` refuses with a `Problem`, is discarded with
        its upload.
        """
        if self.is_complete(upload):
            self._remove_part(upload.id)
            return None
        try:
            with self._part(upload.id) as part:
                growing = self._growing(upload, part)
                if not growing.is_whole():
                    raise Problem("upload-offset", _FASTER)
                with self._removed_if_refused(upload.id):
                    known = self._running.taken(growing.salt, upload.length)
                    path = Path(self._part_path(upload.id))
                    found = self.blobs.adopt(growing, path, upload.sha256, known, examine)
                self._remove_part(upload.id)
                return found
        except _NoPart:
            if not self.is_complete(upload):
                raise Problem("not-found", _GONE) from None
            return None

    def discard(self, identifier: UUID) -> None:
        """Drop an upload with the bytes of its part; a finished blob stays."""
        self._discard(identifier, lambda _upload: True)

    def sweep(self, now: datetime) -> None:
        """Drop what expired, and what crashes left behind; skipped within the hour."""
        marker = self._uploads / "swept"
        with suppress(FileNotFoundError):
            # A clock that was put right may have left it ahead.
            if abs(now.timestamp() - marker.stat().st_mtime) < SWEEP_EVERY.total_seconds():
                return
        self._uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
        marker.touch()
        os.utime(marker, (now.timestamp(), now.timestamp()))
        for info, identifier in list(self._own_files()):
            if info.suffix == ".json":
                self._discard(identifier, lambda upload: upload.expires_at <= now)
        for stray in list(self._strays(now - STRAY_AFTER)):
            stray.unlink(missing_ok=True)

    def _discard(self, identifier: UUID, unwanted: Callable[[Upload], bool]) -> None:
        with suppress(_NoPart), self._part(identifier):
            self._remove_if(identifier, unwanted)
            return
        self._remove_if(identifier, unwanted)

    def _remove_if(self, identifier: UUID, unwanted: Callable[[Upload], bool]) -> None:
        upload = self.find(identifier)
        if upload is not None and unwanted(upload):
            self._remove(identifier)

    @contextmanager
    def _removed_if_refused(self, identifier: UUID) -> Iterator[None]:
        try:
            yield
        except Problem:
            self._remove(identifier)
            raise

    def _strays(self, before: datetime) -> Iterator[Path]:
        for file, identifier in self._own_files():
            with suppress(FileNotFoundError):
                old = file.stat().st_mtime < before.timestamp()
                if old and self.find(identifier) is None:
                    yield file

    def _own_files(self) -> Iterator[tuple[Path, UUID]]:
        for file in self._uploads.iterdir():
            if (named := _OWN.fullmatch(file.name)) and file.is_file():
                yield file, UUID(named[1])

    def _remove(self, identifier: UUID) -> None:
        Path(self._info(identifier)).unlink(missing_ok=True)
        self._remove_part(identifier)

    def _remove_part(self, identifier: UUID) -> None:
        for path in (self._tail_path(identifier), self._part_path(identifier)):
            Path(path).unlink(missing_ok=True)

    # As text: each chunk opens several, which takes less than naming them by pathlib.
    def _info(self, identifier: UUID) -> str:
        return f"{self._uploads}/{identifier}.json"

    def _part_path(self, identifier: UUID) -> str:
        return f"{self._uploads}/{identifier}.part"

    def _tail_path(self, identifier: UUID) -> str:
        return f"{self._uploads}/{identifier}.tail"

    def _growing(self, upload: Upload, part: int) -> GrowingFile:
        tail, name = self._tail_path(upload.id), photo_name(upload.sha256)
        return GrowingFile(part, tail, upload.length, key_ring(), name)

    def _append_block(self, growing: GrowingFile, part: int, offset: int, block: bytes) -> None:
        if os.fstat(part).st_nlink == 0:
            raise _NoPart
        if offset + len(block) > growing.length and growing.offset() == offset:
            raise Problem("too-large", "the chunk goes past Upload-Length")
        if not growing.append(offset, block):
            raise Problem("upload-offset", _FASTER)
        self._running.add(growing.salt, offset, block)

    def _flush(self, identifier: UUID, growing: GrowingFile) -> None:
        """Force what arrived to the disk, and its names once in the life of this process.

        What a disk failed to force it may go on to show and not have, and call forced the next
        time: such a part begins anew.
        """
        has_tail = growing.has_tail()
        flushes, own = growing.flushes(with_tail=has_tail), (growing.salt, has_tail)
        if own not in self._durable:
            flushes.append(partial(flush_folder, self._uploads))
        try:
            flush_together(flushes)
        except FileNotFoundError:  # the tail: deleted, or finished, since it was written
            raise _NoPart from None
        except OSError:
            self._remove_part(identifier)
            raise
        if len(self._durable) >= _REMEMBERED_PARTS:
            self._durable.clear()
        self._durable.add(own)

    @contextmanager
    def _opened(self, identifier: UUID, flags: int = 0) -> Iterator[int]:
        try:
            part = os.open(self._part_path(identifier), os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
        except FileNotFoundError:
            raise _NoPart from None
        try:
            yield part
        finally:
            os.close(part)

    @contextmanager
    def _part(self, identifier: UUID, flags: int = 0) -> Iterator[int]:
        """Open and lock the part; it is still the one in place when the lock is held."""
        path = self._part_path(identifier)
        while True:
            with self._opened(identifier, flags) as part, _locked(part):
                if _is_at(part, path):
                    yield part
                    return


@contextmanager
def _locked(part: int) -> Iterator[None]:
    # Each request opens the part for itself, and flock(2) belongs to the open file: it keeps
    # out other threads of this process as well as other processes, and ends with a kill.
    fcntl.flock(part, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(part, fcntl.LOCK_UN)


def _is_at(part: int, path: str) -> bool:
    try:
        return os.path.samestat(Path(path).stat(), os.fstat(part))
    except FileNotFoundError:
        return False


def _write_at_once(target: str, content: bytes) -> None:
    draft = f"{target}.{os.urandom(8).hex()}.tmp"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            write_all(handle, [content], 0)
        finally:
            os.close(handle)
        Path(draft).replace(target)
    except OSError:  # a disk that is full need not fill with what was begun
        Path(draft).unlink(missing_ok=True)
        raise


def _encode(upload: Upload) -> bytes:
    return json.dumps(
        {
            "id": str(upload.id),
            "owner": upload.owner,
            "length": upload.length,
            "sha256": upload.sha256,
            "type": upload.content_type,
            "metadata": upload.metadata,
            "expires_at": upload.expires_at.isoformat(),
        }
    ).encode()


def _decode(content: bytes) -> Upload:
    told = json.loads(content)
    return Upload(
        id=UUID(told["id"]),
        owner=told["owner"],
        length=told["length"],
        sha256=told["sha256"],
        content_type=told["type"],
        metadata=told["metadata"],
        expires_at=datetime.fromisoformat(told["expires_at"]),
    )
