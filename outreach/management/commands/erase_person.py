"""Erase, at a person's own request, what the law lets go; say what stays, why and until when."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from outreach import clock
from outreach.domain.retention import MalformedTerms
from outreach.files import files
from outreach.models import Application, User
from outreach.retention.erasing import remove_files
from outreach.retention.requests import Answer, NotTheirs, erase_on_request


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("case", help="number of one of the person's cases")
        parser.add_argument("--by", required=True, help="administrator who decided the request")
        parser.add_argument(
            "--request", required=True, help="the office's file number of the request; no name"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would go; change nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        case = Application.objects.filter(number=options["case"]).first()
        if case is None:
            raise CommandError(f"There is no case {options['case']}.")
        by = User.objects.filter(username=options["by"]).first()
        if by is None:
            raise CommandError(f"There is no account {options['by']}.")
        try:
            answer = erase_on_request(
                case.resident,
                by=by,
                at=clock.now(),
                request=options["request"],
                dry_run=options["dry_run"],
            )
            count = 0
            if not options["dry_run"]:
                count = remove_files(clock.now(), files())
        except (NotTheirs, MalformedTerms, OSError) as error:
            raise CommandError(f"{error}. Run it again; what was erased stays erased.") from error
        self._show(answer, "would be erased" if options["dry_run"] else "erased")
        self.stdout.write(f"files removed: {count:,}")

    def _show(self, answer: Answer, word: str) -> None:
        for number, kind in answer.erased:
            self.stdout.write(f"{number} {word} ({kind})")
        self.stdout.write(f"records of tablets {word}: {answer.records:,}")
        for number, why, until in answer.stays:
            day = f"; until {until}" if until else ""
            self.stdout.write(f"{number} stays: {why}{day}")
        if not answer.erased and not answer.stays:
            self.stdout.write("Nothing is kept of this person any more.")
