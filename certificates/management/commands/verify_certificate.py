"""Say whether a file is a certificate of ours, untouched and still valid."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from certificates.authority import AuthorityMissing
from certificates.verdicts import Answer, judge
from outreach import clock


class Command(BaseCommand):
    """Exit status 0: ours, unchanged and valid. 1: anything else."""

    help = "Say whether FILE is a certificate of ours, unchanged and valid (exit 0) or not (1)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take one file."""
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Judge the file and exit accordingly."""
        file: Path = options["file"]
        try:
            answer = judge(file.read_bytes(), on=clock.today())
        except OSError as error:
            raise CommandError(f"{file.name} cannot be read: {error.strerror}") from error
        except AuthorityMissing as error:
            raise CommandError(str(error)) from error
        self._say(file, answer)
        if not answer.is_valid:
            sys.exit(1)

    def _say(self, file: Path, answer: Answer) -> None:
        self.stdout.write(f"{answer.finding}: {file.name}: {answer.finding.label}")
        for change in answer.changes:
            self.stdout.write(f"  {change}")
        if answer.certificate is not None:
            self.stdout.write(
                f"  {answer.certificate.issued_on} – {answer.certificate.valid_until}"
            )
