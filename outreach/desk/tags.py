"""Template filters: codes as words, fen as yuan, ID numbers with only their end to be seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outreach.desk import words
from outreach.desk.listing import Age

register = template.Library()

TABLES: dict[str, Any] = {
    "role": words.ROLES,
    "level": words.LEVELS,
    "sex": words.SEXES,
    "category": words.CATEGORIES,
    "grade": words.GRADES,
    "state": words.STATES,
    "step": words.STEPS,
    "visit": words.VISIT_STATES,
    "paper": words.PAPERS,
    "evidence": words.EVIDENCE,
    "not_done": words.NOT_DONE,
    "next_step": words.NEXT_STEPS,
    "outcome": words.OUTCOMES,
    "mutation": words.MUTATIONS,
    "relation": words.RELATIONS,
    "subject": words.SUBJECTS,
    "deed": words.DEEDS,
    "certificate": words.CERTIFICATES,
    "notification": words.NOTIFICATIONS,
    "notified": words.NOTIFIED,
    "life": words.LIFE,
    "kind": words.KINDS,
    "ground": words.GROUNDS,
    "line": words.SAVING_LINES,
    "factor": words.FACTORS,
    "press_why": words.PRESS_WHY,
}


@register.filter
def said(code: Any, table: str) -> Any:
    """Return the word for a code; an unknown code stands for itself."""
    return TABLES[table].get(code, code)


@register.filter
def listed(codes: Iterable[Any], table: str) -> str:
    """Return the words for several codes, with commas."""
    return _(", ").join(str(said(code, table)) for code in codes)


@register.filter
def tone(state: str) -> str:
    """Return how a state is coloured."""
    return words.TONES.get(state, "info")


@register.filter
def life_tone(state: str) -> str:
    """Return how the state of a certificate is coloured."""
    return {"valid": "good", "frozen": "warn", "lost": "bad", "cancelled": "bad"}.get(
        state, "quiet"
    )


@register.filter
def masked(number: str) -> str:
    """Return a number of which only the last four characters are to be seen."""
    return f"{'•' * 6}{number[-4:]}" if number else ""


@register.filter
def yuan(fen: int) -> str:
    """Return an amount in yuan, to the fen."""
    sign = "−" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


@register.filter
def waited(age: Age) -> str:
    """Return how many working days something has waited."""
    if age.missing_year is not None:
        return _("calendar for %(year)d not loaded") % {"year": age.missing_year}
    if age.days is None:
        return "—"
    if age.days == 0:
        return _("today")
    text = ngettext("%(days)d working day", "%(days)d working days", age.days)
    return text % {"days": age.days}


@register.filter
def times(spans: Sequence[dict[str, Any]]) -> str:
    """Return the family's possible times in words, days with the same hours together."""
    hours: dict[str, list[str]] = {}
    for span in sorted(spans, key=lambda one: (one["weekday"], one["from"])):
        hours.setdefault(f"{span['from']}–{span['to']}", []).append(
            str(words.WEEKDAYS[span["weekday"]])
        )
    return _("; ").join(f"{_(', ').join(days)} {hour}" for hour, days in hours.items())


@register.filter
def worked_out(formula: str) -> str:
    """Return how a fare came about: what a formula has in square brackets."""
    return formula.partition("[")[2].rpartition("]")[0]
