"""Say whether a file is a certificate of ours, untouched and still valid."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from certificates import sm2
from certificates.authority import AuthorityMissing
from certificates.verdicts import Answer, KeysAway, judge
from outreach import clock


class Command(BaseCommand):
    """Exit status 0: all are ours, unchanged and valid. 1: anything else."""

    help = (
        "Say whether FILE, or each PDF in a folder FILE, is a certificate of ours, unchanged and"
        " valid (exit 0) or not (1)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take one file or folder."""
        parser.add_argument(
            "--sm2", type=Path, metavar="SIGNATURE", help="also verify this SM2 signature of FILE"
        )
        parser.add_argument("file", type=Path, help="a PDF file, or a folder with PDF files")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Judge the files and exit accordingly."""
        wanted: Path = options["file"]
        files = sorted(wanted.rglob("*.pdf")) if wanted.is_dir() else [wanted]
        if not files:
            raise CommandError(f"There is no PDF file in {wanted.name}.")
        try:
            answers = [self._judge(file) for file in files]
        except (AuthorityMissing, KeysAway) as error:
            raise CommandError(str(error)) from error
        if wanted.is_dir():
            good = sum(answer.is_valid for answer in answers)
            self.stdout.write(f"{good} of {len(answers)} are ours, unchanged and valid.")
        is_signed = options["sm2"] is None or self._verify_second(wanted, options["sm2"])
        if not all(answer.is_valid for answer in answers) or not is_signed:
            sys.exit(1)

    def _verify_second(self, file: Path, signature: Path) -> bool:
        """Verify a detached signature with our SM2 root only, without the register."""
        try:
            content, detached = file.read_bytes(), signature.read_bytes()
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}") from error
        signer = sm2.signer_of(content, detached, settings.OUTREACH_KEYS_DIR)
        self.stdout.write(f"  SM2, additional: {f'genuine, by {signer}' if signer else 'not ours'}")
        return signer is not None

    def _judge(self, file: Path) -> Answer:
        try:
            answer = judge(file.read_bytes(), on=clock.today())
        except OSError as error:
            raise CommandError(f"{file.name} cannot be read: {error.strerror}") from error
        self._say(file, answer)
        return answer

    def _say(self, file: Path, answer: Answer) -> None:
        self.stdout.write(f"{answer.finding}: {file.name}: {answer.finding.label}")
        for change in answer.changes:
            self.stdout.write(f"  {change}")
        if answer.second is not None:
            found = answer.second.signer
            said = f"genuine, by {found}" if found else "does not verify"
            self.stdout.write(f"  SM2, additional, kept beside the file: {said}")
        if answer.certificate is not None:
            self.stdout.write(
                f"  {answer.certificate.issued_on} – {answer.certificate.valid_until}"
            )
