"""One month of a division on one page: savings, steps, visits, replies, coverage."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Min, Q
from django.utils import timezone

from outreach.domain.vocabulary import Mode
from outreach.domain.workdays import add_months
from outreach.domain.workflow import VisitState
from outreach.models import Application, Division, Enquiry, Journey, Visit
from outreach.reports.intake import FastLane, Matter, channels, fast_lane, matters
from outreach.reports.promises import Kept, ReplyRate, reply_rate, steps_kept
from outreach.reports.savings import By, SavingsReport, Tally, savings_report


@dataclass(frozen=True)
class Coverage:
    """Of the people known to need it most, how many were assessed up to the end of the month."""

    bedridden: int
    bedridden_assessed: int
    poor: int
    poor_assessed: int


@dataclass(frozen=True)
class VillageTally:
    """A village: where it lies, how many were assessed there in the month, what that spared."""

    code: str
    name: str
    latitude: float | None
    longitude: float | None
    assessments: int
    saved_fen: int


@dataclass(frozen=True)
class Monthly:
    """A month's report; every figure follows from the register."""

    month: date
    last: date
    division: Division
    savings: SavingsReport
    #: Each month of the year up to this one with a home assessed.
    months: list[Tally]
    steps: list[Kept]
    visits_done: int
    visits_not_done: list[tuple[str, int]]
    replies: ReplyRate
    coverage: Coverage
    villages: list[VillageTally]
    trips_spared: int
    trips_made: int
    matters: int
    channels: list[tuple[str, int]]
    fast_lane: FastLane
    by_matter: list[Matter]

    @property
    def trips_per_matter(self) -> str:
        """Journeys a citizen made for each person assessed, two decimals.

        To an assessment elsewhere, or to a counter that took the request in.
        """
        return f"{self.trips_made / self.matters:.2f}" if self.matters else "—"


def monthly(month: date, *, within: Division) -> Monthly:
    """Report the month that `month` lies in, for a division and what lies below it."""
    first = month.replace(day=1)
    last = month.replace(day=monthrange(month.year, month.month)[1])
    here = {"application__village__code__startswith": within.code}
    visits = Visit.objects.filter(on__gte=first, on__lte=last, **here)
    not_done = visits.filter(state=VisitState.NOT_DONE)
    reasons = not_done.values_list("not_done_reason").annotate(count=Count("pk"))
    enquiries = Enquiry.objects.filter(division__code__startswith=within.code)
    savings = savings_report(first, last, within=within)
    by_matter = matters(first, last, within=within)
    return Monthly(
        month=first,
        last=last,
        division=within,
        savings=savings,
        months=savings_report(first.replace(month=1), last, within=within).tallies(By.MONTH),
        steps=steps_kept(first, last, within=within),
        visits_done=visits.filter(state=VisitState.DONE).count(),
        visits_not_done=sorted(reasons, key=lambda pair: (-pair[1], pair[0])),
        replies=reply_rate(enquiries.asked_between(first, last)),
        coverage=_coverage(within, last),
        villages=_villages(savings, within),
        trips_spared=sum(entry.journeys for entry in savings.entries),
        trips_made=sum(matter.trips for matter in by_matter),
        matters=sum(matter.count for matter in by_matter if matter.name != "question"),
        channels=channels(first, last, within=within),
        fast_lane=fast_lane(first, last, within=within),
        by_matter=by_matter,
    )


def _coverage(within: Division, last: date) -> Coverage:
    cases = Application.objects.within(within).filter(created_at__date__lte=last)
    cases = cases.exclude(evaluations__mode=Mode.FILE)  # who moved in was assessed elsewhere
    seen = Q(evaluations__evaluated_at__date__lte=last)
    bedridden, poor = Q(resident__is_bedridden=True), Q(resident__is_poor_household=True)

    def people(condition: Q) -> Count:
        return Count("resident", filter=condition, distinct=True)

    return Coverage(
        **cases.aggregate(
            bedridden=people(bedridden),
            bedridden_assessed=people(bedridden & seen),
            poor=people(poor),
            poor_assessed=people(poor & seen),
        )
    )


def _villages(savings: SavingsReport, within: Division) -> list[VillageTally]:
    places = {row.code: row for row in Division.objects.villages().within(within)}
    found = []
    for tally in savings.tallies(By.VILLAGE):
        place = places.get(tally.key)
        found.append(
            VillageTally(
                tally.key,
                tally.label,
                place.latitude if place else None,
                place.longitude if place else None,
                tally.assessments,
                tally.saved_fen,
            )
        )
    return found


def last_month_with_visits(within: Division) -> date | None:
    """Return the last month in which homes were assessed."""
    rows = Journey.objects.filter(village_code__startswith=within.code)
    return next(iter(rows.dates("on", "month", order="DESC")[:1]), None)


def months_to_report(within: Division, until: date) -> list[date]:
    """Return every month since the first case, newest first: in a month of snow others work on."""
    first = Application.objects.within(within).aggregate(at=Min("created_at"))["at"]
    month, since = until.replace(day=1), timezone.localdate(first) if first else until
    found = [month]
    while month > since:
        month = add_months(month, -1)
        found.append(month)
    return found
