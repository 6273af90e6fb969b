"""The service refuses to start unsound, and says what to set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
#: The settings without which the service does not start.
SOUND = {
    "OUTREACH_SECRET_KEY": "x" * 50,
    "OUTREACH_SEALING_KEYS": f"t1:{KEY}",
    "OUTREACH_INDEX_KEY": KEY,
}


def test_an_unsound_service_does_not_start_and_says_what_to_set(tmp_path: Path) -> None:
    done = start(tmp_path, OUTREACH_CLOCK="simulated", OUTREACH_DEMO="0")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "Set OUTREACH_SECRET_KEY" in done.stderr
    assert "Set OUTREACH_SEALING_KEYS" in done.stderr
    assert "A simulated clock is for the demo only" in done.stderr


def test_a_sound_service_starts(tmp_path: Path) -> None:
    done = start(tmp_path, **SOUND)
    assert done.returncode == 0, done.stderr


def test_threads_share_a_few_connections_to_postgresql(tmp_path: Path) -> None:
    others = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "OUTREACH_WORKER": "0"}
    ask = "import outreach.wsgi as served; from django.db import connection; "
    ask += "print(connection.pool.max_size == served.MOST_CONNECTIONS)"
    done = start(tmp_path, ask, **SOUND, **others)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_threads_share_the_connection_to_sqlite_that_was_used_last(tmp_path: Path) -> None:
    done = start(tmp_path, TAKING_TURNS, OUTREACH_WORKER="0", **SOUND)
    assert (done.returncode, done.stdout) == (0, "same same other \n[]\n"), done.stderr


#: Three threads one after the other; the second one leaves a transaction open.
TAKING_TURNS = """
import threading
import outreach.wsgi
from django.db import connection, transaction

held = []

def use(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        print("same" if connection.connection in held else "other", end=" ")
    held.append(connection.connection)
    connection.close()

with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE said (word)")
held.append(connection.connection)
connection.close()
for statement in ("SELECT 1", "BEGIN", "SELECT * FROM said"):
    thread = threading.Thread(target=use, args=[statement])
    thread.start()
    thread.join()
print()
with connection.cursor() as cursor:
    print(cursor.execute("SELECT * FROM said").fetchall())
"""


def test_a_page_waits_for_no_lock_that_all_threads_share(tmp_path: Path) -> None:
    done = start(tmp_path, HOLDING_EVERY_LOCK, OUTREACH_WORKER="0", **SOUND)
    assert (done.returncode, done.stdout) == (0, "200 200 \n"), done.stderr


#: A page twice, the second time while nobody gets a lock of those that guard what a thread knows.
HOLDING_EVERY_LOCK = """
import gc
import threading
import outreach.wsgi
from django.test import Client

def ask():
    page = Client().get("/sign-in/", headers={"host": "localhost"})
    print(page.status_code, end=" ", flush=True)

def made():
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(30)

made()
gc.unfreeze()
guarded = [one for one in gc.get_objects() if type(one).__name__ == "_DefaultLocal"]
held = [one._lock for one in guarded]
for lock in held:
    lock.acquire()
made()
print()
assert held, "nothing is guarded any more: then keep_locals_in_threads can go"
"""


def start(
    data: Path, ask: str = "import outreach.wsgi", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Import the WSGI entry in a process of its own."""
    own = ("OUTREACH", "DATABASE_URL")
    others = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    service = {
        "OUTREACH_ENV_FILE": os.devnull,
        "OUTREACH_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "outreach.settings",
    }
    return subprocess.run(
        [sys.executable, "-c", ask],
        cwd=ROOT,
        env={**others, **service, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
