"""A backup taken under work makes the same register elsewhere, or says why it cannot."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
from django.db import connection
from psycopg.conninfo import conninfo_to_dict

from outreach.backups import databases, whole
from outreach.backups.archive import Manifest, new_identity
from outreach.files import stream
from outreach.flushing import in_use
from tests.outreach.backups.installation import Installation, a_register, another_database

COUNTS = ("summary", "--json")
#: Runs a command, and tells whether it had ended when all was forced to the disk.
WATCHED = """
import os, sys
from pathlib import Path
from django.core.management import execute_from_command_line
mark, sync = Path(os.environ["OUTREACH_DATA"]) / "restore-unfinished", os.sync
os.sync = lambda: (sync(), print("forced to the disk, ended:", not mark.exists()))
os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""
#: Runs a command, and tells what is forced to the disk by itself, in order.
FORCED = """
import os, sys
from django.core.management import execute_from_command_line
fsync = os.fsync
os.fsync = lambda one: (print("forced:", os.readlink(f"/proc/self/fd/{one}")), fsync(one))
os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""
#: Runs a command as on a disk that is nearly full.
LITTLE_ROOM = """
import os, resource, sys
from django.core.management import execute_from_command_line
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, key: tuple[Path, str]) -> Installation:
    """The small county with a certificate, photos and open visits."""
    made = a_register(tmp_path_factory.mktemp("office"), key[1])
    made.run("-m", "tests.e2e.preparing", "cases")
    return made


@pytest.fixture(scope="module")
def backup(office: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backups")
    told = office.manage("backup", str(folder))
    (made,) = folder.iterdir()
    assert told.startswith(str(made))
    return made


@pytest.fixture(scope="module")
def counted(office: Installation) -> str:
    """What the office's register comes to; no test changes it."""
    return office.manage(*COUNTS)


def elsewhere(folder: Path) -> Installation:
    return Installation(folder, "", another_database())


def test_a_restored_register_counts_the_same_and_opens_its_papers(
    office: Installation, counted: str, backup: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    there = elsewhere(tmp_path)
    restore = ("restore", str(backup), "--identity", str(key[0]))
    assert there.manage_in_turn(restore, COUNTS)[1] == counted
    kept = {file.name for file in (office.data / "files").rglob("*.pdf")}
    assert {file.name for file in (tmp_path / "files").rglob("*.pdf")} == kept
    assert len(kept) == 1
    tell = ("-m", "tests.certificates.killing", "tell")
    assert there.run(*tell) == office.run(*tell)
    assert all(stream.is_sealed(file.read_bytes()) for file in (tmp_path / "files").rglob("*.pdf"))


def test_a_restored_register_is_another_life_of_it(
    office: Installation, backup: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    epoch = ("shell", "-v", "0", "-c", "from mobile_api.models import Epoch;print(Epoch.current())")
    before = office.manage(*epoch)
    restore = ("restore", str(backup), "--identity", str(key[0]))
    assert elsewhere(tmp_path).manage_in_turn(restore, epoch)[1] != before


def test_a_register_is_never_overwritten(
    office: Installation, counted: str, backup: Path, key: tuple[Path, str]
) -> None:
    told = office.manage("restore", str(backup), "--identity", str(key[0]), code=1)
    assert "overwrites nothing" in told
    assert office.manage(*COUNTS) == counted


def test_a_restore_killed_after_loading_goes_on_where_it_was(
    counted: str, backup: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    there, restore = elsewhere(tmp_path), ("restore", str(backup), "--identity", str(key[0]))
    _taken, moment, *_rest = there.manage(*restore).split()
    (tmp_path / "restore-unfinished").write_text(moment)  # as a kill before the last step does
    assert "outreach.E008" in there.manage("check", code=1)
    assert there.manage_in_turn(restore, ("check",), COUNTS)[-1] == counted


def test_what_came_into_the_database_after_a_restore_that_could_not_begin_is_not_taken_for_it(
    backup: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    """The file's name was misspelt, somebody looked around: an empty register was “restored”."""
    there, identity = elsewhere(tmp_path), ("--identity", str(key[0]))
    there.manage("restore", str(tmp_path / "misspelt"), *identity, code=1)
    assert not list(tmp_path.iterdir())  # whoever begins anew instead meets no mark
    look = "from django.db import connection as c; c.cursor().execute('CREATE TABLE seen (n int)')"
    there.manage("shell", "-v", "0", "-c", look)
    told = there.manage("restore", str(backup), *identity, code=1)
    assert "A restore wants an empty installation and overwrites nothing" in told


def test_a_restore_that_was_killed_is_not_ended_with_another_backup(
    office: Installation, counted: str, backup: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    """The files were the second one's, the database the first one's, and nobody was told."""
    office.manage("backup", str(tmp_path / "later"))
    (later,) = (tmp_path / "later").iterdir()
    identity = ("--identity", str(key[0]))
    there, mark = elsewhere(tmp_path / "data"), tmp_path / "data" / "restore-unfinished"
    _taken, moment, *_rest = there.manage("restore", str(backup), *identity).split()
    mark.write_text(moment)  # as a kill at the end leaves it
    told = there.manage("restore", str(later), *identity, code=1)
    assert "began here and did not end. Run it again with that one" in told
    assert there.manage_in_turn(("restore", str(backup), *identity), COUNTS)[-1] == counted
    assert not mark.exists()


def test_what_is_restored_stands_in_the_mark_before_anything_is_laid(
    backup: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    """A power cut left it empty beside a loaded register, which the next run let be served so."""
    restore = ("restore", str(backup), "--identity", str(key[0]))
    told = elsewhere(tmp_path).run("-c", FORCED, *restore).splitlines()
    assert next(one for one in told if "forced: " in one).endswith("/restore-unfinished")


def test_a_restore_that_goes_on_leaves_its_mark_as_it_is(tmp_path: Path) -> None:
    """Written anew it was empty for a moment, in which a kill was taken for a beginning."""
    (mark := tmp_path / "restore-unfinished").write_text("2018-06-12")
    os.utime(mark, times=(1, 1))
    whole._check_alone(Manifest("", "2018-06-12", "", {}), mark)
    assert (mark.read_text(), mark.stat().st_mtime) == ("2018-06-12", 1)


def test_two_do_not_restore_into_one_place(
    counted: str, backup: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    """The second went on while the first one's server was started, and took its sessions away."""
    there, restore = elsewhere(tmp_path), ("restore", str(backup), "--identity", str(key[0]))
    (mark := tmp_path / "restore-unfinished").touch()
    with in_use(mark):
        assert "Another restore is at work here" in there.manage(*restore, code=1)
    assert there.manage_in_turn(restore, COUNTS)[-1] == counted


def test_half_a_register_is_not_backed_up(office: Installation, tmp_path: Path) -> None:
    (mark := office.data / "restore-unfinished").touch()
    told = office.manage("backup", str(tmp_path / "backups"), code=1)
    mark.unlink()
    assert "Nothing was backed up. A restore began here and did not end." in told


def test_a_backup_whose_copy_of_the_database_has_no_room_says_so(
    office: Installation, tmp_path: Path
) -> None:
    """It ended in a Python traceback, before the file itself met the full disk."""
    told = office.run("-c", LITTLE_ROOM, "backup", str(tmp_path), code=1)
    assert (told.startswith("CommandError: Nothing was backed up."), list(tmp_path.iterdir())) == (
        True,
        [],
    )


def test_a_backup_is_taken_whatever_is_unsound(office: Installation, tmp_path: Path) -> None:
    """Once the signer's certificate had ended no backup was taken any more, and nobody was told."""
    (office.data / "backed-up").unlink(missing_ok=True)
    (unsound := tmp_path / "keys").mkdir()
    (unsound / "signer.crt.pem").write_text("no certificate")
    (unsound / "signer.key.pem").touch()
    told = office.manage("backup", str(tmp_path / "backups"), OUTREACH_KEYS_DIR=str(unsound))
    assert told.startswith(str(tmp_path / "backups" / "outreach-"))
    assert (office.data / "backed-up").exists()


def test_a_backup_without_the_files_of_the_register_is_called_so(
    office: Installation, tmp_path: Path
) -> None:
    """As on a standby that has none, or where their disk is not there: each night it was whole."""
    (moment := office.data / "backed-up").unlink(missing_ok=True)
    folder = tmp_path / "backups"
    told = office.manage("backup", str(folder), code=1, OUTREACH_FILES=str(tmp_path / "none"))
    (made,) = folder.iterdir()
    assert told.startswith(
        f"CommandError: {made} has the database, and 0 of the 5 photos and papers that it names"
    )
    assert not moment.exists()


def test_a_backup_whose_moment_cannot_be_noted_is_whole_all_the_same(
    office: Installation, tmp_path: Path
) -> None:
    """As after one that root took: “nothing was backed up”, each night, beside a whole file."""
    (moment := office.data / "backed-up").unlink(missing_ok=True)
    moment.symlink_to(tmp_path / "none" / "such")
    told = office.manage("backup", str(tmp_path))
    moment.unlink()
    assert told.startswith(str(tmp_path / "outreach-"))


def test_a_backup_is_checked_where_no_register_ever_stood(
    backup: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    """As on the machine where its key is kept."""
    there = elsewhere(tmp_path / "no" / "such")
    told = there.manage("restore", "--check", str(backup), "--identity", str(key[0]))
    assert told.endswith("It is whole.\n")


def test_a_restore_ends_when_all_of_it_is_on_the_disk(
    backup: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    """A power cut within half a minute left empty photos in a register that was called restored."""
    restore = ("restore", str(backup), "--identity", str(key[0]))
    told = elsewhere(tmp_path).run("-c", WATCHED, *restore)
    assert "forced to the disk, ended: False" in told
    assert not (tmp_path / "restore-unfinished").exists()


@pytest.mark.parametrize("newer", ["0.10.0", "1.0.0", "99.0"])
def test_a_backup_of_a_newer_version_is_refused(newer: str) -> None:
    """Its tables were taken as they are, and people met errors wherever they differ."""
    with pytest.raises(whole.NewerBackup, match=f"version {newer}: install"):
        whole._check_known(Manifest(newer, "", "sqlite", {}))
    for known in ("0.6.4", "0.1.0", version("outreach")):
        whole._check_known(Manifest(known, "", "sqlite", {}))


def test_a_whole_backup_is_found_whole(
    office: Installation, backup: Path, key: tuple[Path, str]
) -> None:
    told = office.manage("restore", "--check", str(backup), "--identity", str(key[0]))
    assert told.endswith("It is whole.\n")


def harmed(backup: Path, folder: Path) -> list[Path]:
    """Write the backup cut off, and with one bit flipped, near its ends and in the middle."""
    made = []
    for share in (0, 0.1, 0.5, 0.9, 0.999):
        body = backup.read_bytes()
        at = int(len(body) * share)
        flipped = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        for name, spoilt in (("cut", body[:at]), ("flipped", flipped)):
            (file := folder / f"{name}-{share}.age").write_bytes(spoilt)
            made.append(file)
    return made


def test_a_harmed_backup_is_refused_and_leaves_nothing(
    backup: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    """One after another into one place: what one left behind would stop the next otherwise."""
    files = harmed(backup, tmp_path)
    there = elsewhere(tmp_path / "data")
    told = there.refusals(*(("restore", str(one), "--identity", str(key[0])) for one in files))
    believed = zip(files, told, strict=True)
    assert [one.name for one, said in believed if "cut or altered" not in said] == []
    assert len(files) == 10
    assert not list((tmp_path / "data").rglob("*.sqlite3"))


def test_another_key_opens_nothing(backup: Path, tmp_path: Path) -> None:
    (other := tmp_path / "other.key").write_text(new_identity()[0])
    there = elsewhere(tmp_path / "data")
    told = there.manage("restore", str(backup), "--identity", str(other), code=1)
    assert "made for another key" in told


def test_a_register_does_not_stand_again_under_other_keys(
    counted: str, backup: Path, key: tuple[Path, str], tmp_path: Path
) -> None:
    """Called restored, it found nobody by their number: they were entered a second time."""
    other, restore = "Qg" * 21 + "A=", ("restore", str(backup), "--identity", str(key[0]))
    there = elsewhere(tmp_path)

    def refused(**changed: str) -> str:
        return there.manage(*restore, code=1, **changed)

    assert "no sealing key is set" in refused(OUTREACH_SEALING_KEYS="")
    assert not list(tmp_path.iterdir())
    for keys in (f"t1:{other}", f"t2:{other}"):
        assert "OUTREACH_SEALING_KEYS does not open" in refused(OUTREACH_SEALING_KEYS=keys)
    assert "OUTREACH_INDEX_KEY finds nobody" in refused(OUTREACH_INDEX_KEY=other)
    assert "outreach.E008" in there.manage("check", code=1)
    assert there.manage_in_turn(restore, COUNTS)[1] == counted


def test_where_no_register_stands_nothing_is_backed_up(
    key: tuple[Path, str], tmp_path: Path
) -> None:
    """As under settings that name another folder: each night's backup held nothing."""
    (tmp_path / "data").mkdir()
    nobody = Installation(tmp_path / "data", key[1], another_database())
    told = nobody.manage("backup", str(tmp_path / "backups"), code=1)
    assert "Nothing was backed up. No register stands" in told
    assert not list((tmp_path / "backups").iterdir())


def test_a_file_that_is_no_key_is_named(backup: Path, tmp_path: Path) -> None:
    (other := tmp_path / "other.key").write_text("not a key")
    told = elsewhere(tmp_path / "data").manage(
        "restore", str(backup), "--identity", str(other), code=1
    )
    assert "AGE-SECRET-KEY-1" in told


def test_without_a_recipient_nothing_is_written(office: Installation, tmp_path: Path) -> None:
    nobody = Installation(office.data, "", office.database_url)
    told = nobody.manage("backup", str(tmp_path), code=1)
    assert "--new-key" in told
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_made_where_no_settings_are(tmp_path: Path) -> None:
    nowhere = Installation(tmp_path / "data", "", "")
    blank = {"OUTREACH_SECRET_KEY": "", "OUTREACH_SEALING_KEYS": "", "OUTREACH_INDEX_KEY": ""}
    told = nowhere.manage("backup", "--new-key", str(tmp_path / "backup.key"), **blank)
    assert told.startswith("OUTREACH_BACKUP_RECIPIENTS=age1")


def test_a_new_key_is_private_and_never_overwritten(office: Installation, tmp_path: Path) -> None:
    file = tmp_path / "backup.key"
    told = office.manage("backup", "--new-key", str(file))
    assert told.splitlines()[0].split("=")[1] in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "never overwritten" in office.manage("backup", "--new-key", str(file), code=1)


def test_the_log_of_a_database_that_was_moved_away_is_not_played_into_the_restored_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", tmp_path / "outreach.sqlite3")
    kind = databases.Sqlite()
    kind.check_absent()
    (tmp_path / "outreach.sqlite3-wal").write_bytes(b"of the database before")
    with pytest.raises(databases.NotEmpty, match="sqlite3-wal is there already"):
        kind.check_absent()


def test_what_killed_runs_left_of_the_register_goes_with_the_next_one(
    office: Installation, tmp_path: Path
) -> None:
    dead, busy = (office.data / f".unfinished-backup-{name}" for name in ("dead", "busy"))
    cut, written = (tmp_path / f"outreach-{name}.tar.age.partial" for name in ("cut", "written"))
    for folder in (dead, busy):
        folder.mkdir()
        (folder / "outreach.sqlite3").write_bytes(b"the register")
    for draft in (cut, written):
        draft.write_bytes(b"half a backup")
    with in_use(busy), in_use(written):
        office.manage("backup", str(tmp_path))
    assert [path.exists() for path in (dead, busy, cut, written)] == [False, True, False, True]
    shutil.rmtree(busy)
    assert not list(office.data.glob(".unfinished-*"))


def test_nothing_personal_lies_in_a_backup_in_clear(backup: Path) -> None:
    body = backup.read_bytes()
    assert not [name for name in ("赵青山", "钱白石", "SQLite format") if name.encode() in body]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is reached by its path")
def test_the_tools_reach_the_database_as_the_server_does_and_show_no_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = {"sslmode": "verify-full", "host": "first,second", "target_session_attrs": "read-write"}
    changed = {"OPTIONS": asked, "HOST": "", "NAME": "a'b", "PASSWORD": "secret word"}
    for name, value in changed.items():
        monkeypatch.setitem(connection.settings_dict, name, value)
    told = conninfo_to_dict(databases._url())
    assert {name: told[name] for name in asked} == asked
    assert told["dbname"] == "a'b"
    assert "secret" not in databases._url()
