"""The versions of the tariff with their days, and what another version would make of a year."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count

from outreach.domain.savings import Tariff, amounts, covers, load_tariff, shipped_tariffs
from outreach.models import Division, Journey
from outreach.models import Tariff as Stored
from outreach.reports.savings import entries_of


@dataclass(frozen=True)
class Edition:
    """A tariff, its last day before the next of the same place, how many homes it priced."""

    tariff: Tariff
    until: date | None
    homes: int

    def is_in_force(self, on: date) -> bool:
        """Tell whether it counts on a day."""
        return self.tariff.valid_from <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True)
class Effect:
    """What the homes of some days saved, and would have saved by other figures, in fen by line."""

    first: date
    last: date
    homes: int
    now: dict[str, int]
    then: dict[str, int]

    @property
    def now_fen(self) -> int:
        """The sum of the lines as they are."""
        return sum(self.now.values())

    @property
    def then_fen(self) -> int:
        """The sum of the lines by the other figures."""
        return sum(self.then.values())

    @property
    def difference_fen(self) -> int:
        """By how much the other figures change the sum."""
        return self.then_fen - self.now_fen

    @property
    def lines(self) -> list[tuple[str, int, int, int]]:
        """Each line: its code, now, then, and the difference."""
        return [
            (code, self.now.get(code, 0), then, then - self.now.get(code, 0))
            for code, then in self.then.items()
        ]


def editions(within: Division) -> list[Edition]:
    """Return the tariffs that cover a division or lie in it, the newest first: one query."""
    rows = Stored.objects.annotate(homes=Count("journeys"))
    stored = {row.code: (load_tariff(row.body), row.homes) for row in rows}
    known = {one.code: (one, 0) for one in shipped_tariffs()} | stored
    near = [(one, homes) for one, homes in known.values() if _touches(one.place, within.code)]
    found = [Edition(one, _until(one, [other for other, _ in near]), homes) for one, homes in near]
    return sorted(found, key=lambda one: (one.tariff.valid_from, one.tariff.code), reverse=True)


def _touches(place: str, code: str) -> bool:
    return covers(place, code) or place.startswith(code)


def _until(tariff: Tariff, others: Iterable[Tariff]) -> date | None:
    later = [
        one.valid_from
        for one in others
        if one.place == tariff.place and one.valid_from > tariff.valid_from
    ]
    return min(later) - timedelta(days=1) if later else None


def effect_of(tariff: Tariff, first: date, last: date) -> Effect:
    """Price the homes of some days of the tariff's place by it, beside what they are priced by.

    Who rides free of charge stays as it was recorded.
    """
    rows = Journey.objects.filter(
        village_code__startswith=tariff.place, on__gte=first, on__lte=last
    )
    now: dict[str, int] = {}
    then: dict[str, int] = {}
    entries = entries_of(rows)
    for entry in entries:
        for sums, prices in ((now, entry.tariff), (then, tariff)):
            for code, fen in amounts(entry.facts, prices).items():
                sums[code] = sums.get(code, 0) + fen
    return Effect(first, last, len(entries), now, then)
