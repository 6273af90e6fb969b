"""A case on the table: its findings, the standard, and the pen that writes the reasons down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from outreach.domain.grading_input import Findings
from outreach.domain.grading_standard import Choice, FindingRule, Label, Scale, Standard


@dataclass  # not frozen: those are made by the thousand, and freezing triples it
class Sentence:
    """One thing said to the doctor: its code, the clause, and the part it is about.

    Its words are put together when they are read: most gradings are asked for the grade alone.
    """

    code: str
    clause: str
    edition: str = field(repr=False)
    message: Label = field(repr=False)
    values: Mapping[str, object] = field(repr=False)
    part: str | None = None
    about: Label = field(default=Label("", ""), repr=False)

    @cached_property
    def zh(self) -> str:
        """What it says in Chinese."""
        values = {name: _words(value).zh for name, value in self.values.items()}
        before = f"{self.about.zh}：" if self.part else ""
        return f"{before}{self.message.zh.format(**values)}（{self.edition} {self.clause}）"

    @cached_property
    def en(self) -> str:
        """What it says in English."""
        values = {name: _words(value).en for name, value in self.values.items()}
        before = f"{self.about.en}: " if self.part else ""
        return f"{before}{self.message.en.format(**values)} ({self.edition} {self.clause})"


class Pen:
    """Writes down reasons and questions in the standard's words."""

    def __init__(self, standard: Standard) -> None:
        self._standard = standard
        self.reasons: list[Sentence] = []
        self.questions: list[Sentence] = []

    def note(self, code: str, clause: str = "", /, **values: object) -> None:
        """Write down a reason: a message of the standard, filled in."""
        self.reasons.append(self._sentence(code, clause, values))

    def ask(self, code: str, clause: str = "", /, **values: object) -> None:
        """Write down a question that the standard leaves to the doctor."""
        self.questions.append(self._sentence(code, clause, values))

    def _sentence(self, code: str, clause: str, values: Mapping[str, object]) -> Sentence:
        message, edition = self._standard.messages[code], self._standard.edition
        return Sentence(code, clause or message.clause, edition, message.label, values)


def _words(value: object) -> Label:
    if isinstance(value, Label):
        return value
    plain = f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
    return Label(plain, plain)


@dataclass(frozen=True)
class Sheet:
    """A case on the table: what was found, the standard, and the pen to write reasons with."""

    age: int
    found: Findings
    standard: Standard
    pen: Pen

    def scale(self, name: str) -> Scale:
        """Return a scale by its code."""
        return self.standard.scales[name]

    def parameter(self, name: str) -> int:
        """Return a single figure of the rules."""
        return self.standard.parameters[name]

    def chosen(self, choices: str, finding: str) -> Choice:
        """Return what was chosen for a finding."""
        return self.standard.choice(choices, self.found.code(finding))

    def rule(self, category: str, finding: str) -> FindingRule:
        """Return the definition of a finding."""
        return self.standard.categories[category].by_name[finding]

    def named(self, result: int | None) -> Label:
        """Return a grade in words."""
        return self.standard.grades[result]
