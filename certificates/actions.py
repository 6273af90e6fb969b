"""A certificate comes into the world, is handed over, is called back."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from certificates.content import CertificateFacts, certificate_number, compose, valid_until
from certificates.models import (
    Certificate,
    CertificateEvent,
    CertificateFile,
    CertificateState,
)
from outreach.actions.applications import advance
from outreach.actions.audit import record
from outreach.actions.evaluations import current_evaluation
from outreach.domain.vocabulary import Category, EvidenceKind
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, Evaluation, Photo, User
from outreach.models.ids import new_id
from outreach.models.sealed import blind_index
from outreach.rules import Refused, check_in_scope

PORTRAIT = (480, 640)


def issue(applications: Sequence[Application], *, by: User, at: datetime) -> list[Certificate]:
    """Draw, sign and enter a certificate for every approved case; return those made now.

    Each certificate is a transaction of its own, its file on disk before it: a killed batch
    goes on where it was, and a case that has its certificate already is left alone.
    """
    return list(issuing(applications, by=by, at=at))


def issuing(
    applications: Sequence[Application], *, by: User, at: datetime
) -> Iterator[Certificate]:
    """Issue one by one, for whoever shows progress."""
    check_in_scope(by, applications)
    waiting = [one for one in applications if one.state == ApplicationState.APPROVED]
    evaluations = current_evaluation([application.pk for application in waiting])
    _check_complete(list(evaluations.values()))
    for application in waiting:
        yield _issue_one(application, evaluations[application.pk], by, at)


def _check_complete(evaluations: Sequence[Evaluation]) -> None:
    ids = [evaluation.pk for evaluation in evaluations]
    if Evaluation.objects.filter(pk__in=ids).awaiting_media().exists():
        raise Refused(
            "awaiting-media", _("Photos are still on their way; no certificate before them.")
        )


def _issue_one(
    application: Application, evaluation: Evaluation, by: User, at: datetime
) -> Certificate:
    facts = facts_of(application, evaluation, at)
    certificate = Certificate(
        id=new_id(),
        application=application,
        evaluation=evaluation,
        number=facts.number,
        number_index=blind_index(facts.number, "certificate"),
        category=facts.category,
        grade=facts.grade,
        issued_on=facts.issued_on,
        valid_until=facts.valid_until,
        issued_by=by,
        issued_at=at,
    )
    paper = make_paper(facts, certificate.pk)
    path = keep(paper)
    with transaction.atomic():
        certificate.save(force_insert=True)
        CertificateFile.objects.create(
            certificate=certificate,
            sha256=hashlib.sha256(paper).hexdigest(),
            size=len(paper),
            path=path,
            made_at=at,
        )
        _event([certificate], "issue", by, at)
        advance([application], "issue", by=by, at=at)
    return certificate


def facts_of(application: Application, evaluation: Evaluation, at: datetime) -> CertificateFacts:
    """Gather what the paper says from the register."""
    resident = application.resident
    identity = resident.identity
    guardian = max(resident.guardians.all(), key=lambda row: row.pk, default=None)
    assert evaluation.grade is not None
    met = [part for part in evaluation.parts if part["met"]]
    parts = tuple((part["category"], part["grade"]) for part in met)
    on = at.date()
    return CertificateFacts(
        name=resident.name,
        sex=identity.sex,
        ethnicity=resident.ethnicity,
        birth_on=identity.birth_on,
        number=certificate_number(identity.value, evaluation.category, evaluation.grade),
        category=evaluation.category,
        grade=evaluation.grade,
        parts=parts if evaluation.category == Category.MULTIPLE else (),
        address=resident.address,
        telephone=resident.telephone,
        guardian_name=guardian.name if guardian else "",
        guardian_telephone=guardian.telephone if guardian else "",
        issued_on=on,
        valid_until=valid_until(on),
        issuer_name=settings.OUTREACH_ISSUER,
        remarks=(),
        portrait=_portrait(evaluation),
        demo=settings.OUTREACH_DEMO,
    )


def _portrait(evaluation: Evaluation) -> bytes:
    """Return the portrait in the paper's size, without any metadata."""
    photo = Photo.objects.filter(evaluation=evaluation, kind=EvidenceKind.PORTRAIT).latest("id")
    name = photo.sha256
    blob = settings.OUTREACH_FILES / "blobs" / name[:2] / name[2:4] / name
    with Image.open(blob) as picture:
        fitted = ImageOps.fit(ImageOps.exif_transpose(picture).convert("RGB"), PORTRAIT)
    out = BytesIO()
    fitted.save(out, "JPEG", quality=85)
    return out.getvalue()


def make_paper(facts: CertificateFacts, certificate: UUID) -> bytes:
    """Draw and sign the paper."""
    from certificates import credential, layout, signing

    signer = signing.load_signer(settings.OUTREACH_KEYS_DIR)
    paper = layout.draw(compose(facts), credential.text_for(facts, certificate, signer))
    return signing.sign(paper, signer)


def keep(paper: bytes) -> str:
    """Write the file under its SHA-256, whole or not at all, and return its path in the files."""
    name = hashlib.sha256(paper).hexdigest()
    relative = Path("certificates") / name[:2] / f"{name}.pdf"
    target = settings.OUTREACH_FILES / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".new")
    with beside.open("wb") as file:
        file.write(paper)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(target)
    return str(relative)


def open_file(certificate: Certificate) -> BinaryIO:
    """Open the newest version of the signed paper."""
    newest = certificate.files.latest("version")
    return (settings.OUTREACH_FILES / newest.path).open("rb")  # type: ignore[no-any-return]


def hand_over(certificates: Sequence[Certificate], *, by: User, at: datetime) -> None:
    """Confirm that certificates were put into the resident's or guardian's hands."""
    with transaction.atomic():
        advance(
            [certificate.application for certificate in certificates], "hand_over", by=by, at=at
        )
        _event(certificates, "hand_over", by, at)


def revoke(certificates: Sequence[Certificate], *, reason: str, by: User, at: datetime) -> None:
    """Cancel certificates with a reason; the paper then reads “ours, but cancelled”."""
    if not reason:
        raise Refused("reason-missing", _("Write the reason."))
    check_in_scope(by, [certificate.application for certificate in certificates])
    with transaction.atomic():
        Certificate.objects.filter(pk__in=[one.pk for one in certificates]).update(
            state=CertificateState.CANCELLED
        )
        _event(certificates, "cancel", by, at, reason)


def _event(
    certificates: Sequence[Certificate], name: str, by: User, at: datetime, note: str = ""
) -> None:
    CertificateEvent.objects.bulk_create(
        CertificateEvent(certificate=one, name=name, by=by, at=at, note=note)
        for one in certificates
    )
    record(f"certificate.{name}", certificates, by=by, at=at)
