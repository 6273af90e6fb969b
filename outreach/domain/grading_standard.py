"""The grading standard as typed data, read from its TOML file: what `grading` decides by."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from functools import cache, cached_property
from importlib import resources
from typing import Any

STANDARD_EDITION = "GB/T 26341-2010"
_FILE = "gbt-26341-2010.toml"
_HALF = Decimal("0.5")


class BadStandard(ValueError):
    """The standard's file is not one that can be graded by."""


@dataclass(frozen=True)
class Label:
    """The same words in both languages of the screens."""

    zh: str
    en: str


@dataclass(frozen=True)
class Bounds:
    """The numbers from one boundary to another; an absent bound is open."""

    at_least: Decimal | None = None
    above: Decimal | None = None
    at_most: Decimal | None = None
    below: Decimal | None = None

    def hold(self, value: Decimal) -> bool:
        """Answer whether the value lies within all the bounds."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )


@dataclass(frozen=True)
class Band:
    """One row of a scale; a grade of None is no disability."""

    grade: int | None
    bounds: Bounds
    printed: str
    clause: str
    sure: str


@dataclass(frozen=True)
class Scale:
    """A measure and the grades its values fall into."""

    code: str
    label: Label
    unit: str
    rounds_half_up: bool
    asks_when_rounding_matters: bool
    bands: tuple[Band, ...]

    def rounded(self, value: Decimal) -> Decimal:
        """Return the value as the standard compares it: .5 rounds up where it prints integers."""
        if not self.rounds_half_up:
            return value
        return (value + _HALF).to_integral_value(ROUND_FLOOR)

    def grade_of(self, value: Decimal) -> int | None:
        """Return the grade of a value, rounded first where the scale says so."""
        return self.raw_grade_of(self.rounded(value))

    def raw_grade_of(self, value: Decimal) -> int | None:
        """Return the grade the value falls into as it was measured."""
        return next(band.grade for band in self.bands if band.bounds.hold(value))


@dataclass(frozen=True)
class Measure:
    """What a physical condition asks of a measurement."""

    finding: str
    bounds: Bounds
    printed: str
    clause: str
    sure: str


@dataclass(frozen=True)
class Choice:
    """One of the answers to choose from, and the grade it stands for."""

    code: str | int
    label: Label
    grade: int | None
    clause: str
    sure: str
    by_judgement: bool = False
    measures: tuple[Measure, ...] = ()
    adults_only_from: int | None = None


@dataclass(frozen=True)
class Precondition:
    """One test of a `needed_when` group: on the age, or on another finding."""

    of: str
    bounds: Bounds
    one_of: tuple[str, ...] | None
    none_of: tuple[str, ...] | None
    given: bool | None


@dataclass(frozen=True)
class FindingRule:
    """What a finding looks like, and when the standard needs it."""

    name: str
    kind: str
    label: Label
    unit: str
    scale: str | None
    choices: str | None
    minimum: Decimal
    maximum: Decimal
    labels: tuple[str, ...]
    null_label: Label | None
    needed_when: tuple[tuple[Precondition, ...], ...] | None


@dataclass(frozen=True)
class Category:
    """A category of disability, the digit it has in a certificate number, and its findings."""

    code: str
    digit: int
    label: Label
    clause: str
    findings: tuple[FindingRule, ...]

    @cached_property
    def by_name(self) -> Mapping[str, FindingRule]:
        """The findings by their names."""
        return {rule.name: rule for rule in self.findings}


@dataclass(frozen=True)
class Message:
    """A sentence to the doctor with places to fill in, and the clause it rests on."""

    label: Label
    clause: str


@dataclass(frozen=True)
class Standard:
    """One edition of the grading standard, whole."""

    edition: str
    grades: Mapping[int | None, Label]
    age: FindingRule
    decimals_at_most: int
    sides: Mapping[str, Label]
    scales: Mapping[str, Scale]
    choices: Mapping[str, Mapping[str | int, Choice]]
    parameters: Mapping[str, int]
    categories: Mapping[str, Category]
    messages: Mapping[str, Message]
    source: Mapping[str, Any]

    def choice(self, list_name: str, code: str | int) -> Choice:
        """Return one choice of a list."""
        return self.choices[list_name][code]


def load_standard(text: str | None = None) -> Standard:
    """Read a grading standard from TOML text, or the packaged GB/T 26341-2010.

    Raises BadStandard when a part is missing, or when the bands of a scale leave a gap or overlap.
    """
    return _packaged() if text is None else _read(text)


def standard_as_json(standard: Standard | None = None) -> dict[str, Any]:
    """Return the standard as plain JSON data: all a tablet needs to draw its forms and to grade."""
    plain = _plain((standard or load_standard()).source)
    assert isinstance(plain, dict)
    return plain


@cache
def _packaged() -> Standard:
    file = resources.files("outreach.domain").joinpath("standards", _FILE)
    return _read(file.read_text(encoding="utf-8"))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def _read(text: str) -> Standard:
    try:
        data = tomllib.loads(text, parse_float=Decimal)
        standard = _standard(data)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BadStandard(f"The grading standard cannot be read: {error!r}") from error
    for scale in standard.scales.values():
        _check_whole(scale)
    return standard


def _standard(data: Mapping[str, Any]) -> Standard:
    figures = {name: int(row["value"]) for name, row in data["parameters"].items()}
    grades: dict[int | None, Label] = {row["grade"]: _label(row) for row in data["grades"]}
    return Standard(
        edition=data["edition"],
        grades={**grades, None: _label(data["not_met"])},
        age=_finding({"name": "age", "kind": "number", **data["age"]}, figures),
        decimals_at_most=data["decimals_at_most"],
        sides={side: _label(row) for side, row in data["sides"].items()},
        scales={code: _scale(code, row) for code, row in data["scales"].items()},
        choices={
            name: {row["code"]: _choice(row, figures) for row in rows}
            for name, rows in data["choices"].items()
        },
        parameters=figures,
        categories={row["code"]: _category(row, figures) for row in data["categories"]},
        messages={
            code: Message(_label(row), row["clause"]) for code, row in data["messages"].items()
        },
        source=data,
    )


def _label(row: Mapping[str, Any]) -> Label:
    return Label(row["zh"], row["en"])


def _bounds(row: Mapping[str, Any], figures: Mapping[str, int]) -> Bounds:
    def bound(name: str) -> Decimal | None:
        value = row.get(name)
        if value is None:
            return None
        return Decimal(figures[value]) if isinstance(value, str) else Decimal(value)

    return Bounds(bound("at_least"), bound("above"), bound("at_most"), bound("below"))


def _scale(code: str, row: Mapping[str, Any]) -> Scale:
    return Scale(
        code,
        _label(row),
        row["unit"],
        rounds_half_up=row["rounding"] == "half_up",
        asks_when_rounding_matters=row.get("asks_when_rounding_matters", False),
        bands=tuple(
            Band(
                band.get("grade"), _bounds(band, {}), band["printed"], band["clause"], band["sure"]
            )
            for band in row["bands"]
        ),
    )


def _choice(row: Mapping[str, Any], figures: Mapping[str, int]) -> Choice:
    age = row.get("age_at_least")
    return Choice(
        row["code"],
        _label(row),
        row.get("grade"),
        row["clause"],
        row["sure"],
        by_judgement=row.get("by_judgement", False),
        measures=tuple(
            Measure(
                item["finding"],
                _bounds(item, figures),
                item["printed"],
                item["clause"],
                item["sure"],
            )
            for item in row.get("measures", [])
        ),
        adults_only_from=None if age is None else figures[age],
    )


def _category(row: Mapping[str, Any], figures: Mapping[str, int]) -> Category:
    findings = tuple(_finding(item, figures) for item in row["findings"])
    return Category(row["code"], row["digit"], _label(row), row["clause"], findings)


def _finding(row: Mapping[str, Any], figures: Mapping[str, int]) -> FindingRule:
    needed = row.get("needed_when")
    return FindingRule(
        row["name"],
        row["kind"],
        _label(row),
        row.get("unit", ""),
        row.get("scale"),
        row.get("choices"),
        minimum=Decimal(row.get("minimum", 0)),
        maximum=Decimal(row.get("maximum", 0)),
        labels=tuple(row.get("labels", [])),
        null_label=Label(row["null_zh"], row["null_en"]) if "null_zh" in row else None,
        needed_when=None if needed is None else _tests(needed, figures),
    )


def _tests(
    groups: Sequence[Sequence[Mapping[str, Any]]], figures: Mapping[str, int]
) -> tuple[tuple[Precondition, ...], ...]:
    def codes(row: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
        return tuple(row[name]) if name in row else None

    return tuple(
        tuple(
            Precondition(
                row["of"],
                _bounds(row, figures),
                codes(row, "one_of"),
                codes(row, "none_of"),
                row.get("given"),
            )
            for row in group
        )
        for group in groups
    )


def _check_whole(scale: Scale) -> None:
    """Refuse a scale whose bands, in order of their values, leave a gap or overlap."""
    bands = sorted((band.bounds for band in scale.bands), key=_start)
    ends = [(low.at_most, low.below) for low in bands[:-1]]
    starts = [(high.above, high.at_least) for high in bands[1:]]
    open_ended = _start(bands[0]).is_infinite() and bands[-1].at_most is bands[-1].below is None
    if ends != starts or not open_ended or any(a is b for a, b in ends):
        raise BadStandard(f"The bands of scale {scale.code} leave a gap or overlap")


def _start(bounds: Bounds) -> Decimal:
    low = bounds.above if bounds.at_least is None else bounds.at_least
    return Decimal("-Infinity") if low is None else low
