"""The register as a whole: database and files into one archive, and back.

The database is copied first and the files after it: a photo or paper is on the disk before the
database names it and never changes, so the files hold everything that the copy names.
"""

from __future__ import annotations

import fcntl
import io
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import DatabaseError

from mobile_api.restoring import Outlasted, begin_epoch, enter_photos
from outreach.actions.notifying.delivery import doubt_what_was_due
from outreach.actions.notifying.senders import of_settings
from outreach.actions.resealing import UNKNOWN, values_by_key
from outreach.backups.archive import (
    BackupUnreadable,
    Manifest,
    Member,
    Progress,
    read,
    write,
)
from outreach.backups.databases import Database, NotEmpty, database
from outreach.backups.verifying import how_many_are_named
from outreach.checks import RESTORE_MARK
from outreach.files import (
    BUCKET_ROOMS,
    SectorLost,
    files,
    lost_sectors_told,
    place_of_settings,
)
from outreach.flushing import in_use
from outreach.models import OtherKeys, check_keys
from outreach.models.sealed import key_ring
from outreach.retention.erasing import remove_files
from outreach.retention.requests import reapply

log = logging.getLogger(__name__)
#: What tablets send again (unfinished uploads) and the server draws again (small pictures).
LEFT_OUT = ("uploads", "thumbnails")
#: Where the photos and papers lie that rows of the register name.
NAMED = ("files/blobs/", "files/certificates/")
#: How many of the files that were lost are named.
SHOWN = 20
_BLOCK = 256 * 1024


class AnotherBackup(RuntimeError):
    """Another backup was being restored here and is not whole: two would be mixed."""


class AtWork(RuntimeError):
    """Another restore is at work on this very installation."""


class NewerBackup(RuntimeError):
    """A newer version took it, whose tables this one does not know."""


class NoRegister(RuntimeError):
    """There is nothing to back up: no table stands in the database of the settings, or half."""


class FilesAway(RuntimeError):
    """A backup has the database, and not all files: their disk is not there, or lost some."""


class Again(NamedTuple):
    """What a register found beside its database: photos, what came since, and who was erased.

    And how many messages were due, of which nobody knows whether they went out since; and the files
    that are not entered, for the disk does not read them.
    """

    photos: int
    since: Outlasted
    erased: int
    doubted: int
    lost: list[str]


def back_up(folder: Path, *, to: Iterable[str], at: datetime, progress: Progress) -> Path:
    """Write one encrypted backup of database and files below `folder` and return its path.

    Keys and settings are no part of it: together they are everything. Raises
    `MalformedBackupKey`, `NoRegister`, `ToolFailed`, and the disk's `OSError` with nothing
    half-written left; `FilesAway` with what there was.
    """
    if unfinished().exists():
        raise NoRegister("A restore began here and did not end.")
    kind = database()
    target = folder / f"outreach-{at:%Y%m%dT%H%M%SZ}.tar.age"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for draft in filter(_is_abandoned, folder.glob("outreach-*.tar.age.partial")):
        draft.unlink(missing_ok=True)
    with _beside("backup") as beside:
        dump = beside / kind.file_name
        rows = kind.dump(dump)
        if not rows:
            raise NoRegister("No register stands in the database that the settings name.")
        manifest = Manifest(version("outreach"), at.isoformat(), kind.vendor, rows)
        lost: list[str] = []
        ours = _files(settings.OUTREACH_FILES, lost)
        members = [_member(kind.file_name, dump), *ours, *_in_bucket()]
        write(target, members, manifest, to=to, progress=progress)
    _check_files(target, members)
    try:
        settings.OUTREACH_BACKED_UP.touch()
    except OSError:  # the backup is whole all the same
        log.exception("its moment is not in %s", settings.OUTREACH_BACKED_UP)
    if lost:
        raise FilesAway(
            f"{target} is made, without {len(lost):,} files that the disk does not read any more:"
            f" {named(lost)}."
            " Put this disk out of use, and keep the last backup that holds them."
        )
    return target


def named(lost: list[str]) -> str:
    """Return the names of the first files that were lost, and whether there are more."""
    return f"{', '.join(lost[:SHOWN])}{', …' if lost[SHOWN:] else ''}"


def _check_files(target: Path, members: Iterable[Member]) -> None:
    """Refuse to call a backup whole that lacks most photos and papers; single ones may be lost."""
    held = sum(one.name.startswith(NAMED) for one in members)
    try:
        named = how_many_are_named()
    except DatabaseError:  # of a version before, not upgraded yet
        return
    if held < named / 2:
        raise FilesAway(
            f"{target} has the database, and {held:,} of the {named:,} photos and papers that it"
            " names: see that the folder of OUTREACH_FILES, or the bucket, is there."
        )


def check(source: Path, *, identity: str, progress: Progress) -> Manifest:
    """Restore `source` into a folder that is thrown away, and return what it held.

    Raises `BackupUnreadable` when a byte or row is missing, `MalformedBackupKey`.
    """
    kind = database()
    with _opened(source, kind, identity, progress) as (manifest, _):
        return manifest


def restore(source: Path, *, identity: str, progress: Progress) -> tuple[Manifest, Again]:
    """Make `source` the register of this empty installation, as another life of it.

    Killed anywhere before its end it can be run again, and until then no server starts here.
    The new epoch tells each tablet to send again what came after the backup, and tablets that
    were stopped since are stopped again; who was erased at request since is erased again. Raises
    `AtWork`, `NotEmpty`, `AnotherBackup`, `NewerBackup`, `AnotherSchema`, `BackupUnreadable`,
    `MalformedBackupKey`, `MalformedKey`, `OtherKeys`, `ToolFailed`.
    """
    kind = database()
    key_ring()  # without any nothing need be unpacked
    with _marked() as mark:
        if not mark.read_text():  # nothing was laid here yet
            kind.check_absent()
        with _opened(source, kind, identity, progress) as (manifest, folder):
            _check_known(manifest)
            _check_alone(manifest, mark)
            for name in manifest.files:
                if name != kind.file_name:
                    _put_back(name, folder / name)
            with suppress(NotEmpty):  # loaded before this run was killed
                kind.check_absent()
                kind.load(folder / kind.file_name)
        call_command("migrate", verbosity=0)
        _check_keys()
        again = stand_again(datetime.now(UTC))
        os.sync()  # thousands of files at once: a power cut may leave none of them cut
        mark.unlink()
    return manifest, again


@contextmanager
def _marked() -> Iterator[Path]:
    """Yield the mark of a restore, which goes again where nothing was laid.

    Held, so that nobody restores here beside; some network disks grant no locks.
    """
    settings.OUTREACH_DATA.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark = unfinished()
    with mark.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AtWork("Another restore is at work here: wait until it has ended.") from error
        except OSError:
            log.warning("%s cannot be locked", mark)
        try:
            yield mark
        finally:
            with suppress(FileNotFoundError):
                if not mark.read_text():
                    mark.unlink()


def _check_known(manifest: Manifest) -> None:
    theirs, ours = (_numbers(one) for one in (manifest.version, version("outreach")))
    if theirs > ours:
        raise NewerBackup(
            f"It was taken by version {manifest.version}: install that or a newer one."
        )


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _check_alone(manifest: Manifest, mark: Path) -> None:
    """Note in the mark what is restored, or refuse where another backup was begun."""
    begun = mark.read_text()
    if begun not in ("", manifest.taken_at):
        raise AnotherBackup(f"A restore of the backup taken {begun} began here and did not end.")
    if not begun:
        with mark.open("w") as file:
            file.write(manifest.taken_at)
            file.flush()
            os.fsync(file.fileno())


def _check_keys() -> None:
    """Refuse keys that are not the register's; here each sealed value is looked at."""
    if values_by_key()[UNKNOWN]:
        raise OtherKeys("OUTREACH_SEALING_KEYS does not open what the register holds.")
    check_keys()


def stand_again(at: datetime) -> Again:
    """Bring a register that went back in time up to what outlived its database.

    Everybody signs in again: who had signed out since, or whom a new password had put out, would be
    in. Run again it does nothing twice, but for another epoch.
    """
    Session.objects.all().delete()
    lost: list[str] = []
    photos = enter_photos(files(), at, lost)
    since = begin_epoch(lost)
    erased = reapply(at)
    remove_files(at, files())
    return Again(photos, since, erased, doubt_what_was_due(of_settings(), at), lost)


def unfinished() -> Path:
    """Return the file that is there while a restore has begun and not ended."""
    return Path(settings.OUTREACH_DATA) / RESTORE_MARK


@contextmanager
def _opened(
    source: Path, kind: Database, identity: str, progress: Progress
) -> Iterator[tuple[Manifest, Path]]:
    """Open a backup beside the register, every file and row of it counted."""
    with _beside("restore") as folder:
        manifest = read(source, folder, identity=identity, progress=progress)
        if manifest.vendor != kind.vendor:
            raise BackupUnreadable(
                f"It was taken on {manifest.vendor}; this installation is set up for {kind.vendor}."
            )
        found = kind.rows(folder / kind.file_name)
        if found is not None and found != manifest.rows:
            raise BackupUnreadable("The database in it does not hold the rows it was taken with.")
        yield manifest, folder


@contextmanager
def _beside(what: str) -> Iterator[Path]:
    """Make a folder beside the register that is gone again; those of killed runs go first.

    What lies in one is the register itself: nothing would ever be erased in it.
    """
    data, prefix = Path(settings.OUTREACH_DATA), f".unfinished-{what}-"
    data.mkdir(parents=True, exist_ok=True, mode=0o700)  # where a backup is only checked
    for left in filter(_is_abandoned, data.glob(f"{prefix}*/")):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=data) as made, in_use(Path(made)):
        yield Path(made)


def _is_abandoned(path: Path) -> bool:
    """Tell whether whoever worked on a file or folder was killed: it is in nobody's use."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # it is held, or a network disk grants no locks
        return False
    finally:
        os.close(handle)
    return True


def _in_bucket() -> Iterator[Member]:
    """Yield what lies in the bucket of the settings, if there is one."""
    if settings.OUTREACH_BUCKET:
        place = place_of_settings()
        for room in BUCKET_ROOMS:
            if room not in LEFT_OUT:
                for name in place.names(room):
                    try:
                        size = place.size(name)
                    except FileNotFoundError:  # erased since it was listed
                        continue
                    yield Member(f"files/{name}", size, partial(place.open, name))


def _put_back(name: str, file: Path) -> None:
    """Lay a file where the settings say that files lie, whatever the backup was taken from."""
    inside = Path(name).relative_to("files")
    if settings.OUTREACH_BUCKET and inside.parts[0] in BUCKET_ROOMS:
        with file.open("rb") as opened:
            place_of_settings().put(inside.as_posix(), iter(partial(opened.read, _BLOCK), b""))
        return
    place = settings.OUTREACH_FILES / inside
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.move(file, place)  # which may be another disk


def _member(name: str, file: Path) -> Member:
    return Member(name, file.stat().st_size, partial(cast(Any, file.open), "rb"))


def _files(root: Path, lost: list[str]) -> Iterator[Member]:
    """Yield each file; to `lost` come, while they are read, the names of those the disk lost."""
    for file in sorted(root.rglob("*")):
        inside = file.relative_to(root)
        if file.is_file() and inside.parts[0] not in LEFT_OUT and not _is_draft(file):
            opening = partial(_in_memory, file, lost)
            yield Member(f"files/{inside.as_posix()}", file.stat().st_size, opening)


def _in_memory(file: Path, lost: list[str]) -> BinaryIO:
    """Read a file of a few megabytes before any of it is written: an archive takes nothing back.

    One that lies on a sector that the disk lost counts as gone, or nothing would be backed up.
    """
    try:
        with lost_sectors_told(file.name):
            return io.BytesIO(file.read_bytes())
    except SectorLost as error:
        lost.append(str(file))
        raise FileNotFoundError(str(file)) from error


def _is_draft(file: Path) -> bool:
    """Whether a paper or picture is still being written; it is renamed when it is whole."""
    return file.suffix in {".new", ".tmp", ".partial"}
