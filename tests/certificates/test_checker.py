"""What the offline page is served, and the signed list of what is not valid."""

from __future__ import annotations

import base64
import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import base45
import pytest
from django.test import Client
from django.utils import timezone

from certificates import life, revocations
from certificates.authority import Signer, Trust, load_trust
from certificates.credential import (
    MalformedCredential,
    UntrustedCredential,
    read_credential,
    write_credential,
    write_message,
)
from certificates.founding import rotate
from certificates.models import Certificate, RevocationList
from certificates.revocations import read_list
from certificates.steps import CertificateState, Ground
from tests import builders
from tests.certificates.conftest import NAMES
from tests.certificates.issuing import ISSUED_AT, issued
from tests.certificates.making import facts

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(place: builders.County, files: Path) -> Certificate:
    return issued(place, files)[0]


def listed(client: Client, trust: Trust) -> dict[Any, CertificateState]:
    answer = client.get("/check/qr/revocations")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/cose")
    return dict(read_list(answer.content, trust.credential_keys).states)


def test_the_page_is_served_under_a_policy_of_its_own(client: Client) -> None:
    page = client.get("/check/qr/")
    assert page.status_code == 200
    assert "unsafe" not in page["Content-Security-Policy"]
    assert page["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    worker = client.get("/check/qr/sw.js")
    assert worker["Content-Type"] == "text/javascript; charset=utf-8"
    shell = json.loads(
        re.search(r"\[[^]]*checker-[^]]*\]", worker.content.decode().replace("`", '"'))[0]
    )  # type: ignore[index]
    names = [name.removeprefix("./") for name in shell]
    assert [client.get(f"/check/qr/{name}").status_code for name in names] == [200] * 3


@pytest.mark.parametrize("name", ["../models.py", "assets/none.js", "checker.html/"])
def test_nothing_else_is_served(client: Client, name: str) -> None:
    assert client.get(f"/check/qr/{name}").status_code == 404


def test_the_keys_are_those_that_sign(client: Client, files: Path, signer: Signer) -> None:
    said = client.get("/check/qr/issuer.json").json()
    assert [key["kid"] for key in said["keys"]] == [signer.credential.key_id.hex()]
    assert len(base64.urlsafe_b64decode(said["keys"][0]["x"] + "=")) == 32


def test_a_key_file_that_cannot_be_read_is_no_shorter_list_of_keys(
    client: Client, tmp_path: Path, settings: Any
) -> None:
    settings.OUTREACH_KEYS_DIR = tmp_path
    (tmp_path / "credential.crt.pem").write_text("not a certificate")
    answer = client.get("/check/qr/issuer.json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "600")


def test_keys_that_are_away_are_no_empty_list_of_keys(
    client: Client, place: builders.County, files: Path, settings: Any, tmp_path: Path
) -> None:
    """A device keeps what it is told, and would call each paper of ours strange from then on."""
    issued(place, files)
    settings.OUTREACH_KEYS_DIR = tmp_path / "away"
    assert client.get("/check/qr/issuer.json").status_code == 503


def test_the_list_says_what_is_not_valid_and_names_nobody(
    held: Certificate, place: builders.County, client: Client, trust: Trust
) -> None:
    assert listed(client, trust) == {}
    life.freeze([held], reason="核查", by=place.administrator, at=ISSUED_AT)
    assert listed(client, trust) == {held.pk: CertificateState.FROZEN}
    life.unfreeze([held], reason="查清", by=place.administrator, at=ISSUED_AT)
    assert listed(client, trust) == {}
    life.cancel([held], ground=Ground.DEATH, reason="死亡", by=place.administrator, at=ISSUED_AT)
    assert listed(client, trust) == {held.pk: CertificateState.CANCELLED}
    body = client.get("/check/qr/revocations").content
    assert held.number.encode() not in body
    assert held.application.resident.name.encode() not in body


def test_the_list_is_signed_when_something_changed(
    held: Certificate,
    place: builders.County,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        life.freeze([held], reason="核查", by=place.administrator, at=ISSUED_AT)
    row = RevocationList.objects.get()
    assert row.signed_revision == row.revision == 1


def test_an_unchanged_list_is_signed_again_when_it_is_old(
    held: Certificate, client: Client, trust: Trust
) -> None:
    first = client.get("/check/qr/revocations").content
    assert client.get("/check/qr/revocations").content == first
    yesterday = timezone.now() - timedelta(days=1)
    RevocationList.objects.update(signed_at=yesterday)
    assert client.get("/check/qr/revocations").content != first


def test_a_list_of_a_day_to_come_is_signed_again_when_the_clock_is_right(
    held: Certificate, client: Client, trust: Trust
) -> None:
    """It says how old the knowledge is: offline it would be of today for months."""
    client.get("/check/qr/revocations")
    RevocationList.objects.update(signed_at=timezone.now() + timedelta(days=90), body=b"ahead")
    body = client.get("/check/qr/revocations").content
    assert read_list(body, trust.credential_keys).signed_at <= timezone.now()


def test_a_list_by_a_stolen_key_is_signed_anew_at_once(
    held: Certificate, client: Client, settings: Any, tmp_path: Path
) -> None:
    """Nobody believes it any more, and for half a day no device knew what is not valid."""
    keys = tmp_path / "rotated"
    shutil.copytree(settings.OUTREACH_KEYS_DIR, keys)
    settings.OUTREACH_KEYS_DIR = keys
    client.get("/check/qr/revocations")
    rotate(keys, NAMES, at=timezone.now(), roles=["credential"], compromised=True)
    assert listed(client, load_trust(keys)) == {}


def test_a_missing_key_stops_no_step_and_the_list_follows(
    held: Certificate,
    place: builders.County,
    settings: Any,
    client: Client,
    trust: Trust,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    keys = settings.OUTREACH_KEYS_DIR
    settings.OUTREACH_KEYS_DIR = tmp_path / "none"
    with django_capture_on_commit_callbacks(execute=True):
        life.freeze([held], reason="核查", by=place.administrator, at=ISSUED_AT)
    assert client.get("/check/qr/revocations").status_code == 404
    settings.OUTREACH_KEYS_DIR = keys
    assert listed(client, trust) == {held.pk: CertificateState.FROZEN}


def test_while_the_key_cannot_be_used_the_list_before_is_given_out(
    held: Certificate,
    place: builders.County,
    settings: Any,
    client: Client,
    trust: Trust,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(settings.OUTREACH_KEYS_DIR, spoilt)
    (spoilt / "signer.key.pem").write_text("no key")
    settings.OUTREACH_KEYS_DIR, sound = spoilt, settings.OUTREACH_KEYS_DIR
    assert client.get("/check/qr/revocations").status_code == 503
    settings.OUTREACH_KEYS_DIR = sound
    assert listed(client, trust) == {}
    settings.OUTREACH_KEYS_DIR = spoilt
    with django_capture_on_commit_callbacks(execute=True):
        life.freeze([held], reason="核查", by=place.administrator, at=ISSUED_AT)
    assert listed(client, trust) == {}
    settings.OUTREACH_KEYS_DIR = sound
    assert listed(client, trust) == {held.pk: CertificateState.FROZEN}


def test_a_list_of_another_authority_is_not_believed(
    files: Path, impostor: Signer, trust: Trust
) -> None:
    claims = {1: "南充", 6: 0, revocations.ENTRIES: [], revocations.NUMBER: 9}
    forged = write_message(claims, impostor.credential, content_type=revocations.CONTENT_TYPE)
    with pytest.raises(UntrustedCredential):
        read_list(forged, trust.credential_keys)


def test_a_list_is_no_credential_and_a_credential_no_list(
    held: Certificate, client: Client, signer: Signer, trust: Trust
) -> None:
    body = client.get("/check/qr/revocations").content
    with pytest.raises(MalformedCredential):
        read_credential(f"DPC1:{base45.b45encode(body).decode()}", trust.credential_keys)
    code = write_credential(facts(), held.pk, signer.credential)
    with pytest.raises(MalformedCredential):
        read_list(base45.b45decode(code[5:]), trust.credential_keys)
