"""Reads what the desk lets people take along, and what its pages say that they showed."""

from __future__ import annotations

import csv
import re
from io import BytesIO, StringIO
from typing import Any

from openpyxl import load_workbook


def read_csv(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(StringIO(text)))


def read_xlsx(answer: Any) -> Any:
    return read_sheets(answer)[0]


def read_sheets(answer: Any) -> list[Any]:
    return load_workbook(BytesIO(b"".join(answer.streaming_content))).worksheets


def seen_on(page: Any) -> str:
    """Return what a page's form says that it showed."""
    [seen] = set(re.findall(r'name="seen" value="([^"]*)"', page.content.decode()))
    return str(seen)


def compared_on(page: str) -> str:
    """Return the mark by which a nomination's page says what gives way."""
    [mark] = re.findall(r'name="compared" value="([^"]+)"', page)
    return str(mark)
