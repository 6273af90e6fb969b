"""Let another office's system read the changes of a division, or stop it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mobile_api.changes import make_integration, revoke_integration
from outreach.models import Division


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the system is called")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--division", metavar="CODE", help="make a token for this division")
        what.add_argument("--revoke", action="store_true", help="take its token out of use")

    def handle(self, *_args: Any, **options: Any) -> None:
        name, at = options["name"], timezone.now()
        if options["revoke"]:
            if not revoke_integration(name, at=at):
                raise CommandError(f"No system {name} has a token.")
            self.stdout.write(f"{name} reads nothing any more.")
            return
        division = Division.objects.filter(code=options["division"]).order_by("valid_from").last()
        if division is None:
            raise CommandError(f"There is no division {options['division']}.")
        self.stdout.write(make_integration(name, division, at=at))
        self.stderr.write("The token is shown this once; it reads GET /api/v1/changes.")
