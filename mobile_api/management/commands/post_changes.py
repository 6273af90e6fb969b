"""Post what happened to the systems that asked for it, signed; what fails is tried again later."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mobile_api.webhooks import post_changes


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=int, default=0, help="go on, every so many seconds")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["every"] < 0:
            raise CommandError("--every takes seconds, 0 or more.")
        while True:
            came = asdict(post_changes())
            self.stdout.write(", ".join(f"{name} {count}" for name, count in came.items()))
            if not options["every"]:
                return
            time.sleep(options["every"])
