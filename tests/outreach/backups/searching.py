"""Everything that a thief of disk and database would hold, and what must not be found in it."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import numpy as np
import psycopg

from tests.outreach.backups.installation import Installation

#: Run within the installation: what its register opens, by kind, and what its sessions hold.
TELL = """
import json
from django.contrib.sessions.models import Session
from certificates.models import Certificate
from outreach.models import Application, Enquiry, Evaluation, Guardian, Notification, Resident, User
people = [*Resident.objects.all(), *Guardian.objects.all()]
told = {
    "id_number": [one.id_number for one in people],
    "telephone": [one.telephone for one in [*people, *User.objects.all(), *Enquiry.objects.all()]],
    "message": [one.text for one in Notification.objects.all()],
    "address": [one.address for one in Resident.objects.all()],
    "diagnosis": [one.diagnosis for one in Application.objects.all()],
    "remark": [one.remark for one in Evaluation.objects.all()],
    "certificate": [one.number for one in Certificate.objects.all()],
    "name": [one.name for one in Resident.objects.all()],
    "session": [json.dumps(one.get_decoded()) for one in Session.objects.all()],
}
print(json.dumps({kind: sorted({one for one in held if one}) for kind, held in told.items()}))
"""
#: What begins so lies in clear: photos, papers, packed files, databases.
IN_CLEAR = (b"%PDF", b"\xff\xd8\xff", b"\x89PNG", b"PK\x03\x04", b"\x1f\x8b", b"SQLite format")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
#: Longer texts only (in bytes): a diagnosis of two signs would be found anywhere.
SHORTEST = 8


def secrets_of(office: Installation) -> dict[str, list[str]]:
    """Ask the register itself for everything that must not be found, and for names, which must."""
    told: dict[str, list[str]] = json.loads(office.manage("shell", "-v", "0", "-c", TELL))
    return told


def rows_of(office: Installation) -> bytes:
    """Return every value of every table as it is kept: JSON opened, packed values unpacked."""
    return b"\n".join(_opened(value) for value in _values(office))


def files_of(office: Installation) -> dict[str, bytes]:
    """Return what each file below `files` holds, the streams of PDFs inflated."""
    folder = office.data / "files"
    found = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            body = file.read_bytes()
            found[file.relative_to(folder).as_posix()] = body + b"\n".join(_inflated(body))
    return found


class Search:
    """Looks for many texts at once, whole, as UTF-8 and as UTF-16.

    Every eight bytes of a body are looked up among the beginnings of the texts; what begins like
    one is compared. Gigabytes for thousands of texts take a minute, one after another a day.
    """

    def __init__(self, told: dict[str, list[str]]) -> None:
        self._begin: dict[bytes, list[tuple[bytes, str]]] = defaultdict(list)
        self._short: list[tuple[bytes, str]] = []
        for kind, held in told.items():
            for one in held:
                if len(one.encode()) >= SHORTEST:
                    for needle in (one.encode(), one.encode("utf-16-be")):
                        self._add(needle, kind)
        self._may = np.zeros(2**16, bool)
        self._may[np.frombuffer(b"".join(self._begin), "<u8") & 0xFFFF] = True

    def _add(self, needle: bytes, kind: str) -> None:
        if len(needle) < SHORTEST:
            self._short.append((needle, kind))
        else:
            self._begin[needle[:SHORTEST]].append((needle, kind))

    def kinds_in(self, body: bytes) -> set[str]:
        """Return the kinds of which some text stands in `body`."""
        found = {kind for needle, kind in self._short if needle in body}
        for first in range(min(8, max(0, len(body) - 7))):
            windows = np.frombuffer(body, "<u8", (len(body) - first) // 8, first)
            for at in np.flatnonzero(self._may[windows & 0xFFFF]):
                place = first + 8 * int(at)
                for needle, kind in self._begin.get(body[place : place + 8], ()):
                    if body.startswith(needle, place):
                        found.add(kind)
        return found


def _values(office: Installation) -> Iterator[Any]:
    if office.database_url:
        with psycopg.connect(office.database_url) as server:
            tables = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (name,) in tables.fetchall():
                for row in server.execute(f'SELECT * FROM "{name}"').fetchall():
                    yield from row
        return
    with closing(sqlite3.connect(office.data / "outreach.sqlite3")) as file:
        names = file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            for row in file.execute(f'SELECT * FROM "{name}"'):
                yield from row
    for kept in office.data.glob("outreach.sqlite3*"):  # the journal and freed pages as well
        yield kept.read_bytes()


def _opened(value: Any) -> bytes:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False).encode()
    if isinstance(value, (bytes, memoryview)):
        return _unpacked(bytes(value))
    text = str(value)
    with suppress(ValueError):
        if text[:1] in '{["':
            return json.dumps(json.loads(text), ensure_ascii=False).encode()
    return text.encode()


def _unpacked(body: bytes) -> bytes:
    for unpack in (gzip.decompress, zlib.decompress):
        with suppress(OSError, EOFError, zlib.error):
            return unpack(body)
    return body


def _inflated(body: bytes) -> Iterator[bytes]:
    for stream in _STREAM.findall(body):
        with suppress(zlib.error):
            yield zlib.decompress(stream)


def lies_in_clear(body: bytes) -> bool:
    """Tell by its first bytes whether a file was never sealed."""
    return body.startswith(IN_CLEAR)
