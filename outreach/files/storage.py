"""The one storage of the register's files, as Django's storage: plain in use, sealed at rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import Storage

from outreach.files import stream
from outreach.files.places import Folder, Place
from outreach.models.sealed import key_ring


class SealedStorage(Storage):
    """Seals what is saved and opens what is read; a file that was never sealed reads still.

    Names are chosen by the caller after what the file holds, so saving a name again puts the
    same file in its place.
    """

    def __init__(self, place: Place) -> None:
        self.place = place

    def put(self, name: str, read: stream.Read) -> None:
        """Keep what `read` gives, sealed, durable and whole, or nothing where it raises."""
        self.place.put(name, stream.sealed_blocks(read, key_ring(), name))

    def put_new(self, name: str, read: stream.Read) -> bool:
        """Keep a file as `put` does, in half the time, unless one is there: False then.

        A power cut before this returns may leave a file there that does not open.
        """
        return self.place.put_new(name, stream.sealed_blocks(read, key_ring(), name))

    def take_over(self, name: str, file: Path) -> bool:
        """Keep a file that `GrowingFile` has sealed under this name as `put_new` does."""
        return self.place.take_over(name, file)

    def assure(self, name: str) -> None:
        """Make a file durable that somebody else may just have put there."""
        self.place.assure(name)

    def delete_where(self, name: str, is_wrong: Callable[[], bool]) -> None:
        """Remove a file that is still wrong when nobody can put another in its place."""
        self.place.delete_where(name, is_wrong)

    def read(self, name: str) -> BinaryIO:
        """Open a file in plain, or raise `FileNotFoundError`, `SealBroken`."""
        raw = self.place.open(name)
        try:
            return stream.opened(raw, self.place.size(name), key_ring(), name)
        except BaseException:
            raw.close()
            raise

    def holds(self, name: str, length: int) -> bool:
        """Tell, without opening it, whether a file is there with so many plain bytes."""
        try:
            return self.place.size(name) in stream.possible_sizes(length)
        except FileNotFoundError:
            return False

    def sealed_with(self, name: str) -> bytes | None:
        """Return the fingerprint of the key a file is sealed with, or None where it lies in clear.

        Raises `FileNotFoundError`.
        """
        with self.place.open(name) as raw:
            head = raw.read(stream.HEADER)
        return stream.key_tag(head) if stream.is_sealed(head) else None

    def reseal(self, name: str) -> None:
        """Seal a file with the ring's first key, in its place and in one step.

        Raises `FileNotFoundError`, and `SealBroken` with the file left as it was.
        """
        with self.read(name) as plain:
            self.put(name, plain.read)

    def names(self, room: str) -> Iterator[str]:
        """Yield the names of the files below a room."""
        return self.place.names(room)

    def forget_drafts(self, before: datetime) -> None:
        """Remove what writers that were killed before a moment have left of their files."""
        self.place.forget_drafts(before)

    # -- what Django's interface asks ------------------------------------------------------

    def get_available_name(self, name: str, max_length: int | None = None) -> str:  # noqa: ARG002
        return name

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            raise ValueError("files of the register are read, or saved whole")
        return File(cast(Any, self.read(name)), name)

    def _save(self, name: str, content: File[bytes]) -> str:
        self.put(name, content.read)
        return name

    def exists(self, name: str) -> bool:
        try:
            self.place.size(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        with self.read(name) as file:
            return file.seek(0, 2)

    def delete(self, name: str) -> None:
        self.place.delete(name)

    def url(self, name: str | None) -> str:  # noqa: ARG002
        raise ValueError(
            "files of the register have no address: the desk serves them, and notes it"
        )


def local_files(root: Path) -> SealedStorage:
    """Return the storage of the files below a folder of this machine."""
    return SealedStorage(Folder(root))


def place_of_settings() -> Place:
    """Return where the settings say that files lie; raises `MalformedBucket`."""
    if settings.OUTREACH_BUCKET:
        # Costs a second and 30 MB, which a county with a folder need not spend.
        from outreach.files.bucket import bucket_at

        return bucket_at(
            settings.OUTREACH_BUCKET,
            settings.OUTREACH_BUCKET_KEY,
            settings.OUTREACH_BUCKET_SECRET,
        )
    return Folder(Path(settings.OUTREACH_FILES))


def files() -> SealedStorage:
    """Return the storage of the register's files as the settings describe it."""
    return SealedStorage(place_of_settings())


def photo_name(sha256: str) -> str:
    """Return the name of a photo by the SHA-256 of its plain content."""
    return f"blobs/{sha256[:2]}/{sha256[2:4]}/{sha256}"
