"""What happens to a certificate between its issue and its end; each step once, by the table."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certificates import revocations
from certificates.actions import append, check_still_met, expired, has_moved_on, too_early
from certificates.models import Certificate, CertificateEvent, PaperRequest
from certificates.steps import (
    BARRING,
    CANCELLED_AFTER_MONTHS,
    CERTIFICATE,
    FROZEN_AFTER_MONTHS,
    LIVING,
    CertificateState,
    Ground,
    Kind,
    cancelled_from,
    frozen_from,
    renewable_from,
)
from outreach.actions.applications import erased, take
from outreach.actions.bars import bar, lift
from outreach.actions.holding import hold
from outreach.actions.visits import close_begun
from outreach.domain.workdays import add_months
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, User
from outreach.rules import BARRED_MONTHS, Refused, check_in_scope, check_role, open_already

log = logging.getLogger(__name__)

S = CertificateState
#: The note of a step that is taken since a restore has forgotten another one.
FORGOTTEN = "forgotten"
#: So long after its day a step that no day took says that nothing takes them any more.
UNSETTLED = timedelta(days=4)


def take_hand_over_back(
    certificates: Sequence[Certificate], *, reason: str, by: User, at: datetime
) -> None:
    """Take back that certificates were handed over, where another one was meant.

    A case that had ended with it waits for the hand-over again.
    """
    _check_reason(reason)
    with transaction.atomic():
        _take(
            certificates,
            "not_handed_over",
            by=by,
            at=at,
            note=reason,
            fits=lambda one: one.handed_over_at is not None,
            handed_over_at=None,
        )
        handed = Certificate.objects.exclude(handed_over_at=None)  # the paper of before a renewal
        cases = Application.objects.filter(pk__in=[one.application_id for one in certificates])
        ended = cases.exclude(pk__in=handed.values("application"))
        ended = ended.standing(ApplicationState.HANDED_OVER)
        _take_up(list(ended), "not_handed_over", by, at)


def ask_renewal(certificates: Sequence[Certificate], *, by: User, at: datetime) -> None:
    """Ask the approver for certificates of ten more years, from the last year on (换领)."""
    on = timezone.localdate(at)
    for one in certificates:
        if on < renewable_from(one.valid_until):
            raise too_early(one)
        if one.application.erased_at:
            raise erased()
    check_still_met(certificates)
    with transaction.atomic():
        _take(certificates, "ask_renewal", by=by, at=at)
        _request(certificates, Kind.RENEWAL, by, at)


def declare_lost(
    certificates: Sequence[Certificate],
    *,
    note: str = "",
    wants_another: bool = True,
    by: User,
    at: datetime,
) -> None:
    """Declare papers void at once, and ask the approver for others in their place (挂失补办)."""
    with transaction.atomic():
        _take(certificates, "declare_lost", by=by, at=at, note=note)
        _withdraw_requests(certificates, at)
        if wants_another:
            _request(certificates, Kind.REISSUE, by, at)


def ask_another(certificates: Sequence[Certificate], *, by: User, at: datetime) -> None:
    """Ask the approver for other papers in place of lost ones, where none was wanted at first."""
    on = timezone.localdate(at)
    for one in certificates:
        if one.valid_until <= on:
            raise expired(one)
    with transaction.atomic():
        _take(certificates, "ask_another", by=by, at=at)
        _request(certificates, Kind.REISSUE, by, at)


def find(certificates: Sequence[Certificate], *, by: User, at: datetime, note: str = "") -> None:
    """Take back a declaration of loss: the paper was found before another was made."""
    with transaction.atomic():
        _take(certificates, "find", by=by, at=at, note=note)
        _withdraw_requests(certificates, at)


def note_move(
    certificates: Sequence[Certificate], *, moved_on: date, note: str, by: User, at: datetime
) -> None:
    """Note that the household register moved away: the certificate must follow (迁移).

    Raises `Refused` where a move is noted already: its terms run from the day that was noted first.
    """
    if moved_on > timezone.localdate(at):
        raise Refused("in-the-future", _("The household cannot have moved on a day to come."))
    _take(
        certificates,
        "note_move",
        by=by,
        at=at,
        note=note,
        fits=lambda one: one.household_moved_on is None,
        household_moved_on=moved_on,
    )


def forget_move(
    certificates: Sequence[Certificate], *, reason: str, by: User, at: datetime
) -> None:
    """Take back a noted move: it was another one's, or the household is back."""
    _check_reason(reason)
    _take(
        certificates,
        "forget_move",
        by=by,
        at=at,
        note=reason,
        fits=lambda one: one.household_moved_on is not None,
        household_moved_on=None,
    )


def move_out(certificates: Sequence[Certificate], *, to: str, by: User, at: datetime) -> None:
    """Send the file to the office of the new household register, which issues its own (迁出).

    What was begun anew is closed with it: whoever moves back is nominated again.
    """
    if not to.strip():
        raise Refused("office-missing", _("Write the name of the office that takes over."))
    with transaction.atomic():
        _take(certificates, "move_out", by=by, at=at, note=to.strip())
        _withdraw_requests(certificates, at)
        residents = [one.resident for one in certificates]
        close_begun(residents, by=by, at=at, note=to.strip())
        _end_cases(certificates, by, at)


def freeze(certificates: Sequence[Certificate], *, reason: str, by: User, at: datetime) -> None:
    """Let certificates rest for a written reason; checks then read “ours, but frozen”."""
    _check_reason(reason)
    _take(certificates, "freeze", by=by, at=at, note=reason)


def unfreeze(certificates: Sequence[Certificate], *, reason: str, by: User, at: datetime) -> None:
    """Let frozen certificates be valid again."""
    _check_reason(reason)
    with transaction.atomic():
        _take(certificates, "unfreeze", by=by, at=at, note=reason)
        _forget_moves(certificates, "freeze")


def cancel(
    certificates: Sequence[Certificate],
    *,
    ground: Ground,
    reason: str,
    by: User,
    at: datetime,
) -> None:
    """End certificates for good; some grounds bar a new application for a year (注销)."""
    _check_reason(reason)
    with transaction.atomic():
        _take(certificates, "cancel", by=by, at=at, note=reason)
        _withdraw_requests(certificates, at)
        residents = [one.resident for one in certificates]
        if ground == Ground.DEATH:
            close_begun(residents, by=by, at=at, note=reason)
        _end_cases(certificates, by, at)
        if ground == Ground.DEATH:
            bar(residents, ground=ground, until=None, by=by, at=at)
        elif ground in BARRING:
            until = add_months(timezone.localdate(at), BARRED_MONTHS)
            bar(residents, ground=ground, until=until, by=by, at=at)


def restore(certificates: Sequence[Certificate], *, reason: str, by: User, at: datetime) -> None:
    """Take back a cancellation or a file sent on that was a mistake, and the bar that came with it.

    What was lost or frozen before is so again: a paper in a stranger's hand does not become valid.
    """
    _check_reason(reason)
    rested = _rested(certificates)
    residents = [one.resident for one in certificates]
    others = Certificate.objects.living().exclude(pk__in=[one.pk for one in certificates])
    if others.filter(resident__in=residents).exists():
        raise _holds_another()
    with transaction.atomic():
        try:
            _take(certificates, "restore", by=by, at=at, note=reason)
        except IntegrityError as error:  # another one was issued in this very moment
            raise _holds_another() from error
        _forget_moves(certificates, "cancel")
        _reopen_cases(certificates, by, at)
        cancelled = CertificateEvent.objects.filter(certificate__in=certificates, name="cancel")
        lift(residents, by=by, at=at, set_at__in=cancelled.values("at"))
        for event in rested:
            _rest_again(event, by, at)


def _rested(certificates: Sequence[Certificate]) -> list[CertificateEvent]:
    """Return by which step each was lost or frozen at last.

    What a day froze, a day will again; what a restore did, nothing.
    """
    steps = ("declare_lost", "find", "freeze", "unfreeze", "restore")
    taken = CertificateEvent.objects.filter(certificate__in=certificates, name__in=steps)
    last = {event.certificate_id: event for event in taken.select_related("certificate")}
    resting = (S.LOST, S.FROZEN)
    return [
        event
        for event in last.values()
        if (event.by_id is not None or event.note == FORGOTTEN)
        and CERTIFICATE[event.name].target in resting
    ]


def _rest_again(event: CertificateEvent, by: User, at: datetime) -> None:
    """Let a restored certificate stand as before, with the request for another paper it had."""
    one, state = event.certificate, CERTIFICATE[event.name].target
    Certificate.objects.filter(pk=one.pk).update(state=state)
    append([one], event.name, by, at, event.note)
    revocations.note_change([one], state)
    ended = one.events.filter(name__in=("cancel", "move_out")).last()
    if state == S.LOST and ended is not None:
        withdrawn = one.requests.filter(kind=Kind.REISSUE, settled_at=ended.at)
        withdrawn.update(settled_at=None)


def _forget_moves(certificates: Sequence[Certificate], step: str) -> None:
    """Forget the moves for whose sake a day took this step last; a person's step was for another.

    Else the next day would take it again.
    """
    taken = CertificateEvent.objects.filter(certificate__in=certificates, name=step)
    last = {event.certificate_id: event for event in taken}
    days = [event for event in last.values() if event.by_id is None and event.note != FORGOTTEN]
    settled = [event.certificate_id for event in days]
    Certificate.objects.filter(pk__in=settled).update(household_moved_on=None)


def _holds_another() -> Refused:
    return Refused("holds-another", _("The person holds another certificate by now."))


@dataclass(frozen=True)
class Settled:
    """What a day brought: certificates frozen, cancelled and expired by their dates."""

    frozen: int
    cancelled: int
    expired: int


def settle(*, at: datetime) -> Settled:
    """Take the steps that follow from a day alone; a second run on the same day changes nothing.

    A certificate that did not follow its household is frozen after six months and cancelled
    after a year; one whose last day is over has its end entered in its history.
    """
    on = timezone.localdate(at)
    moved = Certificate.objects.exclude(household_moved_on=None).select_related("application")
    late = moved.filter(state__in=LIVING)
    ending = [
        one
        for one in late
        if one.household_moved_on and cancelled_from(one.household_moved_on) <= on
    ]
    resting = [
        one
        for one in late
        if one.state == CertificateState.VALID
        and one not in ending
        and one.household_moved_on
        and frozen_from(one.household_moved_on) <= on
    ]
    over = Certificate.objects.filter(state=CertificateState.VALID, valid_until__lt=on)
    over = over.exclude(events__name="expire")
    with transaction.atomic():
        hold(over)  # before they are read: another process may be entering their end
        _take(resting, "freeze", by=None, at=at, note=Ground.NOT_MOVED)
        _take(ending, "cancel", by=None, at=at, note=Ground.NOT_MOVED)
        _withdraw_requests(ending, at)
        for one in ending:
            # On this paper, or on the one in whose place it came.
            moves = CertificateEvent.objects.filter(certificate__resident=one.resident_id)
            noted = moves.filter(name="note_move", by__isnull=False).last()
            if noted is not None and noted.by is not None:
                _end_cases([one], noted.by, at)  # whoever noted the move answers for what follows
        expired = list(over)  # without those that ended or rest by now
        append(expired, "expire", None, at)
    return Settled(len(resting), len(ending), len(expired))


def unsettled(*, at: datetime) -> QuerySet[Certificate]:
    """Return the certificates that a day should have frozen or cancelled that was over days ago.

    There are none but where nothing settles the days any more.
    """
    on = timezone.localdate(at - UNSETTLED)
    resting = Q(state=S.VALID, household_moved_on__lt=add_months(on, -FROZEN_AFTER_MONTHS))
    ending = Q(household_moved_on__lt=add_months(on, -CANCELLED_AFTER_MONTHS))
    late = Certificate.objects.filter(resting | ending, state__in=LIVING)
    return late.exclude(events__at__gte=at - UNSETTLED)  # as where the move was noted since


def rest_what_ended_since(*, at: datetime) -> int:
    """Freeze, in a restored register, what was lost, cancelled or the like after the backup.

    What else came of it, as cases that were closed, is forgotten: until somebody has looked at each
    and taken its step again, the check says that it rests. Returns how many.
    """
    ended, number = revocations.outlasted()
    known = Certificate.objects.filter(pk__among=ended)
    hold(known)
    back = [
        one
        for one in known.select_related("application").order_by("pk")
        if _was_forgotten(S(one.state), ended.pop(one.pk))
    ]
    revocations.count_on(number)
    revocations.note_restore(ended, at)
    if back:
        Certificate.objects.filter(pk__in=[one.pk for one in back]).update(state=S.FROZEN)
        append(back, "freeze", None, at, FORGOTTEN)
        revocations.note_change(back, S.FROZEN)
        log.warning("certificates that ended after the backup rest until seen to: %s", len(back))
    return len(back)


def _was_forgotten(stands: S, stood: S) -> bool:
    """Tell whether a step is forgotten that whoever reads where a certificate stands would miss.

    For a lost one another paper is asked for still, also where it was made since.
    """
    return stands in LIVING and stood not in (stands, S.REPLACED if stands == S.LOST else None)


def _take(
    certificates: Sequence[Certificate],
    name: str,
    *,
    by: User | None,
    at: datetime,
    note: str = "",
    fits: Callable[[Certificate], bool] = lambda _one: True,
    **changes: Any,
) -> None:
    """Take one step with every certificate, or with none: state, history and trail together.

    Refused where one stands elsewhere by now, or does not fit any more.
    """
    step = CERTIFICATE[name]
    if by is not None:
        check_role(by, step)
        check_in_scope(by, [one.application for one in certificates])
    ids = [one.pk for one in certificates]
    if not ids:
        return
    with transaction.atomic():
        held = Certificate.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        for one in held.select_related(None):
            if one.state not in step.sources or not fits(one):
                raise has_moved_on(one)
        Certificate.objects.filter(pk__in=ids).update(state=step.target, **changes)
        append(certificates, name, by, at, note)
        if step.sources != {step.target}:
            revocations.note_change(certificates, step.target)
    for one in certificates:
        one.state = step.target


def _end_cases(certificates: Sequence[Certificate], by: User, at: datetime) -> None:
    """Close cases whose certificate was never handed over: the person may apply again."""
    waiting = Application.objects.filter(pk__in=[one.application_id for one in certificates])
    take(list(waiting.standing(ApplicationState.ISSUED)), "end", by=by, at=at)


def _reopen_cases(certificates: Sequence[Certificate], by: User, at: datetime) -> None:
    """Let a certificate that is valid again be handed over, where it never was."""
    kept = [one.application_id for one in certificates if one.handed_over_at is None]
    cases = list(Application.objects.filter(pk__in=kept).standing(ApplicationState.CLOSED))
    _take_up(cases, "reopen", by, at)


def _take_up(cases: Sequence[Application], step: str, by: User, at: datetime) -> None:
    """Let cases that had ended wait again, where nobody has begun another one for the person."""
    residents = [case.resident_id for case in cases]
    if Application.objects.open().filter(resident__in=residents).exists():
        raise open_already()
    take(cases, step, by=by, at=at)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("reason-missing", _("Write the reason."))


def _request(certificates: Sequence[Certificate], kind: Kind, by: User, at: datetime) -> None:
    asked = PaperRequest.objects.open().filter(certificate__in=certificates)
    if first := asked.select_related("certificate__application").first():
        raise has_moved_on(first.certificate)
    PaperRequest.objects.bulk_create(
        PaperRequest(certificate=one, kind=kind, requested_by=by, requested_at=at)
        for one in certificates
    )


def _withdraw_requests(certificates: Sequence[Certificate], at: datetime) -> None:
    asked = PaperRequest.objects.open().filter(certificate__in=certificates)
    asked.update(settled_at=at)
