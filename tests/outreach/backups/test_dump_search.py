"""Database and files of a county that worked, searched for what must not lie there in clear."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.outreach.backups.installation import ROOT, Installation, a_register, another_database
from tests.outreach.backups.searching import (
    Search,
    files_of,
    lies_in_clear,
    rows_of,
    secrets_of,
)

#: Kinds that must not be found in clear, with how many of each the county must have at least.
SMALL = {"id_number": 3, "telephone": 2, "message": 1, "address": 1, "diagnosis": 1,
         "certificate": 1}  # fmt: skip
#: Texts that differ: many people share a diagnosis.
DEMO = {"id_number": 500, "telephone": 500, "message": 500, "address": 300, "diagnosis": 40,
        "certificate": 500}  # fmt: skip


def search(office: Installation, floors: dict[str, int], log: bytes) -> str:
    """Fail where anything is found; return what was searched."""
    told = secrets_of(office)
    short = {kind: len(told[kind]) for kind, floor in floors.items() if len(told[kind]) < floor}
    assert short == {}
    rows, files = rows_of(office), files_of(office)
    sessions = "\n".join(told["session"]).encode()
    places = {"the database": rows, "the log": log, "the sessions": sessions, **files}
    sought = Search({kind: told[kind] for kind in [*floors, "remark"]})
    found = {place: kinds for place, body in places.items() if (kinds := sought.kinds_in(body))}
    assert found == {}
    assert [name for name, body in files.items() if lies_in_clear(body)] == []
    rooms = {name.split("/")[0] for name in files}
    assert rooms >= {"blobs", "certificates", "sent"}
    # The search does search: names stand in clear, and are found.
    assert all(one.encode() in rows for one in told["name"])
    counts = ", ".join(f"{len(told[kind])} × {kind}" for kind in floors)
    return f"{counts}; {len(rows):,} bytes of rows, {len(files)} files, {len(log):,} bytes of log"


def test_nothing_of_a_small_county_lies_in_clear(tmp_path: Path) -> None:
    office = a_register(tmp_path)
    office.run("-m", "tests.e2e.preparing", "cases")
    log = office.manage("notify", OUTREACH_SENDER="file").encode()
    print(search(office, SMALL, log))
    assert "1390000" in office.manage("notify", "--sent")


def test_the_search_finds_a_paper_that_lies_in_clear(tmp_path: Path) -> None:
    packed = zlib.compress(b"51130219500302001X")
    paper = b"%PDF-1.7 stream\n" + packed + b"\nendstream"
    (tmp_path / "files" / "blobs").mkdir(parents=True)
    (tmp_path / "files" / "blobs" / "a").write_bytes(paper)
    [body] = files_of(Installation(tmp_path, "", "")).values()
    assert lies_in_clear(body)
    sought = Search({"id_number": ["51130219500302001X"], "diagnosis": ["脑瘫病"]})
    assert sought.kinds_in(body) == {"id_number"}
    assert sought.kinds_in("，脑瘫病".encode("utf-16-be")) == {"diagnosis"}
    assert [sought.kinds_in(body[at:]) for at in (0, len(body) - 17)] == [{"id_number"}, set()]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_nothing_of_the_demo_county_lies_in_clear(tmp_path: Path) -> None:
    office = Installation(tmp_path, "", another_database())
    environment = office.environment() | {"OUTREACH_LOG_LEVEL": "INFO", "OUTREACH_SENDER": "file"}
    with (tmp_path / "server.log").open("wb") as log:

        def run(*command: str) -> None:
            whole = [sys.executable, "manage.py", *command]
            subprocess.run(whole, cwd=ROOT, env=environment, stdout=log, stderr=log, check=True)

        # A message is news for a week: families hear of their visits while these are to come.
        for until in (["--until", "2018-05-22"], []):
            run("demo", "--no-serve", "--port", "8771", *until)
            run("notify")
    print(search(office, DEMO, (tmp_path / "server.log").read_bytes()))
