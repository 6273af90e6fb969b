"""What families should be told follows from the register; each message enters the outbox once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext, override

from outreach.domain.vocabulary import Paper
from outreach.domain.workflow import OPEN_VISITS, ApplicationState, VisitState
from outreach.models import (
    Application,
    ApplicationEvent,
    Evaluation,
    FamilyLink,
    Guardian,
    Notification,
    Visit,
    VisitEvent,
)
from outreach.rules import needs_guardian

#: How far back the register is read: what is older is no news any more.
NEWS = timedelta(days=7)
EVENING_BEFORE = time(17)
MORNING = time(7, 30)
#: Nobody is woken.
QUIET_UNTIL, QUIET_FROM = time(7, 30), time(21)
TOLD = {
    ApplicationState.RETURNED: "papers",
    ApplicationState.NOT_MET: "result",
    ApplicationState.EVALUATED: "result",
    ApplicationState.ISSUED: "ready",
}


def fill_outbox(at: datetime) -> int:
    """Enter everything that families should be told and were not; return how many are new.

    A message's key names the fact it tells (this visit at that time, that step of the case), so
    that reading the register again enters nothing twice.
    """
    wanted = [*_about_visits(at), *_about_cancelled(at), *_about_steps(at)]
    known = set(
        Notification.objects.filter(key__in=[one.key for one in wanted]).values_list(
            "key", flat=True
        )
    )
    fresh = [one for one in wanted if one.key not in known]
    with transaction.atomic():
        _address_anew(at)
        _address(fresh)
        Notification.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def _address_anew(at: datetime) -> None:
    """Let messages to come go out after all where the family has a mobile number by now."""
    unreached = Notification.objects.filter(
        state="unreachable", due_at__gt=at, application__erased_at=None
    )
    messages = list(unreached.select_related("application__resident"))
    address(messages)
    reached = [message.pk for message in messages if is_mobile(message.telephone)]
    Notification.objects.filter(pk__among=reached, state="unreachable").update(state="waiting")


def tell_link(link: FamilyLink, address: str, at: datetime) -> Notification:
    """Enter the message that brings a family its link; return it with whom it reaches.

    Only now is the secret known: the message keeps it, sealed, until it was sent.
    """
    with override("zh-hans"):
        until = timezone.localdate(link.expires_at)
        said = gettext(
            "Case %(number)s: send photos of your papers and choose a time for the visit here, "
            "until %(until)s; do not pass the address on: %(address)s"
        )
        end = gettext("Questions: %(telephone)s. %(issuer)s")
        text = f"{said} {end}" % {
            "number": link.application.number,
            "until": f"{until.month}月{until.day}日",
            "address": address,
            "telephone": settings.OUTREACH_ISSUER_TELEPHONE,
            "issuer": settings.OUTREACH_ISSUER,
        }
    message = Notification(
        key=f"link:{link.pk}",
        kind="link",
        application=link.application,
        text=text,
        due_at=waking(at),
        created_at=at,
    )
    _address([message])
    message.save()
    return message


def _named(visit: Visit) -> str:
    """Name a visit at its time, as the keys of messages about it begin."""
    return f"visit:{visit.pk}:{visit.on:%Y%m%d}:{visit.start:%H%M}"


@dataclass(frozen=True)
class Came:
    """The event by which a visit came to the time where it is, and for which time it came there."""

    event: VisitEvent
    turn: int

    @property
    def mark(self) -> str:
        """What ends the keys of messages: a visit that comes back to a time is told anew."""
        return "" if self.turn == 1 else str(self.turn)


def came_there(visits: Iterable[Visit]) -> dict[UUID, Came]:
    """Return how each visit came to its time; a change of anything else is no move."""
    events = VisitEvent.objects.filter(visit__in=visits, name__in=("schedule", "move"))
    found: dict[UUID, Came] = {}
    turns: Counter[tuple[UUID, date, time]] = Counter()
    for event in events.order_by("pk"):
        before = found.get(event.visit_id)
        when = event.visit_id, event.on, event.start
        if before is None or (before.event.on, before.event.start) != when[1:]:
            turns[when] += 1
            found[event.visit_id] = Came(event, turns[when])
    return found


def _about_visits(at: datetime) -> Iterator[Notification]:
    rows = Visit.objects.filter(
        state__in=OPEN_VISITS,
        on__gte=timezone.localdate(at),
        application__state=ApplicationState.ACCEPTED,
        application__erased_at=None,
    ).select_related("application__resident", "application__village")
    visits = list(rows)
    came = came_there(visits)
    for visit in (one for one in visits if one.pk in came):
        event, mark = came[visit.pk].event, came[visit.pk].mark
        start = _moment(visit.on, visit.start)
        about = _named(visit)
        if event.at >= at - NEWS:
            kind = "moved" if event.name == "move" else "appointment"
            key = f"{about}:made{mark}"
            yield _message(key, kind, visit.application, event.at, at, visit=visit)
        # Who hears of the visit so late needs no reminder of it as well.
        before = _moment(visit.on - timedelta(days=1), EVENING_BEFORE)
        if event.at < before and at < start:
            key = f"{about}:before{mark}"
            yield _message(key, "tomorrow", visit.application, before, at, visit=visit)
        morning = min(_moment(visit.on, MORNING), start - timedelta(hours=1))
        if event.at < morning and at < start:
            key = f"{about}:morning{mark}"
            yield _message(key, "today", visit.application, morning, at, visit=visit)


def _about_cancelled(at: datetime) -> Iterator[Notification]:
    """Tell of visits that will not be, unless another one was agreed by now.

    Where none is to be whoever took that step has spoken with the family; but for an earlier visit
    that turned out to have been made.
    """
    cancelled = Visit.objects.filter(
        state=VisitState.CANCELLED,
        on__gte=timezone.localdate(at),
        application__erased_at=None,
    )
    again = Visit.objects.filter(state__in=OPEN_VISITS, application=OuterRef("application"))
    rows = cancelled.exclude(Exists(again)).select_related(
        "application__resident", "application__village"
    )
    visits = list(rows)
    events = VisitEvent.objects.filter(visit__in=visits, name="cancel", at__gte=at - NEWS)
    ended = {event.visit_id: event.at for event in events}
    heard = Evaluation.objects.filter(application__visits__in=ended)
    made = set(heard.values_list("application", "received_at"))
    for visit in visits:
        if visit.pk in ended and at < _moment(visit.on, visit.start):
            key, case = f"{_named(visit)}:ended", visit.application
            if case.state == ApplicationState.ACCEPTED:
                yield _message(key, "cancelled", case, ended[visit.pk], at, visit=visit)
            elif (case.pk, ended[visit.pk]) in made:
                yield _message(key, "needless", case, ended[visit.pk], at, visit=visit)


def _about_steps(at: datetime) -> Iterator[Notification]:
    rows = ApplicationEvent.objects.filter(
        at__gte=at - NEWS, target__in=TOLD, application__erased_at=None
    ).select_related("application__resident", "application__village")
    for event in rows.order_by("pk"):
        if event.name == "withdraw_appeal":
            continue  # the result is no news
        kind = TOLD[ApplicationState(event.target)]
        yield _message(f"step:{event.pk}", kind, event.application, event.at, at)


def _moment(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, timezone.get_current_timezone())


def waking(moment: datetime) -> datetime:
    """Return the moment itself, or the next one at which people are awake."""
    here = timezone.localtime(moment)
    if here.time() < QUIET_UNTIL:
        return _moment(here.date(), QUIET_UNTIL)
    if here.time() >= QUIET_FROM:
        return _moment(here.date() + timedelta(days=1), QUIET_UNTIL)
    return moment


def _message(
    key: str,
    kind: str,
    application: Application,
    due_at: datetime,
    at: datetime,
    *,
    visit: Visit | None = None,
) -> Notification:
    return Notification(
        key=key,
        kind=kind,
        application=application,
        text=text_of(kind, application, visit),
        due_at=waking(due_at),
        created_at=at,
    )


def text_of(kind: str, application: Application, visit: Visit | None = None) -> str:
    """Write the message in Chinese: number, day, place; never an illness, category or grade."""
    with override("zh-hans"):
        values = {
            "issuer": settings.OUTREACH_ISSUER,
            "telephone": settings.OUTREACH_ISSUER_TELEPHONE,
            "number": application.number,
            "day": f"{visit.on.month}月{visit.on.day}日" if visit else "",
            "time": f"{visit.start:%H:%M}" if visit else "",
            "papers": "、".join(_paper(code) for code in application.papers_missing),
        }
        said = {
            "appointment": gettext(
                "Case %(number)s: we come to your home on %(day)s at %(time)s. Please be at home."
            ),
            "moved": gettext(
                "Case %(number)s: the visit was moved; we come on %(day)s at %(time)s."
            ),
            "cancelled": gettext(
                "Case %(number)s: we cannot come on %(day)s at %(time)s. We agree another time "
                "with you; nobody has to travel."
            ),
            "needless": gettext(
                "Case %(number)s: nobody comes on %(day)s at %(time)s any more; the visit that was "
                "made before counts."
            ),
            "tomorrow": gettext(
                "Case %(number)s: tomorrow, %(day)s, at %(time)s we come to your home. Please have "
                "ID card and household book ready."
            ),
            "today": gettext("Case %(number)s: today at %(time)s we come to your home."),
            "papers": _papers_sentence(application),
            "result": gettext(
                "Case %(number)s: the result of the visit is there. Your village liaison tells you "
                "what follows."
            ),
            "ready": gettext(
                "Case %(number)s: the certificate is made and is brought to your home, free of "
                "charge."
            ),
        }[kind]
        end = gettext("Questions: %(telephone)s. %(issuer)s")
        return f"{said} {end}" % values


def _papers_sentence(application: Application) -> str:
    """Name the papers; what else is the matter is for the liaison to tell, not for a message."""
    if not application.papers_missing:
        return gettext(
            "Case %(number)s: something in the application is not clear yet. Your village liaison "
            "knows what and helps; nobody has to travel."
        )
    return gettext(
        "Case %(number)s: these papers are still missing: %(papers)s. Your village liaison "
        "helps; nobody has to travel."
    )


def _paper(code: str) -> str:
    return {
        Paper.ID_CARD: gettext("ID card"),
        Paper.HOUSEHOLD_BOOK: gettext("Household book"),
        Paper.PHOTOS: gettext("Three two-inch photos on white"),
        Paper.GUARDIAN_PROOF: gettext("Proof of the guardian"),
    }.get(Paper(code), code)


def _address(messages: Sequence[Notification]) -> None:
    """Address messages, and note whom nobody can reach."""
    address(messages)
    for message in messages:
        message.state = "waiting" if is_mobile(message.telephone) else "unreachable"


def address(messages: Sequence[Notification]) -> None:
    """Put down the telephones that are on file now.

    The guardian's for minors and wards, the person's for others; where that takes no messages, the
    other one.
    """
    guardians = Guardian.objects.newest_of(message.application.resident_id for message in messages)
    for message in messages:
        case = message.application
        guardian = guardians.get(case.resident_id)
        age = case.resident.age(timezone.localdate(message.created_at))
        known = [case.resident.telephone, guardian.telephone if guardian else ""]
        if needs_guardian(case.categories, age):
            known.reverse()
        in_turn = [one for one in known if one]
        message.telephone = next(filter(is_mobile, in_turn), in_turn[0] if in_turn else "")


def is_mobile(telephone: str) -> bool:
    """Tell whether a number takes short messages (mainland mobile)."""
    return len(telephone) == 11 and telephone.startswith("1") and telephone.isdigit()
