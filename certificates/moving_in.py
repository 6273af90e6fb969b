"""Somebody moved here with another county's certificate: its file becomes a case (迁入)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certificates.content import valid_until as last_day
from certificates.models import Certificate, MoveIn
from outreach.actions.applications import Nomination, advance, nominate
from outreach.actions.evaluations import Declared
from outreach.domain.identity import parse_id_number
from outreach.domain.vocabulary import Category, EvidenceKind, Mode
from outreach.domain.workflow import APPLICATION
from outreach.models import Application, Evaluation, Photo, User
from outreach.models.sealed import blind_index
from outreach.rules import Refused, check_role

PICTURES = frozenset({EvidenceKind.PORTRAIT, EvidenceKind.DOCUMENT})
"""What comes with the file: the holder's portrait, and a picture of the certificate left."""


@dataclass(frozen=True)
class Left:
    """The certificate of the county left, as it reads; one category or several with grades 1–4."""

    office: str
    grades: Mapping[Category, int]
    issued_on: date
    valid_until: date
    suffix: str = ""


def move_in(
    nomination: Nomination, left: Left, pictures: Sequence[Declared], *, by: User, at: datetime
) -> Application:
    """Enter a person who moved here with a certificate; the case waits for its review.

    They were assessed and publicised where they lived, so neither is done again. The approver
    signs a certificate with the same category, grade and number. Raises `Refused`.
    """
    check_role(by, APPLICATION["move_in"])
    _check_left(left, parse_id_number(nomination.id_number).birth_on, timezone.localdate(at))
    _check_pictures(pictures)
    if not nomination.consent:
        raise Refused("consent-missing", _("Record the consent of the person or the guardian."))
    _check_holds_none(nomination.id_number)
    with transaction.atomic():
        asked = replace(nomination, categories=sorted(left.grades))
        (case,) = nominate([asked], by=by, at=at)
        advance([case], "move_in", by=by, at=at, note=left.office.strip())
        MoveIn.objects.create(
            application=case,
            office=left.office.strip(),
            issued_on=left.issued_on,
            valid_until=left.valid_until,
            suffix=left.suffix,
        )
        evaluation = Evaluation.objects.create(**_evaluation(case, left, by, at))
        Photo.objects.bulk_create(
            Photo(evaluation=evaluation, **vars(picture)) for picture in pictures
        )
    return case


def give_back(case: Application, *, reason: str, by: User, at: datetime) -> None:
    """Close a case whose file goes back to the county left: doubtful, or entered by mistake."""
    if not MoveIn.objects.filter(application=case).exists():
        raise Refused("no-file", _("This person did not move in with a certificate."))
    if not reason.strip():
        raise Refused("reason-missing", _("Write the reason."))
    advance([case], "return_file", by=by, at=at, note=reason)


def _check_left(left: Left, birth_on: date, today: date) -> None:
    if not left.office.strip():
        raise Refused("office-missing", _("Write the name of the office that issued it."))
    if not left.grades or not set(left.grades.values()) <= {1, 2, 3, 4}:
        raise Refused("unknown-category", _("Choose category and grade as the certificate reads."))
    if not re.fullmatch(r"(B[1-9]\d?)?", left.suffix, re.ASCII):
        raise Refused("unknown-suffix", _("A reissue is marked B1, B2… behind the number."))
    if left.issued_on > today:
        raise Refused("in-the-future", _("The certificate cannot have been issued in the future."))
    if not birth_on <= left.issued_on < left.valid_until <= last_day(left.issued_on):
        raise Refused(
            "dates-disagree",
            _("A certificate is valid for ten years at most; compare both days with the paper."),
        )


def _check_pictures(pictures: Sequence[Declared]) -> None:
    if {picture.kind for picture in pictures} != PICTURES:
        raise Refused(
            "evidence-missing", _("The portrait and a picture of the certificate are needed.")
        )
    if len({picture.sha256 for picture in pictures}) < len(pictures):
        raise Refused("photo-twice", _("The same picture was chosen twice; choose the other one."))


def _check_holds_none(id_number: str) -> None:
    index = blind_index(parse_id_number(id_number).value, "id_number")
    if Certificate.objects.living().filter(resident__id_number_index=index).exists():
        raise Refused(
            "holds-another",
            _("This person holds a certificate of this county already; look it up in the list."),
        )


def _evaluation(case: Application, left: Left, by: User, at: datetime) -> dict[str, object]:
    """Say what the file says; who entered it answers for that, not for the rating."""
    grade = min(left.grades.values())
    several = len(left.grades) > 1
    return {
        "application": case,
        "assessor": by,
        "mode": Mode.FILE,
        "category": Category.MULTIPLE if several else next(iter(left.grades)),
        "standard": "",
        "parts": [_part(category, given) for category, given in sorted(left.grades.items())],
        "met": True,
        "grade": grade,
        "computed_grade": None,
        "circumstances": {"consent": case.consent},
        "evaluated_at": timezone.make_aware(datetime.combine(left.issued_on, time(12))),
        "received_at": at,
    }


def _part(category: Category, grade: int) -> dict[str, object]:
    return {
        "category": category,
        "findings": {},
        "grade": grade,
        "computed_grade": None,
        "met": True,
        "reason": "",
        "questions": [],
    }
