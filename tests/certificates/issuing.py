"""Approved cases whose portraits really lie in the files, ready to be issued."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from pathlib import Path

from certificates.actions import issue, open_file
from certificates.models import Certificate
from outreach.actions import publicity
from outreach.domain.vocabulary import EvidenceKind
from outreach.files import local_files, photo_name
from outreach.models import Application, Photo
from tests import builders
from tests.certificates.making import PORTRAIT, picture

APPROVED_AT = datetime(2018, 6, 12, 15, 0, tzinfo=builders.SHANGHAI)
ISSUED_AT = datetime(2018, 6, 13, 9, 0, tzinfo=builders.SHANGHAI)
CAMERA = picture((1200, 1600), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")


def put_portraits(files: Path, cases: list[Application], content: bytes = PORTRAIT) -> None:
    """Write the portrait of every case where a finished upload would lie."""
    photos = Photo.objects.filter(evaluation__application__in=cases, kind=EvidenceKind.PORTRAIT)
    for sha256 in photos.values_list("sha256", flat=True):
        local_files(files).put(photo_name(sha256), BytesIO(content).read)


def approved(place: builders.County, files: Path, count: int = 1) -> list[Application]:
    """Return approved cases."""
    cases = builders.reviewed(place, count)
    publicity.approve(cases, by=place.approver, at=APPROVED_AT)
    put_portraits(files, cases)
    return cases


def issued(place: builders.County, files: Path, count: int = 1) -> list[Certificate]:
    """Return certificates."""
    return issue(approved(place, files, count), by=place.approver, at=ISSUED_AT)


def flipped(content: bytes, at: int = 100) -> bytes:
    """Return what a disk makes of a file where it loses a bit."""
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def paper_of(certificate: Certificate) -> bytes:
    """Return the signed paper as it lies in the files."""
    with open_file(certificate) as paper:
        return paper.read()
