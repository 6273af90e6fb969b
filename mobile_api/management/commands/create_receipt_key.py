"""Create the key that signs what the server acknowledges to tablets."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mobile_api.receipts import ReceiptKeys


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            made = ReceiptKeys(settings.OUTREACH_KEYS_DIR).create()
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        done = "Created the receipt key in" if made else "The receipt key already stands in"
        self.stdout.write(f"{done} {settings.OUTREACH_KEYS_DIR}")
