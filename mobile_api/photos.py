"""What a finished upload becomes: a picture that was looked at with care, and its small copies."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import BinaryIO

from django.db import transaction
from django.db.models import QuerySet
from PIL import Image

from certificates.pixels import UNREADABLE, in_eight_bits, is_of_the_disk, upright
from mobile_api.problems import Problem
from outreach.actions.photos import store_blobs
from outreach.files import SealedStorage, photo_name
from outreach.models import Kept, Slot, StoredBlob
from outreach.sealing import SealBroken

THUMBNAIL_EDGE = 320
CHUNK = 64 * 1024
_BATCH = 200
_FORMATS = ("JPEG", "PNG")
# A JPEG that carries several pictures calls itself MPO; the first is the photo.
_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png"}
_END_OF_JPEG = b"\xff\xd9"
_END_OF_PNG = b"\0\0\0\0IEND\xae\x42\x60\x82"
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# A picture at the limit takes 200 MB once decoded: few at a time, however many ask.
_decoding = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Picture:
    """What a file turned out to hold; width and height as stored, before any turning."""

    content_type: str
    width: int
    height: int
    size: int


@Kept
def _noted(sha256: Slot) -> QuerySet[StoredBlob, str]:
    held = StoredBlob.objects.filter(pk=sha256, erased_at=None)
    return held.values_list("pk", flat=True)


@dataclass(frozen=True)
class PictureReceiver:
    """Takes finished uploads in as pictures within `max_pixels`."""

    max_pixels: int
    now: Callable[[], datetime]

    def examine(self, file: BinaryIO, declared_type: str) -> Picture:
        """Return what the picture is, or refuse it with a `Problem`."""
        picture = examine(file, max_pixels=self.max_pixels)
        if declared_type not in ("", picture.content_type):
            raise Problem("not-a-picture", f"type: the file is {picture.content_type}")
        return picture

    def register(
        self, sha256: str, opening: Callable[[], BinaryIO], found: Picture | None = None
    ) -> None:
        """Enter a verified file in the register, once.

        `found` is what was just seen of it; where nobody has just put it there, `opening` says
        whether it is whole.
        """
        if found is None:
            if _noted(sha256=sha256):
                return
            with opening() as blob:
                found = examine(blob, max_pixels=self.max_pixels)
        store_blobs(
            [
                StoredBlob(
                    sha256=sha256,
                    size=found.size,
                    content_type=found.content_type,
                    width=found.width,
                    height=found.height,
                    stored_at=self.now(),
                )
            ]
        )


def examine(file: BinaryIO, *, max_pixels: int) -> Picture:
    """Return what a picture is from its headers and its end, without decoding its pixels.

    A whole JPEG ends with its end marker, which its compressed data cannot contain; a PNG is
    a chain of chunks with check sums up to its last one. So a cut is found at a hundredth of
    the cost of decoding, which only a JPEG with something behind its end still needs.
    """
    with _opened(file, max_pixels) as picture:
        found = Picture(_TYPES[str(picture.format)], *picture.size, size=file.seek(0, os.SEEK_END))
        if found.content_type == "image/png":
            picture.verify()
            if not _ends_with(file, _END_OF_PNG):
                raise Problem("not-a-picture", "the file is not a whole PNG")
        elif not _ends_with(file, _END_OF_JPEG):
            _decode(picture, THUMBNAIL_EDGE)
    return found


def thumbnail(file: BinaryIO, *, max_pixels: int, edge: int = THUMBNAIL_EDGE) -> bytes:
    """Return a small JPEG of a picture, or raise a `Problem`.

    It is upright and on white, and carries nothing of the original but its pixels: no EXIF,
    no position, no comment, no colour profile.
    """
    with _opened(file, max_pixels) as picture:
        small = _decode(picture, edge)
    out = BytesIO()
    small.save(out, "JPEG", quality=80)
    return out.getvalue()


def keep_photo(file: BinaryIO, storage: SealedStorage) -> str:
    """Keep a whole photo, sealed, under the SHA-256 of what it holds; return that."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(CHUNK):
        digest.update(block)
    sha256 = digest.hexdigest()
    file.seek(0)
    storage.put(photo_name(sha256), file.read)
    return sha256


def thumbnail_name(sha256: str) -> str:
    """Return the name of the small picture of a photo among the files."""
    return f"thumbnails/{sha256[:2]}/{sha256[2:4]}/{sha256}-{THUMBNAIL_EDGE}.jpg"


def remove_files(at: datetime, storage: SealedStorage) -> int:
    """Remove the files, with their small pictures, of all photos whose rows say erased."""
    left = StoredBlob.objects.filter(erased_at__isnull=False, removed_at=None).order_by("pk")
    count = 0
    while batch := list(left.values_list("pk", flat=True)[:_BATCH]):
        count += sum(_is_removed(sha256, at, storage) for sha256 in batch)
    return count


@transaction.atomic
def _is_removed(sha256: str, at: datetime, storage: SealedStorage) -> bool:
    """Remove a file unless it was taken again; whoever brings it meanwhile waits for the row."""
    row = StoredBlob.objects.filter(pk=sha256, erased_at__isnull=False, removed_at=None)
    if not row.update(removed_at=at):
        return False
    storage.delete(photo_name(sha256))
    storage.delete(thumbnail_name(sha256))
    return True


def kept_thumbnail(sha256: str, storage: SealedStorage, *, max_pixels: int) -> BinaryIO:
    """Open the small JPEG of a stored photo, made and kept when it is first asked for.

    Raises `FileNotFoundError` where there is no such photo, `Problem` where it is no picture.
    """
    name = thumbnail_name(sha256)
    with suppress(FileNotFoundError, SealBroken):  # one that rotted is made anew
        return storage.read(name)
    with storage.read(photo_name(sha256)) as photo:
        made = thumbnail(photo, max_pixels=max_pixels)
    storage.put(name, BytesIO(made).read)
    if not storage.exists(photo_name(sha256)):  # erased meanwhile, and its small pictures with it
        storage.delete(name)
    return BytesIO(made)


@contextmanager
def _opened(file: BinaryIO, max_pixels: int) -> Iterator[Image.Image]:
    try:
        with Image.open(file, formats=_FORMATS) as picture:
            if picture.width * picture.height > max_pixels:
                raise Problem("not-a-picture", f"at most {max_pixels} pixels are accepted")
            yield picture
    except _BOMB:
        raise Problem("not-a-picture", f"at most {max_pixels} pixels are accepted") from None
    except UNREADABLE as error:
        if is_of_the_disk(error):
            raise
        raise Problem("not-a-picture", "the file is not a whole JPEG or PNG") from None


def _decode(picture: Image.Image, edge: int) -> Image.Image:
    with _decoding:
        picture.draft("RGB", (2 * edge, 2 * edge))
        picture.thumbnail((2 * edge, 2 * edge), reducing_gap=2.0)
        small = in_eight_bits(upright(picture)).convert("RGBA")
    small.thumbnail((edge, edge))
    # A fresh picture: saving a copy of the old one would carry its comment along.
    paper = Image.new("RGB", small.size, "white")
    paper.paste(small, mask=small)
    return paper


def _ends_with(file: BinaryIO, end: bytes) -> bool:
    file.seek(-len(end), os.SEEK_END)
    return file.read() == end
