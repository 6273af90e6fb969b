"""Create the key to which tablets seal what they hand in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mobile_api.federation import FederationKeys


class Command(BaseCommand):
    """Creates the key pair where it is missing; what exists is left alone."""

    help = "Create the key to which stopped and locked tablets seal what they hand in."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Create what is missing and say where it is."""
        try:
            made = FederationKeys(settings.OUTREACH_KEYS_DIR).create()
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        done = "Created the hand-in key in" if made else "The hand-in key already stands in"
        self.stdout.write(f"{done} {settings.OUTREACH_KEYS_DIR}")
