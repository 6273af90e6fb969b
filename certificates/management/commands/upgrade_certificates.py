"""Give certificates the time-stamps and proof that let them outlive their signing key."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from certificates.archiving import Level
from certificates.authority import AuthorityMissing
from certificates.upgrades import Failed, NoTimeAuthority, upgrade, waiting
from outreach import clock


class Command(BaseCommand):
    """Exit status 0: nothing is left to do. 1: run it again later, or read what it says."""

    help = (
        "Raise certificates to PAdES B-T, B-LT or B-LTA; what was issued stays as it is. The server"
        " does this itself unless OUTREACH_WORKER=0."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the level, how many papers at most, and when to stamp again."""
        parser.add_argument("--to", choices=[Level.T, Level.LT, Level.LTA], default=Level.LTA)
        parser.add_argument("--limit", type=int, help="papers in this run")
        parser.add_argument(
            "--again-after",
            metavar="DAYS",
            type=int,
            help="also stamp again what was raised to LTA more than DAYS ago",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Upgrade, counting; end with what is left."""
        to, at, days = Level(options["to"]), clock.now(), options["again_after"]
        if (days or 0) not in range(36_500) or (options["limit"] or 0) < 0:
            raise CommandError("Days and papers are counted from 0; days to a hundred years.")
        files = waiting(to, at - timedelta(days=days) if days is not None else None)
        total = files.count() if options["limit"] is None else options["limit"]
        done, failed = 0, []
        try:
            for outcome in upgrade(files[:total], to, at=at):
                if isinstance(outcome, Failed):
                    failed.append(outcome)
                    continue
                done += 1
                if done % 100 == 0:
                    self.stdout.write(f"{done} of {total}")
        except NoTimeAuthority:
            said = "No time-stamp authority is set (OUTREACH_TSA_URL): nothing is raised."
            self.stdout.write(said)
            return
        except AuthorityMissing as error:
            raise CommandError(str(error)) from error
        self._say(done, to, failed)

    def _say(self, done: int, to: Level, failed: list[Failed]) -> None:
        self.stdout.write(f"{done} certificates raised to {to}, {waiting(to).count()} waiting.")
        for one in failed:
            what = "Run this again later" if one.is_passing else "This needs somebody"
            number = one.file.certificate.application.number
            self.stderr.write(f"{what}: case {number}: {one.why}")
        if failed:
            sys.exit(1)
