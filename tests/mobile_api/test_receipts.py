"""The server signs what it acknowledged, and anybody who holds the receipt can have it checked."""

from __future__ import annotations

import base64
import json
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from mobile_api.chain import is_signed
from mobile_api.models import LedgerEntry
from mobile_api.receipts import ReceiptKeys
from outreach.demo.tablet import Tablet
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY, evaluation_args

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(on_the_day: None, tmp_path: Path, settings: LazySettings) -> None:
    settings.OUTREACH_KEYS_DIR = tmp_path / "keys"
    call_command("create_receipt_key", stdout=StringIO())


def answered(tablet: Tablet, place: builders.County) -> dict[str, Any]:
    [visit] = builders.scheduled(place)
    args = evaluation_args(str(visit.pk), str(place.colleague.pk))
    tablet.say("submit_evaluation", args, ON_THE_DAY)
    return tablet.exchange()


def checked(receipt: Any, folder: Path) -> str:
    (folder / "receipt.json").write_text(json.dumps(receipt))
    told = StringIO()
    call_command("verify_receipt", str(folder / "receipt.json"), stdout=told)
    return told.getvalue()


def test_a_push_is_answered_with_a_receipt_that_the_key_in_policy_signed(
    place: builders.County, tablet: Tablet
) -> None:
    answer = answered(tablet, place)
    receipt = answer["receipt"]
    key = load_der_public_key(base64.b64decode(answer["policy"]["receipt_key"]))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert is_signed(key, receipt["said"].encode(), receipt["sig"])

    said = json.loads(receipt["said"])
    assert (said["last_seq"], said["chain"]) == (1, LedgerEntry.objects.get().chain)
    assert (said["outcomes"], said["missing"]) == ([[1, "applied"]], 4)
    assert said["epoch"] == answer["epoch"]


def test_a_poll_is_answered_without_one(tablet: Tablet) -> None:
    assert tablet.exchange()["receipt"] is None


def test_a_receipt_is_verified_against_the_register(
    place: builders.County, tablet: Tablet, tmp_path: Path
) -> None:
    receipt = answered(tablet, place)["receipt"]
    assert "The register holds these records." in checked(receipt, tmp_path)

    LedgerEntry.objects.update(chain="0" * 64)
    with pytest.raises(CommandError, match="other records"):
        checked(receipt, tmp_path)
    LedgerEntry.objects.all().delete()
    with pytest.raises(CommandError, match="lacks them"):
        checked(receipt, tmp_path)


def test_a_receipt_of_a_former_key_stays_valid(
    place: builders.County, tablet: Tablet, tmp_path: Path
) -> None:
    receipt = answered(tablet, place)["receipt"]
    (tmp_path / "keys" / "receipt.key.pem").unlink()
    assert ReceiptKeys(tmp_path / "keys").create()
    assert "Genuine" in checked(receipt, tmp_path)


def test_the_key_outlives_a_power_cut_once_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty file under its name would end every exchange of every tablet with an error."""
    forced = set[str]()
    monkeypatch.setattr(
        os, "fsync", lambda one: forced.add(Path(f"/proc/self/fd/{one}").readlink().name)
    )
    ReceiptKeys(tmp_path / "apart").create()
    assert {"receipt.key.new", "apart"} < forced
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "apart").iterdir()} == {0o600}


@pytest.mark.parametrize("change", ["said", "sig", "list", "empty"])
def test_what_was_changed_is_not_genuine(
    place: builders.County, tablet: Tablet, tmp_path: Path, change: str
) -> None:
    receipt = answered(tablet, place)["receipt"]
    bad = {
        "said": {**receipt, "said": receipt["said"].replace('"last_seq":1', '"last_seq":2')},
        "sig": {**receipt, "sig": "AAAA"},
        "list": [receipt],
        "empty": {},
    }[change]
    with pytest.raises(CommandError):
        checked(bad, tmp_path)
