"""Home visits: scheduled, moved, cancelled, and those that assessed nobody."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.actions.applications import advance, take, take_down
from outreach.actions.audit import record
from outreach.actions.holding import hold_appointments, hold_diaries
from outreach.domain.vocabulary import NextStep, NotDone, Role
from outreach.domain.workflow import (
    APPLICATION,
    VISIT,
    ApplicationState,
    NotAllowed,
    VisitState,
    check_step,
)
from outreach.models import (
    Application,
    Call,
    KeptUpdate,
    Pin,
    Resident,
    Slot,
    User,
    Visit,
    VisitEvent,
    insert,
    working_calendar,
)
from outreach.models.ids import new_id
from outreach.models.planning import CallKind
from outreach.rules import Raters, Refused, check_alive, check_in_scope, check_role, check_took


class AppointmentChanged(Refused):
    """Somebody moved the visit after its author saw it: it stays where it was moved to."""

    def __init__(self) -> None:
        sentence = _("Somebody moved this visit meanwhile. See when it is now, and decide anew.")
        super().__init__("appointment-changed", sentence)


@dataclass(frozen=True)
class Appointment:
    """A visit to be: whose home, which day, when; on no day before `earliest`, which is today."""

    application: Application
    on: date
    start: time
    minutes: int = 40
    id: UUID = field(default_factory=new_id)
    #: An earlier one, where the appointment was made some time before the office hears of it.
    earliest: date | None = None
    #: With the family, which may have said other times once.
    is_agreed: bool = False


def schedule(appointments: Sequence[Appointment], *, by: User, at: datetime) -> list[Visit]:
    """Schedule home visits of accepted cases with the assessor each case is assigned to.

    Raises `Refused` where the case is not accepted or not assigned, the assessor rates no more or
    is not qualified, the day is no working day or past, the family is not at home then, or the
    assessor is elsewhere at that time.
    """
    check_role(by, VISIT["schedule"])
    applications = [appointment.application for appointment in appointments]
    with transaction.atomic():
        _hold_cases(applications)
        check_in_scope(by, applications)
        hold_diaries(application.assessor for application in applications)
        assessors = [application.assessor for application in applications if application.assessor]
        raters = Raters.among(assessors, applications)
        check_alive(applications)
        visits = [_planned(appointment, raters, at) for appointment in appointments]
        _check_free_among(visits)
        Visit.objects.bulk_create(visits)
        append(visits, "schedule", by=by, at=at)
    return visits


def _hold_cases(applications: Sequence[Application]) -> None:
    """Let nobody give the cases away before the commit, and read whose they are by now."""
    held = Application.objects.select_for_update(no_key=True).order_by("pk")
    rows = held.filter(pk__in=[application.pk for application in applications])
    now = {row.pk: row for row in rows.only("state", "assessor_id")}
    for application in applications:
        stands = now[application.pk]
        application.state, application.assessor_id = stands.state, stands.assessor_id


def _planned(appointment: Appointment, raters: Raters, at: datetime) -> Visit:
    application = appointment.application
    if application.state != ApplicationState.ACCEPTED or application.assessor is None:
        raise Refused("not-accepted", _("The case must be accepted and assigned to an assessor."))
    if application.assessor.role != Role.ASSESSOR or not application.assessor.is_active:
        raise Refused(
            "assessor-left",
            _("The assessor of this case rates no more; give it to somebody else first."),
        )
    if application.visits.open().exists():
        raise visit_open()
    raters.check_may_rate([application.assessor], application)
    raters.check_may_come(application.assessor, application.categories)
    check_time(appointment, application.assessor, at)
    return Visit(
        id=appointment.id,
        application=application,
        state=VISIT["schedule"].target,
        on=appointment.on,
        start=appointment.start,
        minutes=appointment.minutes,
        assessor=application.assessor,
    )


def visit_open() -> Refused:
    """Return the refusal of a second visit beside one that will still happen."""
    return Refused("visit-open", _("This case has a visit already; move that one."))


def check_time(
    appointment: Appointment, assessor: User, at: datetime, *, moving: Visit | None = None
) -> None:
    """Refuse a time that is past, on no working day, not the family's, or already taken."""
    if appointment.on < (appointment.earliest or timezone.localdate(at)):
        raise Refused("day-past", _("This day is past; choose a later one."))
    starts = timezone.make_aware(datetime.combine(appointment.on, appointment.start))
    if appointment.earliest is None and starts < at:
        raise Refused("time-past", _("This time is past; choose a later one."))
    if not working_calendar(appointment.on).is_working_day(appointment.on):
        raise Refused("no-working-day", _("This is no working day; choose another one."))
    if not (appointment.is_agreed or is_possible(appointment)):
        raise Refused("family-away", _("The family is not at home at that time; see their times."))
    day = Visit.objects.due(appointment.on).filter(assessor=assessor)
    others = day.exclude(pk=moving.pk) if moving else day
    asked = Visit(on=appointment.on, start=appointment.start, minutes=appointment.minutes)
    if any(asked.overlaps(other) for other in others):
        raise Refused("double-booking", _("The assessor has another visit at that time."))


def is_possible(appointment: Appointment) -> bool:
    """Tell whether the family said to be at home; no stated times means any time."""
    times = appointment.application.possible_times
    start = appointment.start.strftime("%H:%M")
    return not times or any(
        span["weekday"] == appointment.on.weekday() and span["from"] <= start <= span["to"]
        for span in times
    )


def _check_free_among(visits: Sequence[Visit]) -> None:
    for index, visit in enumerate(visits):
        for other in visits[:index]:
            if visit.assessor_id == other.assessor_id and visit.overlaps(other):
                raise Refused("double-booking", _("The assessor has another visit at that time."))


def move(visit: Visit, to: Appointment, *, by: User, at: datetime, reason: str = "") -> None:
    """Move a scheduled visit to another time, under the same checks as a new one."""
    _check(visit, "move", by)
    with transaction.atomic():
        held = _hold(visit, "move")
        hold_diaries([held.assessor])
        check_time(to, held.assessor, at, moving=visit)
        visit.on, visit.start, visit.minutes = to.on, to.start, to.minutes
        visit.revision = held.revision + 1
        visit.save(update_fields=["on", "start", "minutes", "revision"])
        append([visit], "move", by=by, at=at, note=reason)
        note_agreed(visit, by=by, at=at)


def note_agreed(visit: Visit, *, by: User, at: datetime) -> None:
    """Note that the family knows the time to which a person moved a visit of a plan.

    No call tells another one any more, and the next plan asks from this time on whom to call. The
    newest call says so, for another one would want the plan, which whoever publishes holds.
    """
    newest = Call.objects.filter(visit=visit).order_by("created_at", "pk").last()
    if newest is not None:
        newest.on, newest.start = visit.on, visit.start
        if newest.told_at is None:
            newest.told_by, newest.told_at = by, at
        newest.save(update_fields=["on", "start", "told_by", "told_at"])


def cancel(visit: Visit, *, by: User, at: datetime, reason: str) -> None:
    """Cancel a scheduled visit; the case waits to be scheduled again."""
    _check(visit, "cancel", by)
    with transaction.atomic():
        _hold(visit, "cancel")
        settle([visit], "cancel")
        _tell_otherwise(visit, at)
        append([visit], "cancel", by=by, at=at, note=reason)


def _tell_otherwise(visit: Visit, at: datetime) -> None:
    """Let a family that knows of a time, and was to hear of another one, hear that it is off.

    That is news of this moment: whoever tells the other time until now has not told it.
    """
    moved = Call.objects.to_make().filter(visit=visit, kind=CallKind.MOVED)
    moved.update(kind=CallKind.CANCELLED, on=None, start=None, created_at=at)


def leave(application: Application, name: str, *, by: User, at: datetime, note: str) -> None:
    """Take a step after which nobody comes any more; a visit to come is cancelled with it.

    A public notice that hangs comes down.
    """
    check_role(by, APPLICATION[name])
    check_in_scope(by, [application])
    break_off(application, name, by=by, at=at, note=note)


def break_off(application: Application, name: str, *, by: User, at: datetime, note: str) -> None:
    """Take such a step like `leave`, as part of a deed: under its checks."""
    with transaction.atomic():
        hold_appointments([application.pk])
        take([application], name, by=by, at=at, note=note)
        take_down(application.notices.all(), timezone.localdate(at))
        coming = list(application.visits.open())
        settle(coming, "cancel")
        append(coming, "cancel", by=by, at=at, note=note)


def close_begun(residents: Sequence[Resident], *, by: User, at: datetime, note: str) -> None:
    """Close what was begun for who died or moved: nobody is sent there, no family called."""
    begun = Application.objects.filter(
        resident__in=residents, state__in=APPLICATION["close"].sources
    )
    for case in begun.order_by("pk"):
        break_off(case, "close", by=by, at=at, note=note)


def record_not_done(
    visit: Visit,
    *,
    reason: NotDone,
    next_step: NextStep,
    by: User,
    at: datetime,
    note: str = "",
    place: dict[str, Any] | None = None,
    admitted_by: User | None = None,
) -> None:
    """Record that a visit assessed nobody, why, and what follows: never without a next step.

    What an administrator admits afterwards needs not be the assessor's case still, nor they one.
    """
    (check_took if admitted_by else check_role)(by, VISIT["record_not_done"])
    check_in_scope(admitted_by or by, [visit.application])
    check_stands(visit, "record_not_done")
    with transaction.atomic():
        _hold(visit, "record_not_done")
        settle([visit], "record_not_done", not_done_reason=reason, next_step=next_step)
        append([visit], "record_not_done", by=by, at=at, note=note, place=place)
        if follow := {NextStep.REFER_HOSPITAL: "refer", NextStep.CLOSE: "close"}.get(next_step):
            advance([visit.application], follow, by=admitted_by or by, at=at, note=note)


def _check(visit: Visit, name: str, by: User) -> None:
    check_role(by, VISIT[name])
    check_in_scope(by, [visit.application])
    check_stands(visit, name)


def _hold(visit: Visit, name: str) -> Visit:
    """Let nobody else change the visit before the commit; refuse where somebody has since.

    Returns it as it stands now.
    """
    held = Visit.objects.select_for_update().get(pk=visit.pk)
    check_stands(held, name)
    if moment_of(held) != moment_of(visit):
        raise AppointmentChanged
    return held


def moment_of(visit: Visit | None) -> str:
    """Return when a visit is, as forms send it back; nothing where there is none."""
    return f"{visit.on.isoformat()} {visit.start:%H:%M}" if visit else ""


def check_stands(visit: Visit, name: str) -> None:
    """Refuse a step that does not start where the visit stands."""
    try:
        check_step(VISIT, name, visit.state)
    except NotAllowed as error:
        raise moved_on() from error


def moved_on() -> Refused:
    """Return the refusal of a step that another one forestalled."""
    return Refused(
        "visit-moved-on",
        _("This visit has been done, cancelled or recorded already; see its history."),
    )


def settle(visits: Sequence[Visit], name: str, **fields: str) -> None:
    """Set the state a step leads to, in one statement; the event is the caller's."""
    target = VISIT[name].target
    ids = [visit.id for visit in visits]
    if target in (VisitState.CANCELLED, VisitState.NOT_DONE):
        _release([visit.application_id for visit in visits])
    if fields:
        rows = Visit.objects.filter(pk__among=ids)
        rows.update(state=target, revision=F("revision") + 1, **fields)
    else:
        _settle(ids=ids, state=target)
    for visit in visits:
        visit.state = target


def _release(cases: Collection[UUID]) -> None:
    """Let plans choose what comes in the place of an appointment that was promised and is off."""
    if cases:
        Pin.objects.filter(application__in=cases).delete()


@KeptUpdate
def _settle(ids: Slot, state: Slot) -> tuple[QuerySet[Visit], dict[str, Any]]:
    return Visit.objects.filter(pk__among=ids), {"state": state, "revision": F("revision") + 1}


def append(
    visits: Sequence[Visit],
    name: str,
    *,
    by: User,
    at: datetime,
    note: str = "",
    place: dict[str, Any] | None = None,
) -> None:
    """Append the step to each visit's history and to the trail."""
    remember(visits, name, by=by, at=at, note=note, place=place)
    record(f"visit.{name}", visits, by=by, at=at)


def remember(
    visits: Sequence[Visit],
    name: str,
    *,
    by: User,
    at: datetime,
    note: str = "",
    place: dict[str, Any] | None = None,
) -> None:
    """Append the step to each visit's history; the trail is the caller's."""
    insert(
        VisitEvent,
        (
            {
                "visit_id": visit.id,
                "target": visit.state,
                "on": visit.on,
                "start": visit.start,
            }
            for visit in visits
        ),
        name=name,
        by_id=by.pk,
        at=at,
        note=note,
        place=place,
    )
