"""Spreadsheets as rows of text: XLSX read as a stream, CSV in UTF-8 or GB 18030."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from itertools import zip_longest
from typing import IO, Any
from zipfile import ZipFile

from openpyxl import load_workbook

MAX_ROWS = 20_000
MAX_BYTES = 8 * 1024 * 1024
MAX_INFLATED = 200 * 1024 * 1024
#: Of a number, a spreadsheet keeps so many digits, and zeros in place of the others.
DIGITS = 15


class UnreadableSheet(ValueError):
    """The file is no spreadsheet that can be read; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Row = tuple[int, dict[str, str]]


def read_sheet(name: str, file: IO[bytes]) -> list[Row]:
    """Read the first sheet: each row's number as the spreadsheet shows it, its cells by heading.

    Empty rows are left out. Raises `UnreadableSheet`.
    """
    lines = _xlsx(file) if name.lower().endswith((".xlsx", ".xlsm")) else _csv(file)
    heads: list[str] = []
    found: list[Row] = []
    for number, cells in enumerate(lines, 1):
        texts = [_text(cell) for cell in cells]
        if not any(texts):
            continue
        if not heads:
            # Of two columns with one heading the first counts, not the one that overwrites it.
            heads = [text if text not in texts[:at] else "" for at, text in enumerate(texts)]
            continue
        if len(found) >= MAX_ROWS:
            raise UnreadableSheet("too-many-rows")
        found.append((number, dict(zip_longest(heads, texts[: len(heads)], fillvalue=""))))
    if not heads:
        raise UnreadableSheet("empty")
    return found


def _xlsx(file: IO[bytes]) -> Iterator[Any]:
    try:
        _check_inflated(file)
        file.seek(0)
        book = load_workbook(file, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        yield from sheet.iter_rows(values_only=True)
        book.close()
    except UnreadableSheet:
        raise
    except Exception as error:  # a spoiled file makes openpyxl raise whatever it stumbles over
        raise UnreadableSheet("no-spreadsheet") from error


def _check_inflated(file: IO[bytes]) -> None:
    with ZipFile(file) as packed:
        if sum(part.file_size for part in packed.infolist()) > MAX_INFLATED:
            raise UnreadableSheet("too-large")


def _csv(file: IO[bytes]) -> Iterator[list[str]]:
    raw = file.read(MAX_BYTES + 1)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            yield from csv.reader(io.StringIO(text, newline=""))
        except csv.Error as error:
            raise UnreadableSheet("no-spreadsheet") from error
        return
    raise UnreadableSheet("no-spreadsheet")


def _text(cell: Any) -> str:
    """Return a cell as it was typed: whole numbers without a point, days as YYYY-MM-DD.

    A number of which digits were lost comes as spreadsheets show it (5.11302195003020E+17).
    """
    if cell is None:
        return ""
    if isinstance(cell, int | float) and abs(cell) >= 10**DIGITS:
        return f"{cell:.{DIGITS - 1}E}"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.strftime("%Y-%m-%d")
    return str(cell).strip().replace("\x00", "")
