"""Due messages go out under a lease, are tried again with back-off, and are never sent twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from string import ascii_lowercase
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from outreach.actions.audit import record
from outreach.actions.notifying.outbox import address, came_there, is_mobile, waking
from outreach.actions.notifying.senders import NotSent, PerhapsSent, Sender
from outreach.domain.workflow import ApplicationState
from outreach.models import FamilyLink, Notification, User, Visit
from outreach.models.moments import has_passed

LEASE = timedelta(minutes=5)
#: Minutes until the next attempt; after the last the message has failed.
BACK_OFF = (1, 5, 30, 120, 480)
LONGEST_WAIT = timedelta(minutes=BACK_OFF[-1])
OF_VISITS = ("appointment", "moved", "tomorrow", "today")
#: What went wrong, for a person to decide about.
AGAIN = ("failed", "uncertain", "unreachable")
#: What is true only until the case's next step.
OF_STEPS = ("papers", "ready")


@dataclass
class Delivered:
    """What a round of the outbox came to."""

    sent: int = 0
    later: int = 0
    failed: int = 0
    uncertain: int = 0
    overtaken: int = 0
    unreachable: int = 0


def deliver(
    sender: Sender, *, at: datetime, tell: Callable[[int, int], None] = lambda _done, _all: None
) -> Delivered:
    """Send what is due at `at`, each message claimed by a lease of its own first; none at night.

    A message whose sender died in the middle is sent again only if the sender takes the same
    key once; else it is marked uncertain. Several processes may deliver at once.
    """
    came, real = Delivered(), timezone.now()
    _reap(sender, real, came)
    ready = has_passed("next_at", real, LONGEST_WAIT)
    ids = list(
        Notification.objects.filter(ready, state="waiting", due_at__lte=at)
        .order_by("due_at", "pk")
        .values_list("pk", flat=True)
    )
    for number, pk in enumerate(ids, 1):
        now = at + (timezone.now() - real)  # a slow gateway makes a round long
        if waking(now) != now:
            break
        if message := _claim(pk):
            _send(message, sender, now, came)
        tell(number, len(ids))
    return came


def _reap(sender: Sender, real: datetime, came: Delivered) -> None:
    """Take back what a dead process had claimed."""
    stuck = Notification.objects.filter(has_passed("leased_until", real, LEASE), state="sending")
    if sender.is_idempotent:
        stuck.update(state="waiting", leased_until=None)
    else:
        came.uncertain += stuck.update(state="uncertain", last_error="interrupted")


def doubt_what_was_due(sender: Sender, at: datetime) -> int:
    """Leave to a person what was due in a register that stands again from a backup.

    It may have gone out since; where the sender takes the same key once, it may go out again.
    Return how many.
    """
    if sender.is_idempotent:
        return 0
    due = Notification.objects.filter(state__in=("waiting", "sending"), due_at__lte=at)
    return due.update(state="uncertain", leased_until=None, last_error="restored")


def _claim(pk: UUID) -> Notification | None:
    """Return the message if this process is the one that may send it."""
    taken = Notification.objects.filter(pk=pk, state="waiting").update(
        state="sending", leased_until=timezone.now() + LEASE, attempts=F("attempts") + 1
    )
    rows = Notification.objects.select_related("application__resident")
    return rows.get(pk=pk) if taken else None


def _send(message: Notification, sender: Sender, at: datetime, came: Delivered) -> None:
    if _is_overtaken(message, at):
        _settle(message, "overtaken", at)
        came.overtaken += 1
        return
    if not _is_reached(message):
        _settle(message, "unreachable", at)
        came.unreachable += 1
        return
    try:
        sender.send(key=message.key, telephone=message.telephone, text=message.text)
    except NotSent as error:
        _again(message, str(error), at, came, is_final=error.is_final)
    except PerhapsSent as error:
        if sender.is_idempotent:
            _again(message, str(error), at, came)
        else:
            _settle(message, "uncertain", at, why=str(error))
            came.uncertain += 1
    else:
        _settle(message, "sent", at)
        came.sent += 1


def _is_reached(message: Notification) -> bool:
    """Address a message by what is on file now: it may have been written weeks ago."""
    written_to = message.telephone
    address([message])
    if message.telephone != written_to:
        message.save(update_fields=["telephone"])
    return is_mobile(message.telephone)


def _is_overtaken(message: Notification, at: datetime) -> bool:
    """Tell whether a visit or a case is not as the message says, or a reminder comes too late.

    A link that ended meanwhile is not sent either, nor anything of a case that was erased.
    """
    case = message.application
    if case.erased_at:
        return True
    if message.kind == "link":
        return not FamilyLink.objects.standing(at).filter(pk=message.key.split(":")[1]).exists()
    if message.kind in OF_STEPS:
        newest = case.events.last()
        return newest is None or message.key != f"step:{newest.pk}"
    if message.kind in ("cancelled", "needless"):
        has_moved_on = message.kind == "cancelled" and case.state != ApplicationState.ACCEPTED
        return has_moved_on or case.visits.open().exists()
    return message.kind in OF_VISITS and (
        case.state != ApplicationState.ACCEPTED or _is_visited_otherwise(message, at)
    )


def _is_visited_otherwise(message: Notification, at: datetime) -> bool:
    """Tell whether a visit is not to come as the message says."""
    _, pk, day, start, what = message.key.split(":")
    visit = Visit.objects.open().filter(pk=pk).first()
    if visit is None or (f"{visit.on:%Y%m%d}", f"{visit.start:%H%M}") != (day, start):
        return True
    if what.lstrip(ascii_lowercase) != came_there([visit])[visit.pk].mark:
        return True
    if message.kind == "tomorrow" and visit.on <= timezone.localdate(at):
        return True
    return datetime.combine(visit.on, visit.start, timezone.get_current_timezone()) <= at


def _again(
    message: Notification, why: str, at: datetime, came: Delivered, *, is_final: bool = False
) -> None:
    if is_final or message.attempts > len(BACK_OFF):
        _settle(message, "failed", at, why=why)
        came.failed += 1
        return
    wait = timedelta(minutes=BACK_OFF[message.attempts - 1])
    Notification.objects.filter(pk=message.pk).update(
        state="waiting", leased_until=None, next_at=timezone.now() + wait, last_error=why[:200]
    )
    came.later += 1


@transaction.atomic
def _settle(message: Notification, state: str, at: datetime, *, why: str = "") -> None:
    Notification.objects.filter(pk=message.pk, state="sending").update(
        state=state,
        leased_until=None,
        last_error=why[:200],
        sent_at=at if state == "sent" else None,
    )
    if message.kind == "link" and state in ("sent", "overtaken"):
        message.text = message.without_secret
        message.save(update_fields=["text"])
    record(f"notification.{state}", [message], by=None, at=at)


@transaction.atomic
def send_again(message: Notification, *, by: User, at: datetime) -> None:
    """Put a message that went wrong back into the outbox: a person decided so."""
    again = Notification.objects.filter(pk=message.pk, state__in=AGAIN)
    if again.update(state="waiting", attempts=0, next_at=None, last_error=""):
        record("notification.again", [message], by=by, at=at)
