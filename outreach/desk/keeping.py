"""A photo that came through a browser's form becomes a file kept like any other evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO, TypeVar, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest
from django.utils.translation import gettext as _

from mobile_api.photos import (
    Picture,
    PictureReceiver,
    examine,
    keep_photo,
    kept_thumbnail,
    remove_files,
    thumbnail,
)
from mobile_api.problems import Problem
from outreach import clock
from outreach.actions import papers
from outreach.actions.photos import take_again
from outreach.files import files, photo_name
from outreach.models import PaperPhoto, Photo, StoredBlob
from outreach.rules import Refused

#: Photos in one form: more are sent in a second one.
AT_ONCE = 6
Taken = TypeVar("Taken")


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
    content = cast(BinaryIO, file)
    try:
        found = examine(content, max_pixels=settings.OUTREACH_MAX_PHOTO_PIXELS)
        # Headers can be right where the rest is not: its pixels are decoded once.
        thumbnail(content, max_pixels=settings.OUTREACH_MAX_PHOTO_PIXELS)
    except Problem as problem:
        raise Refused(
            "not-a-picture",
            _("This file is no photo that can be read (JPEG or PNG); take it once more."),
        ) from problem
    return StoredBlob.objects.get(pk=kept(content, found))


def kept(content: BinaryIO, found: Picture) -> str:
    """Keep a picture that was found to be one, and enter it in the register; return its SHA-256."""
    sha256 = keep_photo(content, files())
    receiver = PictureReceiver(settings.OUTREACH_MAX_PHOTO_PIXELS, clock.now)
    receiver.register(sha256, lambda: files().read(photo_name(sha256)), found)
    if take_again(sha256):
        keep_photo(content, files())
    return sha256


def _forget_drafts() -> None:
    if papers.forget_drafts(clock.now()):
        remove_files(clock.now(), files())


def photos_in(request: HttpRequest, name: str) -> list[UploadedFile[bytes]]:
    """Return the files of one field, or refuse more than fit a form."""
    sent = [file for file in request.FILES.getlist(name) if file]
    if len(sent) > AT_ONCE:
        raise Refused(
            "too-many-photos",
            _("Send up to %(most)d photos at a time.") % {"most": AT_ONCE},
        )
    return sent


def take_each(files: Iterable[Taken], take: Callable[[Taken], object]) -> None:
    """Take every file of a form; what is wrong with one is told when the others are kept."""
    wrong: Refused | None = None
    for file in files:
        try:
            take(file)
        except Refused as refusal:
            wrong = wrong or refusal
    if wrong is not None:
        raise wrong


def served(photo: PaperPhoto | Photo, size: str) -> FileResponse:
    """Serve a kept photo whole, or its small copy, which carries no position and no camera."""
    if StoredBlob.objects.filter(pk=photo.sha256, erased_at__isnull=False).exists():
        raise Http404
    try:
        if size == "whole":
            whole = files().read(photo_name(photo.sha256))
            return FileResponse(whole, content_type=photo.content_type)
        small = kept_thumbnail(photo.sha256, files(), max_pixels=settings.OUTREACH_MAX_PHOTO_PIXELS)
    except (FileNotFoundError, Problem) as problem:
        raise Http404 from problem
    return FileResponse(small, content_type="image/jpeg")
