"""Findings as an assessor would send them, invented so that each gives a chosen grade.

The shapes are those of the grading standard's wire form; `grade` None means not met.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from outreach.domain.vocabulary import Category

C = Category
Findings = dict[str, Any]

#: Every fitting condition of each grade that is met in homes, with a diagnosis to go with it.
PHYSICAL = {
    1: (
        ("1a", "脊髓型颈椎病"),
        ("1b", "胸椎脊髓损伤"),
        ("1c", "脑梗死后遗症"),
        ("1i", "类风湿关节炎"),
    ),
    2: (("2a", "脑出血后遗症"), ("2b", "双前臂外伤性缺失"), ("2g", "双膝骨关节炎")),
    3: (("3c", "单大腿外伤性缺失"), ("3e", "手足冻伤后缺失"), ("3f", "小儿麻痹后遗症")),
    4: (
        ("4a", "单小腿外伤性缺失"),
        ("4b", "股骨骨折畸形愈合"),
        ("4c", "强直性脊柱炎"),
        ("4d", "脊柱侧凸"),
        ("4j", "膝关节术后僵硬"),
    ),
}
INDEPENDENCE = {1: "none", 2: "hardly", 3: "partly", 4: "mostly"}
ADAPTIVE = {1: "profound", 2: "severe", 3: "moderate", 4: "mild", None: "none"}
DIAGNOSIS = {
    C.VISION: "双眼视神经萎缩",
    C.HEARING: "双耳感音神经性聋",
    C.SPEECH: "脑卒中后失语",
    C.INTELLECTUAL: "精神发育迟滞",
    C.MENTAL: "精神分裂症",
}


@dataclass(frozen=True)
class Found:
    """One category's findings and the grade the doctor gives; a differing grade has a reason."""

    category: Category
    findings: Findings
    grade: int | None
    diagnosis: str
    reason: str = ""


def find(category: Category, grade: int | None, age: int, rng: Random) -> Found:
    """Invent findings of one category that lead to the grade at that age."""
    if category == C.PHYSICAL:
        return _physical(grade, rng)
    return Found(category, _MAKERS[category](grade, age, rng), grade, DIAGNOSIS[category])


def find_disputable(category: Category) -> Found:
    """Invent findings on which the standard asks and the doctor decides with a reason."""
    if category == C.SPEECH:
        findings: Findings = {"intelligibility_percent": 24, "expression_below_level": 3}
        reason = "语音清晰度受当日感冒影响，按表达能力等级评定。"
        return Found(category, findings, 3, DIAGNOSIS[C.SPEECH], reason)
    findings = {"independence": "partly", "condition": "2g"}
    reason = "家中已装扶手，本人可部分自理；两下肢功能重度障碍，按肢体状况评定为二级。"
    return Found(C.PHYSICAL, findings, 2, "双膝骨关节炎", reason)


def _physical(grade: int | None, rng: Random) -> Found:
    if grade is None:
        short: Findings = {"independence": "mostly", "condition": "4b", "leg_difference_mm": 30}
        none: Findings = {"independence": "mostly", "condition": "none"}
        return Found(C.PHYSICAL, rng.choice((short, none)), None, "腰椎退行性变")
    condition, diagnosis = rng.choice(PHYSICAL[grade])
    findings: Findings = {"independence": INDEPENDENCE[grade], "condition": condition}
    if condition == "4b":
        findings["leg_difference_mm"] = rng.randint(52, 80)
    if condition == "4d":
        findings["scoliosis_deg"] = rng.randint(48, 70)
    return Found(C.PHYSICAL, findings, grade, diagnosis)


def _vision(grade: int | None, _age: int, rng: Random) -> Findings:
    better = {1: ("LP", 0.01), 2: (0.02, 0.04), 3: (0.06, 0.08), 4: (0.1, 0.25), None: (0.4, 0.5)}
    worse = ("NLP", "LP", "HM") if grade == 1 else ("NLP", "CF", 0.01)
    eyes = [rng.choice(better[grade]), rng.choice(worse)]
    if grade == 1:
        eyes = [eyes[0], "NLP"]
    rng.shuffle(eyes)
    return {"acuity_right": eyes[0], "acuity_left": eyes[1]}


def _hearing(grade: int | None, _age: int, rng: Random) -> Findings:
    low, high = {1: (95, 105), 2: (83, 88), 3: (65, 76), 4: (45, 56), None: (30, 38)}[grade]
    mean = rng.randint(low, high)
    better = [mean - 5, mean, mean, mean + 5]
    other = [value + rng.choice((0, 5, 10)) for value in better]
    ears = [better, other]
    rng.shuffle(ears)
    return {"right_db": ears[0], "left_db": ears[1]}


def _speech(grade: int | None, _age: int, rng: Random) -> Findings:
    low, high = {1: (2, 10), 2: (12, 25), 3: (27, 45), 4: (47, 65), None: (70, 90)}[grade]
    return {"intelligibility_percent": rng.randint(low, high), "expression_below_level": grade}


def _intellectual(grade: int | None, age: int, rng: Random) -> Findings:
    if age <= 6:
        low, high = {1: (15, 25), 2: (26, 39), 3: (40, 54), 4: (55, 71), None: (80, 95)}[grade]
        return {"dq": rng.randint(low, high), "adaptive": ADAPTIVE[grade]}
    low, high = {1: (10, 19), 2: (20, 34), 3: (35, 49), 4: (50, 69), None: (72, 85)}[grade]
    return {"iq": rng.randint(low, high), "adaptive": ADAPTIVE[grade]}


def _mental(grade: int | None, age: int, rng: Random) -> Findings:
    low, high = {1: (116, 140), 2: (106, 115), 3: (96, 105), 4: (52, 95), None: (30, 51)}[grade]
    findings: Findings = {"adaptive": ADAPTIVE[grade], "duration_months": rng.randint(14, 240)}
    return {**findings, "whodas": rng.randint(low, high)} if age >= 18 else findings


_MAKERS: dict[Category, Callable[[int | None, int, Random], Findings]] = {
    C.VISION: _vision,
    C.HEARING: _hearing,
    C.SPEECH: _speech,
    C.INTELLECTUAL: _intellectual,
    C.MENTAL: _mental,
}
