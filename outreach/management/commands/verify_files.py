"""Read every photo, paper and part of a hand-in, and name those that are lost or damaged."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from outreach.backups.verifying import verify_files
from outreach.files import files
from outreach.management.bars import bar


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            with bar("Reading", unit="things") as progress:
                told = verify_files(files(), progress)
        except OSError as error:
            raise CommandError(f"{error} Run it again when the files can be read.") from error
        for word, names in (("missing", told.missing), ("damaged", told.damaged)):
            for name in names:
                self.stdout.write(f"{word}: {name}")
        if lost := len(told.missing) + len(told.damaged):
            raise CommandError(
                f"{lost:,} of {told.whole + lost:,} files are not what they were: fetch them from"
                " the newest backup that has them whole."
            )
        self.stdout.write(f"{told.whole:,} files, all whole.")
