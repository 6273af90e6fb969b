"""What the assessor found at the bedside becomes a record that never changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.actions import visits as visiting
from outreach.actions.applications import erased, move_on, take
from outreach.actions.audit import record, record_all
from outreach.actions.holding import hold
from outreach.actions.journeys import record_spared
from outreach.domain.grading import BadFinding, Case, Grading, grade, load_standard
from outreach.domain.vocabulary import (
    Category,
    EvidenceKind,
    Mode,
    Role,
    evidence_for,
)
from outreach.domain.workflow import APPLICATION, VISIT, VisitState
from outreach.models import (
    Application,
    Evaluation,
    Kept,
    Photo,
    SecondOpinion,
    Slot,
    User,
    Visit,
    insert,
    recalled,
)
from outreach.rules import (
    Raters,
    Refused,
    check_in_scope,
    check_role,
    check_took,
    needs_guardian,
    open_already,
    second_opinions_for,
)

#: The grade of a second opinion that there is none.
NOT_MET = 0


@dataclass  # not frozen: those are made by the thousand, and freezing triples it
class Part:
    """One category of an evaluation: what was found, the doctor's grade, the reason to differ."""

    category: Category
    findings: dict[str, Any]
    grade: int | None
    reason: str = ""


@dataclass  # not frozen: those are made by the thousand, and freezing triples it
class Declared:
    """A photo or signature that will follow, named by its SHA-256."""

    sha256: str
    kind: EvidenceKind
    size: int
    content_type: str
    taken_at: datetime
    place: Mapping[str, object] | None = None


@dataclass  # not frozen: those are made by the thousand, and freezing triples it
class Submission:
    """Everything the tablet says about one evaluation."""

    id: UUID
    visit: Visit
    parts: Sequence[Part]
    grade: int | None
    co_signers: Sequence[User]
    media: Sequence[Declared]
    evaluated_at: datetime
    identity_checked: bool
    guardian_present: bool
    consent: Mapping[str, object] | None
    remark: str = ""
    circumstances: dict[str, Any] = field(default_factory=dict)

    @property
    def category(self) -> Category:
        """The one category, or multiple."""
        return self.parts[0].category if len(self.parts) == 1 else Category.MULTIPLE


@dataclass  # not frozen: those are made by the thousand, and freezing triples it
class _Judged:
    submission: Submission
    by: User
    at: datetime
    gradings: list[Grading]
    overall: Grading
    institution: UUID | None

    @property
    def met(self) -> bool:
        return self.submission.grade is not None


def submit(
    submissions: Sequence[Submission], *, by: User, at: datetime, admitted_by: User | None = None
) -> list[Evaluation]:
    """Record evaluations with their declared media, or none of them.

    A second evaluation of a case names the one that stood before as corrected. One that an
    administrator admits afterwards needs neither to be the assessor's case still nor what
    `_check_as_sent` asks for, and whoever signed it may have another role by now.

    The grade is recomputed from the findings (GB/T 26341-2010); where the doctor's differs a
    written reason is required. An evaluation stays `awaiting_media` until every declared
    SHA-256 is verified. Raises `Refused`.
    """
    _check_each_visit_once(submissions)
    applications = [submission.visit.application for submission in submissions]
    (check_took if admitted_by else check_role)(by, APPLICATION["evaluate"])
    check_in_scope(admitted_by or by, applications)
    signers = [by, *(user for submission in submissions for user in submission.co_signers)]
    raters = Raters.among(signers, applications)
    zone = timezone.get_current_timezone()
    if admitted_by is None:
        _check_as_sent(submissions, zone, by)
    judged = [_judge(submission, raters, zone, by, at) for submission in submissions]
    with transaction.atomic(savepoint=False):  # a batch stands or falls with its caller's
        evaluations = [_evaluation(one) for one in judged]
        _stand_over_earlier_ones(evaluations)
        if admitted_by:
            _take_up_again(evaluations, by=admitted_by, at=at)
        insert(Evaluation, map(vars, evaluations))
        insert(Evaluation.co_signers.through, _co_signatures(submissions))
        insert(Photo, (photo for submission in submissions for photo in _photos(submission)))
        made = [evaluation.visit for evaluation in evaluations if evaluation.visit]
        visits = [visit for visit in made if visit.state != VisitState.DONE]
        visiting.settle(visits, "complete")
        visiting.remember(visits, "complete", by=by, at=at)
        record_spared(evaluations)
        deeds: dict[str, Sequence[Model]] = {"visit.complete": visits}
        for name, met in (("evaluate", True), ("find_not_met", False)):
            chosen = [one.submission.visit.application for one in judged if one.met is met]
            move_on(chosen, name, by=by, at=at)
            deeds[f"application.{name}"] = chosen
        record_all({**deeds, "evaluation.submit": evaluations}, by=by, at=at)
    return evaluations


@Kept
def _standing(cases: Slot) -> QuerySet[Evaluation, tuple[UUID, UUID]]:
    own = Evaluation.objects.made_here().filter(application__among=cases, corrections=None)
    return own.order_by("received_at", "id").values_list("application_id", "pk")


def _stand_over_earlier_ones(evaluations: Sequence[Evaluation]) -> None:
    """Let each name the one of its case that stood before, of this visit or of another one.

    So it is known which counts without any clock. What another county's file says is none of ours.
    """
    standing = dict(_standing(cases={one.application_id for one in evaluations}))
    for evaluation in evaluations:
        evaluation.corrects_id = standing.get(evaluation.application_id)


def _take_up_again(evaluations: Sequence[Evaluation], *, by: User, at: datetime) -> None:
    """Let the cases of evaluations that come late be assessed once more."""
    done = [evaluation.visit_id for evaluation in evaluations if evaluation.visit_id]
    cases = [evaluation.application_id for evaluation in evaluations]
    _free_what_is_booked_instead(cases, done, by=by, at=at)
    decided = APPLICATION["reconsider"].sources
    again = [one.application for one in evaluations if one.application.state in decided]
    others = Application.objects.open().exclude(pk__in=[case.pk for case in again])
    if others.filter(resident__in=[case.resident_id for case in again]).exists():
        raise open_already()
    take(again, "reconsider", by=by, at=at)


def enter_lost_visit(
    visit: UUID,
    application: Application,
    *,
    made_at: datetime,
    assessor: User,
    by: User,
    at: datetime,
) -> None:
    """Enter a visit that was made, of which a restored register knows no more than its case."""
    with transaction.atomic():
        _free_what_is_booked_instead([application.pk], [], by=by, at=at)
        when = timezone.localtime(made_at)
        made = Visit.objects.create(
            pk=visit,
            application=application,
            state=VISIT["schedule"].target,
            on=when.date(),
            start=when.time().replace(second=0, microsecond=0),
            assessor=assessor,
        )
        visiting.append([made], "schedule", by=by, at=at)


def _free_what_is_booked_instead(
    cases: Sequence[UUID], done: Sequence[UUID], *, by: User, at: datetime
) -> None:
    """Cancel visits that were booked in place of those that turn out to be done."""
    booked = list(
        Visit.objects.select_for_update(of=("self",))
        .open()
        .filter(application__in=cases)
        .exclude(pk__in=done)
        .select_related("application")
    )
    if booked:
        visiting.settle(booked, "cancel")
        note = str(_("The evaluation of an earlier visit was accepted."))
        visiting.append(booked, "cancel", by=by, at=at, note=note)


def _check_each_visit_once(submissions: Sequence[Submission]) -> None:
    """Refuse two evaluations of one visit at once: the second would be taken in unseen."""
    if len({submission.visit.id for submission in submissions}) < len(submissions):
        raise visiting.moved_on()


def _check_as_sent(submissions: Sequence[Submission], zone: tzinfo, by: User) -> None:
    """Check what is not asked of an evaluation that is admitted afterwards.

    Its visit may be over by then; a restored register has some nominations later than before; it
    may say "not met" although one of several categories is, since such were taken in once; and
    fewer may have signed than the office wants today.
    """
    for submission in submissions:
        visiting.check_stands(submission.visit, "complete")
        _check_nominated_before(submission, zone)
        _check_not_one_of_several(submission)
        _check_co_signers(submission, by)


def _judge(submission: Submission, raters: Raters, zone: tzinfo, by: User, at: datetime) -> _Judged:
    _check_signers(submission, raters, by)
    age = _age(submission, zone)
    _check_circumstances(submission, age)
    _check_evidence(submission)
    try:
        gradings = [_grade(part, age) for part in submission.parts]
        overall = gradings[0] if len(gradings) == 1 else _grade_all(submission.parts, age)
    except BadFinding as error:
        raise Refused("bad-finding", f"{error.case_field}: {error.message_zh}") from error
    _check_reasons(submission, gradings, overall)
    return _Judged(submission, by, at, gradings, overall, raters.institutions.get(by.id))


def _check_nominated_before(submission: Submission, zone: tzinfo) -> None:
    """Refuse a day before the case began: its clock was behind, and age and tariff hang on it."""
    began = submission.visit.application.created_at
    if submission.evaluated_at >= began:
        return
    _age(submission, zone)  # before the person was born is a refusal of its own
    day = submission.evaluated_at.astimezone(zone).date()
    if day < began.astimezone(zone).date():
        raise Refused(
            "before-nomination",
            _(
                "By the tablet's clock this was on %(day)s, before the case was nominated; age and"
                " tariff would be those of that day. Compare and decide, or record it anew."
            )
            % {"day": day.isoformat()},
        )


def _check_not_one_of_several(submission: Submission) -> None:
    """Refuse a whole that is not met although one of its categories is: older tablets say so."""
    met = [part for part in submission.parts if part.grade is not None]
    if len(met) == 1 < len(submission.parts):
        raise Refused(
            "one-of-several",
            _(
                "Of several categories one alone is met: record it anew without the others."
                " Taken in as it is, the person would not meet the standard, and be barred for a"
                " year."
            ),
        )


def _age(submission: Submission, zone: tzinfo) -> int:
    try:
        on = submission.evaluated_at.astimezone(zone).date()
        return submission.visit.application.resident.age(on)
    except (ValueError, OverflowError) as error:
        if submission.visit.application.erased_at:
            raise erased() from error
        raise Refused(
            "before-birth",
            _("By the tablet's clock this was before the person was born; set it and record anew."),
        ) from error


def _grade(part: Part, age: int) -> Grading:
    return grade(Case(part.category, age, findings=part.findings), load_standard())


def _grade_all(parts: Sequence[Part], age: int) -> Grading:
    cases = tuple(Case(part.category, age, findings=part.findings) for part in parts)
    return grade(Case(Category.MULTIPLE, age, parts=cases), load_standard())


def _check_co_signers(submission: Submission, by: User) -> None:
    """Refuse where fewer have signed than the office wants by now."""
    colleagues = {user.id for user in submission.co_signers if user.role == Role.ASSESSOR}
    if len(colleagues - {by.id}) < settings.OUTREACH_CO_SIGNERS:
        raise Refused("co-signer-missing", _("Another assessor must sign beside you."))


def _check_signers(submission: Submission, raters: Raters, by: User) -> None:
    signers = [by, *submission.co_signers]
    raters.check_may_rate(signers, submission.visit.application)
    raters.check_qualified(signers, [part.category for part in submission.parts])


def _check_circumstances(submission: Submission, age: int) -> None:
    if not submission.identity_checked:
        raise Refused("identity-unchecked", _("Compare the ID card with the person first."))
    if not submission.consent:
        raise Refused("consent-missing", _("Record the consent of the person or the guardian."))
    categories = [part.category for part in submission.parts]
    if needs_guardian(categories, age) and not submission.guardian_present:
        raise Refused("guardian-absent", _("The guardian must be present; arrange another visit."))


def _check_evidence(submission: Submission) -> None:
    needed = evidence_for([part.category for part in submission.parts])
    missing = set(needed) - {declared.kind for declared in submission.media}
    if len({declared.sha256 for declared in submission.media}) < len(submission.media):
        raise Refused("photo-twice", _("The same photo is declared twice; take another one."))
    if missing:
        raise Refused(
            "evidence-missing",
            _("Photos are missing: %(kinds)s.") % {"kinds": ", ".join(sorted(missing))},
        )


def _check_reasons(submission: Submission, gradings: list[Grading], overall: Grading) -> None:
    pairs = zip(submission.parts, gradings, strict=True)
    unexplained = [part for part, found in pairs if part.grade != found.grade and not part.reason]
    reasons = any(part.reason for part in submission.parts) or submission.remark
    if unexplained or (submission.grade != overall.grade and not reasons):
        raise Refused(
            "reason-missing",
            _("Your grade differs from what the findings give; write the reason."),
        )


def _evaluation(judged: _Judged) -> Evaluation:
    submission, visit, by = judged.submission, judged.submission.visit, judged.by
    pairs = zip(submission.parts, judged.gradings, strict=True)
    columns = {
        "id": submission.id,
        "application_id": visit.application_id,
        "visit_id": visit.id,
        "assessor_id": by.id,
        "institution_id": judged.institution,
        "mode": Mode.HOME.value,
        "category": submission.category,
        "standard": load_standard().edition,
        "parts": [_part(part, found) for part, found in pairs],
        "met": judged.met,
        "grade": submission.grade,
        "computed_grade": judged.overall.grade,
        "circumstances": {
            **submission.circumstances,
            "identity_checked": submission.identity_checked,
            "guardian_present": submission.guardian_present,
            "consent": submission.consent,
        },
        "remark": submission.remark,
        "evaluated_at": submission.evaluated_at,
        "received_at": judged.at,
        "corrects_id": None,
    }
    return recalled(Evaluation, columns, application=visit.application, visit=visit, assessor=by)


def _part(part: Part, found: Grading) -> dict[str, Any]:
    return {
        "category": part.category,
        "findings": part.findings,
        "grade": part.grade,
        "computed_grade": found.grade,
        "met": part.grade is not None,
        "reason": part.reason,
        "questions": [question.zh for question in found.questions],
    }


def _co_signatures(submissions: Sequence[Submission]) -> Iterator[dict[str, Any]]:
    for submission in submissions:
        for user in submission.co_signers:
            yield {"evaluation_id": submission.id, "user_id": user.id}


def _photos(submission: Submission) -> Iterator[dict[str, Any]]:
    for declared in submission.media:
        yield {"evaluation_id": submission.id, **vars(declared)}


def give_second_opinion(
    evaluations: Sequence[Evaluation],
    *,
    grade: int | None = None,
    reason: str = "",
    by: User,
    at: datetime,
) -> list[SecondOpinion]:
    """Record a second assessor's view of evaluations with grade 1 or 2.

    No grade means the same, `NOT_MET` that the standard is not met.
    """
    ids = [evaluation.pk for evaluation in evaluations]
    if grade is not None and not reason:
        raise Refused("reason-missing", _("Write the reason for a different grade."))
    with transaction.atomic():
        hold(Evaluation.objects.filter(pk__in=ids))
        if second_opinions_for(by).filter(pk__in=ids).count() != len(ids):
            raise Refused(
                "second-opinion-closed",
                _(
                    "You cannot give a second opinion here:"
                    " rate only what others rated in your field."
                ),
            )
        opinions = SecondOpinion.objects.bulk_create(
            SecondOpinion(
                evaluation=evaluation,
                assessor=by,
                grade=evaluation.grade if grade is None else grade or None,
                reason=reason,
                given_at=at,
            )
            for evaluation in evaluations
        )
        record("evaluation.second_opinion", evaluations, by=by, at=at)
    return opinions


def current_evaluation(application_ids: Sequence[UUID]) -> dict[UUID, Evaluation]:
    """Map each application to its newest evaluation; what was corrected never is, by any clock."""
    standing = Evaluation.objects.filter(application__in=application_ids, corrections=None)
    rows = standing.order_by("received_at", "id")
    return {row.application_id: row for row in rows.select_related("application__resident")}
