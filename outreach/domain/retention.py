"""How long what is kept, and why: dated rules as data, that a county may replace by its own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from outreach.domain.workdays import add_months

FILE = Path(__file__).parent / "standards" / "retention.toml"


class Holding(StrEnum):
    """A kind of data with a term of its own."""

    UNFINISHED = "unfinished"
    NOT_MET = "not_met"
    ASSESSED = "assessed"
    EVIDENCE = "evidence"
    PAPERS = "papers"
    ENQUIRIES = "enquiries"
    MESSAGES = "messages"
    LISTS = "lists"
    PLANS = "plans"
    RECORDS = "records"
    HAND_INS = "hand_ins"


class MalformedTerms(ValueError):
    """A file of terms is no TOML, or names what there is not."""


@dataclass(frozen=True)
class Term:
    """Months after its purpose ended until a kind of data is erased (0: never); with the reason.

    `on_request`: whether a citizen may have it erased before, once its case is over.
    """

    months: int
    on_request: bool
    why: str
    source: str

    def cutoff(self, on: date) -> date | None:
        """Return the day before which a purpose must have ended; None where it is kept for ever."""
        return add_months(on, -self.months) if self.months else None

    def until(self, ended_on: date) -> date | None:
        """Return the day from which it is erased; None where it is kept for ever."""
        return add_months(ended_on, self.months) if self.months else None


@dataclass(frozen=True)
class Terms:
    """The terms of every county: its own where it set them, else the default."""

    default: Mapping[Holding, Term]
    counties: Mapping[str, Mapping[Holding, Term]]

    def of(self, county: str, kind: Holding) -> Term:
        """Return the term of a kind in the county with that division code."""
        return self.counties.get(county, self.default)[kind]


def read_terms(own: str = "") -> Terms:
    """Read the terms that come with the software, with a county's own TOML laid over them.

    Raises `MalformedTerms`, which says what is wrong.
    """
    default = {
        Holding(kind): Term(**said)
        for kind, said in tomllib.loads(FILE.read_text(encoding="utf-8"))["default"].items()
    }
    table = _parsed(own)
    default = _laid_over(default, table.pop("default", {}))
    counties = table.pop("county", {})
    if not isinstance(counties, dict):
        raise MalformedTerms("county is a table of division codes")
    if table:
        raise MalformedTerms(f"unknown: {', '.join(sorted(table))}; name default or county")
    return Terms(default, {code: _laid_over(default, said) for code, said in counties.items()})


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MalformedTerms(f"not TOML: {error}") from error


def _laid_over(terms: Mapping[Holding, Term], said: Any) -> dict[Holding, Term]:
    if not isinstance(said, dict):
        raise MalformedTerms("a county is a table of kinds")
    laid = dict(terms)
    for name, changes in said.items():
        if name not in set(Holding):
            raise MalformedTerms(f"{name} is none of {', '.join(Holding)}")
        laid[Holding(name)] = _changed(terms[Holding(name)], name, changes)
    return laid


def _changed(term: Term, name: str, changes: Any) -> Term:
    try:
        changed = replace(term, **changes)
    except TypeError as error:
        raise MalformedTerms(f"{name}: months, on_request, why and source only") from error
    if type(changed.months) is not int or not 0 <= changed.months <= 1200:
        raise MalformedTerms(f"{name}: months is a number from 0 (for ever) to 1200")
    if type(changed.on_request) is not bool:
        raise MalformedTerms(f"{name}: on_request is true or false")
    return changed
