"""The additional SM2 signatures of issued files: made where the setting asks, or later."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from certificates import sm2, storage
from certificates.models import CertificateFile, SecondSignature

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Second:
    """What stands beside a file of ours: who signed, or none where it does not verify."""

    signer: str | None
    sha256: str

    @property
    def is_genuine(self) -> bool:
        """Tell whether the file has a signature that our SM2 root vouches for."""
        return self.signer is not None


def missing() -> QuerySet[CertificateFile]:
    """List the files that have no second signature yet."""
    return CertificateFile.objects.filter(second_signature=None).order_by("pk")


def add(files: Iterable[CertificateFile]) -> int:
    """Sign files a second time where the setting asks for it; return how many.

    Never holds a paper up: what cannot be signed now is logged and signed in a later round.
    """
    if not settings.OUTREACH_SM2:
        return 0
    made = []
    try:
        for file in files:
            content = _content(file)
            if content is not None:
                body = sm2.sign(content, settings.OUTREACH_KEYS_DIR)
                made.append(SecondSignature(file=file, body=body, made_at=timezone.now()))
    except (sm2.Unusable, OSError) as error:
        log.warning("Files stay without their SM2 signature for now: %s.", error)
    SecondSignature.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _content(file: CertificateFile) -> bytes | None:
    """Return a paper, or None where it is lost or damaged: those behind it are signed."""
    try:
        with storage.open_kept(file.path) as kept:
            return kept.read()
    except storage.GONE as error:
        log.warning("%s gets no SM2 signature: %s", file.path, error)
        return None


def beside(file: CertificateFile, content: bytes) -> Second | None:
    """Verify what stands beside a file of ours; None where there is nothing."""
    held = SecondSignature.objects.filter(file=file).first()
    if held is None:
        return None
    signer = sm2.signer_of(content, bytes(held.body), settings.OUTREACH_KEYS_DIR)
    return Second(signer, file.sha256)
