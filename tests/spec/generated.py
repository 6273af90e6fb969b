"""Cases by the thousand, each with what the server makes of it: the tablet must agree on all.

Run as `python -m tests.spec.generated COUNT SEED` by the tablet's own tests; writes JSON.
"""

from __future__ import annotations

import json
import sys
from random import Random
from typing import Any

from outreach.domain.grading import (
    BadFinding,
    Sentence,
    grade,
    load_standard,
    read_case,
    standard_as_json,
)

STANDARD = load_standard()
WIRE: dict[str, Any] = standard_as_json()
CATEGORIES = [row for row in WIRE["categories"] if row["findings"]]
#: Thresholds of the standard and their neighbours are drawn as often as anything between.
EDGES = [
    *(0, 0.02, 0.05, 0.1, 0.3, 5, 10, 40, 41, 60, 60.5, 61, 80, 81, 90, 90.25, 90.5, 91),
    *(11, 25, 26, 45, 46, 65, 20, 34, 35, 49, 50, 69, 70, 39, 54, 55, 72, 75, 76),
    *(52, 95, 96, 105, 106, 115, 116, 12, 1300, 1301),
]


def case(random: Random) -> dict[str, Any]:
    """Return one case as it comes over the wire: mostly complete, sometimes not."""
    age = random.choice([0, 2, 3, 4, 6, 7, 17, 18, *random.sample(range(105), 4)])
    if random.random() < 0.15:
        several = random.sample(CATEGORIES, random.choice([1, 2, 2, 3]))
        parts = [_one(random, row, age) for row in several]
        return {"category": "multiple", "age": age, "findings": {"parts": parts}}
    return _one(random, random.choice(CATEGORIES), age)


def _one(random: Random, row: dict[str, Any], age: int) -> dict[str, Any]:
    found = {}
    for rule in row["findings"]:
        optional = "needed_when" in rule
        if random.random() < (0.4 if optional else 0.04):
            continue
        found[rule["name"]] = _value(random, rule)
    return {"category": row["code"], "age": age, "findings": found}


def _value(random: Random, rule: dict[str, Any]) -> Any:
    codes = [choice["code"] for choice in WIRE["choices"].get(rule.get("choices", ""), [])]
    match rule["kind"]:
        case "choice":
            return random.choice(codes)
        case "choice_or_null":
            return random.choice([*codes, None])
        case "number_or_choice" if random.random() < 0.2:
            return random.choice(codes)
        case "numbers":
            near = random.choice(EDGES)
            return [round(near + random.choice([0, 0, 0, 1, -1, 0.5]), 2) for _ in rule["labels"]]
        case _:
            return _number(random, rule["minimum"], rule["maximum"])


def _number(random: Random, low: float, high: float) -> float:
    if random.random() < 0.6:
        return random.choice(EDGES) + random.choice([0, 0, 0.01, -0.01, 1, -1])
    if high <= 2:
        return round(random.uniform(low, high / 4), random.choice([1, 2, 3]))
    return round(random.uniform(low - 1, high + 1), random.choice([0, 0, 1, 2]))


def verdict(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the server answers to a case: a grading, or the field it refuses and why."""
    try:
        result = grade(read_case(asked, STANDARD), STANDARD)
    except BadFinding as refusal:
        return {"field": refusal.case_field, "error": refusal.code}
    return {
        "grade": result.grade,
        "questions": [_code(item) for item in result.questions],
        "reasons": [_code(item) for item in result.reasons],
    }


def _code(sentence: Sentence) -> str:
    return f"{sentence.part}:{sentence.code}" if sentence.part else sentence.code


def main(count: int, seed: int) -> None:
    """Write so many cases with their verdicts."""
    random = Random(seed)
    rows = []
    for _ in range(count):
        # Through JSON, as the tablet says it: a number has one spelling there.
        asked = json.loads(json.dumps(case(random)))
        rows.append({"case": asked, "expect": verdict(asked)})
    sys.stdout.write(json.dumps(rows))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
