"""Reads the tables beside it: one line an operation, one cell an account."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

#: The columns, in this order; all but the stranger from their own, a neighbouring, another area.
ACCOUNTS = ("stranger", "liaison", "assessor", "administrator", "approver", "auditor", "outlet")
#: Outlets are so narrow that only what is theirs is written down, in a table of its own; on
#: every other page they are told no, and elsewhere they are strangers.
OUTLETS = "outlet.txt"
AREAS = ("own", "neighbour", "other")
#: What a cell may say.
WORDS = {
    "sees": "200, and the case of the own area stands on it",
    "open": "200, and nothing of that case",
    "done": "303 or another answer that something was done",
    "asks": "422: theirs to do, but the form is empty or the case stands elsewhere",
    "404": "as if there were none",
    "no": "403: not this role's",
    "sign-in": "302 to the sign-in page",
    "token": "401: a tablet's token is wanted",
    "405": "not with this method",
    "bad": "400, 409, 412 or 429: refused for what was sent, not for who asks",
    "moved": "301 or 302 to somewhere else",
}


@dataclass(frozen=True)
class Row:
    """What each account is answered; `about` says which case, e.g. `applied step=refuse`."""

    method: str
    route: str
    cells: dict[tuple[str, str], str]
    about: dict[str, str] = field(default_factory=dict)


def rows() -> dict[tuple[str, str], Row]:
    """Return all rows of all tables."""
    found: dict[tuple[str, str], Row] = {}
    theirs = _of_outlets()
    for file in sorted(Path(__file__).parent.glob("*.txt")):
        if file.name == OUTLETS:
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                row = _row(line, f"{file.name}:{number}", theirs)
                assert (row.method, row.route) not in found, f"{file.name}:{number}: twice"
                found[row.method, row.route] = row
    assert set(theirs) <= set(found), f"{OUTLETS}: no such row: {set(theirs) - set(found)}"
    return found


def _of_outlets() -> dict[tuple[str, str], str]:
    lines = (Path(__file__).parent / OUTLETS).read_text(encoding="utf-8").splitlines()
    said = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return {(method, route): cell for method, route, cell in said}


def _row(line: str, where: str, theirs: dict[tuple[str, str], str]) -> Row:
    said, _, about = line.partition("|")
    method, route, *cells = said.split()
    assert len(cells) == len(ACCOUNTS) - 1, f"{where}: {len(ACCOUNTS) - 1} cells are wanted"
    else_told = "no" if cells[0] == "sign-in" else cells[0]
    cells.append(theirs.get((method, route), else_told))
    decided: dict[tuple[str, str], str] = {}
    for account, cell in zip(ACCOUNTS, cells, strict=True):
        words = cell.split("/")
        assert len(words) in (1, 3), f"{where}: {cell}: one word, or three for {'/'.join(AREAS)}"
        assert set(words) <= set(WORDS), f"{where}: {cell}: known are {', '.join(WORDS)}"
        words = words * 3 if len(words) == 1 else words
        decided |= {(account, area): word for area, word in zip(AREAS, words, strict=True)}
    pairs = (part.partition("=") for part in about.split())
    return Row(method, route, decided, {key: value for key, _, value in pairs})


def line(method: str, route: str, cells: dict[tuple[str, str], str], about: str = "") -> str:
    """Write a row as the table has it."""
    shown = []
    for account in ACCOUNTS:  # the last cell belongs into the outlets' own table
        words = [cells[account, area] for area in AREAS]
        shown.append(words[0] if len(set(words)) == 1 else "/".join(words))
    start = f"{method:7} {route:45} "
    return (start + " ".join(f"{word:15}" for word in shown)).rstrip() + about
