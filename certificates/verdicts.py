"""What a file really is: the register's word first, cryptography second, in plain words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from certificates.authority import load_trust
from certificates.examination import Change, Verdict, examine
from certificates.models import Certificate, CertificateFile
from certificates.steps import CertificateState


class Finding(models.TextChoices):
    """The whole list of answers."""

    UNCHANGED = "ours_unchanged", _("This certificate is ours, unchanged and valid.")
    EXPIRED = "ours_but_expired", _("This certificate is ours and unchanged, but has expired.")
    REPLACED = "ours_but_replaced", _("This certificate is ours, but a newer one replaces it.")
    FROZEN = "ours_but_frozen", _("This certificate is ours, but frozen for the moment.")
    LOST = "ours_but_lost", _("This certificate is ours, but was declared lost and is void.")
    MOVED = "ours_but_moved", _("This certificate is ours, but its holder moved to another county.")
    CANCELLED = "ours_but_cancelled", _("This certificate is ours, but was cancelled.")
    ALTERED = "altered", _("This file was altered after we signed it. Do not accept it.")
    NOT_OURS = "not_ours", _("This file is not a certificate of ours.")


STATES = {
    CertificateState.REPLACED: Finding.REPLACED,
    CertificateState.FROZEN: Finding.FROZEN,
    CertificateState.LOST: Finding.LOST,
    CertificateState.MOVED: Finding.MOVED,
    CertificateState.CANCELLED: Finding.CANCELLED,
}
CHANGES: dict[Change, str | Promise] = {
    Change.CONTENT: _("Its content is not what was signed."),
    Change.ADDED: _("Something was added to it after signing."),
    Change.SIGNATURE: _("Its signature was changed."),
    Change.OUTSIDE: _("It was changed in a way that our signature does not permit."),
}
UNKNOWN_COPY = _("It carries our signature, but is not one of the files that we issued.")


@dataclass(frozen=True)
class Answer:
    """One finding, the certificate where the file is ours, and what was done to it where not."""

    finding: Finding
    certificate: Certificate | None = None
    changes: tuple[str | Promise, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Tell whether the certificate can be accepted."""
        return self.finding == Finding.UNCHANGED


def judge(pdf: bytes, *, on: date) -> Answer:
    """Say what a file is on a given day.

    A file whose SHA-256 the register knows is, byte for byte, one that we issued. Any other
    that carries our signature was altered, be it in bytes that no signature covers.
    """
    sha256 = hashlib.sha256(pdf).hexdigest()
    kept = CertificateFile.objects.filter(sha256=sha256).select_related("certificate").first()
    if kept is not None:
        return Answer(_standing(kept.certificate, on), kept.certificate)
    examination = examine(pdf, load_trust(settings.OUTREACH_KEYS_DIR))
    if examination.verdict == Verdict.FOREIGN:
        return Answer(Finding.NOT_OURS)
    changes = tuple(CHANGES[change] for change in examination.changes)
    return Answer(Finding.ALTERED, changes=changes or (UNKNOWN_COPY,))


def _standing(certificate: Certificate, on: date) -> Finding:
    state = STATES.get(CertificateState(certificate.state))
    if state is not None:
        return state
    return Finding.EXPIRED if certificate.valid_until < on else Finding.UNCHANGED
