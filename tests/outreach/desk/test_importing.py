"""A nomination list: the dry run names every bad row, and nothing is taken in until told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook, load_workbook
from stdnum.iso7064 import mod_11_2

from outreach.actions import applications
from outreach.actions.bars import bar
from outreach.actions.importing.checking import HEADINGS
from outreach.models import Application, ImportDraft, Resident, User
from tests import builders

SignIn = Callable[[User], Client]
ROWS, BAD = 5000, 50


def identity(serial: int) -> str:
    base = f"511302{date(1940, 1, 1) + timedelta(days=serial):%Y%m%d}001"
    return base + mod_11_2.calc_check_digit(base)


def row(serial: int, **changes: str) -> list[str]:
    cells = {
        "姓名": "赵青山",
        "身份证号": identity(serial),
        "村（社区）": "任家祠村",
        "残疾类别": "肢体",
        "联系电话": "13900000000",
        "长期卧床": "是",
        **changes,
    }
    return [cells.get(head, "") for head in HEADINGS]


def sheet(rows: Iterable[list[str]]) -> SimpleUploadedFile:
    book = Workbook(write_only=True)
    page = book.create_sheet()
    page.append(list(HEADINGS))
    for cells in rows:
        page.append(cells)
    out = BytesIO()
    book.save(out)
    return SimpleUploadedFile("名单.xlsx", out.getvalue())


#: Ten kinds of mistakes: the column that is named and the words of the reason.
MISTAKES: list[tuple[dict[str, str], str, str]] = [
    ({"姓名": ""}, "姓名", "此处为空"),
    ({"姓名": "Smith 3"}, "姓名", "汉字"),
    ({"身份证号": ""}, "身份证号", "此处为空"),
    ({"身份证号": "51130219500302001"}, "身份证号", "18"),
    ({"身份证号": "511302195013020018"}, "身份证号", "出生日期"),
    ({"身份证号": "511302195003020018"}, "身份证号", "校验码"),
    ({"村（社区）": "无此村"}, "村（社区）", "没有这个村"),
    ({"残疾类别": "腿脚"}, "残疾类别", "肢体"),
    ({"联系电话": "12"}, "联系电话", "电话"),
    ({"残疾类别": "精神"}, "监护人", "监护人"),
]


def read(browser: Client, file: SimpleUploadedFile) -> ImportDraft:
    answer = browser.post("/import/", {"file": file})
    assert answer.status_code == 303, answer.content.decode()[:2000]
    return ImportDraft.objects.latest("read_at")


def test_five_thousand_rows_with_fifty_bad_ones_are_all_named_and_none_is_taken_in(
    place: builders.County, sign_in: SignIn
) -> None:
    at = {100 * index + 7: MISTAKES[index % 10] for index in range(BAD)}
    rows = [row(index, **at[index][0]) if index in at else row(index) for index in range(ROWS)]
    browser = sign_in(place.administrator)
    draft = read(browser, sheet(rows))
    assert (draft.total, draft.good, draft.taken) == (ROWS, ROWS - BAD, 0)
    assert [(fault["row"], fault["column"]) for fault in draft.faults] == [
        (index + 2, column) for index, (_, column, _) in at.items()
    ]
    page = browser.get(f"/import/{draft.pk}/").content.decode()
    for (_, _, words), fault in zip(at.values(), draft.faults, strict=True):
        assert words in fault["reason"], fault
        assert fault["reason"] in page
    assert (Application.objects.count(), Resident.objects.count()) == (0, 0)


def test_the_good_rows_are_taken_in_portion_by_portion_when_told(
    place: builders.County, sign_in: SignIn
) -> None:
    browser = sign_in(place.administrator)
    draft = read(browser, sheet([row(1, 姓名=""), *(row(index) for index in range(2, 253))]))
    page, counts = f"/import/{draft.pk}/", []
    for _ in range(4):
        browser.post(page)
        counts.append(Application.objects.count())
    draft.refresh_from_db()
    assert counts == [100, 200, 251, 251]
    assert (draft.taken, draft.rows) == (251, [])
    assert set(Application.objects.values_list("state", flat=True)) == {"nominated"}


def test_a_person_twice_and_a_person_with_an_open_case_are_named(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.applied(place, id_number=identity(9))
    draft = read(sign_in(place.administrator), sheet([row(1), row(1), row(9)]))
    assert [(fault["row"], fault["reason"]) for fault in draft.faults] == [
        (3, "第 2 行也是此人。"),
        (4, "此人已有未办结的申请。"),
    ]


def test_a_village_of_another_county_is_not_known(place: builders.County, sign_in: SignIn) -> None:
    draft = read(sign_in(place.administrator), sheet([row(1, **{"村（社区）": "511303201201"})]))
    assert [fault["column"] for fault in draft.faults] == ["村（社区）"]


def test_a_missing_column_is_named_at_once(place: builders.County, sign_in: SignIn) -> None:
    file = SimpleUploadedFile("list.csv", "姓名,村（社区）\n赵青山,任家祠村\n".encode())
    draft = read(sign_in(place.administrator), file)
    assert [fault["column"] for fault in draft.faults] == ["身份证号", "残疾类别"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_as_spreadsheets_write_it(
    place: builders.County, sign_in: SignIn, encoding: str
) -> None:
    text = ",".join(HEADINGS) + "\n" + ",".join(row(1, 姓名="赵𠮷山")) + "\n"
    draft = read(sign_in(place.administrator), SimpleUploadedFile("l.csv", text.encode(encoding)))
    assert (draft.good, draft.rows[0]["name"]) == (1, "赵𠮷山")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("l.xlsx", b"PK\x03\x04 torn", "no-spreadsheet"),
        ("l.xlsx", b"", "malformed-form"),
        ("l.csv", b"\n\n", "empty"),
        ("l.csv", b"\xff\xfe\x00\x81", "no-spreadsheet"),
    ],
)
def test_what_is_no_list_is_told_in_words(
    place: builders.County, sign_in: SignIn, name: str, content: bytes, code: str
) -> None:
    answer = sign_in(place.administrator).post(
        "/import/", {"file": SimpleUploadedFile(name, content)}
    )
    assert (answer.status_code, answer["X-Refusal"]) == (422, code)
    assert ImportDraft.objects.count() == 0


def test_the_faults_and_the_empty_list_come_as_spreadsheets(
    place: builders.County, sign_in: SignIn
) -> None:
    browser = sign_in(place.administrator)
    draft = read(browser, sheet([row(1, 姓名="")]))
    assert cells(browser.get(f"/import/{draft.pk}/faults.xlsx"))[1][:2] == (2, "姓名")
    assert cells(browser.get("/import/template.xlsx")) == [HEADINGS]


def cells(answer: Any) -> list[tuple[Any, ...]]:
    book = load_workbook(BytesIO(b"".join(answer.streaming_content)))
    return list(book.worksheets[0].iter_rows(values_only=True))


def test_what_was_read_lies_sealed_and_can_be_forgotten(
    place: builders.County, sign_in: SignIn
) -> None:
    from django.db import connection

    browser = sign_in(place.administrator)
    draft = read(browser, sheet([row(1)]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT rows FROM outreach_importdraft")
        assert "赵青山" not in str(cursor.fetchone()[0])
    browser.post(f"/import/{draft.pk}/forget/")
    assert ImportDraft.objects.count() == 0


def test_a_row_that_is_good_no_more_holds_up_no_other(
    place: builders.County, sign_in: SignIn
) -> None:
    """The same file was read twice; of each person one list is the first."""
    browser = sign_in(place.administrator)
    draft = read(browser, sheet(row(index) for index in range(5)))
    builders.applied(place, id_number=identity(3))
    assert browser.post(f"/import/{draft.pk}/").status_code == 303
    draft.refresh_from_db()
    assert (draft.good, draft.taken, draft.rows) == (4, 4, [])
    assert [(fault["row"], fault["column"]) for fault in draft.faults] == [(5, "身份证号")]
    assert Application.objects.count() == 5
    assert draft.faults[0]["reason"] in browser.get(f"/import/{draft.pk}/").content.decode()


def test_a_list_of_an_earlier_version_goes_on(place: builders.County, sign_in: SignIn) -> None:
    browser = sign_in(place.administrator)
    draft = read(browser, sheet([row(1)]))
    draft.rows = [{name: value for name, value in draft.rows[0].items() if name != "row"}]
    draft.save()
    browser.post(f"/import/{draft.pk}/")
    assert Application.objects.count() == 1


def test_a_person_who_may_not_apply_yet_is_named(place: builders.County, sign_in: SignIn) -> None:
    [case] = builders.applied(place, id_number=identity(3))
    applications.advance([case], "withdraw", by=place.liaison, at=builders.START)
    bar(
        [case.resident],
        ground="x",
        until=date(2019, 1, 1),
        by=place.administrator,
        at=builders.START,
    )
    draft = read(sign_in(place.administrator), sheet([row(2), row(3)]))
    [fault] = draft.faults
    assert (fault["row"], fault["column"], "2019-01-02" in fault["reason"]) == (3, "身份证号", True)


def number_cell(value: float) -> SimpleUploadedFile:
    """Return a list in which the ID number is a number, as Excel makes it of what was typed."""
    book = Workbook()
    page = book.worksheets[0]
    page.append(list(HEADINGS))
    page.append([value if cell == "?" else cell for cell in row(1, 身份证号="?")])
    out = BytesIO()
    book.save(out)
    return SimpleUploadedFile("名单.xlsx", out.getvalue())


def test_an_id_number_that_lost_its_last_digits_is_no_other_persons(
    place: builders.County, sign_in: SignIn
) -> None:
    """A spreadsheet keeps 15 digits of a number: one in eleven fits the check digit anyhow."""
    rounded = range(511302194001010000, 511302194012310000, 1000)
    whole = next(one for one in rounded if mod_11_2.is_valid(str(one)))
    parted = next(float(one) for one in rounded if mod_11_2.is_valid(str(int(float(one)))))
    browser = sign_in(place.administrator)
    for value in (parted, whole):
        draft = read(browser, number_cell(value))
        [fault] = draft.faults
        assert (draft.good, fault["column"], "末尾" in fault["reason"]) == (0, "身份证号", True)


def test_an_id_number_of_somebody_who_is_not_born_is_named(
    place: builders.County, sign_in: SignIn
) -> None:
    base = "51130220910302001"
    future = base + mod_11_2.calc_check_digit(base)
    draft = read(sign_in(place.administrator), sheet([row(1), row(2, 身份证号=future)]))
    assert (draft.good, [fault["row"] for fault in draft.faults]) == (1, [3])


def test_a_first_row_that_ends_early_does_not_lose_the_columns(
    place: builders.County, sign_in: SignIn
) -> None:
    lines = [",".join(HEADINGS[:4]), ",".join(row(1)[:3]), ",".join(row(2)[:4])]
    file = SimpleUploadedFile("list.csv", "\n".join(lines).encode())
    draft = read(sign_in(place.administrator), file)
    assert [(fault["row"], fault["column"]) for fault in draft.faults] == [(2, "残疾类别")]
    assert draft.good == 1


def test_of_two_columns_with_one_heading_the_first_counts(
    place: builders.County, sign_in: SignIn
) -> None:
    lines = [",".join([*HEADINGS, "联系电话"]), ",".join([*row(1), ""])]
    file = SimpleUploadedFile("list.csv", "\n".join(lines).encode())
    assert read(sign_in(place.administrator), file).rows[0]["telephone"] == "13900000000"


def test_the_number_of_a_guardian_without_a_name_is_not_dropped_without_a_word(
    place: builders.County, sign_in: SignIn
) -> None:
    draft = read(sign_in(place.administrator), sheet([row(1, 监护人电话="13700000000")]))
    assert [(fault["row"], fault["column"]) for fault in draft.faults] == [(2, "监护人")]


def test_a_list_without_a_column_says_nothing_of_what_is_known(
    place: builders.County, sign_in: SignIn
) -> None:
    known = {"is_bedridden": True, "is_poor_household": True}
    [case] = builders.applied(place, id_number=identity(1), **known)
    applications.advance([case], "withdraw", by=place.liaison, at=builders.START)
    lines = [",".join(HEADINGS[:4]), ",".join(row(1)[:4]), ",".join(row(2)[:4])]
    browser = sign_in(place.administrator)
    draft = read(browser, SimpleUploadedFile("list.csv", "\n".join(lines).encode()))
    browser.post(f"/import/{draft.pk}/")
    flags = Resident.objects.order_by("pk").values_list("is_bedridden", "is_poor_household")
    assert list(flags) == [(True, True), (False, False)]


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"家庭住址": "#N/A"}, "家庭住址", "公式"),
        ({"已知病情": "#REF!"}, "已知病情", "公式"),
        ({"家庭住址": "三" * 201}, "家庭住址", "200"),
        ({"已知病情": "三" * 501}, "已知病情", "500"),
    ],
)
def test_nothing_is_cut_off_and_no_failed_formula_is_an_address(
    place: builders.County, sign_in: SignIn, changes: dict[str, str], column: str, words: str
) -> None:
    draft = read(sign_in(place.administrator), sheet([row(1, **changes)]))
    [fault] = draft.faults
    assert (fault["column"], words in fault["reason"]) == (column, True)


def test_a_known_number_under_another_name_renames_nobody(
    place: builders.County, sign_in: SignIn
) -> None:
    """A cell that slipped by one row would give a holder a stranger's name and telephone."""
    [case] = builders.applied(place, id_number=identity(1), name="钱大海")
    applications.advance([case], "withdraw", by=place.liaison, at=builders.START)
    draft = read(sign_in(place.administrator), sheet([row(1), row(2), row(1, 姓名="钱大海")]))
    assert [(fault["row"], fault["column"]) for fault in draft.faults] == [
        (2, "姓名"),
        (4, "身份证号"),
    ]


@pytest.mark.parametrize(
    ("column", "value"), [("联系电话", "13911112222"), ("家庭住址", "桥头第二家")]
)
def test_a_known_telephone_or_address_gives_way_to_no_list_unseen(
    place: builders.County, sign_in: SignIn, column: str, value: str
) -> None:
    """The office may have corrected it since the list was written."""
    known = {"name": "赵青山", "address": "任家祠村三组"}
    [case] = builders.applied(place, id_number=identity(1), **known)
    applications.advance([case], "withdraw", by=place.liaison, at=builders.START)
    draft = read(sign_in(place.administrator), sheet([row(1, **{column: value}), row(2)]))
    [fault] = draft.faults
    assert (fault["row"], fault["column"], draft.good) == (2, column, 1)
    assert "留空" in fault["reason"]


@pytest.mark.parametrize(
    "named", [{"监护人": "李秀兰"}, {"监护人": "赵大山", "监护人电话": "13911113333"}]
)
def test_a_known_guardian_gives_way_to_no_list_unseen(
    place: builders.County, sign_in: SignIn, named: dict[str, str]
) -> None:
    guardian = applications.Guarding("赵大山", "13911112222", "parent")
    known = {"name": "赵青山", "address": "任家祠村三组", "guardian": guardian}
    [case] = builders.applied(place, id_number=identity(1), **known)
    applications.advance([case], "withdraw", by=place.liaison, at=builders.START)
    draft = read(sign_in(place.administrator), sheet([row(1, **named), row(2, **named)]))
    [fault] = draft.faults
    assert (fault["row"], fault["column"], draft.good) == (2, "监护人", 1)


def test_of_very_many_mistakes_the_page_names_the_first_and_the_spreadsheet_all(
    place: builders.County, sign_in: SignIn
) -> None:
    """A wrong column of a long list was a page of nine megabytes, sent with each portion."""
    browser = sign_in(place.administrator)
    draft = read(browser, sheet([row(index, 姓名="") for index in range(250)]))
    page = browser.get(f"/import/{draft.pk}/").content.decode()
    assert (page.count('role="rowheader"'), "另有 50 处" in page) == (200, True)
    assert "250 处问题" in page
    whole = b"".join(browser.get(f"/import/{draft.pk}/faults.xlsx").streaming_content)
    book = load_workbook(BytesIO(whole))
    assert book.active.max_row == 251
