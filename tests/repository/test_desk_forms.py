"""The table of the desk's forms names addresses that exist, and every form of many cases."""

from __future__ import annotations

import re
from pathlib import Path

from django.urls import resolve

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "desk-forms.md"
ID = "01890000-0000-7000-8000-000000000000"
BATCHES = {
    *("/accept/", "/assign/", "/papers/", "/opinions/", "/notices/post/", "/notices/end/"),
    *("/review/", "/sign/", "/hand-over/", "/calls/"),
    *("/certificates/renew/", "/certificates/sign/", "/certificates/hand-over/"),
}


def addresses() -> list[str]:
    return re.findall(r"\| `(/[^`]*)` \|", PAGE.read_text(encoding="utf-8"))


def test_every_address_of_the_table_exists() -> None:
    for address in addresses():
        filled = address.replace("<step>", "refuse")
        resolve(re.sub(r"<\w+>", ID, filled))


def test_every_form_that_takes_many_is_in_the_table() -> None:
    rows = PAGE.read_text(encoding="utf-8").splitlines()
    many = {re.findall(r"`(/[^`]*)`", row)[0] for row in rows if "`ids`+" in row and row[0] == "|"}
    assert many == BATCHES
