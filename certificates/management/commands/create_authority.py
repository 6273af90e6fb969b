"""Create the local demo authority that signs certificates."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from certificates.founding import Names, create_authority


class Command(BaseCommand):
    """Creates keys and certificates where they are missing; what exists is left alone."""

    help = "Create the demo authority's keys and certificates, marked as such, where missing."
    requires_system_checks = []  # the checks ask for what this command makes

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Create what is missing and say where it is."""
        names = Names(settings.OUTREACH_ISSUER, demo=True)
        # A certificate's dates must fit the clocks of those who verify: the real time.
        try:
            made = create_authority(settings.OUTREACH_KEYS_DIR, names, at=timezone.localtime())
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        done = "Created a demo authority in" if made else "The authority already stands in"
        self.stdout.write(f"{done} {settings.OUTREACH_KEYS_DIR}")
