"""What a citizen saved by being assessed at home: journeys not made × a dated tariff.

Nobody types a total: a saving is the sum of its lines, and a line is a whole quantity × a unit
price. The unit price is rounded once to the whole fen, half up; nothing else is ever rounded,
so that lines, totals and sums of totals agree to the fen.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, cached_property, lru_cache
from math import prod
from pathlib import Path
from typing import NamedTuple

STANDARDS = Path(__file__).parent / "standards"

WAYS = 2  # there and back


class MalformedTariff(ValueError):
    """A tariff file lacks something or says it twice."""


class NoTariff(LookupError):
    """No tariff covers that place on that day."""

    def __init__(self, place: str, on: date) -> None:
        super().__init__(f"no tariff for {place} on {on}")
        self.place = place
        self.on = on


@dataclass(frozen=True)
class Parameter:
    """One figure of a tariff with where it comes from, where and since when it holds."""

    code: str
    value: int
    unit: str
    source: str
    assumed: bool
    valid_from: date
    place: str


PARAMETERS = {
    "journeys": "journeys",
    "companions_sitting": "persons",
    "companions_bedridden": "persons",
    "bus_fare_fen": "fen",
    "bus_fare_km": "km",
    "bus_minimum_fen": "fen",
    "bus_free_from_age": "years",
    "car_minimum_fen": "fen",
    "car_maximum_fen": "fen",
    "car_per_km_fen": "fen",
    "meal_fen": "fen",
    "lodging_fen": "fen",
    "lodging_beyond_km": "km",
    "lodging_nights": "nights",
    "half_day_fen": "fen",
    "assessment_fee_fen": "fen",
}


@dataclass(frozen=True)
class Tariff:
    """The dated figures of one place by which spared journeys are priced."""

    code: str
    place: str
    valid_from: date
    parameters: Mapping[str, Parameter]

    def __getitem__(self, code: str) -> int:
        return self.parameters[code].value

    def rides_free(self, age: int, holds_certificate: bool) -> bool:
        """Tell whether buses carry that person free of charge."""
        return holds_certificate or age >= self["bus_free_from_age"]


@dataclass(frozen=True)
class JourneyFacts:
    """What is recorded with a home assessment about the journeys it spared.

    `distance_km` is as the crow flies, `road_factor` turns it into road. `companions` is what
    the family said; None takes the tariff's number. Whoever does not meet the standard has no
    certificate to collect.
    """

    distance_km: float
    road_factor: float
    bedridden: bool
    can_sit: bool
    rides_free: bool
    fee_paid_by_county: bool
    companions: int | None = None
    collects: bool = True

    def __post_init__(self) -> None:
        if self.distance_km < 0 or self.road_factor < 1:
            raise ValueError("A distance is 0 or more, a road factor 1 or more.")
        if self.companions is not None and self.companions < 0:
            raise ValueError("Nobody has less than no companion.")

    @cached_property
    def road_km(self) -> Decimal:
        """Kilometres of road one way, rounded half up to the metre."""
        exact = Decimal(str(self.distance_km)) * Decimal(str(self.road_factor))
        return exact.quantize(Decimal("0.001"), ROUND_HALF_UP)


@dataclass(frozen=True)
class Factor:
    """One factor of a line's quantity."""

    code: str
    value: int


@dataclass(frozen=True)
class SavingLine:
    """One line of a saving: quantity × unit price, opened to formula, parameters and sources."""

    code: str
    quantity: int
    unit_fen: int
    amount_fen: int
    formula: str
    parameter: str
    source: str
    assumed: bool
    factors: tuple[Factor, ...] = ()


@dataclass(frozen=True)
class Saving:
    """What one home assessment spared one citizen."""

    tariff: str
    lines: tuple[SavingLine, ...]

    @property
    def total_fen(self) -> int:
        """The sum of the lines."""
        return sum(line.amount_fen for line in self.lines)


class _Price(NamedTuple):
    """A unit price, the parameters it was made from, and what writes it in words."""

    fen: int
    parameters: tuple[str, ...]
    words: Callable[[], str]


class _Line(NamedTuple):
    """What a line is counted from: named factors, a unit price, and what the counting took."""

    code: str
    factors: tuple[tuple[str, int], ...]
    price: _Price
    counted_by: tuple[str, ...]

    @property
    def quantity(self) -> int:
        return prod(value for _, value in self.factors)


def saved(facts: JourneyFacts, tariff: Tariff) -> Saving:
    """Price the journeys that a home assessment spared, in seven lines, amounts in fen.

    Lines that do not apply stay, with quantity 0, so that every saving has the same shape.
    """
    return Saving(tariff.code, tuple(_opened(line, tariff) for line in _lines(facts, tariff)))


def journeys(facts: JourneyFacts, tariff: Tariff) -> int:
    """Count the journeys that were spared: to the examination, and to collect the certificate."""
    return tariff["journeys"] if facts.collects else min(1, tariff["journeys"])


def amounts(facts: JourneyFacts, tariff: Tariff) -> dict[str, int]:
    """Return the amount of each line of the same saving in fen, its words left unwritten.

    Totals over many thousand homes need no more, and it takes a tenth of the time.
    """
    return {line.code: line.quantity * line.price.fen for line in _lines(facts, tariff)}


def _lines(facts: JourneyFacts, tariff: Tariff) -> Iterator[_Line]:
    counted = _companions(facts, tariff)
    yield from _rides(facts, tariff, *counted)
    yield from _stays(facts, tariff, *counted)


def _rides(
    facts: JourneyFacts, tariff: Tariff, companions: int, counted_by: tuple[str, ...]
) -> Iterator[_Line]:
    """There and back by bus, each their own fare; or in one hired car that all share."""
    sits = int(facts.can_sit)
    trips = (("journeys", journeys(facts, tariff)), ("ways", WAYS))
    pays = (*trips, ("paying_residents", sits * (not facts.rides_free)))
    ride_along = (*trips, ("companions", sits * companions))
    cars = (*trips, ("cars", 1 - sits))
    bus = _bus_fare(facts, tariff)
    yield _Line("bus_resident", pays, bus, ("journeys", "bus_free_from_age"))
    yield _Line("bus_companions", ride_along, bus, ("journeys", *counted_by))
    yield _Line("hired_car", cars, _car_fare(facts, tariff), ("journeys",))


def _stays(
    facts: JourneyFacts, tariff: Tariff, companions: int, counted_by: tuple[str, ...]
) -> Iterator[_Line]:
    """What being away costs: meals, a night when it is far, the companions' work; and the fee."""
    times = ("journeys", journeys(facts, tariff))
    travellers = ("travellers", 1 + companions)
    nights = ("nights", tariff["lodging_nights"] * _is_far(facts, tariff))
    carers = ("companions", companions)
    fee = ("fees", int(not facts.fee_paid_by_county))
    meal, bed, half_day, fee_price = (
        _flat(tariff, code)
        for code in ("meal_fen", "lodging_fen", "half_day_fen", "assessment_fee_fen")
    )
    far = ("lodging_nights", "lodging_beyond_km", *counted_by)
    yield _Line("meals", (times, travellers), meal, ("journeys", *counted_by))
    yield _Line("lodging", (nights, travellers), bed, far)
    yield _Line("lost_working_time", (times, carers), half_day, ("journeys", *counted_by))
    yield _Line("assessment_fee", (fee,), fee_price, ())


def _companions(facts: JourneyFacts, tariff: Tariff) -> tuple[int, tuple[str, ...]]:
    """Take the family's number, or the tariff's together with the parameter it came from."""
    if facts.companions is not None:
        return facts.companions, ()
    code = "companions_bedridden" if facts.bedridden else "companions_sitting"
    return tariff[code], (code,)


def _opened(line: _Line, tariff: Tariff) -> SavingLine:
    """Keep beside the amount everything it was made from."""
    used = [tariff.parameters[name] for name in (*line.counted_by, *line.price.parameters)]
    counted = " × ".join(f"{value} {name}" for name, value in line.factors)
    return SavingLine(
        code=line.code,
        quantity=line.quantity,
        unit_fen=line.price.fen,
        amount_fen=line.quantity * line.price.fen,
        formula=f"{counted} × {line.price.words()}",
        parameter=", ".join(f"{one.code}={one.value}" for one in used),
        source="; ".join(dict.fromkeys(one.source for one in used)),
        assumed=any(one.assumed for one in used),
        factors=tuple(Factor(*one) for one in line.factors),
    )


def yuan(fen: int) -> str:
    """Write fen as yuan with two decimals."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _half_up(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _flat(tariff: Tariff, code: str) -> _Price:
    return _Price(tariff[code], (code,), lambda: f"{yuan(tariff[code])} yuan")


def _bus_fare(facts: JourneyFacts, tariff: Tariff) -> _Price:
    """The fare seen at a known distance, in proportion to the road, with a smallest fare."""
    names = ("bus_fare_fen", "bus_fare_km", "bus_minimum_fen")
    seen, at_km, least = (tariff[name] for name in names)
    fare = max(least, _half_up(facts.road_km * seen / at_km))

    def words() -> str:
        by_road = f"{facts.road_km} km × {yuan(seen)} / {at_km} km"
        return f"{yuan(fare)} yuan [max({yuan(least)}, {by_road})]"

    return _Price(fare, names, words)


def _car_fare(facts: JourneyFacts, tariff: Tariff) -> _Price:
    """A rate by road kilometre between a lowest and a highest price; all travellers share it."""
    names = ("car_minimum_fen", "car_maximum_fen", "car_per_km_fen")
    least, most, per_km = (tariff[name] for name in names)
    fare = min(most, max(least, _half_up(facts.road_km * per_km)))

    def words() -> str:
        by_road = f"max({yuan(least)}, {facts.road_km} km × {yuan(per_km)})"
        return f"{yuan(fare)} yuan [min({yuan(most)}, {by_road})]"

    return _Price(fare, names, words)


def _is_far(facts: JourneyFacts, tariff: Tariff) -> bool:
    return facts.road_km > tariff["lodging_beyond_km"]


def tariff_for(place: str, on: date, tariffs: Iterable[Tariff]) -> Tariff:
    """Choose the tariff in force at a place (division code) on a day.

    The narrowest place wins, then the newest edition that had begun. Raises `NoTariff`.
    """
    fitting = [t for t in tariffs if t.valid_from <= on and covers(t.place, place)]
    if not fitting:
        raise NoTariff(place, on)
    return max(fitting, key=lambda tariff: (len(_stem(tariff.place)), tariff.valid_from))


def covers(wide: str, narrow: str) -> bool:
    """Tell whether a place is another one, or lies in it."""
    return narrow.startswith(_stem(wide))


def _stem(code: str) -> str:
    """Shorten a division code to its telling part: 510000 is 51, 511300 is 5113 (GB/T 2260)."""
    stem = code[:6]
    while stem.endswith("00"):
        stem = stem[:-2]
    return stem if len(code) <= 6 else code


@lru_cache(maxsize=32)
def load_tariff(text: str) -> Tariff:
    """Read a tariff from TOML, each text once; a parameter may name its own place and date.

    Raises `MalformedTariff` unless each parameter is there once, whole, with unit and source.
    """
    try:
        table = tomllib.loads(text)
        code, place, valid_from = table["code"], table["place"], table["valid_from"]
        rows = [{"place": place, "valid_from": valid_from, **row} for row in table["parameter"]]
        parameters = [Parameter(**row) for row in rows]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise MalformedTariff(f"This is no tariff: {error}") from None
    _check_parameters(parameters)
    return Tariff(code, place, valid_from, {one.code: one for one in parameters})


def _check_parameters(parameters: list[Parameter]) -> None:
    codes = [one.code for one in parameters]
    if sorted(codes) != sorted(PARAMETERS):
        odd = sorted(set(codes) ^ set(PARAMETERS)) or sorted(
            {c for c in codes if codes.count(c) > 1}
        )
        raise MalformedTariff(f"Missing, unknown or repeated: {', '.join(odd)}.")
    for one in parameters:
        if type(one.value) is not int or one.value < 0 or one.unit != PARAMETERS[one.code]:
            raise MalformedTariff(f"{one.code} is a whole number of {PARAMETERS[one.code]}.")
        if not one.source:
            raise MalformedTariff(f"{one.code} names no source.")
    value = {one.code: one.value for one in parameters}
    if value["bus_fare_km"] < 1 or value["car_minimum_fen"] > value["car_maximum_fen"]:
        raise MalformedTariff("A fare is for 1 km or more, and no car's lowest price its highest.")


def shipped_tariffs() -> tuple[Tariff, ...]:
    """Return the tariffs that come with the software."""
    return tuple(load_tariff(text) for text in _shipped_texts())


def tariff_text(code: str) -> str:
    """Return the file of a shipped tariff as it stands, to be kept beside the figures it priced.

    Raises `KeyError` for a code that is not shipped.
    """
    return {load_tariff(text).code: text for text in _shipped_texts()}[code]


@cache
def _shipped_texts() -> tuple[str, ...]:
    files = sorted(STANDARDS.glob("tariff-*.toml"))
    return tuple(file.read_text(encoding="utf-8") for file in files)
