"""Create the key that signs what the server acknowledges to tablets."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from mobile_api.receipts import ReceiptKeys


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        made = ReceiptKeys(settings.OUTREACH_KEYS_DIR).create()
        done = "Created the receipt key in" if made else "The receipt key already stands in"
        self.stdout.write(f"{done} {settings.OUTREACH_KEYS_DIR}")
