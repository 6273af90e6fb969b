"""The vectors that both graders share, each through the wire shape."""

import json
from pathlib import Path
from typing import Any

import pytest

from outreach.domain.grading import BadFinding, Sentence, grade, load_standard, read_case

SPEC = Path(__file__).parents[2] / "spec" / "grading"
CATEGORIES = ["vision", "hearing", "speech", "physical", "intellectual", "mental", "multiple"]


def vectors(*names: str) -> list[Any]:
    rows = [
        (name, row) for name in names for row in json.loads((SPEC / f"{name}.json").read_text())
    ]
    return [pytest.param(row, id=f"{name}: {row['name']}") for name, row in rows]


def code(sentence: Sentence) -> str:
    return f"{sentence.part}:{sentence.code}" if sentence.part else sentence.code


@pytest.mark.parametrize("vector", vectors(*CATEGORIES))
def test_a_case_is_graded_as_the_vector_says(vector: dict[str, Any]) -> None:
    standard = load_standard()

    result = grade(read_case(vector["case"], standard), standard)

    assert {
        "grade": result.grade,
        "met": result.met,
        "questions": [code(item) for item in result.questions],
        "reasons": [code(item) for item in result.reasons],
    } == vector["expect"]


@pytest.mark.parametrize("vector", vectors("refused"))
def test_a_bad_case_is_refused_by_its_field(vector: dict[str, Any]) -> None:
    with pytest.raises(BadFinding) as refusal:
        read_case(vector["case"], load_standard())

    assert (refusal.value.case_field, refusal.value.code) == (vector["field"], vector["error"])


def test_every_message_of_the_standard_is_said_by_some_vector() -> None:
    said: set[str] = set()
    for name in CATEGORIES:
        for row in json.loads((SPEC / f"{name}.json").read_text()):
            sentences = row["expect"]["questions"] + row["expect"]["reasons"]
            said.update(item.split(":")[-1] for item in sentences)

    assert said == set(load_standard().messages)
