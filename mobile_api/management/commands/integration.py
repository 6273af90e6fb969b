"""Let another office's system read a division's changes or sums, post to it, or stop it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mobile_api.changes import SCOPES, make_integration, revoke_integration
from mobile_api.models import Integration
from mobile_api.webhooks import BadAddress, NotForChanges, end_hook, set_hook
from outreach.models import Division


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the system is called")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--division", metavar="CODE", help="make a token for this division")
        what.add_argument("--revoke", action="store_true", help="take its token out of use")
        what.add_argument("--hook", metavar="URL", help="post what happens from now on to it")
        what.add_argument("--no-hook", action="store_true", help="post nothing more to it")
        parser.add_argument(
            "--scope", action="append", choices=SCOPES, help="what the token opens (changes)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        name, at = options["name"], timezone.now()
        if options["revoke"]:
            if not revoke_integration(name, at=at):
                raise CommandError(f"No system {name} has a token.")
            self.stdout.write(f"{name} reads nothing any more.")
            return
        if options["hook"] or options["no_hook"]:
            self._hook(name, options["hook"], at)
            return
        division = Division.objects.filter(code=options["division"]).order_by("valid_from").last()
        if division is None:
            raise CommandError(f"There is no division {options['division']}.")
        longest = Integration._meta.get_field("name").max_length or 0
        if not name.strip() or len(name) > longest:
            raise CommandError(f"The system's name has 1 to {longest} characters.")
        scopes = options["scope"] or ["changes"]
        self.stdout.write(make_integration(name, division, at=at, scopes=scopes))
        reads = ", ".join(f"GET /api/v1/{scope}" for scope in scopes)
        self.stderr.write(f"The token is shown this once; it reads {reads}.")

    def _hook(self, name: str, url: str | None, at: datetime) -> None:
        found = Integration.objects.filter(name=name, revoked_at=None).first()
        if found is None:
            raise CommandError(f"No system {name} has a token: give it one with --division first.")
        if url is None:
            if not end_hook(found, at=at):
                raise CommandError(f"Nothing is posted to {name}.")
            self.stdout.write(f"Nothing more is posted to {name}.")
            return
        try:
            self.stdout.write(set_hook(found, url, at=at))
        except (BadAddress, NotForChanges) as error:
            raise CommandError(str(error)) from error
        self.stderr.write("The secret is shown this once; manage.py post_changes posts.")
