"""A certificate comes into the world, is handed over, is called back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certificates import layout, signing, storage
from certificates.authority import AuthorityMissing, Signer, load_signer
from certificates.content import (
    CertificateFacts,
    Paper,
    certificate_number,
    compose,
    valid_until,
)
from certificates.credential import write_credential
from certificates.models import (
    Certificate,
    CertificateEvent,
    CertificateFile,
    CertificateState,
)
from certificates.places import DoesNotFit
from certificates.portrait import UnreadablePortrait, portrait
from certificates.typeface import UnprintableCharacter
from outreach.actions.applications import advance
from outreach.actions.audit import record
from outreach.actions.evaluations import current_evaluation
from outreach.domain.vocabulary import EvidenceKind, Role
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, Evaluation, Guardian, Photo, User
from outreach.models.ids import new_id
from outreach.models.sealed import blind_index
from outreach.rules import Refused, check_in_scope

BATCH = 25
"""Certificates entered in one transaction: few statements each, little to redo after a kill."""


_Known = tuple[Application, CertificateFacts]


@dataclass(frozen=True)
class _Ready:
    """A certificate whose signed file is on disk, not yet entered."""

    certificate: Certificate
    file: CertificateFile


def issue(applications: Sequence[Application], *, by: User, at: datetime) -> list[Certificate]:
    """Draw, sign and enter a certificate for every approved case; return those made now.

    Every file is on disk before the transaction that enters it, and a transaction enters a
    batch whole: killed and called again, it goes on where it was, and a case that has its
    certificate already is left alone. Raises `Refused` before anything is made where photos
    are missing or a name cannot be printed.
    """
    return list(issuing(applications, by=by, at=at))


def issuing(
    applications: Sequence[Application], *, by: User, at: datetime
) -> Iterator[Certificate]:
    """Issue batch by batch, for whoever shows progress."""
    check_in_scope(by, applications)
    signer = open_signer()
    cases = [one for one in applications if one.state == ApplicationState.APPROVED]
    _check_media(cases)
    papers = list(_facts(cases, at, signer))
    _check_printable(papers)
    _check_numbers(papers)
    waiting = iter(papers)
    while batch := list(islice(waiting, BATCH)):
        yield from _enter(_make(batch, by, at, signer), by, at)


def open_signer() -> Signer:
    """Open the signing key or refuse with what to do."""
    try:
        return load_signer(settings.OUTREACH_KEYS_DIR)
    except AuthorityMissing as error:
        raise Refused(
            "no-signing-key", _("There is no signing key yet: run manage.py create_authority.")
        ) from error


def _check_media(cases: Sequence[Application]) -> None:
    ids = [one.pk for one in current_evaluation([case.pk for case in cases]).values()]
    late = Evaluation.objects.filter(pk__in=ids).awaiting_media().select_related("application")
    if first := late.first():
        raise Refused(
            "awaiting-media",
            _("Photos of case %(number)s are still on their way; no certificate before them.")
            % {"number": first.application.number},
        )


def _check_printable(papers: Sequence[_Known]) -> None:
    """Refuse the batch, naming case and character, before anything is made of it."""
    for case, facts in papers:
        try:
            _press().check(compose(facts))
        except UnprintableCharacter as error:
            raise Refused(
                "unprintable",
                _("No font prints “%(character)s” in case %(number)s; install a font that does.")
                % {"character": error.character, "number": case.number},
            ) from error
        except DoesNotFit as error:
            raise Refused(
                "does-not-fit",
                _("A text of case %(number)s is too long for its place on the certificate.")
                % {"number": case.number},
            ) from error


def _press() -> layout.Press:
    return layout.press(tuple(map(Path, settings.OUTREACH_FONTS)))


def _facts(cases: Sequence[Application], at: datetime, signer: Signer) -> Iterator[_Known]:
    """Gather what each paper says from the register; the portrait follows later."""
    evaluations = current_evaluation([case.pk for case in cases])
    residents = [one.application.resident_id for one in evaluations.values()]
    guardians = {
        row.resident_id: row
        for row in Guardian.objects.filter(resident__in=residents).order_by("created_at", "pk")
    }
    for case in cases:
        evaluation = evaluations[case.pk]
        guardian = guardians.get(evaluation.application.resident_id)
        yield case, _facts_of(evaluation, guardian, at, is_demo(signer))


def is_demo(signer: Signer) -> bool:
    """Tell whether papers must be marked as demonstration copies."""
    return settings.OUTREACH_DEMO or signer.is_demo


def _facts_of(
    evaluation: Evaluation, guardian: Guardian | None, at: datetime, demo: bool
) -> CertificateFacts:
    resident, grade = evaluation.application.resident, evaluation.grade
    assert grade is not None, "an approved case has a grade"
    identity, on = resident.identity, timezone.localdate(at)
    met = ((part["category"], part["grade"]) for part in evaluation.parts if part["met"])
    return CertificateFacts(
        name=resident.name,
        sex=identity.sex,
        ethnicity=resident.ethnicity,
        birth_on=identity.birth_on,
        number=certificate_number(identity.value, evaluation.category, grade),
        category=evaluation.category,
        grade=grade,
        parts=tuple(met),
        address=resident.address,
        telephone=resident.telephone,
        guardian_name=guardian.name if guardian else "",
        guardian_telephone=guardian.telephone if guardian else "",
        issued_on=on,
        valid_until=valid_until(on),
        issuer_name=settings.OUTREACH_ISSUER,
        remarks=(),
        portrait=b"",
        demo=demo,
    )


def _make(
    batch: Sequence[_Known], by: User, at: datetime, signer: Signer
) -> dict[Application, _Ready]:
    """Draw, sign and store the papers of a batch; nothing is entered yet."""
    evaluations = current_evaluation([case.pk for case, _facts in batch])
    portraits = _portraits(list(evaluations.values()))
    made = {}
    for case, facts in batch:
        evaluation = evaluations[case.pk]
        picture = _portrait_of(case, portraits.get(evaluation.pk))
        paper = compose(replace(facts, portrait=picture))
        certificate = _certificate(case, evaluation, facts, by, at)
        made[case] = _Ready(certificate, _file(certificate, facts, paper, signer, at))
    return made


def _certificate(
    case: Application, evaluation: Evaluation, facts: CertificateFacts, by: User, at: datetime
) -> Certificate:
    return Certificate(
        id=new_id(),
        application=case,
        evaluation=evaluation,
        number=facts.number,
        number_index=_index(facts),
        category=facts.category,
        grade=facts.grade,
        issued_on=facts.issued_on,
        valid_until=facts.valid_until,
        issued_by=by,
        issued_at=at,
    )


def _file(
    certificate: Certificate, facts: CertificateFacts, paper: Paper, signer: Signer, at: datetime
) -> CertificateFile:
    code = write_credential(facts, certificate.pk, signer.credential)
    drawn = _press().draw(paper, code)
    # The one moment that is never simulated: when the key was really used.
    signed = signing.sign(drawn, signer, timezone.localtime())
    return CertificateFile(
        certificate=certificate,
        sha256=hashlib.sha256(signed).hexdigest(),
        size=len(signed),
        path=storage.keep(settings.OUTREACH_FILES, signed),
        made_at=at,
    )


def _enter(made: dict[Application, _Ready], by: User, at: datetime) -> list[Certificate]:
    """Enter a batch whole, leaving out what another worker issued meanwhile."""
    ids = [case.pk for case in made]
    with transaction.atomic():
        held = Application.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        waiting = set(held.standing(ApplicationState.APPROVED).values_list("pk", flat=True))
        ready = [one for case, one in made.items() if case.pk in waiting]
        certificates = [one.certificate for one in ready]
        Certificate.objects.bulk_create(certificates)
        CertificateFile.objects.bulk_create(one.file for one in ready)
        _append(certificates, "issue", by, at)
        advance([one.application for one in certificates], "issue", by=by, at=at)
    return certificates


def _check_numbers(papers: Sequence[_Known]) -> None:
    """Refuse a number that stands on a certificate already: that is a renewal, not an issue."""
    numbers = {_index(facts): case for case, facts in papers}
    elsewhere = Certificate.objects.exclude(application__in=[case.pk for case, _facts in papers])
    if known := elsewhere.filter(number_index__in=numbers).first():
        raise Refused(
            "number-taken",
            _("The person of case %(number)s holds this certificate already; renew it.")
            % {"number": numbers[known.number_index].number},
        )


def _index(facts: CertificateFacts) -> str:
    return blind_index(facts.number, "certificate")


def _portraits(evaluations: Sequence[Evaluation]) -> dict[object, str]:
    """Map each evaluation to the SHA-256 of its newest portrait."""
    photos = Photo.objects.filter(
        evaluation__in=[one.pk for one in evaluations], kind=EvidenceKind.PORTRAIT
    ).order_by("taken_at", "pk")
    return {photo.evaluation_id: photo.sha256 for photo in photos}


def _portrait_of(case: Application, sha256: str | None) -> bytes:
    if sha256 is None:
        raise _no_portrait(case)
    try:
        return portrait(storage.blob(settings.OUTREACH_FILES, sha256))
    except UnreadablePortrait as error:
        raise _no_portrait(case) from error


def _no_portrait(case: Application) -> Refused:
    return Refused(
        "no-portrait",
        _("Case %(number)s has no usable portrait; ask the assessor for a new one.")
        % {"number": case.number},
    )


def open_file(certificate: Certificate) -> BinaryIO:
    """Open the newest version of the signed paper."""
    newest = certificate.files.latest("version")
    return storage.open_kept(settings.OUTREACH_FILES, newest.path)


def export(folder: Path) -> int:
    """Write the newest version of every certificate into a folder; return how many there are.

    Files are named by case, never by certificate number: that contains an ID number.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    files = CertificateFile.objects.select_related("certificate__application")
    for kept in files.order_by("certificate", "version").iterator():
        count += kept.version == 1
        name = f"{kept.certificate.application.number}{kept.certificate.suffix}.pdf"
        with storage.open_kept(settings.OUTREACH_FILES, kept.path) as paper:
            beside = folder / f"{name}.new"
            beside.write_bytes(paper.read())
        beside.replace(folder / name)
    return count


def hand_over(certificates: Sequence[Certificate], *, by: User, at: datetime) -> None:
    """Confirm that certificates were put into the resident's or guardian's hands."""
    with transaction.atomic():
        cases = [certificate.application for certificate in certificates]
        advance(cases, "hand_over", by=by, at=at)
        _append(certificates, "hand_over", by, at)


def revoke(certificates: Sequence[Certificate], *, reason: str, by: User, at: datetime) -> None:
    """Cancel certificates with a reason; the paper then reads “ours, but cancelled”."""
    if by.role not in (Role.ADMINISTRATOR, Role.APPROVER):
        raise Refused("not-your-step", _("This step is not yours to take; ask the office."))
    if not reason.strip():
        raise Refused("reason-missing", _("Write the reason."))
    check_in_scope(by, [certificate.application for certificate in certificates])
    ids = [one.pk for one in certificates]
    with transaction.atomic():
        valid = Certificate.objects.filter(pk__in=ids, state=CertificateState.VALID)
        if valid.update(state=CertificateState.CANCELLED) != len(ids):
            raise Refused("wrong-state", _("A chosen certificate is not valid any more."))
        _append(certificates, "cancel", by, at, reason)


def _append(
    certificates: Sequence[Certificate], name: str, by: User, at: datetime, note: str = ""
) -> None:
    CertificateEvent.objects.bulk_create(
        CertificateEvent(certificate=one, name=name, by=by, at=at, note=note)
        for one in certificates
    )
    record(f"certificate.{name}", certificates, by=by, at=at)
