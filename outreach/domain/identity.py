"""Who a person is on paper: ID number, name, telephone, age.

No message of this module repeats what was typed: it may reach a log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from stdnum.iso7064 import mod_11_2

from outreach.domain.vocabulary import Sex

NAME_LIMIT = 50
MIDDLE_DOT = "\u00b7"

# Keyboards of phones and office suites offer these for U+00B7, the only one GB 18030 names use.
_DOTS = dict.fromkeys(
    map(ord, "•‧・･∙⋅·᛫⸱ꞏ․．.●⦁◦"),
    MIDDLE_DOT,
)
_FULL_WIDTH = {0xFF01 + n: 0x21 + n for n in range(94)}
# Joiners, and the marks of direction that a copied contact or web page leaves around a number.
_INVISIBLE = dict.fromkeys(
    [0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF]
)


def _filed_in_private_use() -> dict[int, str]:
    """Map the private-use characters of older registers to the characters that they stand for.

    GBK filed the codes FE50 to FEA0 as U+E815 to U+E864. GB 18030-2022 gives each its character;
    Python's codec, of an earlier edition, still lacks the fourteen named here.
    """
    later = {
        0xE816: "\U00020087",
        0xE817: "\U00020089",
        0xE818: "\U000200cc",
        0xE831: "\U000215d7",
        0xE83B: "\U0002298f",
        0xE855: "\U000241fe",
        0xE81E: "\u9fb4",
        0xE826: "\u9fb5",
        0xE82B: "\u9fb6",
        0xE82C: "\u9fb7",
        0xE832: "\u9fb8",
        0xE843: "\u9fb9",
        0xE854: "\u9fba",
        0xE864: "\u9fbb",
    }
    trails = [*range(0x50, 0x7F), *range(0x80, 0xA1)]
    filed = {0xE815 + n: bytes((0xFE, low)).decode("gb18030") for n, low in enumerate(trails)}
    return filed | later


_PRIVATE_USE = _filed_in_private_use()
_ID_NUMBER = re.compile(r"[1-9][0-9]{16}[0-9X]")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"(010|02[0-9]|0[3-9][0-9]{2})([2-8][0-9]{6,7})")

# Blocks of GB 18030-2022 with the extensions of planes 2 and 3; 〇 is written in names too.
_HAN = (
    (0x3007, 0x3007),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAD9),
    (0x20000, 0x2FA1F),
    (0x30000, 0x3347F),
)


class MalformedIdNumber(ValueError):
    """The text is no ID number of GB 11643-1999; `reason` says in a word what is wrong."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class MalformedName(ValueError):
    """The text is no name of Chinese characters."""


class MalformedTelephone(ValueError):
    """The text is no telephone number of mainland China."""


@dataclass(frozen=True)
class IdNumber:
    """An ID number that passed its check digit, with what follows from it."""

    value: str = field(repr=False)
    birth_on: date
    sex: Sex


def parse_id_number(text: str) -> IdNumber:
    """Read an 18-character ID number (GB 11643-1999, check digit ISO 7064 MOD 11-2).

    Blanks, invisible marks, full-width digits and a small x are forgiven. The division code in
    it need not exist today. Raises `MalformedIdNumber`.
    """
    value = as_meant(text).upper()
    if len(value) != 18:
        raise MalformedIdNumber("length", "An ID number has 18 characters.")
    if not _ID_NUMBER.fullmatch(value):
        raise MalformedIdNumber("characters", "An ID number is 17 digits and a digit or X.")
    birth_on = birth_date(value)
    if not mod_11_2.is_valid(value):
        raise MalformedIdNumber("check_digit", "The last character does not fit the other 17.")
    return IdNumber(value, birth_on, Sex.MALE if int(value[16]) % 2 else Sex.FEMALE)


def as_meant(text: str) -> str:
    """Return a number as its digits mean it, whatever it was typed with or copied from.

    Blanks and invisible marks go, full-width characters become the usual ones.
    """
    return "".join(text.translate(_FULL_WIDTH | _INVISIBLE).split())


def as_filed(text: str) -> str:
    """Return what is looked for as names and numbers are filed, whatever it was typed with."""
    return as_meant(text).translate(_DOTS | _PRIVATE_USE)


def visible(text: str) -> str:
    """Return a text without the joiners and marks of direction that a copied one may have in it."""
    return text.translate(_INVISIBLE)


def birth_date(value: str) -> date:
    """Return the day of birth that stands in an ID number of 18 characters.

    Raises `MalformedIdNumber` where there is no such day; nothing else is checked.
    """
    try:
        return date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        raise MalformedIdNumber("birth_date", "Characters 7 to 14 are no date.") from None


def age_on(birth_on: date, day: date) -> int:
    """Count the completed years of age on that day; a birthday itself counts.

    Somebody born on 29 February completes the year on 1 March of a common year.
    """
    if day < birth_on:
        raise ValueError("The day lies before the birth.")
    before_birthday = (day.month, day.day) < (birth_on.month, birth_on.day)
    return day.year - birth_on.year - before_birthday


def normalise_name(text: str) -> str:
    """Tidy a name: blanks go, look-alike dots become "·" (U+00B7), characters stay as filed.

    Private-use characters of older registers become the characters that they stand for.
    Allows the Chinese characters of GB 18030-2022 (planes 0, 2 and 3) and "·" between them,
    at most 50 code points. Raises `MalformedName`.
    """
    name = "".join(text.split()).translate(_INVISIBLE).translate(_DOTS)
    name = name.translate(_PRIVATE_USE)
    if not name:
        raise MalformedName("A name is missing.")
    if len(name) > NAME_LIMIT:
        raise MalformedName(f"A name has at most {NAME_LIMIT} characters.")
    if not all(part and all(map(_is_han, part)) for part in name.split(MIDDLE_DOT)):
        raise MalformedName("A name is Chinese characters, with a single “·” only between them.")
    return name


def _is_han(character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in _HAN)


def normalise_telephone(text: str) -> str:
    """Bring a telephone number to `13812345678` or `0817-2345678`.

    Blanks, invisible marks, hyphens, brackets, full-width digits and a leading +86 are forgiven;
    a landline needs its area code. Raises `MalformedTelephone`.
    """
    digits = re.sub(r"[()\-\u2010-\u2015]", "", as_meant(text))
    national = re.sub(r"^(\+86|0086)", "", digits)
    if _MOBILE.fullmatch(national):
        return national
    if match := _LANDLINE.fullmatch(national):
        return f"{match[1]}-{match[2]}"
    raise MalformedTelephone("A telephone is 11 digits of a mobile, or area code and number.")
