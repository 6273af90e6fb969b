"""A citizen asks to be erased: what may go goes at once, the rest is named with its day."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from mobile_api.models import LedgerEntry, Outcome
from outreach.actions.holding import once_more
from outreach.actions.trail import number_trail
from outreach.actions.visits import leave
from outreach.domain.retention import Holding, Term, Terms
from outreach.domain.vocabulary import Role
from outreach.domain.workflow import APPLICATION, ApplicationState
from outreach.files import lines
from outreach.models import Application, Resident, User
from outreach.retention.due import CLOSED, beside, kind_of, terms
from outreach.retention.erasing import (
    erase_case,
    erase_late_photos,
    erase_rows,
    erase_unnamed,
    unnamed,
)
from outreach.retention.records import blank_records, naming, waits
from outreach.rules import NEGATIVE, Refused, last_barred_day

log = logging.getLogger(__name__)

#: Days after a "not met" in which an appeal may still come in: ten working days, and holidays.
APPEAL_DAYS = 30


class NotTheirs(Exception):
    """Whoever carries the request out is no administrator of the case's county."""


@dataclass
class Answer:
    """What was erased at a request, and what stays: case number, why, and until when if known."""

    erased: list[tuple[str, Holding]] = field(default_factory=list)
    stays: list[tuple[str, str, date | None]] = field(default_factory=list)
    records: int = 0


def erase_on_request(
    resident: Resident, *, by: User, at: datetime, request: str, dry_run: bool = False
) -> Answer:
    """Erase what may go of everything that is kept of a person; answer what stays and why.

    `request` is the office's file number of the request. Raises `NotTheirs`.
    """
    cases = list(resident.applications.select_related("village").order_by("pk"))
    _check_theirs(by, cases)
    if not dry_run:
        number_trail()  # what has no number keeps what it says
    answer, said = Answer(), terms()
    for case in cases:
        if case.erased_at:
            continue
        if case.state not in CLOSED:
            answer.stays.append((case.number, "it is open: withdraw or close it first", None))
            continue
        kind = kind_of(case)
        term = said.of(case.village.code[:6], kind)
        if refusal := _refusal(case, kind, term, at):
            answer.stays.append((case.number, *refusal))
            answer.erased += _erase_beside(case, said, by, at, dry_run)
            continue
        answer.erased.append((case.number, kind))
        answer.records += _erase(case, kind, by, at, request, dry_run)
    return answer


def _check_theirs(by: User, cases: list[Application]) -> None:
    codes = [case.village.code for case in cases]
    here = all(code.startswith(by.division.code) for code in codes)
    if not (codes and here and by.is_active and by.role == Role.ADMINISTRATOR):
        raise NotTheirs(f"{by.username} is no administrator of this case's county")


def _refusal(
    case: Application, kind: Holding, term: Term, at: datetime
) -> tuple[str, date | None] | None:
    ended_on = timezone.localdate(case.state_since)
    if not term.on_request:
        # How long a certificate will live is not known before it has ended.
        until = None if kind == Holding.ASSESSED else term.until(ended_on)
        return f"{term.why} ({term.source})", until
    barred_until = _bars_until(case)
    if barred_until and timezone.localdate(at) <= barred_until:
        return "it tells that nobody may apply for the person again until then", barred_until
    appealable = kind == Holding.NOT_MET and case.state == ApplicationState.NOT_MET
    last = ended_on + timedelta(days=APPEAL_DAYS)
    if appealable and timezone.localdate(at) <= last:
        return "the family may appeal still", last
    if waits(_words_of(case)):
        return "a tablet's record of it waits at the desk: decide on it first", None
    return None


def _bars_until(case: Application) -> date | None:
    """Return until when a negative result bars the person: without it nobody would know."""
    if case.state not in NEGATIVE:
        return None
    found = case.evaluations.filter(met=False).order_by("-evaluated_at").first()
    return last_barred_day(found.evaluated_at) if found else None


def _erase(
    case: Application, kind: Holding, by: User, at: datetime, request: str, dry_run: bool
) -> int:
    if dry_run:
        return sum(map(len, _said_of(case)))
    count = _blank_said(case, at)
    note(case, kind, by, at, request)
    once_more(partial(erase_case, case, kind, by=by, at=at, request=request))
    return count


def _said_of(case: Application) -> Iterator[list[LedgerEntry]]:
    """Yield what tablets said of a case, some records at a time; not what they said of others.

    Another case of the same person may be open, and named by the ID number too.
    """
    kept = case.resident.applications.filter(erased_at=None).exclude(pk=case.pk)
    others = [key for other in kept for key in _keys_of(other)]
    return naming(_words_of(case), case.created_at - timedelta(days=1), sparing=others)


def _blank_said(case: Application, at: datetime) -> int:
    """Erase what tablets said of a case, and the photos that only that names; return how many."""
    return _blank_all(_said_of(case), at)


def _blank_all(found: Iterable[list[LedgerEntry]], at: datetime) -> int:
    count, declared = 0, set[str]()
    for entries in found:
        once_more(partial(blank_records, entries, at))
        # No tablet is asked any more for photos that did not come yet.
        LedgerEntry.objects.filter(pk__among=[one.pk for one in entries]).update(awaits_media=False)
        count += len(entries)
        declared.update(name for entry in entries for name in entry.media)
    if declared:
        erase_unnamed(declared & unnamed(at), at)
    return count


def _erase_beside(
    case: Application, said: Terms, by: User, at: datetime, dry_run: bool
) -> list[tuple[str, Holding]]:
    """Erase what stands beside a case that stays, and may go sooner; return what that was."""
    county = case.village.code[:6]
    found = []
    for kind, rows in beside(case):
        if said.of(county, kind).on_request and rows.exists():
            if not dry_run:
                once_more(partial(erase_rows, list(rows), kind, by=by, at=at))
            found.append((case.number, kind))
    return found


def _words_of(case: Application) -> list[str]:
    """Return what a tablet names a case by: its keys, and the ID number."""
    return [*_keys_of(case), str(case.resident_id), case.resident.id_number]


def _keys_of(case: Application) -> list[str]:
    keys = [case.pk]
    for name in ("visits", "evaluations"):
        keys += getattr(case, name).values_list("pk", flat=True)
    return list(map(str, keys))


# -- what outlasts a restore ---------------------------------------------------------------


def note(case: Application, kind: Holding, by: User, at: datetime, request: str) -> None:
    """Append an erased case to the file that a restored register reads; raises its `OSError`.

    It is written before the case is erased: without it a backup would bring the person back.
    """
    said = {"case": str(case.pk), "under": kind.value, "by": str(by.pk)}
    lines.append(settings.OUTREACH_ERASURES, {**said, "at": at.isoformat(), "request": request})


def reapply(at: datetime) -> int:
    """Erase again, in a register that stands again from a backup, what was asked for since.

    A case that was open still is closed first; one that cannot be is left to the desk, and logged.
    """
    return _erase_again(at, lambda _case, _erased_at: True)


def erase_what_came_back(at: datetime) -> int:
    """Erase again what a tablet or hand-in brought anew after a restore, or the desk closed since.

    The backup was older than the nomination, so that `reapply` found nothing to erase, or the case
    stood where nobody closes it by itself.
    """
    return _erase_again(
        at, lambda case, erased_at: case.created_at > erased_at or case.state in CLOSED
    )


def erase_what_came_late(at: datetime) -> int:
    """Erase what tablets said of a case that was erased at request, and is decided since.

    It came too late to do anything, or waited while the case was erased again after a restore.
    Photos that came since go with it. Return how many records.
    """
    asked = [one.case for one in _asked()]
    cases = list(Application.objects.filter(pk__in=asked).exclude(erased_at=None))
    if not cases:
        return 0
    keys = [key for case in cases for key in _keys_of(case)]
    since = min(case.created_at for case in cases) - timedelta(days=1)
    late = LedgerEntry.objects.exclude(outcome=Outcome.APPLIED)
    erase_late_photos(cases, at)
    return _blank_all(naming(keys, since, among=late), at)


def _erase_again(at: datetime, is_due: Callable[[Application, datetime], bool]) -> int:
    number_trail()
    count = 0
    for asked in _asked():
        case = Application.objects.filter(pk=asked.case, erased_at=None).first()
        if case is None or not is_due(case, asked.at):
            continue
        if not _is_closed(case, asked.by, at):
            log.warning("%s was erased at request and is open again: close it", case.number)
            continue
        _blank_said(case, at)
        once_more(partial(erase_case, case, asked.kind, by=None, at=at, request=asked.request))
        count += 1
    return count


class _Asked(NamedTuple):
    """A line of the file: a case that was erased at request, by whom and when."""

    case: UUID
    kind: Holding
    by: UUID | None
    at: datetime
    request: str


def _asked() -> Iterator[_Asked]:
    for line in lines.read(settings.OUTREACH_ERASURES):
        try:
            yield _Asked(
                UUID(str(line["case"])),
                Holding(str(line["under"])),
                UUID(str(line["by"])) if "by" in line else None,
                datetime.fromisoformat(str(line["at"])),
                str(line.get("request", "")),
            )
        except (ValueError, KeyError):
            log.warning("a line of %s cannot be read", settings.OUTREACH_ERASURES)


def _is_closed(case: Application, by: UUID | None, at: datetime) -> bool:
    """Give a case up that was open at the backup, as whoever erased it since had seen it."""
    if case.state in CLOSED:
        return True
    steps = (name for name in ("withdraw", "close") if case.state in APPLICATION[name].sources)
    step = next(steps, None)
    person = User.objects.filter(pk=by).first() if by else None
    if step is None or person is None:
        return False
    with suppress(Refused):  # they have another role in the register that stands again
        leave(case, step, by=person, at=at, note="")
    return case.state in CLOSED
