"""Open what a tablet handed in."""

from __future__ import annotations

import base64
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mobile_api.federation import CannotOpen, FederationKeys
from mobile_api.handin import opened


class Command(BaseCommand):
    """Writes each part of a hand-in as JSON, and pictures as files, into a folder."""

    help = "Open a hand-in with the federation's key, into a folder that only you can read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Ask for the receipt and the folder."""
        parser.add_argument("receipt", type=UUID, help="the number the tablet showed at the end")
        parser.add_argument("folder", type=Path, help="where to; it is made if it is missing")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Open part by part and say how many there were."""
        folder: Path = options["folder"]
        count = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            keys = FederationKeys(settings.OUTREACH_KEYS_DIR)
            for number, kind, plain in opened(options["receipt"], keys):
                picture = _picture_out_of(plain) if kind == "media" else b""
                text = json.dumps(plain, ensure_ascii=False, indent=1)
                (folder / f"{number:04d}-{kind}.json").write_text(text, "utf-8", "replace")
                if picture:
                    (folder / f"{number:04d}-picture").write_bytes(picture)
                count += 1
        except (CannotOpen, OSError) as error:
            raise CommandError(f"The hand-in cannot be opened: {error}") from error
        if not count:
            raise CommandError("There is no hand-in with this receipt.")
        self.stdout.write(f"Opened {count} parts into {folder}")


def _picture_out_of(plain: Any) -> bytes:
    """Take the picture out of a part, or nothing where it is made like no other."""
    try:
        return base64.b64decode(plain.pop("body") or "")
    except (AttributeError, LookupError, TypeError, ValueError):
        return b""
