"""Papers that an approver signed for are made in the background, by any number of workers.

A batch is its rows: each paper is leased to one worker for a while. A worker that is killed
loses its leases with time and others take them up; what it had entered already is recognised.
Leases only spare double work. That no case gets two certificates, and no number stands on two,
is kept by the locks under which papers are entered, and by the database's constraints.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from certificates.actions import make
from certificates.keys import KeyUnusable
from certificates.models import Batch, BatchItem, Certificate, ItemState, PaperRequest
from certificates.papers import Commission, commissions
from certificates.steps import CERTIFICATE, OF_A_CASE, Kind
from outreach.actions import publicity
from outreach.actions.audit import record
from outreach.domain.workflow import ApplicationState
from outreach.files import is_full, place_of_settings
from outreach.models import Application, User
from outreach.models.moments import has_passed
from outreach.rules import (
    Refused,
    check_in_scope,
    check_may_approve,
    check_no_relative,
    check_role,
    worded,
)

CLAIM = 25
"""Papers that a worker leases at once: a second's work."""
ATTEMPTS = 3
"""Times a paper is tried when something unforeseen happens, before a person must look."""
DEADLY = 10
"""Times a worker is killed while it makes a paper, before a person must look: mostly by others."""
PAUSE = timedelta(seconds=5)
"""How long a paper rests after something unforeseen."""

_SHOWN = ("batch__by", "application", "replaces__application")

log = logging.getLogger(__name__)
#: Set when there is work, for a worker of this very process.
work_waits = Event()


@dataclass(frozen=True)
class Progress:
    """How far a batch is."""

    total: int
    done: int
    refused: int

    @property
    def waiting(self) -> int:
        """How many papers are still to be made."""
        return self.total - self.done - self.refused


def sign(
    cases: Sequence[Application] = (),
    requests: Sequence[PaperRequest] = (),
    *,
    by: User,
    at: datetime,
) -> Batch:
    """Approve what is reviewed, and have its papers made: few at once, many in the background.

    Cases approved before, and not in a batch that is still at work, are taken up again.
    """
    here = uuid4() if len(cases) + len(requests) <= CLAIM else None
    batch = start(cases, requests, by=by, at=at, leased_by=here)
    if here is not None:
        items = batch.items.filter(leased_by=here, state=ItemState.WAITING).order_by("pk")
        _work_on(list(items.select_related(*_SHOWN)))
    return batch


def start(
    cases: Sequence[Application] = (),
    requests: Sequence[PaperRequest] = (),
    *,
    by: User,
    at: datetime,
    leased_by: UUID | None = None,
) -> Batch:
    """Approve what is reviewed and enter a batch of the papers to make, for workers to find."""
    check_role(by, CERTIFICATE["issue"])
    check_in_scope(by, [*cases, *(one.certificate.application for one in requests)])
    reviewed = [case for case in cases if case.state != ApplicationState.APPROVED]
    # Whoever approved the others, this one signs.
    check_may_approve(by, [case for case in cases if case not in reviewed])
    check_no_relative(by, [one.certificate.resident_id for one in requests])
    with transaction.atomic():
        publicity.approve(reviewed, by=by, at=at)
        batch = Batch.objects.create(by=by, at=at)
        items = [*_of_cases(batch, cases), *_of_requests(batch, requests)]
        for item in items if leased_by else ():
            item.leased_by, item.leased_until = leased_by, _lease(timezone.now())
            item.attempts = 1
        # What waits in another batch already stays there, also one begun in this very moment.
        BatchItem.objects.bulk_create(items, ignore_conflicts=True)
        record("batch.start", [batch], by=by, at=at, detail={"papers": len(items)})
        transaction.on_commit(work_waits.set)
    return batch


def _of_cases(batch: Batch, cases: Sequence[Application]) -> Iterator[BatchItem]:
    return (BatchItem(batch=batch, application=case) for case in cases)


def _of_requests(batch: Batch, requests: Sequence[PaperRequest]) -> Iterator[BatchItem]:
    for one in requests:
        old = one.certificate
        yield BatchItem(batch=batch, application=old.application, replaces=old, kind=one.kind)


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.OUTREACH_LEASE_S)


def progress(batch: Batch) -> Progress:
    """Count the papers of a batch: one query."""
    counts = batch.items.aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(state=ItemState.DONE)),
        refused=Count("pk", filter=Q(state=ItemState.REFUSED)),
    )
    return Progress(**counts)


def rests(batch: Batch) -> bool:
    """Tell whether its papers wait for what is away: the key, the files, or room for them."""
    left = batch.items.filter(state=ItemState.WAITING, attempts=0)
    return left.exclude(leased_until=None).exists()


def waiting() -> int:
    """Count the papers still to be made in all batches."""
    return BatchItem.objects.filter(state=ItemState.WAITING).count()


def work(worker: UUID, batch: Batch | None = None) -> int:
    """Lease some papers, make them, and return how many; 0 when there is nothing to lease."""
    items = _claim(worker, batch)
    if items and items[0].attempts > DEADLY:
        _give_up(items[0], DEADLY)
    elif items:
        _work_on(items)
    return len(items)


def _claim(worker: UUID, batch: Batch | None) -> list[BatchItem]:
    """Lease the oldest free papers, all of one batch. Leases run on the real clock.

    One that was tried twice is leased alone: it may have killed its workers, and the others' too.
    """
    now = timezone.now()
    free = has_passed("leased_until", now, _lease(now) - now)
    rows = BatchItem.objects.filter(free, state=ItemState.WAITING).order_by("pk")
    if batch is not None:
        rows = rows.filter(batch=batch)
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        found = list(rows[:CLAIM].values_list("pk", "batch", "attempts"))
        ids = [pk for pk, of, tried in found if of == found[0][1] and tried < ATTEMPTS - 1]
        if found and found[0][2] >= ATTEMPTS - 1:
            ids = [found[0][0]]
        BatchItem.objects.filter(pk__in=ids).update(
            leased_by=worker,
            leased_until=_lease(now),
            attempts=F("attempts") + 1,
        )
    return list(BatchItem.objects.filter(pk__in=ids).order_by("pk").select_related(*_SHOWN))


def _work_on(items: Sequence[BatchItem]) -> None:
    """Make the papers together; where one stands in the way, each by itself."""
    try:
        _make(items)
    except Refused as refusal:
        if len(items) == 1:
            _refuse(items[0], refusal.code, refusal.message)
            return
        for item in items:
            _work_on([item])
    except KeyUnusable:  # a token that was unplugged
        log.exception("Papers wait until the key signs.")
        _wait(items)
    except Exception as error:  # whatever happens to one paper, the others go on
        # Where there was no room, what is left may still take the few bytes of a probe.
        if is_full(error) or _files_are_away():
            log.exception("Papers wait until files can be kept.")
            _wait(items)
        elif len(items) > 1:
            for item in items:
                _work_on([item])
        else:
            log.exception("A paper could not be made; it is tried again.")
            _rest(items[0])


def _files_are_away() -> bool:
    try:
        place_of_settings().probe()
    except OSError:
        return True
    return False


def _make(items: Sequence[BatchItem]) -> None:
    batch = items[0].batch
    wanted = _wanted(items)
    if wanted:
        list(make(wanted, by=batch.by, at=batch.at))
    made = _made(items)
    for item in items:
        if item.pk in made:
            item.certificate, item.state, item.leased_until = made[item.pk], ItemState.DONE, None
        else:
            _refuse(item, "wrong-state", _("The case has moved on meanwhile."))
    done = [item for item in items if item.pk in made]
    BatchItem.objects.bulk_update(done, ["certificate", "state", "leased_until"])


def _wanted(items: Sequence[BatchItem]) -> list[Commission]:
    """Say what is still to be made: a killed worker may have entered some of it already."""
    made = _made(items)
    left = [item for item in items if item.pk not in made]
    cases = [i.application for i in left if i.replaces is None]
    approved = [case for case in cases if case.state == ApplicationState.APPROVED]
    return [
        *commissions(approved),
        *(Commission(i.application, Kind(i.kind), i.replaces) for i in left if i.replaces),
    ]


def _made(items: Sequence[BatchItem]) -> dict[UUID, Certificate]:
    """Map papers to the certificates that they have become."""
    cases = [item.application_id for item in items if item.replaces_id is None]
    olds = [item.replaces_id for item in items if item.replaces_id]
    mine = Q(batch_item=None) | Q(batch_item__in=items)
    firsts = Certificate.objects.filter(mine, application__in=cases, kind__in=OF_A_CASE)
    others = Certificate.objects.filter(mine, replaces__in=olds).exclude(kind__in=OF_A_CASE)
    by_case = {row.application_id: row for row in firsts}
    by_old = {row.replaces_id: row for row in others}
    found = {
        item.pk: by_old.get(item.replaces_id)
        if item.replaces_id
        else by_case.get(item.application_id)
        for item in items
    }
    return {pk: row for pk, row in found.items() if row is not None}


def _refuse(item: BatchItem, code: str, reason: str | Promise) -> None:
    """Set a paper aside with its reason in every language: who reads it is not known yet."""
    reasons = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            reasons[language] = str(reason)
    # Only while it waits: another worker may have made it after this one's lease ended.
    BatchItem.objects.filter(pk=item.pk, state=ItemState.WAITING).update(
        state=ItemState.REFUSED, code=code, reasons=reasons, leased_until=None
    )


def _wait(items: Sequence[BatchItem]) -> None:
    """Let papers rest for what is no paper's fault.

    Counted as tries, an hour's outage would leave all of them to a person.
    """
    ours = BatchItem.objects.filter(pk__in=[item.pk for item in items], state=ItemState.WAITING)
    ours.update(leased_until=timezone.now() + PAUSE, attempts=Greatest(F("attempts") - 1, 0))


def _give_up(item: BatchItem, times: int) -> None:
    reason = _("Something unforeseen happened %(times)d times; the server's log says what.")
    _refuse(item, "unforeseen", worded(reason, times=times))


def _rest(item: BatchItem) -> None:
    if item.attempts >= ATTEMPTS:
        _give_up(item, item.attempts)
        return
    BatchItem.objects.filter(pk=item.pk).update(leased_until=timezone.now() + PAUSE)
