"""Say whether the text of a QR code is of a certificate of ours that is still valid."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from certificates.authority import AuthorityMissing
from certificates.verdicts import KeysAway, judge_code, judge_picture
from outreach import clock


class Command(BaseCommand):
    """Exit status 0: ours and valid. 1: anything else."""

    help = (
        "Say whether TEXT, what a scanner read from a QR code (DPC1:…), or a picture of one, is of"
        " a certificate of ours that is valid (exit 0) or not (1)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the text, or the name of a picture file."""
        parser.add_argument("text", help="what a scanner read, or a picture file")

    def handle(self, *_args: Any, text: str, **_options: Any) -> None:
        """Judge the code and exit accordingly."""
        picture = Path(text) if not text.startswith("DPC1:") else None
        try:
            if picture is not None and picture.is_file():
                answer = judge_picture(picture.read_bytes(), on=clock.today())
            else:
                answer = judge_code(text, on=clock.today())
        except (AuthorityMissing, KeysAway) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{answer.finding}: {answer.finding.label}")
        for change in answer.changes:
            self.stdout.write(f"  {change}")
        if answer.credential is not None:
            said = answer.credential
            self.stdout.write(f"  {said.name}, {said.issued_on} – {said.valid_until}")
        if not answer.is_valid:
            sys.exit(1)
