"""Erasing: by the terms, and at a citizen's request. Each case in one transaction, then its files.

Killed anywhere it is simply run again: a case is erased whole or not, and a file whose row says
erased is removed by the next run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from certificates.models import Certificate
from mobile_api import handed
from mobile_api.models import LedgerEntry
from mobile_api.photos import remove_files as remove_photos
from outreach.actions import papers as paper_photos
from outreach.actions import photos
from outreach.actions.audit import record
from outreach.actions.deaths import DIED
from outreach.actions.drafting import without_homes
from outreach.actions.holding import hold, once_more
from outreach.actions.notifying.senders import Shelf
from outreach.actions.trail import erase_details, number_trail
from outreach.domain.retention import Holding
from outreach.files import SealedStorage, files
from outreach.models import (
    Application,
    AuditEvent,
    Bar,
    DeclaredRelative,
    Enquiry,
    Notification,
    PaperPhoto,
    Photo,
    Plan,
    Resident,
    StoredBlob,
    User,
)
from outreach.models.ids import new_id
from outreach.retention import blanks
from outreach.retention.due import CLOSED, all_due
from outreach.retention.records import blank_records

_BATCH = 200
#: A file may be here before what names it: while a tablet is cut off, or a register restored.
UNNAMED_FOR = timedelta(days=90)
#: Nobody writes one file for so long.
UNFINISHED_FOR = timedelta(days=1)
#: Told after each step: how many records are done, how many are due.
Progress = Callable[[int, int], None]
#: Photos with their files; and files with the photos that show them.
Files = dict[UUID, str]
Shown = dict[str, set[UUID]]


@dataclass
class Erased:
    """How many records of each kind were erased in each county, and how many files."""

    records: Counter[tuple[Holding, str]] = field(default_factory=Counter)
    files: int = 0


def count_due(on: date) -> Erased:
    """Return what `erase_due` would erase on that day, and change nothing."""
    return Erased(Counter({(due.kind, due.county): due.rows.count() for due in all_due(on)}))


def erase_due(at: datetime, storage: SealedStorage, progress: Progress) -> Erased:
    """Erase everything whose term is over; return what that was."""
    number_trail()
    on = timezone.localdate(at)
    told, total = Erased(), count_due(on).records.total()
    for due in all_due(on):
        after = due.rows
        # Onward by key: a row may stay due, where another one needs the same file.
        while batch := list(after[:_BATCH]):
            last = batch[-1].pk  # which a row that is deleted has no more
            once_more(partial(erase_rows, batch, due.kind, by=None, at=at))
            told.records[due.kind, due.county] += len(batch)
            progress(told.records.total(), max(total, told.records.total()))
            after = due.rows.filter(pk__gt=last)
    paper_photos.forget_drafts(at)
    erase_unnamed(unnamed(at - UNNAMED_FOR), at)
    told.files = remove_files(at, storage)
    return told


def remove_files(at: datetime, storage: SealedStorage) -> int:
    """Remove the files of what is erased: photos, messages, parts of hand-ins; return how many."""
    photos_removed = remove_photos(at, storage)
    return photos_removed + _remove_messages(storage) + handed.remove_files(storage)


def forget_what_is_over(storage: SealedStorage) -> None:
    """Delete sessions, and counts of guesses in the database, that have ended: nobody else does.

    So with files that were never whole: a kill may leave one of a photo that is erased since.
    """
    now = timezone.now()
    storage.forget_drafts(now - UNFINISHED_FOR)
    Session.objects.filter(expire_date__lt=now).delete()
    with connection.cursor() as cursor:
        ended = [connection.ops.adapt_datetimefield_value(now)]
        cursor.execute("DELETE FROM outreach_counts WHERE expires < %s", ended)


def erase_rows(batch: Sequence[Any], kind: Holding, *, by: User | None, at: datetime) -> None:
    """Erase some records of one kind."""
    _ERASE[kind](batch, kind, by, at)


@transaction.atomic
def erase_case(
    application: Application,
    kind: Holding,
    *,
    by: User | None,
    at: datetime,
    request: str = "",
    shown: Shown | None = None,
) -> None:
    """Erase the personal data of one closed case, and of its person when no other case holds any.

    What stays: number, village, states and days, category and grades, who did what when; and of
    an issued certificate its paper, number and name. Who erases many took their homes out of
    the plans, and says what is `shown` where.
    """
    held = Application.objects.select_for_update().get(pk=application.pk)
    if held.erased_at or held.state not in CLOSED:
        return
    for blank in blanks.OF_A_CASE:
        blank.erase([held.pk])
    _erase_files(_files_of([held]), at, shown)
    _blank(blanks.ENQUIRY, Enquiry.objects.filter(application=held), at)
    _blank(blanks.MESSAGE, Notification.objects.filter(application=held), at)
    if shown is None:
        _forget_homes([held])
    held.erased_at, held.erased_under = at, kind.value
    held.save(update_fields=["erased_at", "erased_under"])
    _erase_person(held.resident, at)
    erase_details(AuditEvent.objects.filter(subject_id__in=_ids_of(held)))
    detail = {"under": kind.value} | ({"request": request} if request else {})
    record("case.erase", [held], by=by, at=at, detail=detail)


def _erase_person(resident: Resident, at: datetime) -> None:
    """Erase what is kept of a person without an unerased case; whoever nominates them waits."""
    hold(Resident.objects.filter(pk=resident.pk))
    if resident.applications.filter(erased_at=None).exists():
        return
    # The death of who held no certificate is forgotten with them.
    bars = Bar.objects.filter(resident=resident, lifted_at=None).exclude(ground=DIED)
    if bars.exists() or Certificate.objects.filter(resident=resident).exists():
        blanks.OF_A_HOLDER.blank(resident)
    else:
        resident.id_number_index = new_id().hex
        resident.save(update_fields=["id_number_index"])
        blanks.OF_A_PERSON.blank(resident)
    resident.guardians.all().delete()  # a name of stars would be printed on the next paper
    DeclaredRelative.objects.filter(resident=resident).delete()
    resident.erased_at = at
    resident.save(update_fields=["erased_at"])


@transaction.atomic
def _forget_homes(cases: Sequence[Application]) -> None:
    """Take the places of these homes out of the questions of plans, which name many others."""
    ids = {str(case.pk) for case in cases}
    for county in sorted({case.village.code[:6] for case in cases}):
        here = Plan.objects.filter(campaign__division__code__startswith=county)
        for pk in list(here.exclude(problem=None).order_by("pk").values_list("pk", flat=True)):
            plan = Plan.objects.select_for_update(no_key=True).get(pk=pk)
            if ids & {one["id"] for one in plan.problem["visits"]}:
                plan.problem = without_homes(plan.problem, ids)
                plan.save(update_fields=["problem"])


def _files_of(cases: Sequence[Application]) -> Files:
    """Return the photos of these cases, each with its file."""
    photos = Photo.objects.filter(evaluation__application__in=cases)
    papers = PaperPhoto.objects.filter(application__in=cases)
    return dict([*photos.values_list("pk", "sha256"), *papers.values_list("pk", "sha256")])


@transaction.atomic
def erase_late_photos(cases: Sequence[Application], at: datetime) -> None:
    """Note as erased the photos of erased cases that came afterwards: late, or in a hand-in."""
    files = _files_of(cases)
    kept = StoredBlob.objects.filter(pk__among=set(files.values()), erased_at=None)
    names = set(kept.values_list("pk", flat=True))
    if late := {pk: name for pk, name in files.items() if name in names}:
        _erase_files(late, at)


def _shown(names: Iterable[str]) -> Shown:
    """Return which photos of cases that are kept show each of these files.

    It reads all photos: an index of their files would cost every evaluation more pages than all
    else that it writes, and this is asked once for a batch.
    """
    wanted, shown = set(names), defaultdict(set)
    for rows in _showing() if wanted else ():
        for pk, name in rows.filter(sha256__among=wanted).values_list("pk", "sha256"):
            shown[name].add(pk)
    return shown


def _showing() -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Return the photos of cases that are kept: those of an erased one show nothing any more."""
    return (
        Photo.objects.filter(evaluation__application__erased_at=None),
        PaperPhoto.objects.filter(application__erased_at=None),
    )


def _erase_files(mine: Files, at: datetime, shown: Shown | None = None) -> None:
    """Note the files of these photos as erased, but those that another photo still shows."""
    shown = _shown(mine.values()) if shown is None else shown
    for name in mine.values():
        shown[name] -= mine.keys()
    _erase_unshown({name for name in mine.values() if not shown[name]}, mine, at)


def _erase_unshown(names: set[str], mine: Files, at: datetime) -> None:
    """Note files as erased, but those of papers that somebody has sent since all were read."""
    held = photos.held(names)
    papers = PaperPhoto.objects.filter(application__erased_at=None, sha256__among=held)
    sent = papers.exclude(pk__among=mine.keys()).values_list("sha256", flat=True)
    photos.erase(held - set(sent), at)


def _remove_messages(storage: SealedStorage) -> int:
    """Remove from among the files what was sent of messages that are erased."""
    shelf, count = Shelf(storage), 0
    keys = shelf.keys()
    while batch := list(islice(keys, _BATCH)):
        erased = Notification.objects.filter(key__among=batch, erased_at__isnull=False)
        for key in erased.values_list("key", flat=True):
            shelf.forget(key)
            count += 1
    return count


def unnamed(until: datetime) -> set[str]:
    """Return the files kept by then that nothing names, neither a photo nor what a tablet said.

    As those of a record that was set aside, once that is erased, or of drafts in a hand-in.
    """
    kept = StoredBlob.objects.filter(erased_at=None, stored_at__lte=until).values_list("pk")
    shown = (rows.order_by().values_list("sha256") for rows in _showing())
    names = {name for (name,) in kept.difference(*shown)}
    said = LedgerEntry.objects.filter(erased_at=None).exclude(media=[])
    for media in said.values_list("media", flat=True).iterator() if names else ():
        names.difference_update(media)
    return names


@transaction.atomic
def erase_unnamed(names: set[str], at: datetime) -> None:
    """Note files that nothing names as erased."""
    _erase_unshown(names, {}, at)


def _blank(blank: blanks.Blank, rows: Iterable[Model], at: datetime) -> None:
    for row in rows:
        blank.blank(row)
        row.erased_at = at  # type: ignore[attr-defined]
        row.save(update_fields=["erased_at"])


def _ids_of(application: Application) -> list[Any]:
    """Return the keys of everything of a case that the trail speaks about."""
    found = [application.pk, application.resident_id]
    for name in ("visits", "evaluations", "notices", "links", "paper_photos", "appeals"):
        found += getattr(application, name).values_list("pk", flat=True)
    certificates = Certificate.objects.filter(application=application)
    return [*found, *certificates.values_list("pk", flat=True)]


# -- by the terms ------------------------------------------------------------------------


def _cases(batch: Sequence[Any], kind: Holding, by: User | None, at: datetime) -> None:
    shown = _shown(_files_of(batch).values())
    _forget_homes(batch)
    for application in batch:
        erase_case(application, kind, by=by, at=at, shown=shown)


@transaction.atomic
def _photos(batch: Sequence[Any], kind: Holding, by: User | None, at: datetime) -> None:
    _erase_files({photo.pk: photo.sha256 for photo in batch}, at)
    record(f"{kind}.erase", batch, by=by, at=at)


@transaction.atomic
def _talk(batch: Sequence[Any], kind: Holding, by: User | None, at: datetime) -> None:
    _blank(blanks.ENQUIRY if kind == Holding.ENQUIRIES else blanks.MESSAGE, batch, at)
    record(f"{kind}.erase", batch, by=by, at=at)


@transaction.atomic
def _whole(batch: Sequence[Any], kind: Holding, by: User | None, at: datetime) -> None:
    record(f"{kind}.erase", batch, by=by, at=at)
    for row in batch:
        row.delete()


@transaction.atomic
def _plans(batch: Sequence[Any], kind: Holding, by: User | None, at: datetime) -> None:
    for plan in batch:
        blanks.PLAN.blank(plan)
    record(f"{kind}.erase", batch, by=by, at=at)


@transaction.atomic
def _hand_ins(batch: Sequence[Any], kind: Holding, by: User | None, at: datetime) -> None:
    """Erase the parts by the row; what was decided, and what came of it, stays.

    Of what nobody decided the file goes first: by itself it would come back with a restore.
    """
    for part in batch:
        if part.replica_id is None:
            handed.remove(part, files())
    record(f"{kind}.erase", [part for part in batch if part.n == 0], by=by, at=at)
    for part in batch:
        part.delete()


def _records(batch: Sequence[Any], _kind: Holding, _by: User | None, at: datetime) -> None:
    blank_records(batch, at)


_ERASE: dict[Holding, Callable[[Sequence[Any], Holding, User | None, datetime], None]] = {
    Holding.UNFINISHED: _cases,
    Holding.NOT_MET: _cases,
    Holding.ASSESSED: _cases,
    Holding.EVIDENCE: _photos,
    Holding.PAPERS: _photos,
    Holding.ENQUIRIES: _talk,
    Holding.MESSAGES: _talk,
    Holding.LISTS: _whole,
    Holding.PLANS: _plans,
    Holding.RECORDS: _records,
    Holding.HAND_INS: _hand_ins,
}
