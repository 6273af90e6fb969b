"""What a file really is: the register's word first, cryptography second, in plain words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from certificates import revocations, second_signatures
from certificates.authority import AuthorityMissing, AuthorityUnsound, Trust, load_trust
from certificates.credential import (
    Credential,
    MalformedCredential,
    UntrustedCredential,
    read_credential,
)
from certificates.examination import Change, Verdict, carries_our_signature, examined
from certificates.models import Certificate, CertificateFile
from certificates.scanning import codes_in, is_picture
from certificates.second_signatures import Second
from certificates.steps import CertificateState
from outreach.models.sealed import blind_index


class KeysAway(Exception):
    """What we issued can be judged by the register alone: the keys are not as they should be, or
    there is no process to look into a file."""


class Finding(models.TextChoices):
    """The whole list of answers."""

    UNCHANGED = "ours_unchanged", _("This certificate is ours, unchanged and valid.")
    EXPIRED = "ours_but_expired", _("This certificate is ours and unchanged, but has expired.")
    REPLACED = "ours_but_replaced", _("This certificate is ours, but a newer one replaces it.")
    FROZEN = "ours_but_frozen", _("This certificate is ours, but frozen for the moment.")
    LOST = "ours_but_lost", _("This certificate is ours, but was declared lost and is void.")
    MOVED = "ours_but_moved", _("This certificate is ours, but its holder moved to another county.")
    CANCELLED = "ours_but_cancelled", _("This certificate is ours, but was cancelled.")
    UNKNOWN = "ours_but_unknown", _("Our signature is genuine, but the register does not know it.")
    ALTERED = "altered", _("This file was altered after we signed it. Do not accept it.")
    NOT_OURS = "not_ours", _("This file is not a certificate of ours.")
    UNREADABLE = (
        "unreadable_picture",
        _("This kind of picture cannot be read here: send it as JPEG, or scan its QR code."),
    )
    NO_CODE = "no_code", _("There is no QR code of a certificate in it.")
    FOREIGN_CODE = "code_not_ours", _("This QR code was not signed by us, or it was altered.")
    UNKNOWN_NUMBER = "unknown_number", _("We issued no certificate with this number on that day.")


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
RESTORED = _(
    "The register was restored from a backup and has lost what was issued shortly before: accept"
    " it only when the federation that issued it has confirmed it."
)
UNKNOWN_CODE = _("It carries our signature, but the register does not know it.")
UNKNOWN_COPY = _("It carries our signature, but is not one of the files that we issued.")


@dataclass(frozen=True)
class Answer:
    """One finding, the certificate where the file is ours, and what was done to it where not."""

    finding: Finding
    certificate: Certificate | None = None
    changes: tuple[str | Promise, ...] = ()
    credential: Credential | None = None
    second: Second | None = None

    @property
    def is_valid(self) -> bool:
        """Tell whether the certificate can be accepted."""
        return self.finding == Finding.UNCHANGED


def judge_content(content: bytes, *, on: date) -> Answer:
    """Judge a PDF by its bytes, and a picture by the QR code on it."""
    return (judge_picture if is_picture(content) else judge)(content, on=on)


def judge(pdf: bytes, *, on: date) -> Answer:
    """Say what a file is on a given day.

    A file whose SHA-256 the register knows is, byte for byte, one that we issued. Any other
    that carries our signature was altered, be it in bytes that no signature covers.
    """
    sha256 = hashlib.sha256(pdf).hexdigest()
    kept = CertificateFile.objects.filter(sha256=sha256).select_related("certificate").first()
    if kept is not None:
        second = second_signatures.beside(kept, pdf) if settings.OUTREACH_SM2 else None
        return Answer(_standing(kept.certificate, on), kept.certificate, second=second)
    if not carries_our_signature(pdf, _trust()):
        return Answer(Finding.NOT_OURS)
    with _looking():
        examination = examined(pdf, settings.OUTREACH_KEYS_DIR)
    if examination.verdict == Verdict.INTACT and revocations.forgotten() is not None:
        return Answer(Finding.UNKNOWN, changes=(RESTORED,))
    changes = tuple(CHANGES[change] for change in examination.changes)
    return Answer(Finding.ALTERED, changes=changes or (UNKNOWN_COPY,))


def _trust() -> Trust:
    """Read whom we believe; raise `AuthorityMissing` only where nothing was ever issued."""
    try:
        return load_trust(settings.OUTREACH_KEYS_DIR)
    except (AuthorityMissing, AuthorityUnsound) as error:
        if isinstance(error, AuthorityMissing) and not Certificate.objects.exists():
            raise
        raise KeysAway(str(error)) from error


def judge_code(text: str, *, on: date) -> Answer:
    """Say what the certificate is that a QR code belongs to, by signature and register."""
    keys = _trust().credential_keys
    try:
        credential = read_credential(text.strip(), keys)
    except MalformedCredential:
        return Answer(Finding.NO_CODE)
    except UntrustedCredential:
        return Answer(Finding.FOREIGN_CODE)
    held = Certificate.objects.filter(pk=credential.certificate).first()
    if held is None:
        return _unknown(credential)
    return Answer(_standing(held, on), held, credential=credential)


def _unknown(credential: Credential) -> Answer:
    """Say what a code of ours is whose certificate is not in the register."""
    forgotten = revocations.forgotten()
    if forgotten is None:
        return Answer(Finding.FOREIGN_CODE, changes=(UNKNOWN_CODE,), credential=credential)
    state = forgotten.get(credential.certificate)
    finding = Finding.UNKNOWN if state is None else STATES[state]
    return Answer(finding, changes=(RESTORED,), credential=credential)


def judge_picture(picture: bytes, *, on: date) -> Answer:
    """Read the QR code in a photo or screenshot and say what its certificate is."""
    with _looking():
        found = codes_in(picture)
    if found is None:
        return Answer(Finding.UNREADABLE)
    answers = [judge_code(text, on=on) for text in found]
    known = [answer for answer in answers if answer.finding != Finding.NO_CODE]
    return known[0] if known else Answer(Finding.NO_CODE)


@contextmanager
def _looking() -> Iterator[None]:
    """Say nothing of a file that cannot be looked into now."""
    try:
        yield
    except OSError as error:
        raise KeysAway(str(error)) from error


def judge_number(number: str, issued: str, *, on: date) -> Answer:
    """Say how a certificate stands whose number and day of issue (MMDD) somebody read on it.

    A wrong day and an unknown number are answered alike: whoever knows only an ID number must not
    learn whether its owner holds a certificate.
    """
    index = blind_index(number, "certificate")
    rows = Certificate.objects.filter(number_index=index).order_by("-issued_at", "-pk")
    # A renewal has the number of the paper before it: the day tells them apart.
    held = next((one for one in rows if f"{one.issued_on:%m%d}" == issued), None)
    if held is None:
        is_restored = revocations.forgotten() is not None
        return Answer(Finding.UNKNOWN_NUMBER, changes=(RESTORED,) if is_restored else ())
    return Answer(_standing(held, on), held)


def _standing(certificate: Certificate, on: date) -> Finding:
    state = STATES.get(CertificateState(certificate.state))
    if state is not None:
        return state
    return Finding.EXPIRED if certificate.valid_until < on else Finding.UNCHANGED
