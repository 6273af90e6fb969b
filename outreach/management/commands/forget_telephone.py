"""Take a lost telephone off an account; its next sign-in sets up another."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from outreach.actions.second_factor import forget
from outreach.models import User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no account {options['username']}.")
        if not forget(user, by=None, at=timezone.now()):
            raise CommandError(f"{user.username} has no telephone set up.")
        self.stdout.write(f"{user.username} sets up a telephone at the next sign-in.")
