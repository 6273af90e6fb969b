"""Tell every tablet that the register went back; find and erase again what outlived it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from outreach import clock
from outreach.backups.whole import stand_again


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        photos, since, erased = stand_again(clock.now())
        self.stdout.write(
            f"A new epoch has begun: tablets send again what came after the backup."
            f" Tablets enrolled again: {since.enrolled}; stopped again: {since.stopped}."
            f" Photos entered again: {photos:,}. Hand-ins found again: {since.handed_in:,}."
            f" Erased again: {erased:,}. Certificates that rest until seen to: {since.resting:,}."
        )
