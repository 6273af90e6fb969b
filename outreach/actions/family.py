"""What a family does without an account, through the link that a liaison or the office gave it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.actions import offering
from outreach.actions.audit import record
from outreach.actions.holding import hold_appointments
from outreach.actions.visits import AppointmentChanged, append, check_stands, moment_of, settle
from outreach.domain.workflow import ApplicationState, VisitState
from outreach.files import lines
from outreach.models import Application, FamilyLink, Notification, User, Visit
from outreach.models.family import MAKERS
from outreach.rules import Refused, check_in_scope, not_yours

#: How long a link opens its case.
LIFETIME = timedelta(days=14)
#: Until this hour of the evening before, the family may change or take back a time.
UNTIL = time(20)
#: There is something for a family to do: papers to send, a time to choose or to change.
STATES = (
    ApplicationState.NOMINATED,
    ApplicationState.APPLIED,
    ApplicationState.RETURNED,
    ApplicationState.ACCEPTED,
)


def fingerprint(secret: str) -> str:
    """Return what is kept of a link's secret: 128 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def make_link(
    application: Application, *, seen: str | None = None, by: User, at: datetime
) -> tuple[FamilyLink, str]:
    """Make the case's one link and return it with its secret, which nobody can read again.

    An earlier link ends; whoever does so by a page names the one it showed as `seen`. Raises
    `Refused` where another one stands by now, or there is nothing to do for a family.
    """
    _check_may(application, by)
    if application.state not in STATES:
        raise Refused("nothing-to-do", _("The visit is over; the family has nothing to do here."))
    _revoke(application, seen, by=by, at=at)
    secret = secrets.token_urlsafe(16)
    link = FamilyLink.objects.create(
        application=application,
        secret_sha256=fingerprint(secret),
        made_by=by,
        made_at=at,
        expires_at=_end_of_day(at + LIFETIME),
    )
    record("family_link.make", [link], by=by, at=at)
    return link, secret


def _end_of_day(moment: datetime) -> datetime:
    """Return the end of a day: the family reads the day until which its link works."""
    zone = timezone.get_current_timezone()
    return datetime.combine(timezone.localdate(moment), time.max, zone)


@transaction.atomic
def revoke_link(
    application: Application, *, seen: str | None = None, by: User, at: datetime
) -> None:
    """End the case's link, the one `seen` where it is named; whoever has it sees nothing more."""
    _check_may(application, by)
    _revoke(application, seen, by=by, at=at)


def _revoke(application: Application, seen: str | None, *, by: User, at: datetime) -> None:
    Application.objects.select_for_update().get(pk=application.pk)
    held = list(FamilyLink.objects.filter(application=application, revoked_at=None))
    stands = FamilyLink.objects.standing(at).filter(application=application).first()
    if seen is not None and stands and str(stands.pk) != seen:
        raise Refused(
            "link-meanwhile",
            _("Somebody made another link meanwhile, which stands; see who did and when."),
        )
    _end(held, by=by, at=at)


def _end(held: Sequence[FamilyLink], *, by: User, at: datetime) -> None:
    FamilyLink.objects.filter(pk__in=[link.pk for link in held]).update(
        revoked_at=at, revoked_by=by
    )
    record("family_link.revoke", held, by=by, at=at)
    for link in held:  # beside the database, as stopped tablets are
        said = {"link": str(link.pk), "at": at.isoformat()}
        lines.note(settings.OUTREACH_REVOCATIONS, said, "the end of a family's link")


def end_links_sent_to(wrong: Mapping[UUID, str], *, by: User, at: datetime) -> None:
    """End the links that a message brought to a telephone that is not theirs any more.

    `wrong` is the former number of each resident, by their id: whoever has it may be a stranger.
    """
    standing = FamilyLink.objects.standing(at).filter(application__resident__in=wrong)
    links = {f"link:{link.pk}": link for link in standing.select_related("application")}
    came = Notification.objects.filter(key__in=links, state__in=("sending", "sent", "uncertain"))
    astray = [
        links[message.key]
        for message in came
        if message.telephone == wrong[links[message.key].application.resident_id]
    ]
    if astray:
        _end(astray, by=by, at=at)


def _check_may(application: Application, by: User) -> None:
    if by.role not in MAKERS:
        raise not_yours()
    check_in_scope(by, [application])


def link_of(secret: str, at: datetime) -> FamilyLink | None:
    """Return the link that a secret opens at that moment, with its case."""
    rows = FamilyLink.objects.standing(at).select_related(
        "made_by__division", "application__resident", "application__village__parent"
    )
    return rows.filter(secret_sha256=fingerprint(secret)).first()


@transaction.atomic
def note_opened(link: FamilyLink, at: datetime) -> None:
    """Note the first opening, so that the liaison sees that the link arrived."""
    if FamilyLink.objects.filter(pk=link.pk, opened_at=None).update(opened_at=at):
        record("family_link.open", [link], by=None, at=at)


def may_change(visit: Visit, at: datetime) -> bool:
    """Tell whether the evening before the visit is not over yet."""
    zone = timezone.get_current_timezone()
    end = datetime.combine(visit.on - timedelta(days=1), UNTIL, zone)
    return visit.state == VisitState.SCHEDULED and at < end


def appointment_of(link: FamilyLink) -> Visit | None:
    """Return the visit to come."""
    return link.application.visits.open().select_related("assessor").first()


def _still_open(at: datetime) -> datetime:
    """Return the midnight of the first day of which a family may still choose a time, or change it.

    Nobody at the office looks at what comes after the evening before, and the tablet of the team
    may hear of it too late.
    """
    here = timezone.localtime(at)
    days = 1 if here.time() < UNTIL else 2
    return datetime.combine(here.date() + timedelta(days=days), time(), here.tzinfo)


def times_for(link: FamilyLink, at: datetime) -> list[offering.Offered]:
    """Return the times that the family may choose now: none after the evening before."""
    held = appointment_of(link)
    if held is not None and not may_change(held, at):
        return []
    found = offering.offered(link.application, _still_open(at), 3 * offering.COUNT, instead_of=held)
    # Which team would come is nothing to choose by: a time is shown once, with the nearest team.
    first = {(one.on, one.start): one for one in reversed(found)}
    return [one for one in found if first[one.on, one.start] is one][: offering.COUNT]


def choose_time(link: FamilyLink, key: str, *, seen: str, at: datetime) -> Visit:
    """Book, or change to, one of the offered times, under the rules of every appointment.

    `seen` is the appointment that stood on the family's page (`moment_of`). Who presses once more,
    as the answer was lost, has the time already.
    """
    with transaction.atomic():
        held = _hold(link)
        if held and key.endswith(f"/{held.on.isoformat()}/{held.start:%H:%M}"):
            return held
        _check_seen(held, seen)
        _check_in_time(held, at)
        by = link.made_by
        visit = offering.take(
            link.application, key, by=by, at=at, instead_of=held, offered_as_of=_still_open(at)
        )
        record("family_link.choose", [link], by=by, at=at, detail={"visit": str(visit.pk)})
    return visit


def take_back_time(link: FamilyLink, *, seen: str, at: datetime) -> None:
    """Take back an appointment until the evening before; the case waits for another time.

    One that does not stand any more is given back: the answer to the first press was lost.
    """
    with transaction.atomic():
        held = _hold(link)
        if seen and held is None:
            return
        _check_seen(held, seen)
        if held is None:
            raise Refused("no-appointment", _("There is no appointment to take back."))
        _check_in_time(held, at)
        check_stands(held, "cancel")
        settle([held], "cancel")
        note = str(_("taken back by the family"))
        append([held], "cancel", by=link.made_by, at=at, note=note)
        record("family_link.take_back", [link], by=link.made_by, at=at)


def _hold(link: FamilyLink) -> Visit | None:
    """Let nobody else change the appointment, and return it."""
    _check_goes_on(link)
    hold_appointments([link.application_id])
    return appointment_of(link)


def _check_seen(held: Visit | None, seen: str) -> None:
    """Refuse where the family saw another appointment."""
    if moment_of(held) != seen:
        raise AppointmentChanged


def _check_goes_on(link: FamilyLink) -> None:
    if link.application.state not in STATES:
        raise Refused(
            "nothing-to-do", _("Your application has gone on meanwhile, so nothing was changed.")
        )


def _check_in_time(visit: Visit | None, at: datetime) -> None:
    if visit is not None and not may_change(visit, at):
        raise Refused(
            "too-late",
            _("The appointment can be changed until 20:00 of the evening before; call the office."),
        )


def say_times(link: FamilyLink, spans: Sequence[dict[str, Any]], *, at: datetime) -> None:
    """Keep when the family is at home, for whoever makes the appointment."""
    case = link.application
    _check_goes_on(link)
    if appointment_of(link):
        raise Refused("nothing-to-do", _("There is an appointment already; change that one."))
    with transaction.atomic():
        Application.objects.filter(pk=case.pk).update(
            possible_times=list(spans), revision=F("revision") + 1
        )
        record("family_link.times", [link], by=link.made_by, at=at)
    case.possible_times = list(spans)
