"""Many appointments at once, checked as a whole: what a published plan does to the register.

One by one they could not be moved: the first would stand where the second still is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import pairwise
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from outreach.actions.audit import record
from outreach.actions.holding import hold_appointments, hold_diaries
from outreach.actions.visits import Appointment, append, is_possible
from outreach.domain.daytime import minutes_of
from outreach.domain.planning.offering import BAND
from outreach.domain.workflow import VISIT, ApplicationState
from outreach.models import Application, Assessor, DeclaredRelative, User, Visit, working_calendar
from outreach.rules import Refused, check_alive, check_in_scope, check_role

#: Rows that one statement of a batch names: SQLite's smallest limit on parameters is 999.
AT_ONCE = 400


@dataclass(frozen=True)
class Booking:
    """An appointment with who leads the visit and who comes along and may sign beside."""

    appointment: Appointment
    lead: User
    crew: Sequence[User] = ()

    @property
    def application(self) -> Application:
        """Whose home it is."""
        return self.appointment.application


@dataclass(frozen=True)
class Before:
    """Where a visit stood before it was moved."""

    visit: Visit
    on: date
    start: time


@dataclass(frozen=True)
class Arranged:
    """What came of the bookings: new visits, moved ones with where they were, the same ones."""

    scheduled: list[Visit] = field(default_factory=list)
    moved: list[Before] = field(default_factory=list)
    same: list[Visit] = field(default_factory=list)


def arrange(bookings: Sequence[Booking], *, by: User, at: datetime, reason: str = "") -> Arranged:
    """Schedule or move the visits of all bookings, or none.

    Raises `Refused`, naming the case, where one is not accepted, nobody of its crew is qualified,
    its lead nominated or is related to the person, the day is past or no working day, the family
    is not at home then, or two visits of one assessor overlap.
    """
    check_role(by, VISIT["schedule"])
    check_in_scope(by, [booking.application for booking in bookings])
    with transaction.atomic():
        hold_appointments([booking.application.pk for booking in bookings])
        hold_diaries(booking.lead for booking in bookings)
        _check_accepted(bookings)
        check_alive(booking.application for booking in bookings)
        _check_crews(bookings)
        standing = _standing(bookings)
        _check_days(bookings, standing, at)
        _check_apart(bookings, standing)
        return _write(bookings, standing, by=by, at=at, reason=reason)


def _refuse(booking: Booking, code: str, why: str) -> Refused:
    number = booking.application.number
    return Refused(code, _("Case %(number)s: %(why)s") % {"number": number, "why": why})


def _in_parts(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE))


def _check_accepted(bookings: Sequence[Booking]) -> None:
    rows = Application.objects.filter(pk__among=[booking.application.pk for booking in bookings])
    states = dict(rows.values_list("pk", "state"))
    for booking in bookings:
        if states.get(booking.application.pk) != ApplicationState.ACCEPTED:
            raise _refuse(booking, "not-accepted", _("it has moved on meanwhile."))


def _check_crews(bookings: Sequence[Booking]) -> None:
    people = {user.pk for booking in bookings for user in (booking.lead, *booking.crew)}
    rows = Assessor.objects.serving().filter(user__in=people)
    qualified = {row.user_id: set(row.categories) for row in rows}
    related = set(DeclaredRelative.objects.filter(user__in=people).values_list("user", "resident"))
    for booking in bookings:
        application, lead = booking.application, booking.lead
        if lead.pk == application.nominated_by_id:
            why = _("whoever nominated the person cannot rate them.")
            raise _refuse(booking, "nominator-rates", why)
        if (lead.pk, application.resident_id) in related:
            raise _refuse(booking, "relative-rates", _("a declared relative cannot rate."))
        able = set[str]()
        for user in (lead, *booking.crew):
            is_kin = (user.pk, application.resident_id) in related
            if not is_kin and user.pk != application.nominated_by_id:
                able |= qualified.get(user.pk, set())
        if not set(application.categories) <= able:
            why = _("nobody of the team is qualified for it.")
            raise _refuse(booking, "not-qualified", why)


def _check_days(bookings: Sequence[Booking], standing: Mapping[UUID, Visit], at: datetime) -> None:
    calendar = working_calendar(timezone.localdate(at))
    for booking in bookings:
        appointment = booking.appointment
        if appointment.on < timezone.localdate(at):
            raise _refuse(booking, "day-past", _("the day is past."))
        if not calendar.is_working_day(appointment.on):
            raise _refuse(booking, "no-working-day", _("the day is no working day."))
        held = standing.get(booking.application.pk)
        if not (is_possible(appointment) or (held and _is_near(held, appointment))):
            raise _refuse(booking, "family-away", _("the family is not at home at that time."))


def _is_near(held: Visit, to: Appointment) -> bool:
    """Tell whether it is within the hour of what was agreed, maybe beside the hours once named."""
    return held.on == to.on and abs(minutes_of(held.start) - minutes_of(to.start)) <= BAND


def _standing(bookings: Sequence[Booking]) -> dict[UUID, Visit]:
    ids = [booking.application.pk for booking in bookings]
    rows = Visit.objects.open().filter(application__among=ids)
    return {row.application_id: row for row in rows}


def _check_apart(bookings: Sequence[Booking], standing: dict[UUID, Visit]) -> None:
    moving = {visit.pk for visit in standing.values()}
    days = {booking.appointment.on for booking in bookings}
    leads = {booking.lead.pk for booking in bookings}
    others = Visit.objects.open().filter(on__in=days, assessor__in=leads)
    spans: dict[tuple[UUID, date], list[tuple[int, int, Booking | None]]] = defaultdict(list)
    for visit in others.only("pk", "assessor", "on", "start", "minutes"):
        if visit.pk not in moving:
            start = minutes_of(visit.start)
            spans[visit.assessor_id, visit.on].append((start, start + visit.minutes, None))
    for booking in bookings:
        to = booking.appointment
        start = minutes_of(to.start)
        spans[booking.lead.pk, to.on].append((start, start + to.minutes, booking))
    for day in spans.values():
        day.sort(key=lambda span: span[:2])
        for (_s, end, first), (start, _e, second) in pairwise(day):
            culprit = second or first
            if start < end and culprit:
                why = _("the assessor has another visit at that time.")
                raise _refuse(culprit, "double-booking", why)


def _write(
    bookings: Sequence[Booking],
    standing: dict[UUID, Visit],
    *,
    by: User,
    at: datetime,
    reason: str,
) -> Arranged:
    done = Arranged()
    for booking in bookings:
        to, held = booking.appointment, standing.get(booking.application.pk)
        if held is None:
            done.scheduled.append(_new(booking))
        elif (held.on, held.start, held.minutes, held.assessor_id) == (
            to.on,
            to.start,
            to.minutes,
            booking.lead.pk,
        ):
            done.same.append(held)
        else:
            done.moved.append(Before(held, held.on, held.start))
            held.on, held.start, held.minutes = to.on, to.start, to.minutes
            held.assessor, held.revision = booking.lead, held.revision + 1
    moved = [before.visit for before in done.moved]
    Visit.objects.bulk_create(done.scheduled, batch_size=100)
    changed = ["on", "start", "minutes", "assessor", "revision"]
    Visit.objects.bulk_update(moved, changed, batch_size=50)
    _assign(bookings, by=by, at=at)
    append(done.scheduled, "schedule", by=by, at=at, note=reason)
    append(moved, "move", by=by, at=at, note=reason)
    return done


def _new(booking: Booking) -> Visit:
    to = booking.appointment
    return Visit(
        id=to.id,
        application=booking.application,
        state=VISIT["schedule"].target,
        on=to.on,
        start=to.start,
        minutes=to.minutes,
        assessor=booking.lead,
    )


def _assign(bookings: Sequence[Booking], *, by: User, at: datetime) -> None:
    """Give each case to who leads its visit: their tablet has it from the next sync on."""
    groups: dict[UUID, list[Application]] = defaultdict(list)
    for booking in bookings:
        if booking.application.assessor_id != booking.lead.pk:
            groups[booking.lead.pk].append(booking.application)
            booking.application.assessor = booking.lead
    for lead, cases in groups.items():
        for part in _in_parts([case.pk for case in cases]):
            rows = Application.objects.filter(pk__in=part)
            rows.update(assessor=lead, revision=F("revision") + 1)
        record("application.assign", cases, by=by, at=at, detail={"to": str(lead)})
