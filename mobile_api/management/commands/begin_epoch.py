"""Tell every tablet that the register was restored; enter tablets, photos and hand-ins since."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mobile_api.restoring import begin_epoch, enter_photos
from outreach import clock
from outreach.files import files


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        photos = enter_photos(files(), clock.now())
        enrolled, stopped, handed_in = begin_epoch()
        self.stdout.write(
            f"A new epoch has begun: tablets send again what came after the backup."
            f" Tablets enrolled again: {enrolled}; stopped again: {stopped}."
            f" Photos entered again: {photos:,}. Hand-ins found again: {handed_in:,}."
        )
