"""What an assessor found, in the standard's own words, for whoever reviews it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from outreach.domain.grading import BadFinding, Case, grade, load_standard, standard_as_json
from outreach.models import Evaluation

#: The standard's units that are words; the others are the same in every language.
UNITS = {"月": gettext_lazy("months")}


@dataclass(frozen=True)
class Shown:
    """One part of an evaluation as the reviewer sees it."""

    category: str
    findings: list[tuple[str, str]]
    computed: int | None
    given: int | None
    reason: str
    reasons: list[str]
    questions: list[str]

    @property
    def differs(self) -> bool:
        """Tell whether the doctor's grade is another than the findings give."""
        return self.computed != self.given


def parts_of(evaluation: Evaluation) -> list[Shown]:
    """Return the parts of an evaluation with labels, values and the standard's reasons."""
    age = evaluation.application.resident.age(_day(evaluation))
    return [_shown(part, age) for part in evaluation.parts]


def _day(evaluation: Evaluation) -> date:
    return timezone.localdate(evaluation.evaluated_at)


def _shown(part: Mapping[str, Any], age: int) -> Shown:
    reasons, questions = _explained(part, age)
    return Shown(
        category=part["category"],
        findings=_labelled(part["category"], part["findings"]),
        computed=part["computed_grade"],
        given=part["grade"],
        reason=part["reason"],
        reasons=reasons,
        questions=questions or list(part["questions"]),
    )


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"


def _explained(part: Mapping[str, Any], age: int) -> tuple[list[str], list[str]]:
    try:
        found = grade(Case(part["category"], age, part["findings"]), load_standard())
    except BadFinding:
        return [], []
    tongue = _language()
    return (
        [getattr(sentence, tongue) for sentence in found.reasons],
        [getattr(sentence, tongue) for sentence in found.questions],
    )


def _labelled(category: str, findings: Mapping[str, Any]) -> list[tuple[str, str]]:
    standard, tongue = standard_as_json(), _language()
    rules = {
        rule["name"]: rule
        for entry in standard["categories"]
        if entry["code"] == category
        for rule in entry.get("findings", ())
    }
    rows = []
    for name, value in findings.items():
        rule = rules.get(name, {})
        label = rule.get(tongue, name)
        rows.append((label, _value(value, rule, standard, tongue)))
    return rows


def _value(value: Any, rule: Mapping[str, Any], standard: Mapping[str, Any], tongue: str) -> str:
    if value is None:
        return "—"
    if isinstance(value, list):
        return " · ".join(str(one) for one in value)
    choices = standard["choices"].get(rule.get("choices"), ())
    words = next((one[tongue] for one in choices if one["code"] == value), None)
    if words:
        if rule.get("name") != "condition":
            return str(words)
        return _("%(words)s (%(code)s)") % {"words": words, "code": value}
    unit = rule.get("unit") or ""
    return f"{value} {UNITS.get(unit, unit)}".strip()
