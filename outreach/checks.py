"""Start-up checks: each names a setting and says what to set it to."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from outreach.domain.retention import MalformedTerms, read_terms
from outreach.environment import MalformedBucket, parse_bucket
from outreach.road_matrix import is_address, is_near
from outreach.sealing import KeyRing, MalformedKey

#: Stands in the data folder from the first to the last step of a restore.
RESTORE_MARK = "restore-unfinished"

#: The release that mended the loss of a WAL reset under concurrent checkpoints.
SQLITE_MENDED = (3, 51, 3)


@register("installation")
def check_settings(**_: Any) -> list[CheckMessage]:
    """Report every setting that is missing, malformed, or unsafe beside another."""
    return [
        *_keys(),
        *_clock(),
        *_environment(),
        *_county_seat(),
        *_addresses(),
        *_sqlite(),
        *_routing(),
        *_restore(),
        *_retention(),
        *_bucket(),
        *_gateway(),
        *_outlasting(),
        *_owners(),
        *_moved(),
    ]


def _keys() -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    # Django raises when an empty SECRET_KEY is read, before anything could say what to set.
    if not settings.ENVIRONMENT.variables.get("OUTREACH_SECRET_KEY"):
        said = "Set OUTREACH_SECRET_KEY to 50 random characters."
        hint = "Where a settings file has it: export OUTREACH_ENV_FILE=/etc/outreach/outreach.env"
        errors.append(Error(said, hint=hint, id="outreach.E001"))
    try:
        KeyRing.parse(settings.OUTREACH_SEALING_KEYS, settings.OUTREACH_INDEX_KEY)
    except MalformedKey as error:
        hint = "Make a key with: openssl rand -base64 32"
        errors.append(
            Error(
                f"Set OUTREACH_SEALING_KEYS=name:base64 and OUTREACH_INDEX_KEY=base64 ({error}).",
                hint=hint,
                id="outreach.E002",
            )
        )
    return errors


def _clock() -> list[CheckMessage]:
    if settings.OUTREACH_CLOCK == "simulated" and not settings.OUTREACH_DEMO:
        message = "A simulated clock is for the demo only: set OUTREACH_CLOCK=real."
        return [Error(message, id="outreach.E003")]
    return []


def _environment() -> list[CheckMessage]:
    """Name values that cannot be read, and names that nothing reads."""
    errors = [Error(message, id="outreach.E004") for message in settings.ENVIRONMENT.errors]
    hint = "See docs/reference/settings.md; what was meant has its default."
    unknown = (f"{name} is no setting." for name in settings.ENVIRONMENT.unknown())
    return [*errors, *(Caution(said, hint=hint, id="outreach.W012") for said in unknown)]


def _county_seat() -> list[CheckMessage]:
    """Find out at the start, and not by every evaluation that counts what was spared."""
    try:
        latitude, longitude = map(float, settings.OUTREACH_COUNTY_SEAT.split(","))
    except ValueError:
        latitude = longitude = 999
    if abs(latitude) <= 90 and abs(longitude) <= 180:
        return []
    said = "OUTREACH_COUNTY_SEAT must be latitude,longitude, for example 30.7988,106.0884."
    return [Error(said, id="outreach.E014")]


def _addresses() -> list[CheckMessage]:
    """Find out before a paper is signed that its code would lead nowhere, or a message goes out."""
    found: list[CheckMessage] = []
    if not is_address(settings.OUTREACH_PUBLIC_URL):
        said = "OUTREACH_PUBLIC_URL must be an address like https://outreach.example."
        found.append(Error(said, id="outreach.E017"))
    if any("/" in host for host in settings.ALLOWED_HOSTS):
        said = "OUTREACH_HOSTS holds names like outreach.example, and no addresses."
        found.append(Error(said, id="outreach.E018"))
    if settings.OUTREACH_SENDER == "gateway" and not is_address(settings.OUTREACH_SMS_URL):
        said = "OUTREACH_SENDER=gateway wants OUTREACH_SMS_URL, like https://gateway.example/send."
        found.append(Error(said, id="outreach.E019"))
    return found


def _sqlite() -> list[CheckMessage]:
    embedded = connection.vendor == "sqlite"
    if embedded and sqlite3.sqlite_version_info < SQLITE_MENDED and not settings.OUTREACH_DEMO:
        return [
            Caution(
                f"SQLite {sqlite3.sqlite_version} is older than 3.51.3: run one server process.",
                id="outreach.W001",
            )
        ]
    return []


def _routing() -> list[CheckMessage]:
    url = settings.OUTREACH_ROUTING_URL
    if not url:
        return []
    if not is_address(url):
        message = "OUTREACH_ROUTING_URL must be an address like http://127.0.0.1:5000, or empty."
        return [Error(message, id="outreach.E020")]
    if not is_near(url):
        message = "OUTREACH_ROUTING_URL is another machine: planning tells it the places of homes."
        return [Caution(message, id="outreach.W020")]
    return []


def _restore() -> list[CheckMessage]:
    """Keep a half-restored register from being served."""
    if not os.access(settings.OUTREACH_DATA / RESTORE_MARK, os.F_OK):
        return []
    hint = "Run `manage.py restore` with the same backup again; it goes on where it was killed."
    return [Error("A restore began here and did not end.", hint=hint, id="outreach.E008")]


def _retention() -> list[CheckMessage]:
    """Keep the terms from being misread: what is erased is gone."""
    file = settings.OUTREACH_RETENTION
    if file is None:
        return []
    try:
        read_terms(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, MalformedTerms) as error:
        hint = "Of several counties its units see OUTREACH_DATA alone: there the file lies."
        said = f"OUTREACH_RETENTION cannot be used ({error})."
        return [Error(said, hint=hint, id="outreach.E009")]
    return []


def _bucket() -> list[CheckMessage]:
    """Report a bucket that is written wrong, or reached in clear."""
    address = settings.OUTREACH_BUCKET
    if not address:
        return []
    try:
        endpoint = parse_bucket(address).endpoint
    except MalformedBucket as error:
        return [Error(f"OUTREACH_BUCKET names no bucket: {error}.", id="outreach.E010")]
    found: list[CheckMessage] = []
    if not (settings.OUTREACH_BUCKET_KEY and settings.OUTREACH_BUCKET_SECRET):
        said = "Set OUTREACH_BUCKET_KEY and OUTREACH_BUCKET_SECRET for the bucket."
        found.append(Error(said, id="outreach.E011"))
    if endpoint.startswith("http:") and not is_near(endpoint):
        said = "OUTREACH_BUCKET is reached without TLS: its keys can be read on the way."
        found.append(Caution(said, id="outreach.W010"))
    return found


def _gateway() -> list[CheckMessage]:
    """Warn of telephones, and links that open a case, which travel in clear."""
    url = settings.OUTREACH_SMS_URL
    if not url.startswith("http:") or is_near(url):
        return []
    said = "OUTREACH_SMS_URL is reached without TLS: families' links can be read on the way."
    return [Caution(said, id="outreach.W014")]


def _outlasting() -> list[CheckMessage]:
    """Warn of a file that cannot grow: it would be missed when a register is restored, not before.

    Nobody is kept from stopping a tablet by it, so that nobody at the desk hears of it either.
    """
    found: list[CheckMessage] = []
    for name in ("OUTREACH_REVOCATIONS", "OUTREACH_ENROLMENTS", "OUTREACH_ERASURES"):
        file: Path = getattr(settings, name)
        there = next(one for one in (file, *file.absolute().parents) if os.access(one, os.F_OK))
        if not os.access(there, os.W_OK) or (there != file and not there.is_dir()):
            said = f"{name} cannot be written: {file}."
            hint = "Under systemd its folder stands in ReadWritePaths= (BindPaths= of a county)."
            found.append(Caution(said, hint=hint, id="outreach.W011"))
    return found


def _owners() -> list[CheckMessage]:
    """Find out at the start what another account owns, as where a command was run as root."""
    data: Path = settings.OUTREACH_DATA
    found: list[CheckMessage] = []
    for path in (data, settings.OUTREACH_FILES, *sorted(data.glob("outreach.sqlite3*"))):
        if os.access(path, os.F_OK) and not os.access(path, os.R_OK | os.W_OK):
            hint = (
                f"Give it to the account that serves: chown -R outreach: {data}. Under systemd it"
                " stands in ReadWritePaths= (BindPaths= of a county)."
            )
            found.append(Error(f"{path} cannot be written.", hint=hint, id="outreach.E016"))
    return found


def _moved() -> list[CheckMessage]:
    """Warn where a bucket was named beside a folder full of photos: they are looked for there."""
    photos: Path = settings.OUTREACH_FILES / "blobs"
    if not settings.OUTREACH_BUCKET or not any(one.is_file() for one in photos.rglob("*")):
        return []
    said = "Photos lie in OUTREACH_FILES, and are looked for in OUTREACH_BUCKET alone."
    hint = "A backup, restored where the bucket is named, moves them; the folder's may go then."
    return [Caution(said, hint=hint, id="outreach.W013")]


@register(Tags.database)
def check_schema(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Keep a county from taking another's tables for its own: `migrate` runs this first."""
    if not databases or connection.vendor != "postgresql":
        return []
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_user, current_schema(), ARRAY(SELECT nspname::text FROM pg_class"
                " JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = 'django_migrations'"
                " AND nspname = ANY (current_schemas(false)) AND nspname <> current_schema())"
            )
            role, schema, others = cursor.fetchone()
    except OperationalError:  # the server starts without it, and goes on when it is back
        return []
    hint = "Make one with deploy/counties/county.sql; its search_path names that schema alone."
    if schema is None:
        said = f"The database's role {role} has no schema to work in."
        return [Error(said, hint=hint, id="outreach.E012")]
    if others:
        said = f"The search_path of {role} shows other registers beside {schema}: {others[0]}."
        return [Error(said, hint=hint, id="outreach.E013")]
    return []


@register(Tags.database)
def check_version(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Keep an older version off a register that a newer one has upgraded.

    It would leave out what its rows must have by now: each evaluation would be set aside.
    """
    try:
        applied = MigrationRecorder(connection).applied_migrations() if databases else {}
    except DatabaseError:  # the server starts without it
        return []
    ours = MigrationLoader(None)
    known = {
        *ours.disk_migrations,
        *(old for one in ours.disk_migrations.values() for old in one.replaces),
    }
    newer = sorted(one for one in {*applied} - known if one[0] in ours.migrated_apps)
    if not newer:
        return []
    said = f"A newer version has upgraded this register: {'.'.join(newer[-1])} is unknown here."
    hint = "Install that version again, or restore a backup of before the upgrade."
    return [Error(said, hint=hint, id="outreach.E021")]
