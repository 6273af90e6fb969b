"""What each paper to be made says, gathered from the register, and whether it can be printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certificates import layout, storage
from certificates.authority import Signer
from certificates.content import (
    CertificateFacts,
    certificate_number,
    change_remark,
    compose,
    move_in_remark,
    moved_and_renewed_remark,
    reissue_remark,
    renewal_remark,
    valid_until,
)
from certificates.models import Certificate, MoveIn
from certificates.places import DoesNotFit
from certificates.portrait import UnreadablePortrait, portrait
from certificates.steps import OF_A_CASE, Kind, next_suffix, renewable_from
from certificates.typeface import UnprintableCharacter
from outreach.actions.evaluations import current_evaluation
from outreach.domain.identity import visible
from outreach.domain.vocabulary import GUARDED_CATEGORIES, EvidenceKind, Mode
from outreach.models import Application, Evaluation, Guardian, Photo
from outreach.models.sealed import blind_index
from outreach.rules import ADULT, Refused, worded


@dataclass(frozen=True)
class Commission:
    """One paper to make: for an approved case, or in place of a certificate."""

    case: Application
    kind: Kind = Kind.FIRST
    replaces: Certificate | None = None

    @property
    def is_of_a_case(self) -> bool:
        """Tell whether an approved case waits for the paper, not only a certificate."""
        return self.kind in OF_A_CASE

    @property
    def step(self) -> str:
        """The step that the certificate in whose place it comes takes."""
        return {Kind.CHANGE: "change", Kind.RENEWAL: "renew", Kind.REISSUE: "reissue"}[self.kind]


@dataclass(frozen=True)
class _Register:
    """What the register knows for one paper."""

    evaluation: Evaluation
    guardian: Guardian | None
    left: MoveIn | None

    @property
    def keeps(self) -> MoveIn | None:
        """The certificate of the county left, unless the person was assessed here since."""
        return self.left if self.evaluation.mode == Mode.FILE else None


@dataclass(frozen=True)
class Known:
    """A commission with what its paper will say."""

    commission: Commission
    evaluation: Evaluation
    facts: CertificateFacts


def commissions(cases: Sequence[Application]) -> list[Commission]:
    """Say which paper each approved case wants: the person's first, or one instead of theirs."""
    moved_in = set(_moves_in(cases))
    held = {
        row.resident_id: row
        for row in Certificate.objects.living().filter(resident__in=[c.resident_id for c in cases])
    }
    wanted = ((case, held.get(case.resident_id)) for case in cases)
    return [
        Commission(case, Kind.CHANGE, old)
        if old
        else Commission(case, Kind.MOVE_IN if case.pk in moved_in else Kind.FIRST)
        for case, old in wanted
    ]


def _moves_in(cases: Sequence[Application]) -> dict[UUID, MoveIn]:
    rows = MoveIn.objects.filter(application__in=[case.pk for case in cases])
    return {row.application_id: row for row in rows}


def in_place_of(certificates: Sequence[Certificate], kind: Kind) -> list[Commission]:
    """Say which paper comes in place of each certificate."""
    return [Commission(one.application, kind, one) for one in certificates]


def check_media(papers: Sequence[Known]) -> None:
    """Refuse the batch while photos that its evaluations declare are missing."""
    ids = [one.evaluation.pk for one in papers]
    late = Evaluation.objects.filter(pk__in=ids).awaiting_media().select_related("application")
    if first := late.first():
        raise Refused(
            "awaiting-media",
            worded(
                _("Photos of case %(number)s are still on their way; no certificate before them."),
                number=first.application.number,
            ),
        )


def check_printable(papers: Sequence[Known]) -> None:
    """Refuse the batch, naming case and character, before anything is made of it."""
    for known in papers:
        case = known.commission.case
        try:
            press().check(compose(known.facts))
        except UnprintableCharacter as error:
            raise Refused(
                "unprintable",
                worded(
                    _(
                        "No font prints “%(character)s” in case %(number)s;"
                        " install a font that does."
                    ),
                    character=error.character,
                    number=case.number,
                ),
            ) from error
        except DoesNotFit as error:
            raise Refused(
                "does-not-fit",
                worded(
                    _("A text of case %(number)s is too long for its place on the certificate."),
                    number=case.number,
                ),
            ) from error


def press() -> layout.Press:
    """Return the press with the fonts of the settings."""
    return layout.press(tuple(map(Path, settings.OUTREACH_FONTS)))


def gather(wanted: Sequence[Commission], at: datetime, signer: Signer) -> Iterator[Known]:
    """Gather what each paper says from the register; the portrait follows later."""
    evaluations = _evaluations(wanted)
    residents = [one.application.resident_id for one in evaluations.values()]
    guardians = Guardian.objects.newest_of(residents)
    moves_in = _moves_in([one.case for one in wanted])
    for one in wanted:
        evaluation = evaluations[one.case.pk]
        guardian = guardians.get(evaluation.application.resident_id)
        if guardian and not _guards(guardian, evaluation, timezone.localdate(at)):
            guardian = None
        known = _Register(evaluation, guardian, moves_in.get(one.case.pk))
        yield Known(one, evaluation, _facts_of(one, known, at, is_demo(signer)))


def _guards(guardian: Guardian, evaluation: Evaluation, on: date) -> bool:
    """Tell whether a guardian is one still: a child's, named as such, ends with the child's age."""
    resident, named_on = evaluation.application.resident, timezone.localdate(guardian.created_at)
    came_of_age = resident.age(named_on) < ADULT <= resident.age(on)
    return not came_of_age or any(one["category"] in GUARDED_CATEGORIES for one in evaluation.parts)


def _evaluations(wanted: Sequence[Commission]) -> dict[UUID, Evaluation]:
    """Map each case to the evaluation that its paper follows from."""
    found = current_evaluation([one.case.pk for one in wanted])
    kept = {
        one.case.pk: one.replaces.evaluation_id
        for one in wanted
        if one.replaces is not None and one.kind != Kind.CHANGE
    }
    if not kept:
        return found
    rows = Evaluation.objects.select_related("application__resident").in_bulk(kept.values())
    return found | {case: rows[evaluation] for case, evaluation in kept.items()}


def is_demo(signer: Signer) -> bool:
    """Tell whether papers must be marked as demonstration copies."""
    return settings.OUTREACH_DEMO or signer.is_demo


def _facts_of(wanted: Commission, known: _Register, at: datetime, demo: bool) -> CertificateFacts:
    evaluation, guardian = known.evaluation, known.guardian
    resident, grade = evaluation.application.resident, evaluation.grade
    assert grade is not None, "an approved case has a grade"
    identity, on = resident.identity, timezone.localdate(at)
    met = ((part["category"], part["grade"]) for part in evaluation.parts if part["met"])
    suffix = _suffix(wanted, known)
    return CertificateFacts(
        name=resident.name,
        sex=identity.sex,
        ethnicity=resident.ethnicity,
        birth_on=identity.birth_on,
        number=certificate_number(identity.value, evaluation.category, grade, suffix),
        category=evaluation.category,
        grade=grade,
        parts=tuple(met),
        address=" ".join(visible(resident.address).split()),  # tablets have room for several lines
        telephone=resident.telephone,
        guardian_name=guardian.name if guardian else "",
        guardian_telephone=guardian.telephone if guardian else "",
        issued_on=on,
        valid_until=_valid_until(wanted, known, on),
        issuer_name=settings.OUTREACH_ISSUER,
        remarks=tuple(_remarks(wanted, known, suffix, on)),
        portrait=b"",
        demo=demo,
    )


def _valid_until(wanted: Commission, known: _Register, on: date) -> date:
    """Return the last day: that of a lost paper, or of the one left unless it could be renewed."""
    if wanted.kind == Kind.REISSUE and wanted.replaces is not None:
        return wanted.replaces.valid_until
    if known.keeps is not None and not _renews_as_well(wanted, known.keeps, on):
        return known.keeps.valid_until
    return valid_until(on)


def _renews_as_well(wanted: Commission, left: MoveIn, on: date) -> bool:
    return wanted.kind != Kind.MOVE_IN or renewable_from(left.valid_until) <= on


def _suffix(wanted: Commission, known: _Register) -> str:
    """Count reissues on for as long as the number itself stays the same."""
    old, evaluation = wanted.replaces, known.evaluation
    if old is None:
        return known.keeps.suffix if known.keeps else ""
    if (old.category, old.grade) != (evaluation.category, evaluation.grade):
        return ""
    return next_suffix(old.suffix) if wanted.kind == Kind.REISSUE else old.suffix


def _remarks(wanted: Commission, known: _Register, suffix: str, on: date) -> Iterator[str]:
    left, old, evaluation = known.left, wanted.replaces, known.evaluation
    if left is not None and wanted.kind != Kind.RENEWAL:
        yield move_in_remark(visible(left.office), left.issued_on)
        if wanted.kind == Kind.MOVE_IN and known.keeps and _renews_as_well(wanted, left, on):
            yield moved_and_renewed_remark(left.valid_until)
    if old is None:
        return
    if wanted.kind == Kind.REISSUE:
        yield reissue_remark(old.issued_on, suffix)
    elif (old.category, old.grade) == (evaluation.category, evaluation.grade):
        yield renewal_remark(old.issued_on)
    else:
        yield change_remark(old.category, old.grade, old.issued_on)


def check_numbers(papers: Sequence[Known]) -> None:
    """Refuse a number that stands on somebody else's living certificate."""
    numbers = {number_index(one.facts): one.commission for one in papers}
    replaced = [one.replaces.pk for one in numbers.values() if one.replaces is not None]
    elsewhere = Certificate.objects.living().exclude(pk__in=replaced)
    elsewhere = elsewhere.exclude(application__in=[one.case.pk for one in numbers.values()])
    if known := elsewhere.filter(number_index__in=numbers).first():
        raise Refused(
            "number-taken",
            worded(
                _("The number of case %(number)s stands on another certificate; ask for help."),
                number=numbers[known.number_index].case.number,
            ),
        )


def number_index(facts: CertificateFacts) -> str:
    """Return the fingerprint under which a number is found."""
    return blind_index(facts.number, "certificate")


def portraits_of(evaluations: Sequence[Evaluation]) -> dict[object, str]:
    """Map each evaluation to the SHA-256 of its newest portrait."""
    photos = Photo.objects.filter(
        evaluation__in=[one.pk for one in evaluations], kind=EvidenceKind.PORTRAIT
    ).order_by("taken_at", "pk")
    return {photo.evaluation_id: photo.sha256 for photo in photos}


def portrait_of(case: Application, sha256: str | None) -> bytes:
    """Return the portrait as the paper carries it, or refuse, naming the case."""
    if sha256 is None:
        raise _no_portrait(case)
    try:
        with storage.open_photo(sha256) as photo:
            return portrait(photo)
    except (UnreadablePortrait, *storage.GONE) as error:
        raise _no_portrait(case) from error


def _no_portrait(case: Application) -> Refused:
    return Refused(
        "no-portrait",
        worded(
            _("Case %(number)s has no usable portrait; ask the assessor for a new one."),
            number=case.number,
        ),
    )
