"""Where sealed files lie: a folder of this machine, or a bucket of an S3-compatible store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol
from uuid import uuid4

#: The rooms of the files that may lie in a bucket; unfinished uploads stay on the machine.
BUCKET_ROOMS = ("blobs", "certificates", "thumbnails", "sent")
#: The room of messages to families that nobody but their reader takes further.
SENT = "sent"
_REMEMBERED_FOLDERS = 70_000


class Place(Protocol):
    """What the sealed storage asks of a place; names are paths with slashes."""

    def put(self, name: str, blocks: Iterable[bytes]) -> None:
        """Keep a file: whole, durable and in place of an older one, or not at all."""

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading, or raise `FileNotFoundError`."""

    def size(self, name: str) -> int:
        """Return the bytes of a file, or raise `FileNotFoundError`."""

    def delete(self, name: str) -> None:
        """Remove a file; none is fine."""

    def names(self, room: str) -> Iterator[str]:
        """Yield the names of all whole files below a room, in order."""

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
        """Write beside the file's place, force it to the disk, and move it there.

        The names of new folders are forced to the disk last: most file systems have written them
        with the file by then, so that it costs nothing.
        """
        target = self.path(name)
        fresh = self._make(target.parent)
        draft = target.with_name(f"{target.name}.{uuid4().hex}.new")
        try:
            with _private(draft) as file:
                for block in blocks:
                    file.write(block)
                file.flush()
                os.fdatasync(file.fileno())
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _flush(target.parent)
        for folder in fresh:
            self._flush_name(folder)

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
            _flush(self.path(name).parent)

    def names(self, room: str) -> Iterator[str]:
        """Walk the room."""
        for file in sorted((self.root / room).rglob("*")):
            if file.is_file() and file.suffix not in {".new", ".tmp"}:
                yield file.relative_to(self.root).as_posix()

    def probe(self) -> None:
        """Write a few bytes that are gone again."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=self.root) as trial:
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

    def _flush_name(self, folder: Path) -> None:
        """Force a folder's name to the disk and remember that."""
        _flush(folder.parent)
        if len(self._durable) >= _REMEMBERED_FOLDERS:
            self._durable.clear()
        self._durable.add(folder)


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _flush(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
