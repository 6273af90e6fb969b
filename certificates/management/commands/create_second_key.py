"""Create the keys of the additional SM2 signatures, and sign what was issued before."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from certificates import second_signatures, sm2


class Command(BaseCommand):
    """What exists is left alone; an office with an SM2 certificate puts its files there itself."""

    help = (
        "Create a local SM2 root and signer where none stands; with OUTREACH_SM2=1 also sign every"
        " issued file that has no SM2 signature yet."
    )
    requires_system_checks = []  # the checks ask for what this command makes

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Create what is missing, sign what lacks it, and say so."""
        folder = settings.OUTREACH_KEYS_DIR
        try:
            made = sm2.create(folder, settings.OUTREACH_ISSUER, demo=settings.OUTREACH_DEMO)
        except sm2.Unusable as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        self.stdout.write(f"{'Created SM2 keys in' if made else 'SM2 keys stand in'} {folder}")
        count = second_signatures.add(second_signatures.missing().iterator())
        self.stdout.write(f"{count} files signed with SM2.")
