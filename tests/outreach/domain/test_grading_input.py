"""What is let in to be graded, from JSON text to exact numbers."""

import json
from decimal import Decimal
from typing import Any

import pytest

from outreach.domain.grading import (
    BadCase,
    BadFinding,
    Case,
    grade,
    grade_document,
    load_standard,
    read_case,
    read_cases,
)

STANDARD = load_standard()
VISION = '{"category": "vision", "age": 40, "findings": {"acuity_right": %s, "acuity_left": 1}}'


def refusal(text: str) -> str:
    with pytest.raises(BadCase) as bad:
        read_cases(text, STANDARD)
    return str(bad.value)


def test_an_empty_list_has_no_results() -> None:
    assert grade_document("[]") == []


def test_the_result_has_exactly_the_four_fields() -> None:
    [result] = grade_document("[" + VISION % '"NLP"' + "]")

    assert result == {
        "grade": None,
        "met": False,
        "questions": [],
        "reasons": [
            "右眼矫正视力 无光感：一级。（GB/T 26341-2010 5.2 表1）",
            "左眼矫正视力 1：未达到残疾标准。（GB/T 26341-2010 5.2 表1）",
            "以较好的一眼为准：未达到残疾标准。（GB/T 26341-2010 5.2）",
        ],
    }


def test_numbers_are_read_as_they_are_written() -> None:
    [case] = read_cases("[" + VISION % "0.3" + "]", STANDARD)

    assert case.findings["acuity_right"] == Decimal("0.3")


@pytest.mark.parametrize(
    ("text", "grade_"),
    [("0.29999999999999999999", 4), ("0.3", None), ("3e-1", None), ("2.9E-1", 4), ("-0.0", 1)],
)
def test_no_digit_is_lost_at_a_boundary(text: str, grade_: int | None) -> None:
    row = f'{{"category":"vision","age":40,"findings":{{"acuity_right":{text},"acuity_left":0}}}}'

    [result] = grade_document(f"[{row}]")

    assert result["grade"] == grade_


def test_a_float_is_taken_by_the_text_it_is_written_with() -> None:
    findings = {"acuity_right": 0.1 + 0.2, "acuity_left": "NLP"}  # 0.30000000000000004

    assert grade(Case("vision", 40, findings), STANDARD).grade is None


@pytest.mark.parametrize("age", ["40", "40.0", "4e1"])
def test_a_whole_age_may_be_written_in_any_way_of_json(age: str) -> None:
    row = f'{{"category":"vision","age":{age},"findings":{{"acuity_right":1,"acuity_left":1}}}}'

    [case] = read_cases(f"[{row}]", STANDARD)

    assert case.age == 40


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("NaN", "must be a number（应为数字）"),
        ("Infinity", "must be a number（应为数字）"),
        ("-Infinity", "must be a number（应为数字）"),
        ("1e999999999999999999999", "must be a number（应为数字）"),
        ("1e9999", "must lie between 0 and 2.0（应在 0 到 2.0 之间）"),
        ("9" * 5000, "must lie between 0 and 2.0（应在 0 到 2.0 之间）"),
        ("1e-9999", "has too many decimals（小数位数过多）"),
        ("0." + "1" * 21, "has too many decimals（小数位数过多）"),
    ],
)
def test_a_number_that_is_none_or_absurd_is_refused(number: str, why: str) -> None:
    text = "[" + VISION % number + "]"

    assert refusal(text) == f"case 1 of 1 (index 0), field findings.acuity_right: {why}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "file: is not valid JSON（不是有效的 JSON）"),
        ("{", "file: is not valid JSON（不是有效的 JSON）"),
        ("[" * 200_000, "file: is not valid JSON（不是有效的 JSON）"),
        ("{}", "file: must be a list（应为列表）"),
        ("null", "file: must be a list（应为列表）"),
        ('"cases"', "file: must be a list（应为列表）"),
    ],
)
def test_what_is_no_list_of_cases_is_refused(text: str, message: str) -> None:
    assert refusal(text) == message


def test_the_refusal_names_the_case_and_the_field() -> None:
    text = f"[{VISION % '1'}, {VISION % 'true'}, {VISION % '1'}]"

    assert refusal(text) == (
        "case 2 of 3 (index 1), field findings.acuity_right: must be a number（应为数字）"
    )


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ('{"category":"vision","age":4,"age":5,"findings":{}}', "age"),
        ('{"category":"vision","age":4,"findings":{},"findings":{}}', "findings"),
        (VISION % '1, "acuity_right": 0.1', "findings.acuity_right"),
        ('{"category":"multiple","age":4,"findings":{"parts":[],"parts":[]}}', "findings.parts"),
    ],
)
def test_a_field_given_twice_is_refused(row: str, field: str) -> None:
    assert (
        refusal(f"[{row}]") == f"case 1 of 1 (index 0), field {field}: is given twice（给出了两次）"
    )


def test_no_refusal_repeats_a_value() -> None:
    assert "secret" not in refusal("[" + VISION % '"secret"' + "]")


def test_a_long_unknown_field_is_cut_in_the_refusal() -> None:
    row = json.dumps({"category": "vision", "age": 40, "findings": {}, "x" * 100: 1})

    assert refusal(f"[{row}]") == (
        f"case 1 of 1 (index 0), field {'x' * 40}: is not a known field（不是已知的栏目）"
    )


def part(category: str, **findings: object) -> dict[str, Any]:
    return {"category": category, "age": 40, "findings": findings}


PARTS = [
    part("vision", acuity_right="NLP", acuity_left="NLP"),
    part("physical", independence="partly", condition="3a"),
]


def test_parts_may_stand_in_the_findings_or_beside_the_category() -> None:
    inside = {"category": "multiple", "age": 40, "findings": {"parts": PARTS}}
    beside = {"category": "multiple", "age": 40, "parts": PARTS}

    assert read_case(inside, STANDARD) == read_case(beside, STANDARD)


def test_parts_in_both_places_are_refused() -> None:
    both = {"category": "multiple", "age": 40, "findings": {"parts": PARTS}, "parts": PARTS}

    with pytest.raises(BadFinding) as bad:
        read_case(both, STANDARD)

    assert (bad.value.case_field, bad.value.code) == ("parts", "parts_twice")


def test_a_case_built_in_code_is_checked_when_it_is_graded() -> None:
    with pytest.raises(BadFinding) as bad:
        grade(Case("hearing", 40, {"right_db": (50, 50, 50, 50)}), STANDARD)

    assert (bad.value.case_field, bad.value.message, bad.value.message_zh) == (
        "findings.left_db",
        "must be given",
        "必须填写",
    )
