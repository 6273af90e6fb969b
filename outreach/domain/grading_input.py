"""Cases as they are handed in for grading, checked strictly before a rule looks at them.

No message repeats a value that was handed in: findings are health data and messages reach logs.
"""

import json
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from outreach.domain.grading_standard import (
    Category,
    FindingRule,
    Label,
    Precondition,
    Standard,
)

_REFUSALS: Mapping[str, Label] = {
    "not_json": Label("不是有效的 JSON", "is not valid JSON"),
    "not_a_list": Label("应为列表", "must be a list"),
    "not_an_object": Label("应为对象", "must be an object"),
    "repeated": Label("给出了两次", "is given twice"),
    "unknown_field": Label("不是已知的栏目", "is not a known field"),
    "missing": Label("必须填写", "must be given"),
    "unknown_category": Label("应为下列之一：{known}", "must be one of {known}"),
    "unknown_choice": Label("应为下列之一：{known}", "must be one of {known}"),
    "not_number_or_choice": Label(
        "应为数字或下列之一：{known}", "must be a number or one of {known}"
    ),
    "not_number": Label("应为数字", "must be a number"),
    "not_whole": Label("应为整数", "must be a whole number"),
    "out_of_range": Label("应在 {low} 到 {high} 之间", "must lie between {low} and {high}"),
    "too_fine": Label("小数位数过多", "has too many decimals"),
    "wrong_count": Label("应正好有 {count} 个数值（{labels}）", "needs {count} values ({labels})"),
    "no_parts": Label("没有任何一类", "must hold the cases to combine"),
    "nested_multiple": Label("多重残疾不能再含多重残疾", "must not be multiple again"),
    "repeated_category": Label("同一类别出现了两次", "is a category given twice"),
    "different_age": Label("与本例的年龄不同", "differs from the age of the whole case"),
    "parts_twice": Label("不能与 findings 同时给出", "must not be given beside findings"),
}


class BadFinding(ValueError):
    """A case cannot be graded because of what stands in one of its fields."""

    def __init__(self, case_field: str, code: str, **values: object) -> None:
        refusal = _REFUSALS[code]
        self.case_field = case_field
        self.code = code
        self.message = refusal.en.format(**values)
        self.message_zh = refusal.zh.format(**values)
        super().__init__(f"{case_field}: {self.message}")


class BadCase(ValueError):
    """One case of a list, or the list itself, cannot be graded."""

    def __init__(self, cause: BadFinding, index: int | None = None, count: int = 0) -> None:
        self.cause = cause
        self.index = index
        where = "" if index is None else f"case {index + 1} of {count} (index {index}), field "
        super().__init__(f"{where}{cause.case_field}: {cause.message}（{cause.message_zh}）")


@dataclass(frozen=True)
class Case:
    """What is to be graded: one category's findings, or the parts of a multiple disability."""

    category: str
    age: int
    findings: Mapping[str, object] = field(default_factory=dict)
    parts: tuple["Case", ...] = ()


@dataclass(frozen=True)
class Findings:
    """Checked findings of one case, read by their kind."""

    values: Mapping[str, Any]

    def given(self, name: str) -> bool:
        """Answer whether the finding was given (null counts as not given)."""
        return self.values.get(name) is not None

    def number(self, name: str) -> Decimal:
        """Return a finding that is a number."""
        value = self.values[name]
        assert isinstance(value, Decimal)
        return value

    def numbers(self, name: str) -> tuple[Decimal, ...]:
        """Return a finding that is a row of numbers."""
        value = self.values[name]
        assert isinstance(value, tuple)
        return value

    def code(self, name: str) -> str | int:
        """Return a finding that was chosen from a list."""
        value = self.values[name]
        assert isinstance(value, str | int)
        return value


class _Repeated:
    """Stands in for a JSON field that was given twice."""


def read_cases(text: str, standard: Standard) -> tuple[Case, ...]:
    """Read a JSON list of cases, numbers exactly as written, and check each one.

    Raises BadCase naming the case, counted from 1 and from 0, and the field.
    """
    try:
        rows = json.loads(
            text,
            parse_float=_exact,
            parse_int=_exact,
            parse_constant=float,
            object_pairs_hook=_object,
        )
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadCase(BadFinding("file", "not_json")) from error
    if not isinstance(rows, list):
        raise BadCase(BadFinding("file", "not_a_list"))
    return tuple(_numbered(row, index, len(rows), standard) for index, row in enumerate(rows))


def read_case(raw: object, standard: Standard) -> Case:
    """Read one case from its wire shape `{"category", "age", "findings"}` and check it.

    The parts of a multiple disability stand in `findings.parts`, or in `parts` beside the category;
    a part may leave out the age, since it is the same person's. Raises BadFinding.
    """
    case = _case(raw, "", standard)
    checked(case, standard)
    return case


def checked(case: Case, standard: Standard) -> Findings:
    """Check a case whole and return its findings in exact numbers. Raises BadFinding."""
    return _checked(case, standard, "")


def _numbered(raw: object, index: int, count: int, standard: Standard) -> Case:
    try:
        return read_case(raw, standard)
    except BadFinding as bad:
        raise BadCase(bad, index, count) from bad


def _exact(text: str) -> Decimal | float:
    try:
        return Decimal(text)
    except InvalidOperation:
        return math.inf


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    row: dict[str, object] = {}
    for name, value in pairs:
        row[name] = _Repeated() if name in row else value
    return row


def _case(raw: object, path: str, standard: Standard, age: int | None = None) -> Case:
    row = _row(raw, path or "case")
    _refuse_unknown(row, path, {"category", "age", "findings", "parts"})
    code = _category(row.get("category"), path, standard)
    own_age = age if age is not None and "age" not in row else _age(row.get("age"), path, standard)
    if age is not None and own_age != age:
        raise BadFinding(f"{path}age", "different_age")
    if code != "multiple":
        return Case(code, own_age, _findings(row, path))
    if path:
        raise BadFinding(f"{path}category", "nested_multiple")
    return Case(code, own_age, parts=_parts(row, own_age, standard))


def _findings(row: Mapping[str, object], path: str) -> Mapping[str, object]:
    if "parts" in row:
        raise BadFinding(f"{path}parts", "unknown_field")
    if row.get("findings") is None:
        raise BadFinding(f"{path}findings", "missing")
    return _row(row["findings"], f"{path}findings")


def _parts(row: Mapping[str, object], age: int, standard: Standard) -> tuple[Case, ...]:
    path, parts = "parts", row.get("parts")
    if "parts" not in row:
        findings = _findings(row, "")
        _refuse_unknown(findings, "findings.", {"parts"})
        path, parts = "findings.parts", findings.get("parts")
    elif "findings" in row:
        raise BadFinding("parts", "parts_twice")
    if parts is None:
        raise BadFinding(path, "missing")
    if not isinstance(parts, list):
        raise BadFinding(path, "not_a_list")
    return tuple(
        _case(part, f"{path}[{number}].", standard, age) for number, part in enumerate(parts)
    )


def _row(raw: object, name: str) -> Mapping[str, object]:
    name = name.removesuffix(".")
    if isinstance(raw, _Repeated):
        raise BadFinding(name, "repeated")
    if not isinstance(raw, Mapping):
        raise BadFinding(name, "not_an_object")
    return raw


def _refuse_unknown(row: Mapping[str, object], path: str, known: AbstractSet[str]) -> None:
    for name, value in row.items():
        if name not in known:
            raise BadFinding(f"{path}{str(name)[:40]}", "unknown_field")
        if isinstance(value, _Repeated):
            raise BadFinding(f"{path}{name}", "repeated")


def _category(raw: object, path: str, standard: Standard) -> str:
    if raw is None:
        raise BadFinding(f"{path}category", "missing")
    if not isinstance(raw, str) or raw not in standard.categories:
        known = ", ".join(standard.categories)
        raise BadFinding(f"{path}category", "unknown_category", known=known)
    return raw


def _age(raw: object, path: str, standard: Standard) -> int:
    if raw is None:
        raise BadFinding(f"{path}age", "missing")
    age = _number(raw, f"{path}age", standard.age, standard)
    if age != age.to_integral_value():
        raise BadFinding(f"{path}age", "not_whole")
    return int(age)


def _checked(case: Case, standard: Standard, path: str) -> Findings:
    _category(case.category, path, standard)
    _age(case.age, path, standard)
    if case.category == "multiple":
        _check_parts(case, standard)
        return Findings({})
    category = standard.categories[case.category]
    rules = category.by_name
    _refuse_unknown(case.findings, f"{path}findings.", rules.keys())
    found = Findings(
        {
            name: _value(value, f"{path}findings.{name}", rules[name], standard)
            for name, value in case.findings.items()
        }
    )
    _check_needed(found, case, category, standard, path)
    return found


def _check_parts(case: Case, standard: Standard) -> None:
    path = "findings.parts"
    if not case.parts:
        raise BadFinding(path, "no_parts")
    seen: set[str] = set()
    for number, part in enumerate(case.parts):
        here = f"{path}[{number}]."
        if part.category == "multiple":
            raise BadFinding(f"{here}category", "nested_multiple")
        if part.category in seen:
            raise BadFinding(f"{here}category", "repeated_category")
        if part.age != case.age:
            raise BadFinding(f"{here}age", "different_age")
        seen.add(part.category)
        _checked(part, standard, here)


def _value(raw: object, name: str, rule: FindingRule, standard: Standard) -> object:
    if raw is None:
        return None
    if rule.kind == "numbers":
        return _numbers(raw, name, rule, standard)
    if rule.kind == "number" or (rule.kind == "number_or_choice" and not isinstance(raw, str)):
        return _number(raw, name, rule, standard)
    return _choice(raw, name, rule, standard)


def _numbers(raw: object, name: str, rule: FindingRule, standard: Standard) -> tuple[Decimal, ...]:
    if not isinstance(raw, list | tuple):
        raise BadFinding(name, "not_a_list")
    if len(raw) != len(rule.labels):
        labels = ", ".join(rule.labels)
        raise BadFinding(name, "wrong_count", count=len(rule.labels), labels=labels)
    return tuple(
        _number(item, f"{name}[{number}]", rule, standard) for number, item in enumerate(raw)
    )


_NUMBERS = (int, float, Decimal)


def _number(raw: object, name: str, rule: FindingRule, standard: Standard) -> Decimal:
    if type(raw) is not int and (isinstance(raw, bool) or not isinstance(raw, _NUMBERS)):
        raise BadFinding(name, "not_number")
    # repr() gives the shortest text that is this float: 0.05 stays 0.05
    value = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
    if type(raw) is not int and not value.is_finite():
        raise BadFinding(name, "not_number")
    if not rule.minimum <= value <= rule.maximum:
        raise BadFinding(name, "out_of_range", low=rule.minimum, high=rule.maximum)
    if type(raw) is int:
        return value
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -standard.decimals_at_most:
        raise BadFinding(name, "too_fine")
    return abs(value) if value == 0 else value


def _choice(raw: object, name: str, rule: FindingRule, standard: Standard) -> str | int:
    choices = standard.choices[rule.choices or ""]
    whole = isinstance(raw, int | float | Decimal) and not isinstance(raw, bool)
    # a number written 2 or 2.0 is the same number in JSON; True would equal 1 without the check
    if (whole or isinstance(raw, str)) and raw in choices:
        return choices[raw].code  # type: ignore[index] # membership was just checked
    known = ", ".join(str(code) for code in choices)
    code = "not_number_or_choice" if rule.kind == "number_or_choice" else "unknown_choice"
    raise BadFinding(name, code, known=known)


def _check_needed(
    found: Findings, case: Case, category: Category, standard: Standard, path: str
) -> None:
    for rule in category.findings:
        explicit_null = rule.kind == "choice_or_null" and rule.name in found.values
        if found.given(rule.name) or explicit_null:
            continue
        if _is_needed(rule, found, case, category, standard):
            raise BadFinding(f"{path}findings.{rule.name}", "missing")


def _is_needed(
    rule: FindingRule, found: Findings, case: Case, category: Category, standard: Standard
) -> bool:
    if rule.needed_when is None:
        return True
    scales = {item.name: item.scale for item in category.findings}
    known: dict[str, Any] = {**found.values, "age": Decimal(case.age)}
    for name, value in found.values.items():
        if isinstance(value, Decimal) and scales[name]:
            known[name] = standard.scales[scales[name] or ""].rounded(value)
    return any(
        all(_holds(test, known.get(test.of)) for test in group) for group in rule.needed_when
    )


def _holds(test: Precondition, value: object) -> bool:
    if test.given is not None:
        return (value is not None) == test.given
    if value is None:
        return False
    if test.one_of is not None:
        return value in test.one_of
    if test.none_of is not None:
        return value not in test.none_of
    return isinstance(value, Decimal) and test.bounds.hold(value)
