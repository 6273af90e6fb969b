"""Template filters: codes as words, fen as yuan, ID numbers with only their end to be seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outreach.desk import planning_words, rating_words, words
from outreach.desk.listing import Age, Urgency
from outreach.domain.daytime import clock_time
from outreach.domain.savings import Parameter, SavingLine, Tariff
from outreach.models import Application, LeftOut, Plan
from outreach.reports.rates import Rate

register = template.Library()
register.filter("clock", clock_time)

TABLES: dict[str, Any] = {
    "role": words.ROLES,
    "sex": words.SEXES,
    "category": words.CATEGORIES,
    "grade": words.GRADES,
    "state": words.STATES,
    "step": words.STEPS,
    "visit": words.VISIT_STATES,
    "paper": words.PAPERS,
    "return_reason": words.RETURN_REASONS,
    "paper_fault": words.PAPER_FAULTS,
    "outlet_kind": words.OUTLET_KINDS,
    "urgency": words.URGENCIES,
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
    "not_sent": words.NOT_SENT,
    "life": words.LIFE,
    "kind": words.KINDS,
    "wish": words.WISHES,
    "revoked": words.REVOKED,
    "worry": words.WORRIES,
    "hand_in": words.HAND_IN_REASONS,
    "taken_in": words.TAKEN_IN,
    "decision": words.DECISIONS,
    "proof": words.PROOFS,
    "ground": words.GROUNDS,
    "promise": words.PROMISES,
    "line": words.SAVING_LINES,
    "factor": words.FACTORS,
    "parameter": words.PARAMETERS,
    "unit": words.UNITS,
    "press_why": words.PRESS_WHY,
    "plan_state": planning_words.PLAN_STATES,
    "plan_kind": planning_words.PLAN_KINDS,
    "plan_message": planning_words.MESSAGES,
    "hindrance": planning_words.HINDRANCES,
    "call": planning_words.CALLS,
    "travel": planning_words.TRAVEL,
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
def address(application: Application) -> str:
    """Return where the home is; township and village are not said twice before a full address."""
    village, filed = application.village, application.resident.address.strip()
    township = village.parent.name if village.parent else ""
    before = [] if township and township in filed else [township]
    before += [] if village.name in filed else [village.name]
    return " ".join(part for part in (*before, filed) if part)


@register.filter
def masked(number: str) -> str:
    """Return a number of which only the last four characters are to be seen."""
    return f"{'•' * 6}{number[-4:]}" if number else ""


@register.filter
def yuan(fen: int) -> str:
    """Return an amount in yuan, to the fen."""
    fen = fen or 0  # a template passes on what a plan without figures lacks
    sign = "−" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


@register.filter
def plain_yuan(fen: int) -> str:
    """Return an amount as a sentence says it: whole yuan without their hundredths."""
    return yuan(fen).removesuffix(".00")


@register.filter
def cell(value: Any) -> Any:
    """Return a table's cell: amounts with two decimals, days as YYYY-MM-DD."""
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:,.2f}" if isinstance(value, float) else value


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
def standing(age: Age) -> str:
    """Return how a wait stands against our promise and the law, in words."""
    past = {"days": age.beyond}
    if age.urgency == Urgency.LATE:
        text = ngettext(
            "%(days)d working day past the law", "%(days)d working days past the law", age.beyond
        )
        return text % past
    if age.urgency == Urgency.OVER:
        text = ngettext(
            "%(days)d working day past the promise",
            "%(days)d working days past the promise",
            age.beyond,
        )
        return text % past
    if age.urgency == Urgency.DUE:
        return _("due today")
    if age.urgency == Urgency.IN_TIME:
        text = ngettext("%(days)d working day left", "%(days)d working days left", age.beyond)
        return text % past
    return ""


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


@register.filter
def figures_of(line: SavingLine, tariff: Tariff) -> list[Parameter]:
    """Return the figures of its tariff that a line was counted and priced by."""
    named = (part.partition("=")[0] for part in line.parameter.split(", "))
    return [tariff.parameters[code] for code in named]


@register.filter
def sourced(source: str) -> str:
    """Return where a figure comes from: shipped sources in the reader's language, others as is."""
    return _(source) if source else source


@register.filter
def plan_tone(state: str) -> str:
    """Return how a plan's state is coloured."""
    return planning_words.PLAN_TONES.get(state, "info")


@register.filter
def weekday(day: date) -> str | Promise:
    """Return the name of the day of the week."""
    return words.WEEKDAYS[day.weekday()]


@register.filter
def figure(value: Any, unit: str) -> str:
    """Return a figure of a plan with its unit; a plan that never began has none."""
    if value in (None, ""):
        return "—"
    if unit == "km":
        return _("%(n)s km") % {"n": f"{int(value + 0.5):,}"}  # half up, as `floatformat` does
    if unit == "minutes" and value < 60:
        return _("%(n)s min") % {"n": value}
    if unit == "minutes":
        return _("%(h)d h %(m)02d min") % {"h": value // 60, "m": value % 60}
    if unit == "yuan":
        return _("%(n)s yuan") % {"n": yuan(int(value))}
    return f"{value:,}"


@register.filter
def why(left: LeftOut) -> str:
    """Return why a plan leaves a case out, in a sentence."""
    return planning_words.sentence(planning_words.REASONS, left.reason, left.detail)


@register.filter
def remedies(left: LeftOut) -> list[str]:
    """Return what would let the case in, each in a sentence."""
    rows = left.remedies or [{"code": "unknown", "detail": {}}]
    return [
        planning_words.sentence(planning_words.REMEDIES, row["code"], row["detail"]) for row in rows
    ]


@register.filter
def wishes(plan: Plan) -> list[str]:
    """Return what a what-if asks to be different, each in words."""
    return planning_words.wishes(plan)


@register.filter
def signed_yuan(fen: int) -> str:
    """Return a difference in yuan, with its sign."""
    return f"+{yuan(fen)}" if fen > 0 else yuan(fen)


@register.filter
def moment(text: str) -> str:
    """Return a moment that a tablet wrote down in the county's time; other text stays as it is."""
    try:
        return f"{timezone.localtime(datetime.fromisoformat(text)):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError):  # a tablet's clock knows no bounds
        return text


@register.filter
def megabytes(free: int) -> str:
    """Return a space in gigabytes, or in megabytes where it is small."""
    return f"{free / 1024:.1f} GB" if free >= 1024 else f"{free} MB"


@register.filter
def revoked_why(why: str) -> str:
    """Return why a tablet was stopped: the reason's word, and the note behind it."""
    code, dot, note = why.partition(" · ")
    return f"{said(code, 'revoked')}{dot}{note}"


@register.filter
def rate(one: Rate, what: str) -> str:
    """Return what a page says of a rate: `short`, `flag`, `found`, `expected` or `rarity`."""
    return str(getattr(rating_words, what)(one))
