"""Read-only tallies of what citizens saved, what the outreach cost, and the net.

Nothing is stored here and nobody types a total: every figure is computed from the recorded
journeys and the tariff each of them pins, so that a past span of days gives the same figures
whenever it is asked for. A visit that assessed nobody has no journey and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from django.db.models import QuerySet

from outreach.domain.press import Comparison, compare_with_press, press_reference
from outreach.domain.savings import (
    JourneyFacts,
    Saving,
    Tariff,
    amounts,
    journeys,
    load_tariff,
    saved,
)
from outreach.domain.vocabulary import Level
from outreach.models import Division, Journey, OutreachCost
from outreach.models import Tariff as TariffText


class By(StrEnum):
    """What totals are grouped by."""

    TOWNSHIP = "township"
    VILLAGE = "village"
    CATEGORY = "category"
    MONTH = "month"


@dataclass(frozen=True)
class Entry:
    """What one home evaluation spared one citizen, with the facts and the tariff behind it."""

    evaluation: UUID
    on: date
    village_code: str
    village: str
    township: str
    category: str
    facts: JourneyFacts
    tariff: Tariff

    @cached_property
    def saving(self) -> Saving:
        """The lines, opened to their formulas and sources."""
        return saved(self.facts, self.tariff)

    @property
    def journeys(self) -> int:
        """The journeys that were spared."""
        return journeys(self.facts, self.tariff)

    @cached_property
    def amounts(self) -> dict[str, int]:
        """The amount of each line in fen."""
        return amounts(self.facts, self.tariff)

    @property
    def total_fen(self) -> int:
        """The sum of the lines."""
        return sum(self.amounts.values())

    def key(self, by: By) -> str:
        """Return what it is summed under."""
        return _KEYS[by](self)[0]


@dataclass(frozen=True)
class Tally:
    """The sum of the entries that share a key; `lines` sums each line of the tariff, in fen."""

    key: str
    label: str
    assessments: int
    lines: dict[str, int]

    @property
    def saved_fen(self) -> int:
        """The sum of the lines."""
        return sum(self.lines.values())


@dataclass(frozen=True)
class SavingsReport:
    """Savings of a span of days beside what the outreach cost, both days included."""

    first: date | None
    last: date | None
    entries: tuple[Entry, ...]
    costs: tuple[OutreachCost, ...]

    @property
    def saved_fen(self) -> int:
        """What citizens saved."""
        return sum(entry.total_fen for entry in self.entries)

    @property
    def cost_fen(self) -> int:
        """What the outreach cost the federation."""
        return sum(cost.amount_fen for cost in self.costs)

    @property
    def net_fen(self) -> int:
        """What citizens saved less what it cost the federation."""
        return self.saved_fen - self.cost_fen

    @property
    def tariffs(self) -> tuple[Tariff, ...]:
        """The tariffs that priced the entries."""
        used = {entry.tariff.code: entry.tariff for entry in self.entries}
        return tuple(used[code] for code in sorted(used))

    @cached_property
    def comparison(self) -> Comparison:
        """Ours beside the press figure, the difference explained by the tariff's lines."""
        journeys = [(entry.facts, entry.tariff) for entry in self.entries]
        return compare_with_press(journeys, press_reference())

    def tallies(self, by: By) -> list[Tally]:
        """Sum the entries by village, township, category or month, in the order of the keys.

        A place that was renamed has its newest name: the entries stand in the order of their days.
        """
        groups: dict[str, list[Entry]] = {}
        labels: dict[str, str] = {}
        for entry in self.entries:
            key, label = _KEYS[by](entry)
            labels[key] = label
            groups.setdefault(key, []).append(entry)
        return [_tally((key, labels[key]), groups[key]) for key in sorted(groups)]

    @property
    def whole(self) -> Tally:
        """The sum of all entries."""
        return _tally(("", ""), self.entries)


_KEYS: dict[By, Callable[[Entry], tuple[str, str]]] = {
    By.TOWNSHIP: lambda entry: (entry.village_code[:9], entry.township),
    By.VILLAGE: lambda entry: (entry.village_code, f"{entry.township}{entry.village}"),
    By.CATEGORY: lambda entry: (entry.category, entry.category),
    By.MONTH: lambda entry: (f"{entry.on:%Y-%m}", f"{entry.on:%Y-%m}"),
}


def _tally(key: tuple[str, str], entries: Sequence[Entry]) -> Tally:
    lines: dict[str, int] = {}
    for entry in entries:
        for code, fen in entry.amounts.items():
            lines[code] = lines.get(code, 0) + fen
    return Tally(*key, assessments=len(entries), lines=lines)


def savings_report(
    first: date | None = None, last: date | None = None, *, within: Division | None = None
) -> SavingsReport:
    """Report the savings of the days from `first` to `last`, both included, None for no limit.

    `within` keeps to one division. What a team's day cost belongs to no single village, so it
    stands only in the report of a whole county, or of everything.
    """
    span = _span(first, last)
    journeys = Journey.objects.filter(**span)
    costs = OutreachCost.objects.filter(**span).order_by("on", "team", "what")
    if within is not None:
        journeys = journeys.filter(village_code__startswith=within.code)
        is_county = within.level == Level.COUNTY
        costs = costs.filter(place__in=("", within.code)) if is_county else costs.none()
    return SavingsReport(first, last, tuple(entries_of(journeys)), tuple(costs))


def _span(first: date | None, last: date | None) -> dict[str, date]:
    limits = {"on__gte": first, "on__lte": last}
    return {name: day for name, day in limits.items() if day}


def entries_of(journeys: QuerySet[Journey]) -> list[Entry]:
    """Price recorded journeys by the tariff each of them pins, in the order of day and village.

    Two statements: a tariff's text is long, and is read once and not with each of its journeys.
    """
    texts = dict(TariffText.objects.values_list("code", "body"))
    rows = journeys.order_by("on", "village_code", "evaluation_id").iterator(chunk_size=5_000)
    return [_entry(row, load_tariff(texts[row.tariff_id])) for row in rows]


def facts_of(journey: Journey) -> JourneyFacts:
    """Return the recorded facts as the pure rules take them."""
    return JourneyFacts(
        distance_km=journey.distance_km,
        road_factor=journey.road_factor,
        bedridden=journey.is_bedridden,
        can_sit=journey.can_sit,
        rides_free=journey.rides_free,
        fee_paid_by_county=journey.fee_paid_by_county,
        companions=journey.companions,
        collects=journey.collects,
    )


def _entry(journey: Journey, tariff: Tariff) -> Entry:
    return Entry(
        evaluation=journey.evaluation_id,
        on=journey.on,
        village_code=journey.village_code,
        village=journey.village_name,
        township=journey.township_name,
        category=journey.category,
        facts=facts_of(journey),
        tariff=tariff,
    )
