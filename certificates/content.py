"""What a certificate says, in words: no ink, no key, no database.

Field list and wording: 《残疾人证管理办法》 (2017) and its annexed sample.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

VALID_YEARS = 10
"""《残疾人证管理办法》: a certificate is valid for ten years."""

CATEGORY_DIGITS = {
    "vision": "1",
    "hearing": "2",
    "speech": "3",
    "physical": "4",
    "intellectual": "5",
    "mental": "6",
    "multiple": "7",
}
CATEGORY_WORDS = {
    "vision": ("视力", "Vision"),
    "hearing": ("听力", "Hearing"),
    "speech": ("言语", "Speech"),
    "physical": ("肢体", "Physical"),
    "intellectual": ("智力", "Intellectual"),
    "mental": ("精神", "Mental"),
    "multiple": ("多重", "Multiple"),
}
GRADE_WORDS = {1: "壹级", 2: "贰级", 3: "叁级", 4: "肆级"}
SEX_WORDS = {"male": ("男", "Male"), "female": ("女", "Female")}
LABELS = {
    "name": ("姓名", "Name"),
    "sex": ("性别", "Sex"),
    "ethnicity": ("民族", "Ethnicity"),
    "birth_on": ("出生日期", "Date of birth"),
    "number": ("残疾人证号", "Certificate number"),
    "category": ("残疾类别", "Category"),
    "grade": ("残疾等级", "Grade"),
    "address": ("家庭住址", "Home address"),
    "telephone": ("联系电话", "Telephone"),
    "guardian": ("监护人", "Guardian"),
    "guardian_telephone": ("监护人电话", "Guardian's telephone"),
    "issued_on": ("签发日期", "Date of issue"),
    "valid_until": ("有效期至", "Valid until"),
}
NONE_WORDS = ("无", "None")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class ContradictoryFacts(ValueError):
    """The facts of one certificate do not agree; the message names the field, never its value."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"the certificate's {field} does not agree with its other facts")


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What the register knows about one certificate at the moment of issue.

    `portrait` is a baseline JPEG; while it is empty the paper can be checked, not drawn.
    """

    name: str
    sex: str
    ethnicity: str
    birth_on: date
    number: str
    category: str
    grade: int
    parts: tuple[tuple[str, int], ...]
    address: str
    telephone: str
    guardian_name: str
    guardian_telephone: str
    issued_on: date
    valid_until: date
    issuer_name: str
    remarks: tuple[str, ...]
    portrait: bytes
    demo: bool


@dataclass(frozen=True, slots=True)
class Words:
    """The same words twice: Simplified Chinese first, English second (may be empty)."""

    chinese: str
    english: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One labelled line of the paper."""

    code: str
    label: Words
    value: Words


@dataclass(frozen=True, slots=True)
class Paper:
    """Everything that will be printed, in reading order."""

    fields: tuple[Field, ...]
    parts: tuple[tuple[Words, Words], ...]
    remarks: tuple[str, ...]
    issuer: str
    issued: Words
    portrait: bytes
    red: bool
    demo: bool

    @property
    def texts(self) -> tuple[str, ...]:
        """List every text that varies from one certificate to the next."""
        words = [f.value for f in self.fields] + [w for row in self.parts for w in row]
        words.append(self.issued)
        return tuple(t for w in words for t in (w.chinese, w.english) if t) + self.remarks


def certificate_number(id_number: str, category: str, grade: int, suffix: str = "") -> str:
    """Return ID number + category digit + grade digit, and `B1`, `B2`… of a reissue.

    《残疾人证管理办法》: generated, never typed; it changes with the grade.
    """
    return f"{id_number}{CATEGORY_DIGITS[category]}{grade}{suffix}"


def valid_until(issued_on: date, years: int = VALID_YEARS) -> date:
    """Return the last day a certificate issued on `issued_on` is valid."""
    try:
        return issued_on.replace(year=issued_on.year + years)
    except ValueError:  # issued on 29 February
        return issued_on.replace(year=issued_on.year + years, day=28)


def day_words(day: date) -> Words:
    """Write a day in Chinese and in English."""
    return Words(
        f"{day.year}年{day.month:02d}月{day.day:02d}日",
        f"{day.day} {MONTHS[day.month - 1]} {day.year}",
    )


def category_words(category: str) -> Words:
    """Write a category in Chinese and in English."""
    return Words(*CATEGORY_WORDS[category])


def grade_words(grade: int) -> Words:
    """Write a grade with the numerals that cannot be altered by a stroke (壹贰叁肆)."""
    return Words(GRADE_WORDS[grade], f"Grade {grade}")


def renewal_remark(issued_on: date) -> str:
    """Say what a renewed certificate takes the place of (换领)."""
    return f"换领：换自{day_words(issued_on).chinese}签发的残疾人证。"


def reissue_remark(issued_on: date, suffix: str) -> str:
    """Say that the former paper is void, and which one this is (挂失补办)."""
    lost = f"{day_words(issued_on).chinese}签发的原证已挂失作废"
    return f"补发：{lost}，本证为第{suffix[1:]}次补发（{suffix}）。"


def change_remark(category: str, grade: int, issued_on: date) -> str:
    """Say what category and grade the former certificate had (类别、等级变更)."""
    before = f"{category_words(category).chinese}残疾{grade_words(grade).chinese}"
    return f"变更：{day_words(issued_on).chinese}签发的原证为{before}，经重新评定变更为本证所载。"


def move_in_remark(office: str, issued_on: date) -> str:
    """Say from where a holder's file came (迁入)."""
    return f"迁入：由{office}转入，原证于{day_words(issued_on).chinese}签发。"


def moved_and_renewed_remark(valid_until: date) -> str:
    """Say that a certificate in its last year was renewed as its holder moved in (迁入, 换领)."""
    return f"换领：原证有效期至{day_words(valid_until).chinese}，迁入时一并换领。"


def check_facts(facts: CertificateFacts) -> None:
    """Raise `ContradictoryFacts` when number, category, grade, parts or days do not agree."""
    digits = CATEGORY_DIGITS.get(facts.category)
    pattern = rf"\d{{6}}{facts.birth_on:%Y%m%d}\d{{3}}[\dX]{digits}{facts.grade}(B[1-9]\d?)?"
    if facts.grade not in GRADE_WORDS or facts.sex not in SEX_WORDS:
        raise ContradictoryFacts("grade" if facts.grade not in GRADE_WORDS else "sex")
    if digits is None or not re.fullmatch(pattern, facts.number, re.ASCII):
        raise ContradictoryFacts("number")
    if (facts.category == "multiple") != (len(facts.parts) > 1):
        raise ContradictoryFacts("parts")
    if facts.parts and min(grade for _, grade in facts.parts) != facts.grade:
        raise ContradictoryFacts("parts")
    if facts.valid_until <= facts.issued_on or facts.birth_on > facts.issued_on:
        raise ContradictoryFacts("dates")


def compose(facts: CertificateFacts) -> Paper:
    """Turn the facts into the words of the paper, or raise `ContradictoryFacts`."""
    check_facts(facts)
    parts = facts.parts if facts.category == "multiple" else ()
    return Paper(
        fields=tuple(_fields(facts)),
        parts=tuple((category_words(c), grade_words(g)) for c, g in parts),
        remarks=facts.remarks,
        issuer=facts.issuer_name,
        issued=day_words(facts.issued_on),
        portrait=facts.portrait,
        red=facts.category == "vision",
        demo=facts.demo,
    )


def _fields(facts: CertificateFacts) -> Iterator[Field]:
    values = {
        "name": Words(facts.name),
        "sex": Words(*SEX_WORDS[facts.sex]),
        "ethnicity": Words(facts.ethnicity),
        "birth_on": day_words(facts.birth_on),
        "number": Words(facts.number),
        "category": category_words(facts.category),
        "grade": grade_words(facts.grade),
        "address": _or_none(facts.address),
        "telephone": _or_none(facts.telephone),
        "guardian": _or_none(facts.guardian_name),
        "guardian_telephone": _or_none(facts.guardian_telephone),
        "issued_on": day_words(facts.issued_on),
        "valid_until": day_words(facts.valid_until),
    }
    return (Field(code, Words(*LABELS[code]), value) for code, value in values.items())


def _or_none(text: str) -> Words:
    return Words(text) if text else Words(*NONE_WORDS)
