"""Receipts as a tablet checks them, and as the register must bear them out."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings

from mobile_api.models import LedgerEntry, Replica
from mobile_api.receipts import NotOurs, ReceiptKeys
from tests.generative.device import Device
from tests.generative.promises import check


def receipt_is_true(device: Device, answer: dict[str, Any]) -> None:
    """Check that a push was acknowledged in writing: signed, and what the answer says."""
    receipt = answer["receipt"]
    check("receipt", receipt, f"{device.name} pushed and has no receipt")
    try:
        said = ReceiptKeys(settings.OUTREACH_KEYS_DIR).verified(receipt)
    except NotOurs as error:
        check("receipt", False, error)
    outcomes = [[one["seq"], one["was"] or one["outcome"]] for one in answer["outcomes"]]
    told = (device.state.replica, answer["epoch"], answer["last_seq"], answer["chain"])
    found = (said["replica"], said["epoch"], said["last_seq"], said["chain"])
    check("receipt", found == told, f"{found} is signed, {told} is answered")
    check("receipt", said["outcomes"] == outcomes, "other outcomes are signed than answered")
    check("receipt", said["missing"] == len(answer["blobs_missing"]), "photos are receipted")
    place = Replica.objects.get(pk=said["replica"])
    check("receipt", (place.last_seq, place.chain) == found[2:], "the register is elsewhere")
    rows = place.ledger.filter(seq__in=[seq for seq, _ in outcomes])
    kept = dict(rows.values_list("seq", "outcome"))
    check("receipt", kept == dict(outcomes), "the ledger has other outcomes")


def receipt_still_holds(device: Device) -> None:
    """Check the newest receipt of a tablet at rest against the ledger, restored or not."""
    if device.state.receipt is None:
        return
    said = json.loads(device.state.receipt["said"])
    held = LedgerEntry.objects.filter(replica=said["replica"], seq=said["last_seq"])
    chain = held.values_list("chain", flat=True).first()
    kept = said["last_seq"] == 0 or chain == said["chain"]
    check("receipt", kept, f"{device.name} can prove what the register lacks")
