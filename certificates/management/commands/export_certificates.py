"""Write the signed certificates into a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from certificates.actions import export


class Command(BaseCommand):
    """Writes the newest version of every certificate, named by its case number."""

    help = "Write every signed certificate into DIR as <case number>.pdf."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder, which is created if need be."""
        parser.add_argument("dir", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Export, count, and name what is lost."""
        try:
            found = export(options["dir"])
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        self.stdout.write(f"{found.count} certificates in {options['dir']}")
        for name in found.lost:
            self.stderr.write(f"Lost, take it from a backup: {name}")
        if found.lost:
            sys.exit(1)
