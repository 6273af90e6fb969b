"""The reference tables of the grading, written from the standard's own data.

`python -m outreach.domain.grading_tables > docs/reference/grading.md` brings the page up to date; a
test fails when it is not.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping

from outreach.domain.grading_standard import (
    Bounds,
    Category,
    Choice,
    FindingRule,
    Precondition,
    Scale,
    Standard,
    load_standard,
)

_INTRODUCTION = """# Grading tables

Generated from `outreach/domain/standards/gbt-26341-2010.toml` ({edition}) by
`python -m outreach.domain.grading_tables`; do not edit. Why it is so, and what was decided where
the standard is silent: [explanation](../explanation/grading.md). "Sure" says how well a row is
known: *sure* (quoted in two or more places), *seen* (once), *assumed* (our reading).
"""


def reference_page(standard: Standard) -> str:
    """Return the page docs/reference/grading.md as Markdown."""
    blocks = [
        _INTRODUCTION.format(edition=standard.edition),
        "## Scales\n",
        *(_scale(scale) for scale in standard.scales.values()),
        "## Choices\n",
        *(_choices(name, rows) for name, rows in standard.choices.items()),
        "## Single figures\n",
        _parameters(standard),
        "## Findings\n",
        *(_findings(category) for category in standard.categories.values()),
        "## Questions and reasons\n",
        _messages(standard),
    ]
    return "\n".join(blocks)


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(str(cell) for cell in cells) + " |"

    head = list(head)
    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows), ""])


def _scale(scale: Scale) -> str:
    rounding = "; .5 rounds up to whole numbers" if scale.rounds_half_up else ""
    asks = (
        ", a rounding that changes the grade is asked" if scale.asks_when_rounding_matters else ""
    )
    unit = f", {scale.unit}" if scale.unit else ""
    head = f"### `{scale.code}`: {scale.label.zh} · {scale.label.en}{unit}{rounding}{asks}\n\n"
    rows = (
        (_grade(band.grade), _inequality(band.bounds), band.printed, band.clause, band.sure)
        for band in scale.bands
    )
    return head + _table(["Grade", "x", "As printed", "Clause", "Sure"], rows)


def _grade(grade: int | None) -> str:
    return "none" if grade is None else str(grade)


def _inequality(bounds: Bounds) -> str:
    signs = {"≥": bounds.at_least, ">": bounds.above, "≤": bounds.at_most, "<": bounds.below}
    return " and ".join(f"{sign} {value}" for sign, value in signs.items() if value is not None)


def _choices(name: str, rows: Mapping[str | int, Choice]) -> str:
    head = f"### `{name}`\n\n"
    cells = (
        (
            f"`{row.code}`",
            _grade(row.grade),
            row.label.zh,
            row.label.en,
            _asks(row),
            row.clause,
            row.sure,
        )
        for row in rows.values()
    )
    return head + _table(["Code", "Grade", "中文", "English", "Asks", "Clause", "Sure"], cells)


def _asks(choice: Choice) -> str:
    asks = [f"`{item.finding}` {_inequality(item.bounds)}" for item in choice.measures]
    age = choice.adults_only_from
    limits = [] if age is None else [f"age ≥ {age}"]
    judged = ["the doctor's judgement"] if choice.by_judgement else []
    return "; ".join([" or ".join(asks)] * bool(asks) + limits + judged)


def _parameters(standard: Standard) -> str:
    rows = (
        (f"`{name}`", row["value"], row["zh"], row["en"], row["clause"], row["sure"])
        for name, row in standard.source["parameters"].items()
    )
    return _table(["Figure", "Value", "中文", "English", "Clause", "Sure"], rows)


def _findings(category: Category) -> str:
    head = (
        f"### `{category.code}`: {category.label.zh}, digit {category.digit}, {category.clause}\n\n"
    )
    if not category.findings:
        return head + "`parts`: a list of cases of two or more different categories.\n"
    rows = (
        (f"`{rule.name}`", rule.label.zh, rule.label.en, _values(rule), _needed(rule))
        for rule in category.findings
    )
    return head + _table(["Finding", "中文", "English", "Values", "Needed"], rows)


def _values(rule: FindingRule) -> str:
    unit = f" {rule.unit}" if rule.unit else ""
    parts = [f"{rule.minimum} to {rule.maximum}{unit}"] if "number" in rule.kind else []
    parts += [f"one of `{rule.choices}`"] if rule.choices else []
    count = f"{len(rule.labels)} values ({', '.join(rule.labels)}), each " if rule.labels else ""
    null = f" or null ({rule.null_label.en})" if rule.null_label else ""
    return count + " or ".join(parts) + null


def _needed(rule: FindingRule) -> str:
    if rule.needed_when is None:
        return "always"
    return "; or ".join(" and ".join(_tests(group)) for group in rule.needed_when) or "no"


def _tests(group: tuple[Precondition, ...]) -> Iterator[str]:
    for test in group:
        if test.given is not None:
            yield f"`{test.of}` is {'' if test.given else 'not '}given"
        elif test.one_of is not None:
            yield f"`{test.of}` is {', '.join(test.one_of)}"
        elif test.none_of is not None:
            yield f"`{test.of}` is not {', '.join(test.none_of)}"
        else:
            yield f"{test.of} {_inequality(test.bounds)}"


def _messages(standard: Standard) -> str:
    rows = (
        (f"`{code}`", message.label.zh, message.label.en, message.clause)
        for code, message in standard.messages.items()
    )
    return _table(["Code", "中文", "English", "Clause"], rows)


if __name__ == "__main__":
    sys.stdout.write(reference_page(load_standard()))
