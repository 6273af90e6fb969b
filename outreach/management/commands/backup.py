"""Take the register, database and files, into one encrypted file while people work."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from outreach.backups.archive import MalformedBackupKey, new_identity
from outreach.backups.databases import ToolFailed
from outreach.backups.whole import FilesAway, NoRegister, back_up
from outreach.flushing import flush_folder
from outreach.management.bars import bar


class Command(BaseCommand):
    help = __doc__
    # Where its key is made there are no settings, and what is unsound keeps nobody from a backup.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, nargs="?", help="where the backup is written")
        parser.add_argument(
            "--new-key", type=Path, metavar="FILE", help="only make a key pair, the secret in FILE"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["new_key"]:
            self._make_key(options["new_key"])
        elif options["folder"] is None:
            raise CommandError("Say where to: manage.py backup FOLDER.")
        elif not settings.OUTREACH_BACKUP_RECIPIENTS:
            raise CommandError(
                "Set OUTREACH_BACKUP_RECIPIENTS first: `manage.py backup --new-key FILE` makes a"
                " key pair and prints what to set."
            )
        else:
            self._back_up(options["folder"])

    def _back_up(self, folder: Path) -> None:
        try:
            with bar("Backing up", unit="bytes") as progress:
                made = back_up(
                    folder,
                    to=settings.OUTREACH_BACKUP_RECIPIENTS,
                    at=datetime.now(UTC),
                    progress=progress,
                )
        except FilesAway as error:
            raise CommandError(str(error)) from error
        except (MalformedBackupKey, NoRegister, ToolFailed, DatabaseError, OSError) as error:
            raise CommandError(f"Nothing was backed up. {error}") from error
        self.stdout.write(f"{made} ({made.stat().st_size:,} bytes)")

    def _make_key(self, file: Path) -> None:
        secret, public = new_identity()
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise CommandError(f"{file} is there already; a key is never overwritten.") from error
        except OSError as error:
            raise CommandError(f"No key was made. {error}") from error
        try:
            with os.fdopen(descriptor, "w") as stream:
                stream.write(f"# public key: {public}\n{secret}\n")
                stream.flush()
                os.fsync(descriptor)
            flush_folder(file.parent)
        except OSError as error:  # a full disk: half a key opens nothing
            file.unlink(missing_ok=True)
            raise CommandError(f"No key was made. {error}") from error
        self.stdout.write(f"OUTREACH_BACKUP_RECIPIENTS={public}")
        self.stdout.write(
            f"Set this here. Keep {file} away from this machine, in two places:"
            " without it no backup can ever be opened."
        )
