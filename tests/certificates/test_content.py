"""The words on the paper: number, numerals, days, and facts that contradict each other."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from certificates.content import (
    CATEGORY_WORDS,
    ContradictoryFacts,
    Words,
    certificate_number,
    compose,
    day_words,
    grade_words,
    valid_until,
)
from tests.certificates.making import MULTIPLE, facts, paper


@pytest.mark.parametrize(
    ("category", "grade", "suffix", "number"),
    [
        ("vision", 1, "", "53010219200508011X11"),
        ("hearing", 2, "", "53010219200508011X22"),
        ("speech", 3, "", "53010219200508011X33"),
        ("physical", 4, "", "53010219200508011X44"),
        ("intellectual", 1, "", "53010219200508011X51"),
        ("mental", 2, "", "53010219200508011X62"),
        ("multiple", 3, "B1", "53010219200508011X73B1"),
    ],
)
def test_the_number_is_id_and_category_and_grade(
    category: str, grade: int, suffix: str, number: str
) -> None:
    assert certificate_number("53010219200508011X", category, grade, suffix) == number


def test_grades_are_written_so_that_no_stroke_alters_them() -> None:
    assert [grade_words(grade).chinese for grade in (1, 2, 3, 4)] == [
        "壹级",
        "贰级",
        "叁级",
        "肆级",
    ]


@pytest.mark.parametrize(
    ("issued", "ends"),
    [
        (date(2018, 6, 20), date(2028, 6, 20)),
        (date(2020, 2, 29), date(2030, 2, 28)),
    ],
)
def test_a_certificate_is_valid_for_ten_years(issued: date, ends: date) -> None:
    assert valid_until(issued) == ends


def test_days_are_written_in_both_languages() -> None:
    assert day_words(date(1930, 3, 5)) == Words("1930年03月05日", "5 March 1930")


def test_the_fields_stand_in_the_order_of_the_sample() -> None:
    assert [(entry.label.chinese, entry.value.chinese) for entry in paper().fields] == [
        ("姓名", "陈守田"),
        ("性别", "男"),
        ("民族", "汉族"),
        ("出生日期", "1930年03月05日"),
        ("残疾人证号", "51130219300305011141"),
        ("残疾类别", "肢体"),
        ("残疾等级", "壹级"),
        ("家庭住址", "四川省南充市顺庆区灯台乡任家祠村三组18号"),
        ("联系电话", "13800000000"),
        ("监护人", "无"),
        ("监护人电话", "无"),
        ("签发日期", "2018年06月20日"),
        ("有效期至", "2028年06月20日"),
    ]


def test_only_a_multiple_disability_lists_its_parts() -> None:
    assert paper().parts == ()
    assert paper(**MULTIPLE).parts == (
        (Words("视力", "Vision"), Words("贰级", "Grade 2")),
        (Words("肢体", "Physical"), Words("叁级", "Grade 3")),
    )


@pytest.mark.parametrize("category", [name for name in CATEGORY_WORDS if name != "multiple"])
def test_only_vision_has_a_red_cover(category: str) -> None:
    number = certificate_number("511302193003050111", category, 1)
    composed = paper(category=category, number=number, parts=((category, 1),))
    assert composed.red == (category == "vision")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": "51130219300305011142"}, "number"),
        ({"number": "51130219300305011131"}, "number"),
        ({"number": "51130219310305011141"}, "number"),
        ({"number": "5113021930030501114"}, "number"),
        ({"number": "51130219300305011141B0"}, "number"),
        ({"number": "\uff15" + "1130219300305011141"}, "number"),
        ({"category": "unknown"}, "number"),
        ({"grade": 5}, "grade"),
        ({"sex": "other"}, "sex"),
        ({"parts": (("physical", 1), ("vision", 2))}, "parts"),
        (MULTIPLE | {"parts": (("vision", 2),)}, "parts"),
        (MULTIPLE | {"parts": (("vision", 3), ("physical", 3))}, "parts"),
        ({"valid_until": date(2018, 6, 20)}, "dates"),
    ],
)
def test_facts_that_contradict_each_other_are_refused_without_repeating_them(
    changes: dict[str, Any], field: str
) -> None:
    said = facts(**changes)
    with pytest.raises(ContradictoryFacts) as refused:
        compose(said)
    assert refused.value.field == field
    assert said.number not in str(refused.value)
