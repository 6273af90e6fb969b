"""What a person decides after a mutation was refused, parked or in conflict."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ValidationError

from certificates.models import Certificate
from mobile_api import wire
from mobile_api.models import Decision, Dispute, LedgerEntry
from mobile_api.mutators import MUTATORS, Context, Mutator, OutOfScope, guarding
from mobile_api.upcasting import upcast
from outreach.actions.applications import guarded_otherwise, reaches_otherwise
from outreach.actions.audit import record
from outreach.actions.evaluations import current_evaluation
from outreach.actions.guardians import guardian_of
from outreach.actions.holding import hold_appointments
from outreach.actions.visits import moment_of
from outreach.domain.identity import (
    MalformedIdNumber,
    MalformedName,
    MalformedTelephone,
    normalise_name,
    parse_id_number,
)
from outreach.domain.vocabulary import Role
from outreach.models import Application, Division, Resident, User, Visit
from outreach.rules import Refused, applications_for, plainly, visits_for

log = logging.getLogger(__name__)


class StandsOtherwise(Refused):
    """What accepting would write over is not what the page showed any more."""

    def __init__(self) -> None:
        sentence = _("Somebody changed this meanwhile. See what stands now, and decide anew.")
        super().__init__("stands-otherwise", sentence)


def disputes_for(user: User) -> QuerySet[Dispute]:
    """Return the disputes about cases of the user's division: their authors may have moved on.

    Of a case that nobody knows those of the division's authors.
    """
    code = user.division.code
    theirs = Q(replica__device__user__division__code__startswith=code, division_code=None)
    return Dispute.objects.filter(theirs | Q(division_code__startswith=code))


def places_of(batch: Sequence[BaseModel | None]) -> list[str | None]:
    """Return of each record the code of the village in which its case lies, where it is known."""
    lies: dict[Any, str] = {}
    for name, rows, key, way in _WAYS:
        if named := {getattr(args, name, None) for args in batch} - {None}:
            lies.update(rows.filter(**{f"{key}__in": named}).values_list(key, way))
    return [next(filter(None, (lies.get(one) for one in _names(args))), None) for args in batch]


#: By what a record names its case, and the way from there to the village's code.
_WAYS: tuple[tuple[str, QuerySet[Any, Any], str, str], ...] = (
    ("visit", Visit.objects.all(), "pk", "application__village__code"),
    ("application", Application.objects.all(), "pk", "village__code"),
    ("certificate", Certificate.objects.all(), "pk", "application__village__code"),
    ("village", Division.objects.villages(), "code", "code"),
)


def _names(args: BaseModel | None) -> Iterator[Any]:
    return (getattr(args, name, None) for name, *_way in _WAYS)


def decide(
    dispute: Dispute,
    decision: Decision,
    *,
    reason: str,
    by: User,
    at: datetime,
    seen: str | None = None,
) -> None:
    """Accept what the tablet said, which applies it, or set it aside; with a written reason.

    The mutation stays in the ledger as it was said, whatever is decided. Accepting does not ask
    any more whether the case is still the author's, the appointment still what they saw, or who
    signed still an assessor; all other rules hold. Whoever decides by a page names what it showed
    as `standing`, and nothing else is written over. Raises `Refused`, and then nothing is decided.
    """
    if by.role != Role.ADMINISTRATOR or not disputes_for(by).filter(pk=dispute.pk).exists():
        raise Refused("not-your-step", _("Only an administrator of the area decides disputes."))
    if not reason.strip():
        raise Refused("reason-missing", _("Write the reason of your decision."))
    with transaction.atomic():
        held = Dispute.objects.select_for_update().get(pk=dispute.pk)
        if held.decided_at:
            raise Refused("decided-already", _("This was decided already; load the page again."))
        if decision == Decision.ACCEPTED:
            entry = entry_of(held)
            if seen not in (None, standing(entry, by, hold=True)):
                raise StandsOtherwise
            _apply(entry, Context(held.replica.device.user, at, admitted_by=by))
        held.decided_at, held.decided_by = at, by
        held.decision, held.reason = decision, reason.strip()
        held.save(update_fields=["decided_at", "decided_by", "decision", "reason"])
        record(f"dispute.{decision}", [held], by=by, at=at, detail={"reason": held.reason})


def entry_of(dispute: Dispute) -> LedgerEntry:
    """Return what the tablet said."""
    return LedgerEntry.objects.get(replica=dispute.replica_id, seq=dispute.seq)


def correction_of(entry: LedgerEntry) -> LedgerEntry | None:
    """Return the newest copy in which the tablet corrected what it had said, if there is one.

    One of the two may have come in a hand-in, and stand in another log than the other.
    """
    copies = LedgerEntry.objects.filter(
        replica__device__replicas=entry.replica_id, corrects=entry.mutation_id
    )
    return copies.order_by("-seq", "-pk").first()


def standing(entry: LedgerEntry, by: User, *, hold: bool = False) -> str:
    """Return what accepting the entry would write over, as it stands in the area of `by`.

    A telephone and address, of a nomination with the guardian, an appointment, who evaluated the
    case last and when, or how another name begins under which the register knows a number; ""
    where there is none. With `hold` nobody changes it before the commit.
    """
    try:
        _mutator, args = _read(entry)
    except Refused:
        return ""
    if isinstance(args, wire.CorrectContact):
        case = applications_for(by).filter(pk=args.application)
        return _told(Resident.objects.filter(applications__in=case), _contact, hold)
    if isinstance(args, (wire.MoveVisit, wire.CancelVisit, wire.RecordNotDone)):
        return _told(visits_for(by).filter(pk=args.visit), moment_of, hold)
    if isinstance(args, wire.Nominate):
        return _told(_known_otherwise(args.resident), _beginning, hold) or _told(
            _reached_otherwise(args), partial(_contact_within, by), hold
        )
    if isinstance(args, wire.SubmitEvaluation):
        visit = visits_for(by).filter(pk=args.visit)
        return _told(visit, _of_visit, hold) or _of_case(args.application, by, hold)
    return ""


def _told(rows: QuerySet[Any], tell: Callable[[Any], str], hold: bool) -> str:
    return next(map(tell, rows.select_for_update(of=("self",)) if hold else rows), "")


def reached(telephone: str, address: str) -> str:
    """Return a telephone and an address on one line, as a form sends it back."""
    return f"{telephone or '—'} · {' '.join(address.split()) or '—'}"


def _contact(resident: Resident) -> str:
    return reached(resident.telephone, resident.address)


def _known_otherwise(said: wire.NominatedResident) -> QuerySet[Resident]:
    try:
        name, number = normalise_name(said.name), parse_id_number(said.id_number).value
    except (MalformedIdNumber, MalformedName):
        return Resident.objects.none()
    return Resident.objects.with_id_number(number).exclude(name=name)


def _beginning(resident: Resident) -> str:
    """Return no more of a name than tells: the person may live in another area."""
    return f"{resident.name[:1]}＊＊"


def _reached_otherwise(args: wire.Nominate) -> QuerySet[Resident]:
    said = args.resident
    try:
        known = Resident.objects.with_id_number(parse_id_number(said.id_number).value)
        guardian = guarding(args.guardian) if args.guardian else None
        if any(
            reaches_otherwise(one, said.telephone, said.address)
            or guarded_otherwise(guardian_of(one), guardian)
            for one in known
        ):
            return known
    except (MalformedIdNumber, MalformedName, MalformedTelephone):
        pass
    return Resident.objects.none()


def _contact_within(by: User, resident: Resident) -> str:
    """Return how a person and the guardian are reached; of another area's only that they are."""
    if not applications_for(by).filter(resident=resident).exists():
        return "＊＊"
    guardian = guardian_of(resident)
    named = f" · {guardian.name} {guardian.telephone}".rstrip() if guardian else ""
    return _contact(resident) + named


def _of_visit(visit: Visit) -> str:
    return _evaluation(visit.application_id)


def _of_case(case: UUID | None, by: User, hold: bool) -> str:
    """Tell it of a case whose visit the register has lost."""
    if case is None or not applications_for(by).filter(pk=case).exists():
        return ""
    if hold:
        hold_appointments([case])
    return _evaluation(case)


def _evaluation(case: UUID) -> str:
    stands = current_evaluation([case]).get(case)
    if stands is None:
        return ""
    return f"{stands.assessor.full_name} · {timezone.localtime(stands.received_at):%Y-%m-%d %H:%M}"


def _read(entry: LedgerEntry) -> tuple[Mutator[Any], BaseModel]:
    """Return what applies an entry, and what it says; raises `Refused` where that is unknown."""
    if entry.code == "bad-signature":
        raise Refused(
            "bad-signature", _("This is not signed by the tablet; it can only be set aside.")
        )
    version, said = upcast(entry.name, entry.version, entry.args)
    mutator = MUTATORS.get((entry.name, version))
    if mutator is None:
        raise Refused(
            "unknown-mutation",
            _("This version of the server does not know this yet; accept it after the update."),
        )
    try:
        return mutator, mutator.shape.model_validate(said)
    except ValidationError as error:
        raise _malformed() from error


def _apply(entry: LedgerEntry, context: Context) -> None:
    mutator, args = _read(entry)
    _check_unknown(mutator, args)
    try:
        with transaction.atomic(), plainly():
            mutator.run([args], context)
    except OutOfScope as error:
        raise _not_here() from error  # its own sentence is for the author
    except (Refused, OperationalError, InterfaceError):
        raise
    except (MalformedIdNumber, MalformedName, MalformedTelephone) as error:
        raise _malformed() from error
    except Exception as error:
        # Said again, or accepted from another dispute, in the very same moment?
        _check_unknown(mutator, args)
        log.exception("mutation %s could not be applied", entry.mutation_id)
        raise Refused(
            "unexpected",
            _(
                "The server still stumbles over this, and it stays here: accept it after the next"
                " update, or set it aside."
            ),
        ) from error


def _not_here() -> Refused:
    return Refused(
        "not-here",
        _(
            "This is not in your area, or a restore has lost it. Where its appointment or"
            " nomination waits among the disputes, accept that first; else do at the desk what is"
            " to be done, and set this aside."
        ),
    )


def _malformed() -> Refused:
    return Refused("malformed", _("This record is incomplete; it can only be set aside."))


def _check_unknown(mutator: Mutator[Any], args: BaseModel) -> None:
    if mutator.known([args]) == [True]:
        raise Refused("known", _("This is in the register already; set this record aside."))
