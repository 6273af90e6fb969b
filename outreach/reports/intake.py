"""How requests came in, how the fast lane kept its 24 hours, and what trips a matter still cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from outreach.domain.promises import FAST_HOURS, FAST_STATES
from outreach.domain.vocabulary import Mode, OutletKind
from outreach.models import (
    Application,
    ApplicationEvent,
    AuditEvent,
    Division,
    Enquiry,
    Evaluation,
)
from outreach.models.applications import ApplicationQuerySet
from outreach.reports.promises import share

#: Counters that a family travels to; a village station is where it lives.
TRAVELLED_TO = frozenset(OutletKind) - {OutletKind.VILLAGE_STATION}


def channels(first: date, last: date, *, within: Division) -> list[tuple[str, int]]:
    """Count the requests of a span of days by where they were taken in: one query.

    An outlet's kind, else the role of whoever registered the person.
    """
    rows = Application.objects.within(within).filter(
        created_at__date__gte=first, created_at__date__lte=last
    )
    found = Counter(kind or role for kind, role in rows.values_list(*_CHANNEL))
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))


_CHANNEL = ("outlet__kind", "nominated_by__role")


@dataclass(frozen=True)
class FastLane:
    """Urgent cases and the steps that were taken with them, those within 24 hours."""

    cases: int
    steps: int
    kept: int

    @property
    def share(self) -> str:
        """Per cent of the steps taken within 24 hours."""
        return share(self.kept, self.steps)


def fast_lane(first: date, last: date, *, within: Division) -> FastLane:
    """Measure the steps of urgent cases that ended in the span, from when each was urgent.

    Steps whose term the law sets (notice, objection, appeal) are not ours to hasten. What a case
    counted stays counted when it is taken out of the lane.
    """
    touched = Application.objects.within(within).filter(
        events__at__date__gte=first, events__at__date__lte=last
    )
    lanes = _lanes(touched)
    rows = ApplicationEvent.objects.filter(application__among=list(lanes))
    cases: set[object] = set()
    before: tuple[object, str, datetime] | None = None
    steps = kept = 0
    for pk, target, at in rows.order_by("application", "id").values_list(
        "application", "target", "at"
    ):
        stays = (stay for stay, until in lanes[pk] if stay < at and (until is None or at <= until))
        since = next(stays, None) if first <= timezone.localdate(at) <= last else None
        if before and before[0] == pk and before[1] in FAST_STATES and since:
            cases.add(pk)
            steps += 1
            kept += at - max(before[2], since) <= timedelta(hours=FAST_HOURS)
        before = (pk, target, at)
    return FastLane(len(cases), steps, kept)


def _lanes(cases: ApplicationQuerySet) -> dict[UUID, list[tuple[datetime, datetime | None]]]:
    """Return from when until when each case was in the fast lane: the trail has what is over."""
    found: dict[UUID, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    nominated: dict[UUID, datetime] = {}
    for pk, at, since in cases.distinct().values_list("pk", "created_at", "urgent_since"):
        nominated[pk] = at
        if since:
            found[pk].append((since, None))
    deeds = AuditEvent.objects.filter(action__in=_IN_AND_OUT, subject_id__in=cases.values("pk"))
    came: dict[UUID, datetime] = {}
    for pk, action, at in deeds.order_by("at", "pk").values_list("subject_id", "action", "at"):
        if action == "application.hasten":
            came.setdefault(pk, at)
        else:  # who was never put there was nominated as urgent
            found[pk].append((came.pop(pk, nominated[pk]), at))
    return found


_IN_AND_OUT = ("application.hasten", "application.unhasten")


@dataclass(frozen=True)
class Matter:
    """A kind of matter: how often it was dealt with, and the trips that citizens made for it."""

    name: str
    count: int
    trips: int

    @property
    def per_matter(self) -> str:
        """Trips for each, two decimals."""
        return f"{self.trips / self.count:.2f}" if self.count else "—"


def matters(first: date, last: date, *, within: Division) -> list[Matter]:
    """Count trips by matter: an assessment elsewhere is one, a request at a counter another.

    A second evaluation of a case corrects the first and is no matter of its own.
    """
    rows = Evaluation.objects.made_here().filter(
        corrects=None,
        application__village__code__startswith=within.code,
        evaluated_at__date__gte=first,
        evaluated_at__date__lte=last,
    )
    at_home, elsewhere = rows.filter(mode=Mode.HOME), rows.exclude(mode=Mode.HOME)
    travelled = Q(application__outlet__kind__in=TRAVELLED_TO)
    answered = Enquiry.objects.filter(
        division__code__startswith=within.code,
        replied_at__date__gte=first,
        replied_at__date__lte=last,
    )
    beyond = elsewhere.count()
    return [
        Matter("assessed_at_home", at_home.count(), at_home.filter(travelled).count()),
        Matter("assessed_elsewhere", beyond, beyond + elsewhere.filter(travelled).count()),
        Matter("question", answered.count(), 0),
    ]
