"""Tablets at the desk: a code shown once, a stop for a lost one, what they could not apply."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from uuid import uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

from mobile_api.devices import enrol, make_code
from mobile_api.models import Device, Dispute, EnrolmentCode, LedgerEntry
from outreach.models import User
from tests import builders

SignIn = Callable[[User], Client]


def a_tablet(place: builders.County) -> Device:
    """Return a tablet enrolled for the assessor."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    code = make_code(place.assessor, by=place.administrator, at=builders.START)
    device, _, _ = enrol(
        code=code,
        label="平板 3 号",
        key=base64.b64encode(der).decode(),
        replica=uuid4(),
        at=builders.START,
    )
    return device


def a_dispute(place: builders.County, count: int = 1) -> None:
    """Add what a tablet said that was refused."""
    replica = a_tablet(place).replicas.get()
    for seq in range(1, count + 1):
        LedgerEntry.objects.create(
            replica=replica,
            seq=seq,
            mutation_id=uuid4(),
            name="move_visit",
            version=1,
            chain="0" * 64,
            said_at="2018-06-04T09:00:00+08:00",
            args={},
            signature="",
            outcome="conflict",
            code="appointment-changed",
            message="残联改动了这次预约",
            received_at=builders.START,
        )
        Dispute.objects.create(
            replica=replica,
            seq=seq,
            outcome="conflict",
            code="appointment-changed",
            raised_at=builders.START,
        )


def test_a_code_is_shown_once_and_stored_only_as_its_fingerprint(
    place: builders.County, sign_in: SignIn
) -> None:
    office = sign_in(place.administrator)
    page = office.post("/tablets/code/", {"user": place.assessor.pk}).content.decode()
    shown = re.search(r'class="code-once"[^>]*>([A-Z0-9-]+)<', page)
    assert shown is not None
    assert EnrolmentCode.objects.get().code_sha256 != shown[1]
    assert shown[1] not in office.get("/tablets/").content.decode()


def test_a_code_wants_to_know_whose_tablet_it_is(place: builders.County, sign_in: SignIn) -> None:
    answer = sign_in(place.administrator).post("/tablets/code/", {"user": ""})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "malformed-form")


def test_nobody_makes_a_code_for_the_office(place: builders.County, sign_in: SignIn) -> None:
    answer = sign_in(place.administrator).post("/tablets/code/", {"user": place.approver.pk})
    assert answer.status_code == 422


def test_a_lost_tablet_is_stopped(place: builders.County, sign_in: SignIn) -> None:
    device = a_tablet(place)
    office = sign_in(place.administrator)
    assert office.get(f"/tablets/{device.pk}/revoke/").status_code == 200
    assert office.post(f"/tablets/{device.pk}/revoke/").status_code == 303
    device.refresh_from_db()
    assert device.revoked_at == builders.START
    assert office.post(f"/tablets/{device.pk}/revoke/").status_code == 404


def test_disputes_name_what_was_recorded_and_why(place: builders.County, sign_in: SignIn) -> None:
    a_dispute(place)
    page = sign_in(place.administrator).get("/disputes/").content.decode()
    assert "残联改动了这次预约" in page
    assert place.assessor.full_name in page


def test_a_dispute_is_decided_with_a_reason(place: builders.County, sign_in: SignIn) -> None:
    a_dispute(place)
    dispute = Dispute.objects.get()
    office, page = sign_in(place.administrator), f"/disputes/{dispute.pk}/"
    assert "残联改动了这次预约" in office.get(page).content.decode()
    answer = office.post(page, {"decision": "set_aside"})
    assert (answer.status_code, answer.headers["X-Refusal"]) == (422, "malformed-form")
    answer = office.post(page, {"decision": "accepted", "reason": "核实"})
    assert (answer.status_code, answer.headers["X-Refusal"]) == (422, "malformed")
    assert office.post(page, {"decision": "set_aside", "reason": "重复"}).status_code == 303
    dispute.refresh_from_db()
    assert (dispute.decision, dispute.reason) == ("set_aside", "重复")
    assert "重复" in office.get(page).content.decode()
    assert str(dispute.pk) not in office.get("/disputes/").content.decode()
