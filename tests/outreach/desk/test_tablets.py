"""Tablets at the desk: a code shown once, a stop for a lost one, what they could not apply."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

from mobile_api.condition import clock_told, condition
from mobile_api.devices import enrol, make_code
from mobile_api.models import Device, Dispute, EnrolmentCode, LedgerEntry
from outreach.models import AuditEvent, User
from tests import builders
from tests.outreach.desk.reading import read_csv

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
    assert office.post(f"/tablets/{device.pk}/revoke/").status_code == 422
    why = {"why": "lost", "note": "在船上丢的"}
    assert office.post(f"/tablets/{device.pk}/revoke/", why).status_code == 303
    device.refresh_from_db()
    assert device.revoked_at == builders.START
    assert "丢失或被盗 · 在船上丢的" in office.get("/tablets/").content.decode()
    assert AuditEvent.objects.get(action="device.revoke").detail == {"why": "lost · 在船上丢的"}
    assert office.post(f"/tablets/{device.pk}/revoke/").status_code == 404


GOOD = {"app": "0.7.2", "outbox": 0, "oldest_h": 0, "free_mb": 8000, "persisted": True}


@pytest.mark.parametrize(
    ("changes", "away", "worries"),
    [
        ({}, timedelta(hours=1), []),
        ({"outbox": 3, "oldest_h": 40}, timedelta(hours=7), []),
        ({"outbox": 3, "oldest_h": 40}, timedelta(hours=9), ["unsent"]),
        ({"outbox": 0, "oldest_h": 999}, timedelta(hours=9), []),
        ({}, timedelta(days=4), ["silent"]),
        ({}, timedelta(days=15), ["lease_over"]),
        ({"free_mb": 499, "persisted": False}, timedelta(), ["space", "not_kept"]),
        ({"app": "0.0.9"}, timedelta(), ["old_app"]),
        ({"clock": {"off_s": -121}}, timedelta(), ["clock"]),
        ({"clock": {"off_s": 120}}, timedelta(), []),
        ({"clock": "noon"}, timedelta(), []),
        ({"app": 7, "outbox": "many", "oldest_h": None, "free_mb": -1}, timedelta(), []),
    ],
)
def test_a_tablet_wants_a_look_for_what_it_said_of_itself(
    place: builders.County, changes: dict[str, Any], away: timedelta, worries: list[str]
) -> None:
    device = a_tablet(place)
    device.health, device.last_seen_at = GOOD | changes, builders.START
    found = condition(device, builders.START + away, oldest_app="0.1.0")
    assert list(found.worries) == worries


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            {"wall": "2018-05-07T01:02:00Z", "mono_ms": 5},
            {"mono_ms": 5, "wall": "2018-05-07T01:02:00+00:00", "off_s": 120},
        ),
        ({"wall": "2018-05-07T01:02:00", "mono_ms": "5"}, {"mono_ms": None}),
        ({"wall": "yesterday" * 100}, {"mono_ms": None}),
        ({"wall": 7}, {"mono_ms": None}),
        ({}, {"mono_ms": None}),
    ],
)
def test_what_is_kept_of_a_tablets_clock(
    said: dict[str, Any], kept: dict[str, Any], settings: Any
) -> None:
    settings.OUTREACH_CLOCK = "real"
    assert clock_told(said, datetime(2018, 5, 7, 1, tzinfo=UTC)) == kept


def test_a_tablet_that_never_spoke_says_so(place: builders.County) -> None:
    assert list(condition(a_tablet(place), builders.START).worries) == ["never"]


def test_the_page_shows_how_each_tablet_is_doing_and_who_wants_a_look(
    place: builders.County, sign_in: SignIn
) -> None:
    held = a_tablet(place)
    silent = builders.START - timedelta(days=5)
    Device.objects.update(health=GOOD | {"outbox": 2, "oldest_h": 3}, last_seen_at=silent)
    Device.objects.create(
        user=place.liaison,
        label="好平板",
        public_key=b"key",
        token_sha256="1" * 64,
        enrolled_at=builders.START,
        last_seen_at=builders.START,
        health=GOOD,
    )
    office = sign_in(place.administrator)
    page = office.get("/tablets/").content.decode()
    assert ("1 台平板需要查看" in page, "最早的已等 123 小时" in page) == (True, True)
    looked = office.get("/tablets/?look=1").content.decode()
    assert (held.label in looked, "好平板" in looked) == (True, False)
    lines = read_csv(office.get("/export/tablets.csv"))
    assert [line[6] for line in lines] == ["未发送", "2", "0"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_as_many_queries_for_one_tablet_as_for_three(
    place: builders.County,
    sign_in: SignIn,
    django_assert_num_queries: Callable[[int], Any],
    count: int,
) -> None:
    for _ in range(count):
        a_tablet(place)
    office = sign_in(place.administrator)
    with django_assert_num_queries(12):
        office.get("/tablets/")


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
