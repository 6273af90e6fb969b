"""Reads what the desk lets people take along."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import Any

from openpyxl import load_workbook


def read_csv(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(StringIO(text)))


def read_xlsx(answer: Any) -> Any:
    return load_workbook(BytesIO(b"".join(answer.streaming_content))).worksheets[0]
