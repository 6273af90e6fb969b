"""The standard's file: whole, cited, fit for the tablet, and what the reference page is made of."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from certificates.content import CATEGORY_DIGITS
from outreach.domain.grading import (
    STANDARD_EDITION,
    BadStandard,
    Case,
    grade,
    load_standard,
    standard_as_json,
)
from outreach.domain.grading_tables import reference_page

ROOT = Path(__file__).parents[3]
FILE = resources.files("outreach.domain").joinpath("standards", "gbt-26341-2010.toml")
BOUNDS = {"at_least", "above", "at_most", "below"}


def toml() -> str:
    return FILE.read_text(encoding="utf-8")


def rows_with_a_threshold(node: Any) -> Iterator[Mapping[str, Any]]:
    """Walk to every row that holds a number or a grade of the standard."""
    if isinstance(node, dict):
        if "of" not in node and (BOUNDS & node.keys() or {"grade", "code"} <= node.keys()):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from rows_with_a_threshold(item)


def test_the_packaged_edition_is_the_one_that_is_named() -> None:
    assert load_standard().edition == STANDARD_EDITION


def test_every_threshold_carries_its_clause_and_how_sure_it_is() -> None:
    data = standard_as_json()
    rows = [*rows_with_a_threshold(data), *data["parameters"].values()]

    assert len(rows) > 90
    assert [row for row in rows if not row.get("clause")] == []
    assert {row["sure"] for row in rows} == {"sure", "assumed"}


def test_the_digits_are_those_of_the_certificate_number() -> None:
    digits = {code: str(row.digit) for code, row in load_standard().categories.items()}

    assert digits == CATEGORY_DIGITS


def test_the_conditions_are_the_lists_of_5_5() -> None:
    letters = {1: "abcdefghi", 2: "abcdefg", 3: "abcdef", 4: "abcdefghijk"}
    expected = [f"{number}{letter}" for number, row in letters.items() for letter in row]

    assert list(load_standard().choices["condition"]) == [*expected, "none"]


def test_the_json_is_plain_and_says_the_same() -> None:
    data = standard_as_json()

    assert json.loads(json.dumps(data)) == data
    assert data["scales"]["acuity"]["bands"][0] == {
        "grade": 1,
        "below": 0.02,
        "clause": "5.2 表1",
        "printed": "无光感～<0.02",
        "sure": "sure",
    }
    assert data["in_force_on"] == "2011-05-01"


def test_the_json_fits_one_pull_of_a_tablet() -> None:
    assert len(json.dumps(standard_as_json(), ensure_ascii=False).encode()) < 65536


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("grade = 2, at_least = 0.02", "grade = 2, at_least = 0.03"),
        ("grade = 2, at_least = 0.02", "grade = 2, above = 0.02"),
        ("grade = 1, below = 0.02", "grade = 1, at_most = 0.02"),
        ("{ at_least = 0.3,", "{ at_least = 0.3, below = 1,"),
        ("grade = 1, below = 0.02", "grade = 1, at_least = 0, below = 0.02"),
    ],
    ids=["gap", "boundary in neither", "boundary in both", "closed above", "closed below"],
)
def test_a_scale_with_a_gap_or_an_overlap_is_refused(before: str, after: str) -> None:
    text = toml().replace(before, after)

    with pytest.raises(BadStandard, match="scale acuity leave a gap or overlap"):
        load_standard(text)


@pytest.mark.parametrize("text", ["", "edition =", "edition = 'x'", "grades = 1"])
def test_a_file_that_is_no_standard_is_refused(text: str) -> None:
    with pytest.raises(BadStandard):
        load_standard(text)


def test_an_assumption_is_changed_in_the_data_alone() -> None:
    standard = load_standard(
        toml().replace(
            "hearing_child_age_at_most = { value = 3", "hearing_child_age_at_most = { value = 2"
        )
    )
    case = Case("hearing", 3, {"right_db": [50] * 4, "left_db": [50] * 4})

    assert (grade(case, load_standard()).grade, grade(case, standard).grade) == (None, 4)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("90.4", 90), ("90.5", 91), ("91.5", 92), ("-0.5", 0), ("90.49999999999999999999", 90)],
)
def test_a_half_rounds_up(value: str, rounded: int) -> None:
    assert load_standard().scales["hearing_loss"].rounded(Decimal(value)) == rounded


def test_acuity_and_field_are_not_rounded() -> None:
    scales = load_standard().scales

    assert {code for code, scale in scales.items() if not scale.rounds_half_up} == {
        "acuity",
        "field_radius",
    }


def test_the_reference_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "reference" / "grading.md").read_text(encoding="utf-8")

    assert page == reference_page(load_standard())
