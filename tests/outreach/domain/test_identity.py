from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from outreach.domain.identity import (
    IdNumber,
    MalformedIdNumber,
    MalformedName,
    MalformedTelephone,
    age_on,
    normalise_name,
    normalise_telephone,
    parse_id_number,
)
from outreach.domain.vocabulary import Sex

VALID = "53010219200508011X"
RADICALS = (
    *(0xE815, 0xE819, 0xE81C, 0xE81D, 0xE822, 0xE823, 0xE830),
    *(0xE833, 0xE836, 0xE838, 0xE839, 0xE83A, 0xE83E, 0xE848),
)
"""Private-use codes of GBK that stand for radicals, which no name is written with."""


def numbers() -> st.SearchStrategy[str]:
    def whole(division: int, birth_on: date, order: int) -> str:
        body = f"{division:06d}{birth_on:%Y%m%d}{order:03d}"
        return body + mod_11_2.calc_check_digit(body)

    return st.builds(
        whole,
        st.integers(110000, 999999),
        st.dates(date(1900, 1, 1), date(2099, 12, 31)),
        st.integers(0, 999),
    )


@pytest.mark.parametrize(
    "text",
    [
        VALID,
        "53010219200508011x",
        f"  {VALID}\n",
        "530102 19200508 011X",
        f"\u202d{VALID}\u202c",
        f"{VALID}\ufeff",
        "５３０１０２１９２００５０８０１１Ｘ",
    ],
)
def test_reads_a_valid_number_and_stores_a_capital_x(text: str) -> None:
    assert parse_id_number(text) == IdNumber(VALID, date(1920, 5, 8), Sex.MALE)


def test_reads_a_division_code_that_never_existed() -> None:
    assert parse_id_number("999999194912310025").sex == Sex.FEMALE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "length"),
        ("53010219200508011", "length"),
        ("53010219200508011XX", "length"),
        ("530102920050801", "length"),
        ("53010219200508O11X", "characters"),
        ("X30102192005080111", "characters"),
        ("03010219200508011X", "characters"),
        ("٥٣٠١٠٢١٩٢٠٠٥٠٨٠١١X", "characters"),
        ("530102192013080114", "birth_date"),
        ("530102192102290113", "birth_date"),
        ("530102000005080113", "birth_date"),
        ("530102192005080111", "check_digit"),
        ("123456197011110013", "check_digit"),
    ],
)
def test_refuses_a_malformed_number_and_never_repeats_it(text: str, reason: str) -> None:
    with pytest.raises(MalformedIdNumber) as caught:
        parse_id_number(text)
    assert caught.value.reason == reason
    assert caught.value.__cause__ is None
    assert not text or text not in str(caught.value)


def test_does_not_show_the_number_when_printed() -> None:
    shown = "IdNumber(birth_on=datetime.date(1920, 5, 8), sex=<Sex.MALE: 'male'>)"
    assert repr(parse_id_number(VALID)) == shown


@given(numbers())
def test_reads_birth_date_and_sex_from_every_whole_number(text: str) -> None:
    number = parse_id_number(text.lower())
    sex = Sex.MALE if text[16] in "13579" else Sex.FEMALE
    assert (number.value, f"{number.birth_on:%Y%m%d}", number.sex) == (text, text[6:14], sex)


@given(numbers(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_finds_every_single_wrong_character(text: str, at: int, other: str) -> None:
    wrong = text[:at] + other + text[at + 1 :]
    if wrong == text:
        return
    with pytest.raises(MalformedIdNumber):
        parse_id_number(wrong)


@pytest.mark.parametrize(
    ("birth_on", "day", "age"),
    [
        (date(1930, 3, 12), date(2018, 6, 4), 88),
        (date(2000, 6, 4), date(2018, 6, 3), 17),
        (date(2000, 6, 4), date(2018, 6, 4), 18),
        (date(2000, 2, 29), date(2018, 2, 28), 17),
        (date(2000, 2, 29), date(2018, 3, 1), 18),
        (date(2018, 6, 4), date(2018, 6, 4), 0),
    ],
)
def test_counts_completed_years(birth_on: date, day: date, age: int) -> None:
    assert age_on(birth_on, day) == age


def test_has_no_age_before_birth() -> None:
    with pytest.raises(ValueError, match="before the birth"):
        age_on(date(2018, 6, 4), date(2018, 6, 3))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("任家祠", "任家祠"),
        (" 李　四 ", "李四"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("阿依古丽・买买提", "阿依古丽·买买提"),
        ("阿依古丽 . 买买提", "阿依古丽·买买提"),
        ("阿依古丽．买买提", "阿依古丽·买买提"),
        ("王\u200b五", "王五"),
        ("\u202d王五\u202c", "王五"),
        ("\U00020000\U00030000", "\U00020000\U00030000"),
        ("郞", "郞"),
        ("\uf92c", "\uf92c"),
        ("一" * 50, "一" * 50),
        ("\U00030eda" * 50, "\U00030eda" * 50),
        ("王\ue81e", "王\u9fb4"),
        ("\ue816\ue864", "\U00020087\u9fbb"),
        (b"\xfeU\xfeY".decode("gb18030"), "\u3473\u9fb4"),
    ],
)
def test_tidies_a_name_and_keeps_its_characters(text: str, name: str) -> None:
    assert normalise_name(text) == name


@pytest.mark.parametrize(
    "text", ["", "  ", "·", "·王", "王·", "王··五", "Wang", "王5", "王、五", "一" * 51, "王\ue000"]
)
def test_refuses_what_is_no_name(text: str) -> None:
    with pytest.raises(MalformedName):
        normalise_name(text)


def test_every_private_use_character_of_gbk_becomes_a_character_of_its_own() -> None:
    tidied = [normalise_name(chr(code)) for code in range(0xE815, 0xE865) if code not in RADICALS]
    assert len(set(tidied)) == 80 - len(RADICALS)
    assert not any("\ue000" <= character <= "\uf8ff" for name in tidied for character in name)


@given(st.text(st.sampled_from("王李𠮷〇·•. 　x"), max_size=60))
def test_tidying_a_name_twice_changes_nothing(text: str) -> None:
    try:
        once = normalise_name(text)
    except MalformedName:
        return
    assert normalise_name(once) == once


@pytest.mark.parametrize(
    ("text", "telephone"),
    [
        ("15408170001", "15408170001"),
        ("+86 154-0817-0001", "15408170001"),
        ("0086 15408170001", "15408170001"),
        ("１５４０８１７０００１", "15408170001"),
        ("\u202d154 0817 0001\u202c", "15408170001"),
        ("15408170001\u200b", "15408170001"),
        ("0817 2345678", "0817-2345678"),
        ("(0817)2345678", "0817-2345678"),
        ("（0817）2345678", "0817-2345678"),
        ("028-81234567", "028-81234567"),
        ("01081234567", "010-81234567"),
    ],
)
def test_brings_telephones_to_one_form(text: str, telephone: str) -> None:
    assert normalise_telephone(text) == telephone
    assert normalise_telephone(telephone) == telephone


@pytest.mark.parametrize(
    "text", ["", "2345678", "1540817000", "154081700011", "12345678901", "0817-234", "电话", "110"]
)
def test_refuses_what_is_no_telephone_and_never_repeats_it(text: str) -> None:
    with pytest.raises(MalformedTelephone) as caught:
        normalise_telephone(text)
    assert not text or text not in str(caught.value)
