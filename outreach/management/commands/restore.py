"""Make the register of an empty installation from a backup, or see that a backup is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from outreach.backups.archive import BackupUnreadable, MalformedBackupKey, Manifest
from outreach.backups.databases import AnotherSchema, NotEmpty, ToolFailed
from outreach.backups.whole import Again, AnotherBackup, AtWork, NewerBackup, check, restore
from outreach.management.bars import bar
from outreach.management.commands.begin_epoch import check_nothing_lost, told
from outreach.models import OtherKeys
from outreach.sealing import MalformedKey


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []  # there is nothing to check before it is restored

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", type=Path, help="a file that manage.py backup wrote")
        parser.add_argument("--identity", type=Path, required=True, help="file of the secret key")
        parser.add_argument(
            "--check", action="store_true", help="read and count everything, restore nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        again: Again | None = None
        try:
            identity = options["identity"].read_text(encoding="utf-8")
            with bar("Reading", unit="bytes") as progress:
                if options["check"]:
                    manifest = check(options["backup"], identity=identity, progress=progress)
                else:
                    manifest, again = restore(
                        options["backup"], identity=identity, progress=progress
                    )
        except UnicodeDecodeError as error:
            raise CommandError(f"{options['identity']} is no file of a key.") from error
        except AtWork as error:
            raise CommandError(str(error)) from error
        except NotEmpty as error:
            raise CommandError(
                f"{error} A restore wants an empty installation and overwrites nothing."
            ) from error
        except AnotherBackup as error:
            raise CommandError(
                f"{error} Run it again with that one, or empty database and data folder first."
            ) from error
        except (MalformedKey, OtherKeys) as error:
            raise CommandError(
                f"{error} Put the keys of the register that was backed up into the settings, and"
                " run it again."
            ) from error
        except AnotherSchema as error:
            raise CommandError(
                f"{error} Restore as the role of that county (docs/how-to/run-a-province.md)."
            ) from error
        except (BackupUnreadable, NewerBackup, MalformedBackupKey, ToolFailed, OSError) as error:
            raise CommandError(f"{options['backup']}: {error}") from error
        self._tell(manifest, again)

    def _tell(self, manifest: Manifest, again: Again | None) -> None:
        rows = sum(manifest.rows.values())
        self.stdout.write(
            f"Taken {manifest.taken_at} by version {manifest.version}:"
            f" {rows:,} rows in {len(manifest.rows)} tables, {len(manifest.files) - 1:,} files."
        )
        if again is None:
            self.stdout.write("It is whole.")
            return
        self.stdout.write(told(again))
        self.stdout.write(
            "Restored. Start the server: each tablet sends again what came after the backup."
        )
        check_nothing_lost(again)
