"""A certificate comes into the world, is handed over, is called back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certificates import revocations, second_signatures, signing, storage, upgrades
from certificates.archiving import Level
from certificates.authority import AuthorityMissing, AuthorityUnsound, Signer, load_signer
from certificates.content import CertificateFacts, Paper, compose
from certificates.credential import write_credential
from certificates.keys import TokenAway
from certificates.models import (
    Certificate,
    CertificateEvent,
    CertificateFile,
    PaperRequest,
    was_found_not_met,
)
from certificates.papers import (
    Commission,
    Known,
    check_media,
    check_numbers,
    check_printable,
    commissions,
    gather,
    in_place_of,
    number_index,
    portrait_of,
    portraits_of,
    press,
)
from certificates.steps import CERTIFICATE, CertificateState, Kind, renewable_from
from outreach.actions.applications import advance, take
from outreach.actions.audit import record
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, User
from outreach.models.ids import new_id
from outreach.rules import Refused, check_in_scope, check_role, first_dead, not_yours, worded

BATCH = 25
"""Certificates entered in one transaction: few statements each, little to redo after a kill."""


@dataclass(frozen=True)
class _Ready:
    """A certificate whose signed file is on disk, not yet entered."""

    commission: Commission
    certificate: Certificate
    file: CertificateFile


def issue(applications: Sequence[Application], *, by: User, at: datetime) -> list[Certificate]:
    """Draw, sign and enter a certificate for every approved case; return those made now.

    Every file is on disk before the transaction that enters it, and a transaction enters a
    batch whole: killed and called again, it goes on where it was, and a case that has its
    certificate already is left alone. A person who holds a certificate gets the new one in its
    place. Raises `Refused` before anything is made where photos are missing or a name cannot
    be printed.
    """
    return list(issuing(applications, by=by, at=at))


def issuing(
    applications: Sequence[Application], *, by: User, at: datetime
) -> Iterator[Certificate]:
    """Issue batch by batch, for whoever shows progress."""
    check_in_scope(by, applications)
    cases = [one for one in applications if one.state == ApplicationState.APPROVED]
    return make(commissions(cases), by=by, at=at)


def renew(certificates: Sequence[Certificate], *, by: User, at: datetime) -> list[Certificate]:
    """Make a certificate for ten more years in place of each, from its last year on (换领)."""
    return list(make(in_place_of(certificates, Kind.RENEWAL), by=by, at=at))


def reissue(certificates: Sequence[Certificate], *, by: User, at: datetime) -> list[Certificate]:
    """Make another paper in place of each lost one: same last day, number + B1, B2… (补办)."""
    return list(make(in_place_of(certificates, Kind.REISSUE), by=by, at=at))


def make(wanted: Sequence[Commission], *, by: User, at: datetime) -> Iterator[Certificate]:
    """Make papers batch by batch; a commission that somebody else fulfilled is left alone."""
    check_in_scope(by, [one.case for one in wanted])
    _check_may_make(wanted, by, timezone.localdate(at))
    signer = open_signer()
    papers = list(gather(wanted, at, signer))
    check_media(papers)
    check_printable(papers)
    check_numbers(papers)
    waiting = iter(papers)
    while batch := list(islice(waiting, BATCH)):
        yield from _enter(_make(batch, by, at, signer), by, at)


def _check_may_make(wanted: Sequence[Commission], by: User, on: date) -> None:
    check_role(by, CERTIFICATE["issue"])
    if not by.is_active:  # ended while the papers of a batch wait
        raise not_yours()
    _check_alive([one.case for one in wanted])
    _check_stayed([one.case for one in wanted if one.is_of_a_case])
    check_still_met([one.replaces for one in wanted if one.replaces and one.kind == Kind.RENEWAL])
    for one in wanted:
        old = one.replaces
        if old is None or one.kind == Kind.CHANGE:
            continue
        if old.state not in CERTIFICATE[one.step].sources:
            raise has_moved_on(old)
        if one.kind == Kind.RENEWAL and on < renewable_from(old.valid_until):
            raise too_early(old)
        if one.kind == Kind.REISSUE and old.valid_until <= on:
            raise expired(old)


def _check_alive(cases: Sequence[Application]) -> None:
    """Refuse a paper for whoever died since they applied: the bar came with their last one."""
    if dead := first_dead(cases):
        raise Refused(
            "barred",
            worded(
                _(
                    "The register says that the person of case %(number)s has died;"
                    " send the case back, then close it."
                ),
                number=dead.number,
            ),
        )


def _check_stayed(cases: Sequence[Application]) -> None:
    """Refuse a paper for whoever moved away since they applied: their file has gone along."""
    ids = [case.pk for case in cases]
    sent_on = CertificateEvent.objects.filter(
        name="move_out",
        certificate__state=CertificateState.MOVED,  # and none that was sent on by mistake
        certificate__resident=OuterRef("resident"),
        at__gt=OuterRef("created_at"),
    )
    if first := Application.objects.filter(Exists(sent_on), pk__in=ids).first():
        raise Refused(
            "moved-away",
            worded(
                _(
                    "The file of the person of case %(number)s was sent on to another office;"
                    " send the case back, then close it."
                ),
                number=first.number,
            ),
        )


def check_still_met(certificates: Sequence[Certificate]) -> None:
    """Refuse ten more years to whom a later assessment found not to meet the standard."""
    ids = [one.pk for one in certificates]
    held = Certificate.objects.filter(was_found_not_met(), pk__in=ids)
    if first := held.select_related("application").first():
        raise Refused(
            "no-longer-met",
            worded(
                _(
                    "A later assessment of the holder of case %(number)s found the standard not"
                    " met: cancel the certificate, or wait for another assessment."
                ),
                number=first.application.number,
            ),
        )


def has_moved_on(certificate: Certificate) -> Refused:
    """Return the refusal of a step that does not start where the certificate stands."""
    return Refused(
        "wrong-state",
        worded(
            _("The certificate of case %(number)s has moved on meanwhile; load the page again."),
            number=certificate.application.number,
        ),
    )


def too_early(certificate: Certificate) -> Refused:
    """Return the refusal of a renewal before the last year."""
    return Refused(
        "too-early",
        worded(
            _("The certificate of case %(number)s can be renewed from %(day)s on."),
            number=certificate.application.number,
            day=renewable_from(certificate.valid_until).isoformat(),
        ),
    )


def expired(certificate: Certificate) -> Refused:
    """Return the refusal of another paper with the same last day, which is over."""
    return Refused(
        "expired",
        worded(
            _("The certificate of case %(number)s has expired: mark it as found, then renew."),
            number=certificate.application.number,
        ),
    )


def open_signer() -> Signer:
    """Open the signing key or refuse with what to do; raise `TokenAway` where it is to come."""
    try:
        signer = load_signer(settings.OUTREACH_KEYS_DIR)
    except AuthorityMissing as error:
        raise Refused(
            "no-signing-key", _("There is no signing key yet: run manage.py create_authority.")
        ) from error
    except AuthorityUnsound as error:
        if isinstance(error.__cause__, TokenAway):  # as after a power cut: it will come up, too
            raise TokenAway(str(error)) from error
        raise _unsound() from error
    if signer.ends_at < timezone.localtime():  # the checks looked when the server started
        raise _unsound()
    return signer


def _unsound() -> Refused:
    return Refused(
        "signing-key-unsound",
        _("The signing key cannot be used; run manage.py check, it says why."),
    )


def _make(batch: Sequence[Known], by: User, at: datetime, signer: Signer) -> list[_Ready]:
    """Draw, sign and store the papers of a batch; nothing is entered yet."""
    portraits = portraits_of([one.evaluation for one in batch])
    stamped = upgrades.stamping()
    made = []
    for known in batch:
        sha256 = portraits.get(known.evaluation.pk)
        picture = portrait_of(known.commission.case, sha256)
        paper = compose(replace(known.facts, portrait=picture))
        certificate = _certificate(known, by, at)
        signed, level = stamped(_signed(certificate, known.facts, paper, signer))
        file = _file(certificate, signed, level, at)
        made.append(_Ready(known.commission, certificate, file))
    return made


def _certificate(known: Known, by: User, at: datetime) -> Certificate:
    facts, wanted = known.facts, known.commission
    return Certificate(
        id=new_id(),
        resident_id=known.evaluation.application.resident_id,
        application=wanted.case,
        evaluation=known.evaluation,
        kind=wanted.kind,
        number=facts.number,
        number_index=number_index(facts),
        suffix=facts.number[20:],
        category=facts.category,
        grade=facts.grade,
        issued_on=facts.issued_on,
        valid_until=facts.valid_until,
        issued_by=by,
        issued_at=at,
        replaces=wanted.replaces,
    )


def _signed(
    certificate: Certificate, facts: CertificateFacts, paper: Paper, signer: Signer
) -> bytes:
    code = write_credential(facts, certificate.pk, signer.credential)
    drawn = press().draw(paper, code)
    # The one moment that is never simulated: when the key was really used.
    return signing.sign(drawn, signer, timezone.localtime())


def _file(certificate: Certificate, signed: bytes, level: Level, at: datetime) -> CertificateFile:
    return CertificateFile(
        certificate=certificate,
        kind=level,
        sha256=hashlib.sha256(signed).hexdigest(),
        size=len(signed),
        path=storage.keep(signed),
        made_at=at,
    )


def _enter(made: Sequence[_Ready], by: User, at: datetime) -> list[Certificate]:
    """Enter a batch whole, leaving out what another worker issued meanwhile."""
    with transaction.atomic():
        ready = _still_wanted(made)
        certificates = [one.certificate for one in ready]
        _retire(ready, by, at)
        Certificate.objects.bulk_create(certificates)
        CertificateFile.objects.bulk_create(one.file for one in ready)
        for kind in Kind:
            chosen = [one for one in certificates if one.kind == kind]
            append(chosen, ISSUED_AS[kind], by, at)
        cases = [one.commission.case for one in ready if one.commission.is_of_a_case]
        advance(cases, "issue", by=by, at=at)
    second_signatures.add([one.file for one in ready])
    return certificates


#: What the history of a new certificate begins with.
ISSUED_AS = {
    Kind.FIRST: "issue",
    Kind.CHANGE: "issue_changed",
    Kind.RENEWAL: "issue_renewed",
    Kind.REISSUE: "issue_again",
    Kind.MOVE_IN: "issue_moved_in",
}


def _still_wanted(made: Sequence[_Ready]) -> list[_Ready]:
    """Hold the cases and the certificates to replace; return what nobody fulfilled meanwhile.

    A noted move of the household goes over to the paper that comes instead.
    """
    ids = [one.commission.case.pk for one in made if one.commission.is_of_a_case]
    held = Application.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    waiting = set(held.standing(ApplicationState.APPROVED).values_list("pk", flat=True))
    olds = _held([one.certificate.replaces_id for one in made if one.certificate.replaces_id])
    for one in made:
        if one.commission.kind in (Kind.RENEWAL, Kind.REISSUE):
            # Its household has moved all the same; who is assessed again has shown the book.
            one.certificate.household_moved_on = olds[
                one.certificate.replaces_id
            ].household_moved_on
    return [
        one
        for one in made
        if (not one.commission.is_of_a_case or one.commission.case.pk in waiting)
        and _may_replace(one, olds)
    ]


def _held(ids: Sequence[UUID]) -> dict[UUID | None, Certificate]:
    """Let nobody else change these certificates; return them as they stand now."""
    rows = Certificate.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    return {row.pk: row for row in rows.only("state", "household_moved_on")} if ids else {}


def _may_replace(one: _Ready, olds: Mapping[UUID | None, Certificate]) -> bool:
    old = one.certificate.replaces_id
    return old is None or olds[old].state in CERTIFICATE[one.commission.step].sources


def _retire(ready: Sequence[_Ready], by: User, at: datetime) -> None:
    """Let the certificates that get another in their place read “replaced” from now on."""
    for kind in (Kind.CHANGE, Kind.RENEWAL, Kind.REISSUE):
        olds = [one.commission.replaces for one in ready if one.commission.kind == kind]
        retired = [old for old in olds if old is not None]
        if not retired:
            continue
        ids = [old.pk for old in retired]
        Certificate.objects.filter(pk__in=ids).update(state=CertificateState.REPLACED)
        PaperRequest.objects.open().filter(certificate__in=ids).update(settled_at=at)
        append(retired, Commission(retired[0].application, kind, retired[0]).step, by, at)
        revocations.note_change(retired, CertificateState.REPLACED)


def open_file(certificate: Certificate) -> BinaryIO:
    """Open the newest version of the signed paper that is there, or raise `FileNotFoundError`."""
    return open_newest(certificate)[1]


def open_newest(certificate: Certificate) -> tuple[CertificateFile, BinaryIO]:
    """Open it like `open_file`, and tell which one it is."""
    for kept in certificate.files.order_by("-version"):
        # Read whole: what the disk damaged may show only when half of it was given out.
        with suppress(*storage.GONE), storage.open_kept(kept.path) as paper:
            return kept, BytesIO(paper.read())
    raise FileNotFoundError


@dataclass(frozen=True)
class Exported:
    """How many certificates were written, and the names of the files that are lost."""

    count: int
    lost: list[str]


def export(folder: Path) -> Exported:
    """Write the newest version of every certificate into a folder.

    Files are named by case, never by certificate number: that contains an ID number.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written, lost = set(), []
    files = CertificateFile.objects.select_related("certificate__application")
    for kept in files.order_by("certificate", "version").iterator():
        name = _file_name(kept.certificate)
        beside = folder / f"{name}.new"
        try:
            with storage.open_kept(kept.path) as paper:
                beside.write_bytes(paper.read())
        except storage.GONE:
            lost.append(kept.path)
            continue
        beside.replace(folder / name)
        written.add(kept.certificate_id)
    return Exported(len(written), lost)


def _file_name(certificate: Certificate) -> str:
    renewed = f"-{certificate.issued_on.year}" if certificate.kind == Kind.RENEWAL else ""
    return f"{certificate.application.number}{certificate.suffix}{renewed}.pdf"


def hand_over(
    certificates: Sequence[Certificate],
    *,
    by: User,
    at: datetime,
    admitted_by: User | None = None,
) -> None:
    """Confirm that certificates were put into the resident's or guardian's hands.

    One that an administrator admits afterwards need not be in the scope of who handed it over, who
    may have another role by now.
    """
    applications = [certificate.application for certificate in certificates]
    check_role(admitted_by or by, CERTIFICATE["hand_over"])
    check_in_scope(admitted_by or by, applications)
    ids = [one.pk for one in certificates]
    with transaction.atomic():
        held = Certificate.objects.select_for_update().filter(pk__in=ids).to_hand_over()
        if len(held.order_by("pk")) != len(ids):  # none is handed over twice at once either
            raise Refused(
                "wrong-state", _("A chosen certificate was handed over already, or is not valid.")
            )
        Certificate.objects.filter(pk__in=ids).update(handed_over_at=at)
        waiting = Application.objects.filter(pk__in=[one.pk for one in applications])
        take(list(waiting.standing(ApplicationState.ISSUED)), "hand_over", by=by, at=at)
        append(certificates, "hand_over", by, at)


def append(
    certificates: Sequence[Certificate],
    name: str,
    by: User | None,
    at: datetime,
    note: str = "",
) -> None:
    """Append one step to the histories of certificates and to the trail."""
    if not certificates:
        return
    CertificateEvent.objects.bulk_create(
        CertificateEvent(certificate=one, name=name, by=by, at=at, note=note)
        for one in certificates
    )
    record(f"certificate.{name}", certificates, by=by, at=at)
