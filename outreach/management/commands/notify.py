"""Tell families what concerns them: fill the outbox from the register and send what is due."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from outreach import clock
from outreach.actions.notifying.delivery import deliver
from outreach.actions.notifying.outbox import fill_outbox
from outreach.actions.notifying.senders import Console, Shelf, of_settings
from outreach.files import files


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sent", action="store_true", help="print what lies among the files")
        parser.add_argument("--every", type=int, default=0, help="go on, every so many seconds")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["every"] < 0:
            raise CommandError("--every takes seconds, 0 or more.")
        if options["sent"]:
            for line in Shelf(files()).lines():
                self.stdout.write(line)
            return
        sender = of_settings()
        if isinstance(sender, Console):
            sender.out = self.stdout
        while True:
            at = clock.now()
            entered = fill_outbox(at)
            came = asdict(deliver(sender, at=at))
            counts = ", ".join(f"{name} {count}" for name, count in came.items())
            self.stdout.write(f"entered {entered}, {counts}")
            if not options["every"]:
                return
            time.sleep(options["every"])
