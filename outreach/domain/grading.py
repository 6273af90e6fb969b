"""The grade that the standard gives to findings, why, and what it leaves to the doctor.

Every threshold and every sentence is data (`standards/gbt-26341-2010.toml`); here is only how the
clauses combine. Where two readings were possible, docs/explanation/grading.md says which and why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from outreach.domain.grading_input import (
    BadCase,
    BadFinding,
    Case,
    Findings,
    checked,
    read_case,
    read_cases,
)
from outreach.domain.grading_sheet import Pen, Sentence, Sheet
from outreach.domain.grading_standard import (
    STANDARD_EDITION,
    BadStandard,
    Choice,
    Label,
    Measure,
    Standard,
    load_standard,
    standard_as_json,
)

__all__ = [
    "STANDARD_EDITION",
    "BadCase",
    "BadFinding",
    "BadStandard",
    "Case",
    "Grading",
    "Sentence",
    "Standard",
    "grade",
    "grade_document",
    "load_standard",
    "read_case",
    "read_cases",
    "standard_as_json",
]

_MILDEST = 5  # orders "no grade" after grade 4


@dataclass(frozen=True)
class Grading:
    """What the standard makes of a case; `parts` are those of a multiple disability."""

    category: str
    grade: int | None
    questions: tuple[Sentence, ...]
    reasons: tuple[Sentence, ...]
    parts: tuple["Grading", ...] = ()

    @property
    def met(self) -> bool:
        """Whether the standard is met: there is a grade."""
        return self.grade is not None

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses the result rests on, each once, in the order they were used."""
        return tuple(dict.fromkeys(item.clause for item in self.reasons + self.questions))

    def as_json(self) -> dict[str, Any]:
        """Return the result in its wire shape, sentences in Chinese."""
        return {
            "grade": self.grade,
            "met": self.met,
            "questions": [item.zh for item in self.questions],
            "reasons": [item.zh for item in self.reasons],
        }


def grade(case: Case, standard: Standard) -> Grading:
    """Grade a case by the standard. Raises BadFinding when a finding is missing or impossible."""
    return _graded(case, checked(case, standard), standard)


def grade_document(text: str, standard: Standard | None = None) -> list[dict[str, Any]]:
    """Grade a JSON list of cases and return the results in the same order, in their wire shape.

    Nothing is graded unless every case can be: raises BadCase naming the case and the field.
    """
    standard = standard or load_standard()
    return [grade(case, standard).as_json() for case in read_cases(text, standard)]


def _graded(case: Case, found: Findings, standard: Standard) -> Grading:
    if case.category == "multiple":
        return _multiple(case, standard)
    pen = Pen(standard)
    result = _RULES[case.category](Sheet(case.age, found, standard, pen))
    return Grading(case.category, result, tuple(pen.questions), tuple(pen.reasons))


def _severest(*grades: int | None) -> int | None:
    known = [item for item in grades if item is not None]
    return min(known, default=None)


def _mildest(*grades: int | None) -> int | None:
    worst = max(_MILDEST if item is None else item for item in grades)
    return None if worst == _MILDEST else worst


def _vision(sheet: Sheet) -> int | None:
    """5.2: per eye the more severe of acuity and field; of the person the better eye."""
    result = _mildest(_eye(sheet, "right"), _eye(sheet, "left"))
    sheet.pen.note("vision_better_eye", grade=sheet.named(result))
    return result


def _eye(sheet: Sheet, side: str) -> int | None:
    by_acuity, shown = _acuity(sheet, f"acuity_{side}")
    words: dict[str, object] = {"eye": sheet.standard.sides[f"{side}_eye"], "acuity": shown}
    field = f"field_radius_{side}"
    if not sheet.found.given(field):
        sheet.pen.note("vision_eye", grade=sheet.named(by_acuity), **words)
        return by_acuity
    radius = sheet.found.number(field)
    by_field = sheet.scale("field_radius").grade_of(radius)
    result = _severest(by_acuity, by_field)
    sheet.pen.note(
        "vision_eye_field",
        acuity_grade=sheet.named(by_acuity),
        field=radius,
        field_grade=sheet.named(by_field),
        grade=sheet.named(result),
        **words,
    )
    return result


def _acuity(sheet: Sheet, finding: str) -> tuple[int | None, object]:
    value = sheet.found.values[finding]
    if isinstance(value, Decimal):
        return sheet.scale("acuity").grade_of(value), value
    choice = sheet.chosen("acuity", finding)
    return choice.grade, choice.label


def _hearing(sheet: Sheet) -> int | None:
    """5.3: the mean of four frequencies in the better ear, rounded; a close call is asked."""
    raw = min(_ear(sheet, "right"), _ear(sheet, "left"))
    scale = sheet.scale("hearing_loss")
    result = scale.grade_of(raw)
    sheet.pen.note("hearing_better_ear", grade=sheet.named(result))
    if scale.asks_when_rounding_matters and scale.raw_grade_of(raw) != result:
        sheet.pen.ask(
            "hearing_rounding",
            raw=raw,
            raw_grade=sheet.named(scale.raw_grade_of(raw)),
            rounded=scale.rounded(raw),
            grade=sheet.named(result),
        )
    return _counted_for_age(sheet, result)


def _ear(sheet: Sheet, side: str) -> Decimal:
    losses = sheet.found.numbers(f"{side}_db")
    raw = sum(losses, Decimal(0)) / len(losses)
    scale = sheet.scale("hearing_loss")
    sheet.pen.note(
        "hearing_ear",
        ear=sheet.standard.sides[f"{side}_ear"],
        raw=raw,
        rounded=scale.rounded(raw),
        grade=sheet.named(scale.grade_of(raw)),
    )
    return raw


def _counted_for_age(sheet: Sheet, result: int | None) -> int | None:
    """5.3, note: within 3 years the mildest grade does not count."""
    limit = sheet.parameter("hearing_child_age_at_most")
    if result is None or sheet.age > limit:
        return result
    if result <= sheet.parameter("hearing_child_grade_at_most"):
        return result
    sheet.pen.note("hearing_child", grade=sheet.named(result), age=limit)
    return None


def _speech(sheet: Sheet) -> int | None:
    """5.4: intelligibility and the expression test; a disagreement is the doctor's."""
    age = sheet.parameter("speech_age_at_least")
    if sheet.age < age:
        sheet.pen.note("speech_under_age", age=age)
        return None
    percent = sheet.found.number("intelligibility_percent")
    by_percent = sheet.scale("intelligibility").grade_of(percent)
    by_level, level = _expression(sheet)
    grades = {"percent_grade": sheet.named(by_percent), "level_grade": sheet.named(by_level)}
    sheet.pen.note("speech_measures", percent=percent, level=level, **grades)
    if by_percent != by_level:
        sheet.pen.ask("speech_disagreement", **grades)
        return None
    sheet.pen.note("speech_agrees", grade=sheet.named(by_percent))
    return by_percent


def _expression(sheet: Sheet) -> tuple[int | None, Label]:
    finding = "expression_below_level"
    if sheet.found.given(finding):
        choice = sheet.chosen("expression", finding)
        return choice.grade, choice.label
    return None, sheet.rule("speech", finding).null_label or sheet.named(None)


def _physical(sheet: Sheet) -> int | None:
    """5.5: one listed condition that holds, *and* the independence phrase of the same grade."""
    condition = sheet.chosen("condition", "condition")
    if condition.grade is None:
        sheet.pen.note("physical_no_condition")
        return None
    code = "physical_judged" if condition.by_judgement else "physical_condition"
    words = {"condition": condition.label, "grade": sheet.named(condition.grade)}
    sheet.pen.note(code, condition.clause, **words)
    if not _holds(sheet, condition):
        sheet.pen.note("physical_condition_not_met")
        return None
    return _with_independence(sheet, condition)


def _holds(sheet: Sheet, condition: Choice) -> bool:
    taken = [item for item in condition.measures if sheet.found.given(item.finding)]
    reached = [_reached(sheet, measure) for measure in taken]
    age = condition.adults_only_from
    if age is not None and sheet.age < age:
        sheet.pen.note("physical_adults_only", condition.clause, age=age)
        return False
    return any(reached) or not condition.measures


def _reached(sheet: Sheet, measure: Measure) -> bool:
    rule = sheet.rule("physical", measure.finding)
    value = sheet.found.number(measure.finding)
    result = measure.bounds.hold(value)
    sheet.pen.note(
        "physical_measure_reached" if result else "physical_measure_not_reached",
        measure.clause,
        measure=rule.label,
        value=value,
        unit=rule.unit,
        printed=measure.printed,
    )
    return result


def _with_independence(sheet: Sheet, condition: Choice) -> int | None:
    independence = sheet.chosen("independence", "independence")
    words = {"independence": independence.label, "grade": sheet.named(independence.grade)}
    sheet.pen.note("physical_independence", independence.clause, **words)
    if independence.grade != condition.grade:
        sheet.pen.ask(
            "physical_disagreement",
            independence_grade=sheet.named(independence.grade),
            condition_grade=sheet.named(condition.grade),
        )
        return None
    sheet.pen.note("physical_agrees", independence.clause, grade=words["grade"])
    return condition.grade


def _intellectual(sheet: Sheet) -> int | None:
    """5.6: DQ in early childhood, then IQ and adaptive behaviour; WHO-DAS only supports."""
    young = sheet.age <= sheet.parameter("dq_age_at_most")
    result = _by_dq(sheet) if young else _by_iq(sheet)
    _note_unused(sheet, "intellectual", "iq" if young else "dq")
    if sheet.found.given("whodas"):
        score = sheet.found.number("whodas")
        by_score = sheet.scale("whodas").grade_of(score)
        sheet.pen.note("intellectual_whodas", whodas=score, whodas_grade=sheet.named(by_score))
    return result


def _by_dq(sheet: Sheet) -> int | None:
    quotient = sheet.found.number("dq")
    low = sheet.parameter("dq_by_adaptive_at_least")
    high = sheet.parameter("dq_by_adaptive_at_most")
    if not low <= sheet.scale("dq").rounded(quotient) <= high:
        result = sheet.scale("dq").grade_of(quotient)
        sheet.pen.note("intellectual_dq", dq=quotient, grade=sheet.named(result))
        return result
    adaptive = sheet.chosen("adaptive", "adaptive")
    sheet.pen.note(
        "intellectual_dq_by_adaptive",
        dq=quotient,
        low=low,
        high=high,
        adaptive=adaptive.label,
        grade=sheet.named(adaptive.grade),
    )
    return adaptive.grade


def _by_iq(sheet: Sheet) -> int | None:
    quotient = sheet.found.number("iq")
    by_iq = sheet.scale("iq").grade_of(quotient)
    adaptive = sheet.chosen("adaptive", "adaptive")
    words: dict[str, object] = {
        "iq": quotient,
        "adaptive": adaptive.label,
        "grade": sheet.named(adaptive.grade),
    }
    if by_iq == adaptive.grade:
        sheet.pen.note("intellectual_agrees", **words)
    else:
        grades = {"iq_grade": sheet.named(by_iq), "adaptive_grade": sheet.named(adaptive.grade)}
        sheet.pen.note("intellectual_adaptive_decides", **grades, **words)
    return adaptive.grade


def _note_unused(sheet: Sheet, category: str, finding: str) -> None:
    if sheet.found.given(finding):
        label = sheet.rule(category, finding).label
        sheet.pen.note("finding_not_used", finding=label, age=sheet.age)


def _mental(sheet: Sheet) -> int | None:
    """5.7: more than a year; adults by WHO-DAS and adaptive behaviour, minors by the latter."""
    months = sheet.found.number("duration_months")
    limit = sheet.parameter("mental_duration_above_months")
    if months <= limit:
        sheet.pen.note("mental_duration_short", months=months, limit=limit)
        return None
    sheet.pen.note("mental_duration", months=months, limit=limit)
    adult = sheet.parameter("adult_age")
    if sheet.age >= adult:
        return _mental_adult(sheet)
    adaptive = sheet.chosen("adaptive", "adaptive")
    words = {"adaptive": adaptive.label, "grade": sheet.named(adaptive.grade)}
    sheet.pen.note("mental_minor", age=adult, **words)
    _note_unused(sheet, "mental", "whodas")
    return adaptive.grade


def _mental_adult(sheet: Sheet) -> int | None:
    score = sheet.found.number("whodas")
    by_score = sheet.scale("whodas").grade_of(score)
    adaptive = sheet.chosen("adaptive", "adaptive")
    words: dict[str, object] = {"whodas": score, "adaptive": adaptive.label}
    if by_score == adaptive.grade:
        sheet.pen.note("mental_agrees", grade=sheet.named(by_score), **words)
        return by_score
    grades = {"whodas_grade": sheet.named(by_score), "adaptive_grade": sheet.named(adaptive.grade)}
    sheet.pen.note("mental_measures", **grades, **words)
    sheet.pen.ask("mental_disagreement", **grades)
    return None


def _multiple(case: Case, standard: Standard) -> Grading:
    """5.8: two or more categories that each meet their own standard; the most severe grade."""
    parts = tuple(grade(part, standard) for part in case.parts)
    pen = Pen(standard)
    result = _most_severe(parts, standard, pen)
    return Grading(
        case.category,
        result,
        questions=_of_parts(parts, standard, "questions") + tuple(pen.questions),
        reasons=_of_parts(parts, standard, "reasons") + tuple(pen.reasons),
        parts=parts,
    )


def _of_parts(
    parts: tuple[Grading, ...], standard: Standard, kind: Literal["questions", "reasons"]
) -> tuple[Sentence, ...]:
    def named(part: Grading, item: Sentence) -> Sentence:
        return replace(item, part=part.category, about=standard.categories[part.category].label)

    return tuple(named(part, item) for part in parts for item in getattr(part, kind))


def _most_severe(parts: tuple[Grading, ...], standard: Standard, pen: Pen) -> int | None:
    met = [part for part in parts if part.met]
    if len(met) < standard.parameters["multiple_categories_at_least"]:
        _note_too_few(parts, met, standard, pen)
        return None
    worst = min(met, key=lambda part: part.grade or _MILDEST)
    pen.note(
        "multiple_most_severe",
        count=len(met),
        category=standard.categories[worst.category].label,
        grade=standard.grades[worst.grade],
    )
    return worst.grade


def _note_too_few(
    parts: tuple[Grading, ...], met: list[Grading], standard: Standard, pen: Pen
) -> None:
    undecided = [part for part in parts if part.questions and not part.met]
    if len(met) + len(undecided) >= standard.parameters["multiple_categories_at_least"]:
        labels = [standard.categories[part.category].label for part in undecided]
        zh, en = "、".join(item.zh for item in labels), ", ".join(item.en for item in labels)
        pen.ask("multiple_awaits_doctor", categories=Label(zh, en))
        return
    for part in met:
        label = standard.categories[part.category].label
        pen.note("multiple_only_one", category=label, grade=standard.grades[part.grade])
    if not met:
        pen.note("multiple_none")


_RULES: Mapping[str, Callable[[Sheet], int | None]] = {
    "vision": _vision,
    "hearing": _hearing,
    "speech": _speech,
    "physical": _physical,
    "intellectual": _intellectual,
    "mental": _mental,
}
