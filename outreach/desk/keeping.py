"""A photo that came through a browser's form becomes a file kept like any other evidence."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest
from django.utils.translation import gettext as _

from mobile_api.photos import PictureReceiver, thumbnail
from mobile_api.problems import Problem
from mobile_api.tus.store import Store
from outreach import clock
from outreach.actions import papers
from outreach.models import PaperPhoto, Photo, StoredBlob
from outreach.rules import Refused

#: Photos in one form: more are sent in a second one.
AT_ONCE = 6


def keep(file: UploadedFile[bytes]) -> StoredBlob:
    """Keep a photo durably under the SHA-256 of what it holds, and return its record.

    It is looked at with care first: its size, that it is one whole JPEG or PNG, its pixels,
    and that they decode. Raises `Refused` and keeps nothing where any of it is wrong.
    """
    size = file.size or 0
    if not 0 < size <= settings.OUTREACH_MAX_PHOTO_BYTES:
        most = settings.OUTREACH_MAX_PHOTO_BYTES // (1024 * 1024)
        raise Refused(
            "photo-too-large",
            _("A photo may have up to %(most)d MB; take it once more, smaller.") % {"most": most},
        )
    _forget_drafts()
    store = Store(settings.OUTREACH_FILES)
    receiver = PictureReceiver(settings.OUTREACH_MAX_PHOTO_PIXELS, clock.now)
    try:
        with on_disk(file) as (draft, sha256):
            receiver.examine(draft, "")
            _decode(draft)
            if not store.blobs.holds(sha256, size):
                store.blobs.adopt(draft, sha256)
    except Problem as problem:
        raise Refused(
            "not-a-picture",
            _("This file is no photo that can be read (JPEG or PNG); take it once more."),
        ) from problem
    receiver.register(sha256, store.blobs.path(sha256))
    return StoredBlob.objects.get(pk=sha256)


@contextmanager
def on_disk(file: UploadedFile[bytes]) -> Iterator[tuple[Path, str]]:
    """Write what came to the disk for a while; give where it lies and its SHA-256.

    It lies where a move to the blobs is one step: whoever keeps it moves it away.
    """
    folder = settings.OUTREACH_FILES / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft, digest = folder / f"{uuid4()}.photo", hashlib.sha256()
    try:
        with draft.open("wb") as written:
            for block in file.chunks():
                digest.update(block)
                written.write(block)
            written.flush()
            os.fsync(written.fileno())
        yield draft, digest.hexdigest()
    finally:
        draft.unlink(missing_ok=True)


def _decode(draft: Path) -> None:
    """Decode the pixels once: headers can be right where the rest is not."""
    with TemporaryDirectory() as folder:
        thumbnail(draft, Path(folder), max_pixels=settings.OUTREACH_MAX_PHOTO_PIXELS)


def _forget_drafts() -> None:
    blobs = Store(settings.OUTREACH_FILES).blobs
    for sha256 in papers.forget_drafts(clock.now()):
        blobs.path(sha256).unlink(missing_ok=True)


def photos_in(request: HttpRequest, name: str) -> list[UploadedFile[bytes]]:
    """Return the files of one field, or refuse more than fit a form."""
    files = [file for file in request.FILES.getlist(name) if file]
    if len(files) > AT_ONCE:
        raise Refused(
            "too-many-photos",
            _("Send up to %(most)d photos at a time.") % {"most": AT_ONCE},
        )
    return files


def served(photo: PaperPhoto | Photo, size: str) -> FileResponse:
    """Serve a kept photo whole, or its small copy, which carries no position and no camera."""
    blob = Store(settings.OUTREACH_FILES).blobs.path(photo.sha256)
    if not blob.exists():
        raise Http404
    if size == "whole":
        return FileResponse(blob.open("rb"), content_type=photo.content_type)
    try:
        small = thumbnail(
            blob,
            settings.OUTREACH_FILES / "thumbnails",
            max_pixels=settings.OUTREACH_MAX_PHOTO_PIXELS,
        )
    except Problem as problem:
        raise Http404 from problem
    return FileResponse(small.open("rb"), content_type="image/jpeg")
