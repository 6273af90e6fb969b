"""The whole list of what a tablet can do: mutation name and version, its shape, its action.

A mutator takes a batch of mutations of its own name. Where one of them is refused the batch
is undone, and `push` offers them again one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from certificates.actions import hand_over
from certificates.models import Certificate
from mobile_api import wire
from outreach.actions import applications, contacts, evaluations, visits
from outreach.domain.identity import normalise_telephone
from outreach.domain.vocabulary import EvidenceKind, Role
from outreach.models import Application, Division, Evaluation, Kept, Slot, User, Visit
from outreach.rules import (
    Refused,
    applications_for,
    check_village_in_scope,
    scope,
    scope_of,
)

Args = TypeVar("Args", bound=BaseModel)


@dataclass(frozen=True)
class Context:
    """Who says it, and the one moment at which the whole push is taken in.

    What was parked or disputed is admitted later by an administrator, who answers for its scope.
    """

    user: User
    at: datetime
    admitted_by: User | None = None

    @property
    def planner(self) -> User:
        """Whose rights an appointment needs; a fact stays the assessor's own."""
        return self.admitted_by or self.user


class OutOfScope(Refused):
    """What the mutation is about is not, or no longer, in the user's scope: it is parked."""


class Conflict(Refused):
    """The author saw another value than the one that stands: both are kept, a person decides."""


@Kept
def _existing(model: type[models.Model], *, ids: Slot) -> models.QuerySet[Any, UUID]:
    return model._default_manager.filter(pk__among=ids).values_list("pk", flat=True)


@dataclass(frozen=True)
class Mutator(Generic[Args]):
    """One thing a tablet can do.

    One that makes a record names the record's model, how its id is read from the arguments, and
    where the moment stands at which it was made. The id is made on the tablet, so a record that
    exists already was said before. `run` fails where one does.
    """

    shape: type[Args]
    run: Callable[[Sequence[Args], Context], None]
    makes: tuple[type[models.Model], Callable[[Args], UUID], str] | None = None

    def known(self, batch: Sequence[Args]) -> list[bool]:
        """Tell for each of the batch whether its record exists.

        An earlier one of the batch counts once it stands: it may be refused, and a corrected copy
        has its number.
        """
        if self.makes is None:
            return [False] * len(batch)
        model, read, _moment = self.makes
        ids = [read(args) for args in batch]
        there = set(_existing(model, ids=ids))
        return [pk in there for pk in ids]

    def made_at(self, batch: Sequence[Args]) -> set[datetime]:
        """Return when the records of the batch that exist were made: as their words came in."""
        if self.makes is None:
            return set()
        model, read, moment = self.makes
        rows = model._default_manager.filter(pk__in={read(args) for args in batch})
        return set(rows.values_list(moment, flat=True))


_GONE = _("This case is not yours any more; what you recorded is kept and the office decides.")
_NOT_BOOKED = _(
    "The register knows no such visit. Where its appointment waits among the disputes, accept that"
    " first."
)
_ELSEWHERE = _(
    "This village is not in your area; what you recorded is kept and the office decides."
)


def _applications(ids: Sequence[UUID], user: User) -> dict[UUID, Application]:
    rows = applications_for(user).filter(pk__among=ids).select_related("assessor", "resident")
    found = {row.pk: row for row in rows}
    if set(ids) - set(found):
        raise OutOfScope("out-of-scope", _GONE)
    return found


def _visits(ids: Sequence[UUID], context: Context) -> dict[UUID, Visit]:
    user = context.planner
    is_own = user.role == Role.ASSESSOR
    if is_own:
        rows = _own_visits(user=user.pk, division=user.division.code, ids=ids)
        found = {row.id: row for row in rows}
    else:
        within = Visit.objects.filter(scope(user, prefix="application__"), pk__among=ids)
        found = {row.pk: row for row in _needed(within)}
    if set(ids) - set(found):
        raise OutOfScope("out-of-scope", _GONE)
    _share_villages(list(found.values()))
    if is_own:
        for row in found.values():
            row.assessor = row.application.assessor = user
    return found


@Kept
def _own_visits(user: Slot, division: Slot, ids: Slot) -> models.QuerySet[Visit]:
    own = scope_of(Role.ASSESSOR, user, division, prefix="application__")
    return _needed(Visit.objects.filter(own, assessor=user, pk__among=ids))


def _needed(rows: models.QuerySet[Visit]) -> models.QuerySet[Visit]:
    """Read what the rules need, and let nobody else change the visits before the commit."""
    held = rows.select_for_update(of=("self",)).order_by("pk")
    return held.select_related("application__resident").only(*_NEEDED_OF_VISITS)


#: What the rules read of a visit: the columns that stay behind are long, sealed or seldom read.
_NEEDED_OF_VISITS = (
    *("application", "assessor", "state", "on", "start", "minutes", "revision"),
    *(f"application__{name}" for name in ("number", "state", "village", "assessor")),
    *(f"application__{name}" for name in ("nominated_by", "fee_paid_by_county", "resident")),
    "application__created_at",
    *(f"application__resident__{name}" for name in ("id_number", "place")),
    *(f"application__resident__{name}" for name in ("is_bedridden", "can_sit")),
)


def _share_villages(rows: Sequence[Visit]) -> None:
    """Let the visits share the few villages they lie in."""
    ids = {row.application.village_id for row in rows}
    villages = {row.pk: row for row in _divisions(ids=ids)}
    for row in rows:
        row.application.village = villages[row.application.village_id]


@Kept
def _divisions(ids: Slot) -> models.QuerySet[Division]:
    return Division.objects.select_related("parent").filter(pk__among=ids)


def _check_seen(visit: Visit, seen: wire.Seen | None, context: Context) -> None:
    """Refuse what was said of another appointment; of earlier versions nobody knows of which."""
    if context.admitted_by or seen is None:
        return
    if (visit.on, visit.start) != (seen.on, seen.start):
        raise Conflict(
            "appointment-changed",
            _("The office changed this appointment meanwhile; compare both and decide."),
        )


def _schedule(batch: Sequence[wire.ScheduleVisit], context: Context) -> None:
    cases = _applications([args.application for args in batch], context.planner)
    wanted = [
        replace(_appointment(cases[args.application], args, context), id=args.visit)
        for args in batch
    ]
    visits.schedule(wanted, by=context.planner, at=context.at)


def _appointment(
    case: Application, args: wire.ScheduleVisit | wire.MoveVisit, context: Context
) -> visits.Appointment:
    """Return what was agreed, maybe without a line and days ago: the visit may be made by now.

    In a restored register the case itself may be younger than its visit; a person sees that. For a
    time at which the family may be away the tablet says to call them first.
    """
    earliest = date.min if context.admitted_by else timezone.localdate(case.created_at)
    return visits.Appointment(
        case, args.on, args.start, args.minutes, earliest=earliest, is_agreed=True
    )


def _move(batch: Sequence[wire.MoveVisit], context: Context) -> None:
    found = _visits([args.visit for args in batch], context)
    for args in batch:
        visit = found[args.visit]
        _check_seen(visit, args.seen, context)
        to = _appointment(visit.application, args, context)
        visits.move(visit, to, by=context.planner, at=context.at, reason=args.reason)


def _cancel(batch: Sequence[wire.CancelVisit], context: Context) -> None:
    found = _visits([args.visit for args in batch], context)
    for args in batch:
        _check_seen(found[args.visit], args.seen, context)
        visits.cancel(found[args.visit], by=context.planner, at=context.at, reason=args.reason)


def _record_not_done(batch: Sequence[wire.RecordNotDone], context: Context) -> None:
    found = _visits([args.visit for args in batch], context)
    for args in batch:
        _check_seen(found[args.visit], args.seen, context)
        visits.record_not_done(
            found[args.visit],
            reason=args.reason,
            next_step=args.next_step,
            note=args.note,
            place=dict(args.place) if args.place else None,
            by=context.user,
            at=context.at,
            admitted_by=context.admitted_by,
        )


@Kept
def _users(ids: Slot) -> models.QuerySet[User]:
    return User.objects.filter(pk__among=ids).only("role")


def _submit(batch: Sequence[wire.SubmitEvaluation], context: Context) -> None:
    if context.admitted_by:
        _enter_lost_visits(batch, context, context.admitted_by)
    found = _visits([args.visit for args in batch], context)
    wanted = {user for args in batch for user in args.co_signers}
    colleagues = {user.pk: user for user in _users(ids=wanted)}
    evaluations.submit(
        [_submission(args, found[args.visit], colleagues, context.at) for args in batch],
        by=context.user,
        at=context.at,
        admitted_by=context.admitted_by,
    )


def _enter_lost_visits(
    batch: Sequence[wire.SubmitEvaluation], context: Context, admitted_by: User
) -> None:
    """Enter what was visited and is not known: the office had booked it after its backup."""
    known = set(_existing(Visit, ids={args.visit for args in batch}))
    for args in batch:
        if args.visit in known:
            continue
        if args.application is None:
            raise Refused("unknown-visit", _NOT_BOOKED)
        case = _applications([args.application], admitted_by)[args.application]
        evaluations.enter_lost_visit(
            args.visit,
            case,
            made_at=_seen_at(args, case, context.at),
            assessor=context.user,
            by=admitted_by,
            at=context.at,
        )


def _seen_at(args: wire.SubmitEvaluation, case: Application, at: datetime) -> datetime:
    """Return when the person was seen: not after it came, whatever the tablet's clock says."""
    seen_at = _aware(args.evaluated_at)
    if args.corrects:
        seen_at = min(seen_at, _signed_at(args, case) or seen_at)
    return min(seen_at, at)


def _submission(
    args: wire.SubmitEvaluation, visit: Visit, colleagues: dict[UUID, User], at: datetime
) -> evaluations.Submission:
    return evaluations.Submission(
        id=args.evaluation,
        visit=visit,
        parts=args.parts,
        grade=args.grade,
        co_signers=[colleagues[user] for user in args.co_signers if user in colleagues],
        media=args.media,
        evaluated_at=_seen_at(args, visit.application, at),
        identity_checked=args.identity_checked,
        guardian_present=args.guardian_present,
        consent=args.consent,
        remark=args.remark,
        circumstances={
            "arrived_at": args.arrived_at.isoformat() if args.arrived_at else None,
            "place": args.place,
        },
    )


def _signed_at(args: wire.SubmitEvaluation, case: Application) -> datetime | None:
    """Return when the person put their name to what a corrected copy says, if its clock was right.

    The copy may be written weeks later, at a desk; age, tariff and terms are those of the visit.
    Where its result is another one they sign again.
    """
    kind = EvidenceKind.SIGNATURE_RESIDENT
    signed = [_aware(media.taken_at) for media in args.media if media.kind == kind]
    last = max(signed, default=None)
    return last if last and last >= case.created_at else None


def _aware(at: datetime) -> datetime:
    return timezone.make_aware(at) if timezone.is_naive(at) else at


def _nominate(batch: Sequence[wire.Nominate], context: Context) -> None:
    codes = {args.village for args in batch}
    on = context.at.date()
    villages = {
        row.code: row for row in Division.objects.villages().valid(on).filter(code__in=codes)
    }
    if codes - set(villages):
        raise Refused("unknown-village", _("There is no such village; choose one from the list."))
    try:
        for village in villages.values():
            check_village_in_scope(context.planner, village)
    except Refused as refused:
        raise OutOfScope(refused.code, _ELSEWHERE) from refused
    said = [_nomination(args, villages[args.village]) for args in batch]
    if context.admitted_by is None:
        applications.check_asked(said, context.at)
        applications.check_known(said)
    applications.nominate(said, by=context.user, at=context.at, admitted_by=context.admitted_by)


def _nomination(args: wire.Nominate, village: Division) -> applications.Nomination:
    person = args.resident
    return applications.Nomination(
        id=args.application,
        name=person.name,
        id_number=person.id_number,
        village=village,
        categories=args.categories,
        telephone=person.telephone,
        address=person.address,
        ethnicity=person.ethnicity,
        is_bedridden=person.bedridden,
        is_poor_household=person.poor_household,
        severity_expected=person.severity_expected,
        guardian=guarding(args.guardian) if args.guardian else None,
        papers=[media.paper for media in args.media],
        photographed=[
            applications.PhotographedPaper(
                media.paper,
                media.sha256,
                media.size,
                media.type,
                media.taken_at,
            )
            for media in args.media
        ],
        consent=args.consent,
    )


def guarding(said: wire.NominatedGuardian) -> applications.Guarding:
    """Return the guardian that a tablet names as the action takes it; or `MalformedTelephone`."""
    telephone = normalise_telephone(said.telephone) if said.telephone else ""
    return applications.Guarding(said.name, telephone, said.relation)


def _hand_over(batch: Sequence[wire.HandOverCertificate], context: Context) -> None:
    ids = [args.certificate for args in batch]
    within = Certificate.objects.filter(scope(context.planner, prefix="application__"))
    rows = within.filter(pk__in=ids).select_related("application").distinct()
    found = {row.pk: row for row in rows}
    if set(ids) - set(found):
        raise OutOfScope("out-of-scope", _GONE)
    hand_over(
        [found[pk] for pk in ids], by=context.user, at=context.at, admitted_by=context.admitted_by
    )


def _correct_contact(batch: Sequence[wire.CorrectContact], context: Context) -> None:
    cases = _applications([args.application for args in batch], context.planner)
    said = [
        contacts.Correction(cases[args.application], _contact(args.to), _contact(args.seen))
        for args in batch
    ]
    try:
        contacts.correct_contacts(
            said, by=context.user, at=context.at, admitted_by=context.admitted_by
        )
    except contacts.ContactChanged as changed:
        raise Conflict(changed.code, changed.message) from changed


def _contact(said: wire.Contact) -> contacts.Contact:
    return contacts.Contact(said.telephone, said.address)


MUTATORS: dict[tuple[str, int], Mutator[Any]] = {
    ("schedule_visit", 1): Mutator(
        wire.ScheduleVisit, _schedule, (Visit, lambda args: args.visit, "events__at")
    ),
    ("move_visit", 2): Mutator(wire.MoveVisit, _move),
    ("cancel_visit", 2): Mutator(wire.CancelVisit, _cancel),
    ("record_not_done", 2): Mutator(wire.RecordNotDone, _record_not_done),
    ("submit_evaluation", 2): Mutator(
        wire.SubmitEvaluation, _submit, (Evaluation, lambda args: args.evaluation, "received_at")
    ),
    ("nominate", 3): Mutator(
        wire.Nominate, _nominate, (Application, lambda args: args.application, "created_at")
    ),
    ("correct_contact", 1): Mutator(wire.CorrectContact, _correct_contact),
    ("hand_over_certificate", 1): Mutator(wire.HandOverCertificate, _hand_over),
}
