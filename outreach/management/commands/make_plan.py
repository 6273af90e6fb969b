"""Make a plan that the desk asked for; the service starts this by itself, apart from its own.

Two plans are the two answers to something that came in between.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser

from outreach.actions.solving import make


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []  # the server that starts it was checked

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("plans", nargs="+", type=UUID, help="one plan's id, or two answers'")

    def handle(self, *_args: Any, **options: Any) -> None:
        make(options["plans"])
