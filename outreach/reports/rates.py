"""Villages and assessors whose rates lie outside what chance does: questions for the review.

Counted are the evaluations that stand: made by our own assessors, and not corrected since. Each
is compared with evaluations of the same category of disability. Nothing is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from outreach.domain.unusual import FEWEST, Group, Judged, compare
from outreach.domain.unusual import Count as Counted
from outreach.models import Division, Evaluation


class Measure(StrEnum):
    """What is counted of whom."""

    MET = "met"
    """Of the assessed, those who meet the standard."""
    SEVERE = "severe"
    """Of those who meet it, those with grade 1 or 2."""
    DIFFERS = "differs"
    """Of the assessed, those whose doctor's grade is not the one the findings give."""


class Whose(StrEnum):
    """Whose rate it is."""

    VILLAGE = "village"
    ASSESSOR = "assessor"


@dataclass(frozen=True)
class Rate:
    """One rate of one village or assessor; `place` is the township of a village.

    `key` is the village's code, or the id of the assessor's account.
    """

    whose: Whose
    key: str
    name: str
    place: str
    measure: Measure
    judged: Judged


@dataclass(frozen=True)
class Rates:
    """The rates of a division in a span of days, those that stand out first in each part."""

    first: date | None
    last: date | None
    evaluations: int
    compared: tuple[Rate, ...]
    #: Villages and assessors with too few evaluations to say anything.
    too_few: dict[Whose, int]

    @property
    def unusual(self) -> tuple[Rate, ...]:
        """The rates that stand out."""
        return tuple(rate for rate in self.compared if rate.judged.stands_out)

    def of(self, whose: Whose, key: str | UUID) -> list[Rate]:
        """Return what stands out about one village or assessor."""
        return [rate for rate in self.unusual if (rate.whose, rate.key) == (whose, str(key))]


_SEVERE = Q(met=True, grade__in=(1, 2))
_DIFFERS = (
    Q(grade=None, computed_grade__isnull=False)
    | Q(grade__isnull=False, computed_grade=None)
    | Q(grade__isnull=False, computed_grade__isnull=False) & ~Q(grade=F("computed_grade"))
)
#: Whose evaluations count for a measure, and which of them are its hits.
_PARTS: dict[Measure, tuple[Q, Q]] = {
    Measure.MET: (Q(), Q(met=True)),
    Measure.SEVERE: (Q(met=True), _SEVERE),
    Measure.DIFFERS: (Q(), _DIFFERS),
}
#: A doctor's own grade says something of the doctor, not of the village.
_MEASURES = {
    Whose.VILLAGE: (Measure.MET, Measure.SEVERE),
    Whose.ASSESSOR: (Measure.MET, Measure.SEVERE, Measure.DIFFERS),
}
_NAMED_BY = {
    Whose.VILLAGE: (
        "application__village__code",
        "application__village__name",
        "application__village__parent__name",
    ),
    Whose.ASSESSOR: ("assessor", "assessor__full_name", "assessor__username"),
}


#: A village that was renamed stands in the register once for each name.
_NEWEST_LAST: dict[Whose, Sequence[str]] = {
    Whose.VILLAGE: ("application__village__valid_from",),
    Whose.ASSESSOR: (),
}


def rates(first: date | None = None, last: date | None = None, *, within: Division) -> Rates:
    """Judge the rates of the villages and assessors of a division; two queries.

    `first` and `last` are days, both included, None for no limit.
    """
    days = {"evaluated_at__date__gte": first, "evaluated_at__date__lte": last}
    standing = Evaluation.objects.made_here().filter(
        corrections=None,
        application__village__code__startswith=within.code,
        **{name: day for name, day in days.items() if day},
    )
    compared: list[Rate] = []
    too_few = {}
    total = 0
    for whose in Whose:
        names, counted = _counted(whose, standing)
        everybody = _groups(counted, Measure.MET)
        too_few[whose] = sum(one.of < FEWEST for one in everybody)
        total = sum(one.of for one in everybody)
        for measure in _MEASURES[whose]:
            compared += [
                Rate(whose, str(found.group.key), *names[str(found.group.key)], measure, found)
                for found in compare(_groups(counted, measure))
            ]
    return Rates(first, last, total, tuple(compared), too_few)


_Row = tuple[str, str, dict[Measure, Counted]]


def _counted(
    whose: Whose, standing: QuerySet[Evaluation]
) -> tuple[dict[str, tuple[str, str]], list[_Row]]:
    """Count all measures by village or assessor and by category: one query."""
    columns = {}
    for measure in _MEASURES[whose]:
        base, hit = _PARTS[measure]
        columns[f"{measure}_of"] = Count("pk", filter=base)
        columns[f"{measure}_hits"] = Count("pk", filter=base & hit)
    by = _NAMED_BY[whose]
    names: dict[str, tuple[str, str]] = {}
    found: list[_Row] = []
    rows = standing.order_by(*_NEWEST_LAST[whose]).values(*by, "category")
    for row in rows.annotate(**columns):
        place = row[by[2]] if whose == Whose.VILLAGE else ""
        names[str(row[by[0]])] = (row[by[1]], place or "")
        counts = {
            measure: Counted(row[f"{measure}_hits"], row[f"{measure}_of"])
            for measure in _MEASURES[whose]
        }
        found.append((str(row[by[0]]), row["category"], counts))
    return names, found


def _groups(rows: Sequence[_Row], measure: Measure) -> list[Group]:
    kinds: dict[str, dict[str, Counted]] = {}
    for key, category, counts in rows:
        held = kinds.setdefault(key, {})
        held[category] = held.get(category, Counted(0, 0)) + counts[measure]
    return [Group(key, held) for key, held in kinds.items()]
