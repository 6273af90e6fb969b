"""Take the steps that follow from a day alone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from certificates.life import settle
from outreach import clock


class Command(BaseCommand):
    """Once a day, by the server itself or by cron; a second run on a day changes nothing."""

    help = (
        "Freeze certificates that did not follow their household for six months, cancel them after"
        " a year, and enter what expired. The server does this itself unless OUTREACH_WORKER=0."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Settle the day and say what it brought."""
        day = settle(at=clock.now())
        self.stdout.write(f"{day.frozen} frozen, {day.cancelled} cancelled, {day.expired} expired.")
