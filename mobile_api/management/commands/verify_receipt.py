"""Check a tablet's receipt: who signed it, what it says, and whether the register agrees."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mobile_api.models import LedgerEntry
from mobile_api.receipts import NotOurs, ReceiptKeys


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("receipt", type=Path, help="a file with the receipt as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            receipt = json.loads(options["receipt"].read_text())
            if not isinstance(receipt, dict):
                raise CommandError("The file does not hold a receipt: no JSON object.")
            said = ReceiptKeys(settings.OUTREACH_KEYS_DIR).verified(receipt)
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, NotOurs) as error:
            raise CommandError(f"{options['receipt']}: {error}") from error
        self.stdout.write(
            f"Genuine. At {said['at']} the records 1 to {said['last_seq']} of replica"
            f" {said['replica']} were taken in; {said['missing']} declared files were missing."
        )
        held = LedgerEntry.objects.filter(replica=said["replica"], seq=said["last_seq"])
        chain = held.values_list("chain", flat=True).first()
        if said["last_seq"] and chain != said["chain"]:
            state = "lacks them" if chain is None else "holds other records under their numbers"
            raise CommandError(f"The register {state}: it was restored from an older backup.")
        self.stdout.write("The register holds these records.")
