"""From the public notice to the approver's signature: notice, objections, review, approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import reduce
from operator import or_
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.actions.applications import advance, take_down
from outreach.actions.audit import record
from outreach.actions.bars import NO_LONGER_MEETS, lift
from outreach.actions.evaluations import current_evaluation
from outreach.actions.holding import hold_cases
from outreach.domain.workdays import CalendarNotLoaded
from outreach.models import (
    Appeal,
    Application,
    Evaluation,
    Notice,
    Objection,
    User,
    working_calendar,
)
from outreach.rules import ADULT, Refused, check_may_approve, open_already

#: 《残疾人证管理办法》(2017): the notice hangs five working days, an appeal has ten.
NOTICE_WORKING_DAYS = 5
APPEAL_WORKING_DAYS = 10


def post_notices(applications: Sequence[Application], *, by: User, at: datetime) -> list[Notice]:
    """Post the five-day notice of evaluated cases; minors are not publicised and go on at once.

    Refused while photos are still on their way or the second opinion for grades 1–2 is missing.
    """
    on = timezone.localdate(at)
    minors = [one for one in applications if one.resident.age(on) < ADULT]
    others = [one for one in applications if one not in minors]
    # Who is not publicised waits for no calendar.
    ends_on = working_calendar(on).add(on, NOTICE_WORKING_DAYS) if others else on
    ids = [application.pk for application in applications]
    with transaction.atomic():
        hold_cases(ids)
        evaluations = current_evaluation(ids)
        _check_complete(evaluations)
        _check_second_opinions(evaluations)
        _check_rated_by_no_relative(applications)
        advance(minors, "skip_notice", by=by, at=at)
        advance(others, "post_notice", by=by, at=at)
        take_down(Notice.objects.filter(application__in=others), on)  # left by earlier releases
        return Notice.objects.bulk_create(
            Notice(
                application=application,
                evaluation=evaluations[application.pk],
                posted_on=on,
                ends_on=ends_on,
                posted_by=by,
            )
            for application in others
        )


def _check_complete(evaluations: Mapping[UUID, Evaluation]) -> None:
    ids = [evaluation.pk for evaluation in evaluations.values()]
    waiting = Evaluation.objects.filter(pk__in=ids).awaiting_media().count()
    if waiting:
        raise Refused(
            "awaiting-media",
            _("Photos of %(count)d evaluations are still on their way; wait for the tablet's sync.")
            % {"count": waiting},
        )


def _check_second_opinions(evaluations: Mapping[UUID, Evaluation]) -> None:
    if not settings.OUTREACH_SECOND_OPINION:
        return
    ids = [evaluation.pk for evaluation in evaluations.values()]
    lone = Evaluation.objects.filter(pk__in=ids, grade__in=(1, 2), second_opinions=None).count()
    if lone:
        raise Refused(
            "second-opinion-missing",
            _("%(count)d evaluations with grade 1 or 2 want a second opinion first.")
            % {"count": lone},
        )


def _check_rated_by_no_relative(applications: Sequence[Application]) -> None:
    """Refuse a result that somebody signed who declared the person a relative, if only since."""
    kin = "application__resident__relatives_in_office__user"
    signed = (F("assessor"), F("co_signers"), F("second_opinions__assessor"))
    by_kin = reduce(or_, (Q(**{kin: signer}) for signer in signed))
    ids = [application.pk for application in applications]
    rated = Evaluation.objects.made_here().filter(by_kin, application__in=ids, corrections=None)
    if number := rated.values_list("application__number", flat=True).first():
        raise Refused(
            "relative-rated",
            _(
                "A doctor who signed the result of case %(number)s has declared the person a"
                " relative: send the case back, to be assessed by others."
            )
            % {"number": number},
        )


def object_to(
    notice: Notice,
    *,
    from_whom: str,
    text: str,
    by: User,
    at: datetime,
    made_on: date | None = None,
) -> Objection:
    """Record an objection; the case waits until an administrator has decided each of them.

    One that was made in time may be recorded later, for as long as the notice hangs. Recorded once
    more on the same day, as where the answer was lost, it is the one that stands.
    """
    made_on = made_on or timezone.localdate(at)
    _check_made_while_it_hung(notice, made_on, today=timezone.localdate(at))
    with transaction.atomic():
        hold_cases([notice.application_id])
        if same := _recorded_already(notice, from_whom, text, timezone.localdate(at)):
            return same
        advance([notice.application], "object", by=by, at=at)
        made = Objection.objects.create(
            notice=notice, from_whom=from_whom, text=text, recorded_by=by, recorded_at=at
        )
        record("objection.record", [made], by=by, at=at, detail={"made_on": made_on.isoformat()})
    return made


def _check_made_while_it_hung(notice: Notice, made_on: date, *, today: date) -> None:
    if not notice.posted_on <= made_on <= today:
        raise Refused(
            "no-day-of-an-objection",
            _("An objection is made while the notice hangs, and on no day to come; see when."),
        )
    if not notice.is_running(made_on):
        raise Refused(
            "notice-over",
            _(
                "The notice is over; record a complaint at the office. Where somebody objected"
                " while it hung, write on which day."
            ),
        )


def _recorded_already(notice: Notice, from_whom: str, text: str, today: date) -> Objection | None:
    waiting = notice.objections.filter(decided_at=None)
    alike = (one for one in waiting if (one.from_whom, one.text) == (from_whom, text))
    return next((one for one in alike if timezone.localdate(one.recorded_at) == today), None)


def decide_objection(
    objection: Objection, *, upheld: bool, decision: str, by: User, at: datetime
) -> None:
    """Decide an objection with a reason: upheld means assessed again, else the notice goes on.

    It goes on when the last one is dismissed; where one is upheld, so are the others that wait.
    """
    if not decision:
        raise Refused("reason-missing", _("Write the reason of the decision."))
    case = objection.notice.application
    with transaction.atomic():
        hold_cases([case.pk])  # nobody objects, or decides another one, until the commit
        objection.refresh_from_db()
        if objection.decided_at:
            raise Refused("decided-already", _("A colleague has decided this meanwhile."))
        waiting = Objection.objects.filter(notice=objection.notice_id, decided_at=None)
        others = waiting.exclude(pk=objection.pk)
        step = "dismiss_one" if others.exists() else "dismiss_objection"
        for one in waiting if upheld else [objection]:
            one.decided_by, one.decided_at = by, at
            one.is_upheld, one.decision = upheld, decision
            one.save()
        advance([case], "uphold_objection" if upheld else step, by=by, at=at, note=decision)
        if upheld:
            take_down(Notice.objects.filter(pk=objection.notice_id), timezone.localdate(at))


def end_notices(applications: Sequence[Application], *, by: User, at: datetime) -> None:
    """Take notices down after their last working day and let the review begin."""
    running = _running(applications)
    _check_notice_over(running, at)
    with transaction.atomic():
        advance(applications, "end_notice", by=by, at=at)  # holds the cases first, as others do
        take_down(Notice.objects.filter(pk__in=[one.pk for one in running]), timezone.localdate(at))


def _running(applications: Sequence[Application]) -> list[Notice]:
    ids = [application.pk for application in applications]
    return list(Notice.objects.filter(application__in=ids, taken_down_on=None))


def _check_notice_over(notices: Sequence[Notice], at: datetime) -> None:
    for notice in notices:
        if timezone.localdate(at) <= notice.ends_on:
            raise Refused(
                "notice-running",
                _("The notice runs until the end of %(day)s; go on the day after.")
                % {"day": notice.ends_on.isoformat()},
            )


def review(applications: Sequence[Application], *, by: User, at: datetime) -> None:
    """Review cases whose notice is over: findings, grade, photos, place and time were looked at."""
    _check_notice_over(_running(applications), at)
    _check_rated_by_no_relative(applications)
    advance(applications, "review", by=by, at=at)


def approve(applications: Sequence[Application], *, by: User, at: datetime) -> None:
    """Approve reviewed cases: the one signature at the end, never while a notice still hangs."""
    _check_notice_over(_running(applications), at)
    check_may_approve(by, applications)
    _check_rated_by_no_relative(applications)
    _check_complete(current_evaluation([application.pk for application in applications]))
    advance(applications, "approve", by=by, at=at)


def decide_appeal(
    application: Application, *, upheld: bool, note: str, by: User, at: datetime
) -> None:
    """Enter the decision of the city federation, or of the province's committee, on an appeal.

    Upheld means assessed again.
    """
    with transaction.atomic():
        step = "uphold_appeal" if upheld else "dismiss_appeal"
        advance([application], step, by=by, at=at, note=note)  # holds the case first, as others do
        waiting = Appeal.objects.filter(application=application, decided_at=None)
        waiting.update(decided_at=at, is_upheld=upheld)
        if upheld:  # what came of the result, with a certificate that was cancelled for it, ends
            lift([application.resident], by=by, at=at, ground=NO_LONGER_MEETS)


def withdraw_appeal(application: Application, *, note: str, by: User, at: datetime) -> None:
    """End an appeal that the family takes back, or that was recorded by mistake.

    Nobody has decided it: the result stands as before, and the days for another one run on.
    """
    with transaction.atomic():
        advance([application], "withdraw_appeal", by=by, at=at, note=note)
        Appeal.objects.filter(application=application, decided_at=None).update(decided_at=at)


def appeal_deadline(application: Application, on: date) -> date:
    """Return the last day for an appeal against a result that was not met.

    Ten working days after the result, or after the city federation upheld it, or after `on` where
    there is none. Raises `CalendarNotLoaded`.
    """
    decided_on = _decided_on(application) or on
    return working_calendar(decided_on).add(decided_on, APPEAL_WORKING_DAYS)


def _decided_on(application: Application) -> date | None:
    found = application.events.filter(name__in=("find_not_met", "dismiss_appeal")).last()
    return timezone.localdate(found.at) if found else None


def is_final(application: Application) -> bool:
    """Tell whether city federation and province's committee have both upheld the last result."""
    return times_upheld(application) > 1


def times_upheld(application: Application) -> int:
    """Count who has upheld the last result: the city federation, then the province's committee."""
    result = application.events.filter(name="find_not_met").last()
    dismissed = application.events.filter(name="dismiss_appeal")
    return 0 if result is None else dismissed.filter(pk__gt=result.pk).count()


def _deadline_known(application: Application, on: date) -> date | None:
    """Return the last day, or none while it lies in a year to come whose calendar is not loaded.

    Whoever appeals before that year is in time: the ten days reach into it.
    """
    try:
        return appeal_deadline(application, on)
    except CalendarNotLoaded as error:
        if on.year >= error.year:
            raise
        return None


def appeal(
    application: Application, *, text: str, by: User, at: datetime, made_on: date | None = None
) -> Appeal:
    """Record an appeal against a result that was not met, made within ten working days.

    It goes to the city federation, and against its decision to the province's committee, which is
    final. It may be known here days after it was made.
    """
    made_on = made_on or timezone.localdate(at)
    if is_final(application):
        raise Refused("appeal-final", _("The province's committee has decided; that is final."))
    if application.resident.applications.open().exclude(pk=application.pk).exists():
        raise open_already()
    _check_made_in_time(application, made_on, today=timezone.localdate(at))
    with transaction.atomic():
        advance([application], "appeal", by=by, at=at, note=text)
        made = Appeal.objects.create(
            application=application,
            text=text,
            recorded_by=by,
            recorded_at=at,
            deadline_on=_deadline_known(application, made_on),
        )
        record("appeal.record", [made], by=by, at=at, detail={"made_on": made_on.isoformat()})
    return made


def _check_made_in_time(application: Application, made_on: date, *, today: date) -> None:
    decided_on = _decided_on(application)
    if made_on > today or (decided_on and made_on < decided_on):
        raise Refused(
            "no-day-of-an-appeal",
            _("An appeal is made after the result, and on no day to come; see when it was made."),
        )
    deadline = _deadline_known(application, made_on)
    if deadline and made_on > deadline:
        raise Refused(
            "appeal-late",
            _("The ten working days for an appeal ended on %(day)s.") % {"day": deadline},
        )
