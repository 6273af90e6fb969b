"""Take the steps that follow from a day alone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from certificates.life import settle
from outreach import clock
from outreach.actions.trail import ClockAhead, check_clock


class Command(BaseCommand):
    """Once a day, by the server itself or by cron; a second run on a day changes nothing."""

    help = (
        "Freeze certificates that did not follow their household for six months, cancel them after"
        " a year, and enter what expired. The server does this itself unless OUTREACH_WORKER=0."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Let somebody who looked say that the clock is right."""
        parser.add_argument(
            "--clock-is-right",
            action="store_true",
            help="settle also where nothing was done for two months, as where nobody worked",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Settle the day and say what it brought, or why it was left."""
        now = clock.now()
        try:
            if not options["clock_is_right"]:
                check_clock(now)
        except ClockAhead as error:
            raise CommandError(
                f"{error} No certificate was frozen, cancelled or expired."
                " Where it is right: --clock-is-right."
            ) from error
        day = settle(at=now)
        self.stdout.write(f"{day.frozen} frozen, {day.cancelled} cancelled, {day.expired} expired.")
