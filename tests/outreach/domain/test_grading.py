"""What holds of every grading, whatever the findings."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.grading import Case, Grading, grade, load_standard

STANDARD = load_standard()
MILDEST = 5

acuities = st.one_of(
    st.sampled_from(["NLP", "LP", "HM", "CF"]),
    st.decimals(0, 2, places=3),
)
radii = st.none() | st.decimals(0, 90, places=1)
losses = st.lists(st.decimals(-10, 120, places=2), min_size=4, max_size=4)
levels = st.sampled_from(["profound", "severe", "moderate", "mild", "none"])
ages = st.integers(0, 110)
GRADE_OF_LEVEL = {"profound": 1, "severe": 2, "moderate": 3, "mild": 4, "none": None}


def graded(category: str, age: int = 40, **findings: object) -> Grading:
    return grade(Case(category, age, findings), STANDARD)


def severity(result: Grading) -> int:
    """Order grades: less is more severe, no grade the mildest."""
    return MILDEST if result.grade is None else result.grade


visions = st.fixed_dictionaries(
    {"acuity_right": acuities, "acuity_left": acuities},
    optional={"field_radius_right": radii, "field_radius_left": radii},
)
hearings = st.fixed_dictionaries({"right_db": losses, "left_db": losses})
speeches = st.fixed_dictionaries(
    {
        "intelligibility_percent": st.decimals(0, 100, places=1),
        "expression_below_level": st.none() | st.integers(1, 4),
    }
)
physicals = st.fixed_dictionaries(
    {
        "independence": st.sampled_from(["none", "hardly", "partly", "mostly"]),
        "condition": st.sampled_from([str(code) for code in STANDARD.choices["condition"]]),
        "leg_difference_mm": st.integers(0, 100),
        "kyphosis_deg": st.integers(0, 120),
        "scoliosis_deg": st.integers(0, 120),
        "height_mm": st.integers(500, 2000),
    }
)
intellectuals = st.fixed_dictionaries(
    {"dq": st.integers(0, 120), "iq": st.integers(0, 120), "adaptive": levels},
    optional={"whodas": st.integers(0, 180)},
)
mentals = st.fixed_dictionaries(
    {"duration_months": st.integers(0, 60), "whodas": st.integers(0, 180), "adaptive": levels}
)
FINDINGS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "vision": visions,
    "hearing": hearings,
    "speech": speeches,
    "physical": physicals,
    "intellectual": intellectuals,
    "mental": mentals,
}


@st.composite
def cases(draw: st.DrawFn, age: int | None = None) -> Case:
    category = draw(st.sampled_from(sorted(FINDINGS)))
    return Case(category, draw(ages) if age is None else age, draw(FINDINGS[category]))


@st.composite
def multiples(draw: st.DrawFn) -> Case:
    age = draw(ages)
    names = draw(st.lists(st.sampled_from(sorted(FINDINGS)), min_size=2, unique=True))
    parts = tuple(Case(name, age, draw(FINDINGS[name])) for name in names)
    return Case("multiple", age, parts=parts)


@given(cases())
def test_a_grade_has_reasons_and_clauses_and_no_grade_is_not_met(case: Case) -> None:
    result = grade(case, STANDARD)

    assert result.met == (result.grade is not None)
    assert result.grade in (None, 1, 2, 3, 4)
    assert result.reasons
    assert result.clauses


@given(cases())
def test_grading_twice_gives_the_same(case: Case) -> None:
    assert grade(case, STANDARD) == grade(case, STANDARD)


@given(visions, st.decimals(0, 2, places=3))
def test_worse_acuity_never_gives_a_milder_grade(findings: dict[str, Any], other: Decimal) -> None:
    right = findings["acuity_right"]
    worse = min(other, right) if isinstance(right, Decimal) else right

    before, after = (
        graded("vision", **findings),
        graded("vision", **{**findings, "acuity_right": worse}),
    )

    assert severity(after) <= severity(before)


@given(visions, st.decimals(0, 90, places=1))
def test_a_smaller_field_never_gives_a_milder_grade(
    findings: dict[str, Any], other: Decimal
) -> None:
    left = findings.get("field_radius_left")
    smaller = other if left is None else min(left, other)

    before, after = (
        graded("vision", **findings),
        graded("vision", **{**findings, "field_radius_left": smaller}),
    )

    assert severity(after) <= severity(before)


@given(visions)
def test_the_eyes_may_be_exchanged(findings: dict[str, Any]) -> None:
    other = {"right": "left", "left": "right"}
    swapped = {
        f"{name.rpartition('_')[0]}_{other[name.rpartition('_')[2]]}": value
        for name, value in findings.items()
    }

    assert graded("vision", **swapped).grade == graded("vision", **findings).grade


@given(hearings, st.integers(0, 3), st.decimals(0, 20, places=1), ages)
def test_a_greater_loss_never_gives_a_milder_grade(
    findings: dict[str, Any], frequency: int, more: Decimal, age: int
) -> None:
    worse = list(findings["right_db"])
    worse[frequency] += more

    before = graded("hearing", age, **findings)
    after = graded("hearing", age, **{**findings, "right_db": worse})

    assert severity(after) <= severity(before)


@given(hearings)
def test_hearing_asks_only_above_a_boundary_and_below_a_half(findings: dict[str, Any]) -> None:
    better = min(sum(findings[name], Decimal(0)) / 4 for name in ("right_db", "left_db"))
    close = any(limit < better < limit + Decimal("0.5") for limit in (40, 60, 80, 90))

    assert bool(graded("hearing", **findings).questions) == close


@given(speeches, ages)
def test_speech_is_graded_or_asked_or_mild(findings: dict[str, Any], age: int) -> None:
    result = graded("speech", age, **findings)

    assert not (result.grade and result.questions)
    assert age >= 3 or (result.grade, result.questions) == (None, ())


@given(physicals, ages)
def test_a_physical_grade_is_that_of_the_condition_and_of_the_phrase(
    findings: dict[str, Any], age: int
) -> None:
    phrase = {"none": 1, "hardly": 2, "partly": 3, "mostly": 4}[findings["independence"]]

    result = graded("physical", age, **findings)

    assert result.grade in (None, phrase)
    if result.grade:
        assert findings["condition"][0] == str(phrase)


@given(intellectuals, st.integers(7, 110))
def test_from_seven_years_adaptive_behaviour_decides(findings: dict[str, Any], age: int) -> None:
    result = graded("intellectual", age, **findings)

    assert (result.grade, result.questions) == (GRADE_OF_LEVEL[findings["adaptive"]], ())


@given(intellectuals, ages, st.integers(0, 180))
def test_whodas_never_changes_an_intellectual_grade_nor_asks(
    findings: dict[str, Any], age: int, score: int
) -> None:
    without = {name: value for name, value in findings.items() if name != "whodas"}

    result = graded("intellectual", age, **{**findings, "whodas": score})

    assert (result.grade, result.questions) == (graded("intellectual", age, **without).grade, ())


@given(mentals, st.integers(0, 17))
def test_of_a_minor_adaptive_behaviour_decides(findings: dict[str, Any], age: int) -> None:
    long_enough = findings["duration_months"] > 12
    expected = GRADE_OF_LEVEL[findings["adaptive"]] if long_enough else None

    result = graded("mental", age, **findings)

    assert (result.grade, result.questions) == (expected, ())


@given(multiples())
def test_multiple_is_the_most_severe_of_two_or_more_that_are_met(case: Case) -> None:
    parts = [grade(part, STANDARD) for part in case.parts]
    met = [part.grade for part in parts if part.grade is not None]

    result = grade(case, STANDARD)

    assert result.grade == (min(met) if len(met) >= 2 else None)


@given(multiples())
def test_no_question_of_a_part_is_lost(case: Case) -> None:
    asked = [
        (part.category, question.code)
        for part in case.parts
        for question in grade(part, STANDARD).questions
    ]

    result = grade(case, STANDARD)

    assert [(item.part, item.code) for item in result.questions if item.part] == asked


def test_a_sentence_has_both_languages_and_its_clause() -> None:
    [question] = graded("hearing", right_db=[90, 90, 90, 91], left_db=[95] * 4).questions

    assert (question.code, question.clause, question.part) == ("hearing_rounding", "5.3", None)
    assert question.zh == (
        "平均听力损失原值 90.25 dB HL 为一级，取整为 90 dB HL 后为二级，"
        "两者不同；已按取整值处理，请医生确认。（GB/T 26341-2010 5.3）"
    )
    assert question.en == (
        "The raw mean of 90.25 dB HL is grade 1, rounded to 90 dB HL it is grade 2; "
        "the rounded figure was used: please confirm. (GB/T 26341-2010 5.3)"
    )


def test_a_sentence_about_a_part_names_it() -> None:
    parts = (
        Case("vision", 40, {"acuity_right": 0.2, "acuity_left": 0.2}),
        Case("speech", 40, {"intelligibility_percent": 5, "expression_below_level": 2}),
    )

    question = grade(Case("multiple", 40, parts=parts), STANDARD).questions[0]

    assert question.zh.startswith("言语残疾：语音清晰度为一级")
    assert question.en.startswith("speech: Intelligibility is grade 1")


def test_the_clauses_are_those_of_the_reasons_each_once() -> None:
    result = graded("physical", independence="mostly", condition="4b", leg_difference_mm=50)

    assert result.clauses == ("5.5.5 b)", "5.5.5")


@pytest.mark.parametrize("age", [0, 3, 17, 18, 150])
def test_every_age_of_a_human_life_is_graded(age: int) -> None:
    assert graded("vision", age, acuity_right=0, acuity_left=0).grade == 1
