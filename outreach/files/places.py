"""Where sealed files lie: a folder of this machine, or a bucket of an S3-compatible store."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol
from uuid import uuid4

from outreach.flushing import (
    Flush,
    flush_folder,
    flush_together,
    leave_to_owner,
    write_all,
)
from outreach.sealing import SealBroken

#: The rooms of the files that may lie in a bucket; unfinished uploads stay on the machine.
BUCKET_ROOMS = ("blobs", "certificates", "thumbnails", "sent", "handed")
#: The room of messages to families that nobody but their reader takes further.
SENT = "sent"
_REMEMBERED_FOLDERS = 70_000
_WRITTEN_AT_ONCE = 512 * 1024
#: What file systems without hard links answer.
_NO_SECOND_NAMES = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def is_full(error: BaseException | None) -> bool:
    """Tell whether there was no room: on a disk, in an account's share of it, or in a bucket."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class SectorLost(SealBroken):
    """The disk does not read a file any more, and will not: others are read on."""


@contextmanager
def lost_sectors_told(name: str) -> Iterator[None]:
    """Tell a file on a sector that the disk has lost as such, not as a disk that is away."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        raise SectorLost(f"the disk does not read {name} any more") from error


class Place(Protocol):
    """What the sealed storage asks of a place; names are paths with slashes."""

    def put(self, name: str, blocks: Iterable[bytes]) -> None:
        """Keep a file: whole, durable and in place of an older one, or not at all."""

    def put_new(self, name: str, blocks: Iterable[bytes]) -> bool:
        """Keep a file as `put` does unless one is there already: False then."""

    def take_over(self, name: str, file: Path) -> bool:
        """Keep a file of this machine as `put_new` does, which may remain where it is."""

    def assure(self, name: str) -> None:
        """Make durable what somebody else may just have put there."""

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading, or raise `FileNotFoundError`."""

    def size(self, name: str) -> int:
        """Return the bytes of a file, or raise `FileNotFoundError`."""

    def delete(self, name: str) -> None:
        """Remove a file; none is fine."""

    def delete_where(self, name: str, is_wrong: Callable[[], bool]) -> None:
        """Remove a file that is still wrong when nobody can put another in its place."""

    def names(self, room: str) -> Iterator[str]:
        """Yield the names of all whole files below a room, in order."""

    def forget_drafts(self, before: datetime) -> None:
        """Remove what writers that were killed before a moment have left of their files."""

    def probe(self) -> None:
        """Raise `OSError` where files cannot be kept now."""


class Folder:
    """A folder; what it says is kept survives a power cut."""

    #: Shared by the stores of one process: each request makes its own.
    _durable: ClassVar[set[Path]] = set()

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """Return where a file lies, sealed."""
        return self.root / name

    def put(self, name: str, blocks: Iterable[bytes]) -> None:
        """Write beside the file's place, force it to the disk, and move it there."""
        target = self.path(name)
        fresh = self._make(target.parent)
        with _drafted(target, blocks) as (draft, handle):
            flush_together([partial(os.fdatasync, handle), *self._names_of(fresh)])
            with _alone_in(target.parent):
                draft.replace(target)
        flush_folder(target.parent)
        self._remember(fresh)

    def put_new(self, name: str, blocks: Iterable[bytes]) -> bool:
        """Write beside the file's place, name it there, and force both to the disk at once.

        A power cut between may leave the name of a file whose bytes are not all there, which
        `put` excludes at the price of a second wait for the disk: for files that say themselves
        what they hold, and are not promised to anybody before this returns.
        """
        target = self.path(name)
        fresh = self._make(target.parent)
        with _drafted(target, blocks) as (draft, handle), _alone_in(target.parent):
            if not _named(draft, target):
                return False
            draft.unlink(missing_ok=True)  # before the flushes, which make that durable, too
            self._force_new(target, handle, fresh)
        return True

    def take_over(self, name: str, file: Path) -> bool:
        """Name a file of this machine at its place, too, and force both to the disk at once."""
        target = self.path(name)
        fresh = self._make(target.parent)
        with file.open("rb") as own:
            try:
                with _alone_in(target.parent):
                    if not _named(file, target):
                        return False
                    self._force_new(target, own.fileno(), fresh, old=file)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                return self.put_new(name, iter(partial(own.read, _WRITTEN_AT_ONCE), b""))
        return True

    def assure(self, name: str) -> None:
        """Force a file, its name and those of its folders to the disk.

        Whoever has just named it there has ended by then: it stays, or is gone again.
        """
        target = self.path(name)
        fresh = self._make(target.parent)
        with _alone_in(target.parent), target.open("rb") as file:
            self._force(target, file.fileno(), fresh)

    def open(self, name: str) -> BinaryIO:
        """Open a file as it lies there."""
        return self.path(name).open("rb")

    def size(self, name: str) -> int:
        """Return the size of a file as it lies there."""
        return self.path(name).stat().st_size

    def delete(self, name: str) -> None:
        """Remove a file and make that durable."""
        with suppress(FileNotFoundError):
            self.path(name).unlink()
            flush_folder(self.path(name).parent)

    def delete_where(self, name: str, is_wrong: Callable[[], bool]) -> None:
        """Look again, and remove the file, while nobody else names one there."""
        with suppress(FileNotFoundError), _alone_in(self.path(name).parent):
            if is_wrong():
                self.delete(name)

    def names(self, room: str) -> Iterator[str]:
        """Walk the room."""
        for file in sorted((self.root / room).rglob("*")):
            if file.is_file() and file.suffix not in {".new", ".tmp"}:
                yield file.relative_to(self.root).as_posix()

    def forget_drafts(self, before: datetime) -> None:
        """Remove them by when they were last written; no name leads to one."""
        for room in BUCKET_ROOMS:
            for draft in (self.root / room).rglob("*.new"):
                with suppress(FileNotFoundError):
                    if draft.stat().st_mtime < before.timestamp():
                        draft.unlink()

    def probe(self) -> None:
        """Write a few bytes that are gone again, and lock them: some network disks do not."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone_in(self.root), tempfile.TemporaryFile(dir=self.root) as trial:
            fcntl.flock(trial, fcntl.LOCK_EX)
            trial.write(b"ready?")
            trial.flush()

    def _make(self, folder: Path) -> list[Path]:
        """Make a folder; return those whose names this process has not yet forced to the disk.

        Another process may have made one and been killed before its name was on the disk: that
        it is there is not enough.
        """
        if folder in self._durable and folder.exists():
            return []
        above = [] if folder == self.root else self._make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True, parents=folder == self.root)
        return [*above, folder]

    def _force_new(
        self, target: Path, handle: int, fresh: list[Path], old: Path | None = None
    ) -> None:
        """Force a file that was just named, or take the name away before anybody answers for it.

        An old name, too: what a disk failed to force it may go on to show, and not have.
        """
        try:
            self._force(target, handle, fresh)
        except BaseException:
            target.unlink(missing_ok=True)
            if old:
                old.unlink(missing_ok=True)
            raise

    def _force(self, target: Path, handle: int, fresh: list[Path]) -> None:
        own = [partial(os.fdatasync, handle), partial(flush_folder, target.parent)]
        flush_together([*own, *self._names_of(fresh)])
        self._remember(fresh)

    @staticmethod
    def _names_of(folders: list[Path]) -> list[Flush]:
        """Return what forces the names of folders to the disk."""
        return [partial(flush_folder, folder.parent) for folder in folders]

    def _remember(self, folders: list[Path]) -> None:
        if len(self._durable) >= _REMEMBERED_FOLDERS:
            self._durable.clear()
        self._durable.update(folders)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let nobody else name a file of this folder meanwhile, or answer for one, in any process."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Ends with the handle, or with a kill; a folder has few files, so that few ever wait.
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _drafted(target: Path, blocks: Iterable[bytes]) -> Iterator[tuple[Path, int]]:
    """Write a file beside a place; what is still there under its own name in the end goes."""
    draft = target.with_name(f"{target.name}.{uuid4().hex}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        leave_to_owner(handle, target.parent)
        _write(handle, blocks)
        yield draft, handle
    finally:
        os.close(handle)
        draft.unlink(missing_ok=True)


def _write(handle: int, blocks: Iterable[bytes]) -> None:
    held, size, at = list[bytes](), 0, 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= _WRITTEN_AT_ONCE:
            write_all(handle, held, at)
            held, size, at = [], 0, at + size
    write_all(handle, held, at)


def _named(file: Path, target: Path) -> bool:
    """Give a file a name, never in place of another file; the old one may be gone then."""
    try:
        os.link(file, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_SECOND_NAMES:
            raise
        if target.exists():
            return False
        file.replace(target)
    return True
