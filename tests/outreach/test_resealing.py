"""Another sealing key: everything is sealed with it, nothing is lost, whenever it is killed."""

from __future__ import annotations

import base64
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from mobile_api.photos import thumbnail_name
from outreach.actions import holding
from outreach.actions.audit import record
from outreach.actions.resealing import (
    IN_CLEAR,
    UNKNOWN,
    Resealed,
    files_by_key,
    reseal_files,
    reseal_values,
    values_by_key,
)
from outreach.actions.trail import number_trail, verify_trail
from outreach.files import SealedStorage, files, photo_name
from outreach.models import AuditEvent, Resident, StoredBlob
from outreach.models.sealed import SealedField
from outreach.sealing import KeyRing
from tests import builders
from tests.at_once import halfway
from tests.outreach.backups.installation import KEY, ROOT, Installation, a_register

OLD = f"t1:{KEY}"
NEW = "t2:" + base64.b64encode(b"n" * 32).decode()
SHA = "ab" * 32


def silent(_done: int, _total: int) -> None:
    pass


@pytest.fixture
def ring(settings: Any, tmp_path: Path) -> Any:
    settings.OUTREACH_FILES = tmp_path / "files"
    settings.OUTREACH_SEALING_KEYS = [OLD]
    return settings


@pytest.mark.django_db
def test_every_value_is_sealed_anew_and_says_the_same(ring: Any) -> None:
    place = builders.county()
    builders.noticed(place, 1)
    number_trail()
    before = [(one.id_number, one.telephone) for one in Resident.objects.order_by("pk")]
    held = values_by_key()
    assert set(held) == {"t1"}

    ring.OUTREACH_SEALING_KEYS = [NEW, OLD]
    steps: list[tuple[int, int]] = []
    told = reseal_values(lambda done, total: steps.append((done, total)))

    assert (told.done, told.broken) == (held["t1"], {})
    assert values_by_key() == {"t2": held["t1"]}
    assert steps[-1][0] == steps[-1][1] > 0
    ring.OUTREACH_SEALING_KEYS = [NEW]
    assert [(one.id_number, one.telephone) for one in Resident.objects.order_by("pk")] == before
    assert verify_trail().broken_at is None
    assert reseal_values(silent).done == 0


@pytest.mark.django_db
def test_files_that_lay_in_clear_and_those_of_an_older_key_are_sealed(ring: Any) -> None:
    folder = Path(ring.OUTREACH_FILES)
    (folder / "blobs/ab/ab").mkdir(parents=True)
    (folder / f"blobs/ab/ab/{SHA}").write_bytes(b"a photo of before" * 9_000)
    files().put("certificates/cd/paper.pdf", BytesIO(b"%PDF-1.7").read)
    assert files_by_key(files()) == {IN_CLEAR: 1, "t1": 1}

    ring.OUTREACH_SEALING_KEYS = [NEW, OLD]
    told = reseal_files(files(), silent)

    assert (told.done, told.from_clear) == (2, 1)
    assert files_by_key(files()) == {"t2": 2}
    assert b"a photo" not in (folder / f"blobs/ab/ab/{SHA}").read_bytes()
    ring.OUTREACH_SEALING_KEYS = [NEW]
    assert files().read(f"blobs/ab/ab/{SHA}").read() == b"a photo of before" * 9_000
    assert files().read("certificates/cd/paper.pdf").read() == b"%PDF-1.7"
    assert reseal_files(files(), silent).done == 0


class Erasing(SealedStorage):
    """Another process erases each file while it is being sealed anew."""

    def put(self, name: str, read: Any) -> None:
        gone = {"erased_at": builders.START, "removed_at": builders.START}
        StoredBlob.objects.filter(pk=SHA).update(**gone)
        self.delete(name)
        super().put(name, read)


@pytest.mark.django_db
def test_a_photo_that_is_erased_while_it_is_sealed_anew_stays_erased(ring: Any) -> None:
    """Its row said that it is gone, so that nobody ever looked at the file again."""
    builders.store([SHA])
    names = [photo_name(SHA), thumbnail_name(SHA)]
    for name in names:
        files().put(name, BytesIO(b"a picture").read)
    ring.OUTREACH_SEALING_KEYS = [NEW, OLD]
    reseal_files(Erasing(files().place), silent)
    assert [files().exists(name) for name in names] == [False, False]


@pytest.mark.django_db
def test_what_somebody_writes_meanwhile_is_not_overwritten(
    ring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident = builders.applied(builders.county(), 1)[0].resident
    ring.OUTREACH_SEALING_KEYS = [NEW, OLD]
    anew = SealedField.sealed_anew

    def overtaken(self: Any, sealed: Any, key: Any) -> Any:
        if key == resident.pk and self.name == "telephone":
            written = Resident.objects.get(pk=key)
            written.telephone = "13911112222"
            written.save(update_fields=["telephone"])
        return anew(self, sealed, key)

    monkeypatch.setattr(SealedField, "sealed_anew", overtaken)
    reseal_values(silent)
    assert Resident.objects.get(pk=resident.pk).telephone == "13911112222"


@pytest.mark.django_db
def test_a_value_that_does_not_open_is_named_and_left_as_it_is(ring: Any) -> None:
    builders.applied(builders.county(), 2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE outreach_resident SET telephone = address")
    ring.OUTREACH_SEALING_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match=r"outreach_resident.telephone \(2\)"):
        call_command("rotate_sealing_key", stdout=StringIO())
    assert values_by_key()["t1"] == 2


@pytest.mark.django_db
def test_a_key_that_is_missing_from_the_ring_is_said(ring: Any) -> None:
    builders.applied(builders.county(), 1)
    ring.OUTREACH_SEALING_KEYS = [NEW]
    told = StringIO()
    with pytest.raises(CommandError, match="put it back"):
        call_command("rotate_sealing_key", "--check", stdout=told)
    assert f"{UNKNOWN}: " in told.getvalue()


@pytest.mark.django_db
def test_the_command_says_which_key_is_no_longer_needed(ring: Any) -> None:
    builders.applied(builders.county(), 1)
    ring.OUTREACH_SEALING_KEYS = [NEW, OLD]
    told = StringIO()
    call_command("rotate_sealing_key", stdout=told)
    assert "No longer needed here: t1." in told.getvalue()


@pytest.mark.django_db
def test_an_event_whose_detail_is_exchanged_breaks_the_trail(ring: Any) -> None:
    place = builders.county()
    record("test.write", [place.administrator], by=place.administrator, at=builders.START)
    number_trail()
    event = AuditEvent.objects.get(number=1)
    event.detail = {"said": "something else"}
    event.save(update_fields=["detail"])
    assert verify_trail().broken_at == 1


# -- killed in the middle, in a process of its own ----------------------------------------

KILLS = 3
MANY = """
from outreach.actions.audit import record
from outreach.actions.trail import number_trail
from outreach.files import SealedStorage, files, photo_name
from outreach.models import User
from outreach.sealing import KeyRing
from tests import builders
from io import BytesIO
place = builders.county()
one = place.administrator
for n in range(120):
    record("test.write", [one] * 50, by=one, at=builders.START, detail={"n": n})
number_trail()
for n in range(300):
    files().put(f"blobs/ab/cd/{n:064x}", BytesIO(b"photo %d" % n).read)
"""
COUNT = """
from outreach.actions.resealing import files_by_key, values_by_key
from outreach.actions.trail import verify_trail
from outreach.files import SealedStorage, files, photo_name
from outreach.models import AuditEvent
said = sum(event.detail.get("n", 0) for event in AuditEvent.objects.all())
whole = all(files().read(f"blobs/ab/cd/{n:064x}").read() == b"photo %d" % n for n in range(300))
print(said, whole, verify_trail().broken_at, sorted(values_by_key()), sorted(files_by_key(files())))
"""
READ = ("shell", "-v", "0", "-c", COUNT)
EVENTS = 6_000
SAID = f"{50 * sum(range(120))} True None"


@pytest.fixture
def office(tmp_path: Path) -> Installation:
    made = a_register(tmp_path)
    made.manage("migrate", "-v", "0")
    made.manage("shell", "-v", "0", "-c", MANY)
    return made


BOTH, ONLY_NEW = f"{NEW},{OLD}", NEW
CHANGED = "SELECT count(*) FROM outreach_auditevent WHERE substr(detail, 1, 5) = %s"
HEAD = KeyRing.parse([NEW], KEY).first_head


def changed(office: Installation) -> int:
    """Count what the new key seals without starting a process: it is asked many times a second."""
    if office.database_url:
        with psycopg.connect(office.database_url) as server:
            row = server.execute(CHANGED, [HEAD]).fetchone()
    else:
        with closing(sqlite3.connect(office.data / "outreach.sqlite3")) as file:
            row = file.execute(CHANGED.replace("%s", "?"), [HEAD]).fetchone()
    assert row is not None
    return int(row[0])


def rotating(office: Installation) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "rotate_sealing_key"],
        cwd=ROOT,
        env=office.environment() | {"OUTREACH_SEALING_KEYS": BOTH},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_killed_in_the_middle_it_loses_nothing_and_the_next_run_ends_it(
    office: Installation,
) -> None:
    chance, held = random.Random(7), []
    for _ in range(KILLS):
        before, run = changed(office), rotating(office)
        until = time.monotonic() + 60
        while changed(office) == before and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(chance.random() / 10)
        run.send_signal(signal.SIGKILL)
        run.wait()
        held.append(changed(office))
        assert office.run("manage.py", *READ, OUTREACH_SEALING_KEYS=BOTH).startswith(SAID)
    print(f"events under the new key after each kill, of {EVENTS}: {held}")
    assert 0 < held[0] < EVENTS
    assert rotating(office).wait(timeout=120) == 0
    told = office.run("manage.py", *READ, OUTREACH_SEALING_KEYS=ONLY_NEW)
    assert told.strip() == f"{SAID} ['t2'] ['t2']"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_a_rotation_goes_on_where_it_and_somebody_waited_for_each_other(
    place: builders.County, ring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended in a traceback, and was to be started anew."""
    builders.applied(place, 2)
    keys = list(Resident.objects.order_by("pk").values_list("pk", flat=True))
    first, second = (Resident.objects.filter(pk=pk) for pk in keys)

    def second_then_first() -> None:
        holding.hold(second)
        holding.hold(first)

    ring.OUTREACH_SEALING_KEYS = [NEW, OLD]
    told = list[Resealed]()
    halfway(
        monkeypatch,
        (holding, "hold"),
        second_then_first,
        lambda: told.append(reseal_values(silent)),
    )
    assert not told[0].broken
    assert set(values_by_key()) == {"t2"}
