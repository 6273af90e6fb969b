"""The press figure of the reference campaign beside ours, the difference explained line by line.

The press wrote of more than 500 people, about 30,000 yuan, 60 yuan a person. That is a
reference line and not a target. It is near what comes out when everybody travels by bus, alone,
with the assessment fee subsidised: that reading is priced here by the same tariff, so that the
difference falls on named lines; what then remains is shown as the remainder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from outreach.domain.savings import JourneyFacts, Tariff, amounts


@dataclass(frozen=True)
class PressReference:
    """What the press reported of the reference campaign; amounts in fen."""

    people_over: int
    about_total_fen: int
    per_person_fen: int
    source: str


def press_reference() -> PressReference:
    """Return the reference line of the 2018 campaign in Shunqing district."""
    return PressReference(
        people_over=500,
        about_total_fen=3_000_000,
        per_person_fen=6_000,
        source="Press reports of Shunqing district, Nanchong, 2018",
    )


@dataclass(frozen=True)
class DifferenceLine:
    """One tariff line: ours, the press figure's reading, and why they differ (amounts in fen)."""

    code: str
    ours_fen: int
    reading_fen: int
    why: str

    @property
    def difference_fen(self) -> int:
        """Ours less the reading."""
        return self.ours_fen - self.reading_fen


@dataclass(frozen=True)
class Comparison:
    """Ours beside the press figure for as many people as ours has."""

    people: int
    ours_fen: int
    press_fen: int
    lines: tuple[DifferenceLine, ...]

    @property
    def difference_fen(self) -> int:
        """Ours less the press figure; equals the lines' differences and the remainder."""
        return self.ours_fen - self.press_fen

    @property
    def remainder_fen(self) -> int:
        """What the reading leaves of the press figure, its sign turned to fit the sum."""
        return self.difference_fen - sum(line.difference_fen for line in self.lines)

    def per_person(self, fen: int) -> int:
        """Divide among the people, rounded half up to the fen; 0 when there is nobody."""
        if not self.people:
            return 0
        return int((Decimal(fen) / self.people).quantize(Decimal(1), ROUND_HALF_UP))


WHY = {
    "bus_resident": "people who cannot sit in a bus pay for a hired car instead",
    "bus_companions": "the reading lets everybody travel alone",
    "hired_car": "the reading lets everybody travel by bus",
    "meals": "companions eat too",
    "lodging": "companions sleep too",
    "lost_working_time": "the reading counts no companion, so no working time",
    "assessment_fee": "the reading takes the fee as subsidised for everybody",
}


def as_the_press_reads(facts: JourneyFacts) -> JourneyFacts:
    """Return the same journey by bus, alone, with the fee subsidised."""
    return replace(facts, bedridden=False, can_sit=True, companions=0, fee_paid_by_county=True)


def compare_with_press(
    journeys: Sequence[tuple[JourneyFacts, Tariff]], press: PressReference
) -> Comparison:
    """Explain the difference between our figure and the press figure by the tariff's lines."""
    ours, reading = dict.fromkeys(WHY, 0), dict.fromkeys(WHY, 0)
    for facts, tariff in journeys:
        for code, fen in amounts(facts, tariff).items():
            ours[code] += fen
        for code, fen in amounts(as_the_press_reads(facts), tariff).items():
            reading[code] += fen
    lines = tuple(DifferenceLine(c, ours[c], reading[c], why) for c, why in WHY.items())
    people = len(journeys)
    return Comparison(people, sum(ours.values()), people * press.per_person_fen, lines)
