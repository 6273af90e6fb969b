"""POST /api/v1/devices/lease and /share: the server's part of a tablet's key."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from mobile_api.devices import revoke
from mobile_api.leases import LEASE, lend
from mobile_api.models import Device
from mobile_api.problems import Problem
from outreach.demo.tablet import Tablet
from tests import builders
from tests.builders import START
from tests.mobile_api.talking import enrolled, in_process

pytestmark = pytest.mark.django_db


def lent(tablet: Tablet) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {tablet.state.token}"}
    answer = in_process().post("/api/v1/devices/lease", headers=headers)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def asked(replica: object, ask: str) -> httpx.Response:
    body = {"replica": str(replica), "ask": ask}
    return in_process().post("/api/v1/devices/share", json=body)


def test_a_tablet_is_lent_32_bytes_of_its_own_until_the_lease_ends(
    place: builders.County, tablet: Tablet, tmp_path: Path
) -> None:
    mine, other = lent(tablet), lent(enrolled(place, tmp_path, name="two"))
    assert len(b64decode(mine["share"])) == 32
    assert mine["share"] != other["share"]
    assert mine["lease_until"] == (START + LEASE).isoformat().replace("+00:00", "Z")


def test_a_locked_tablet_gets_the_same_part_again(tablet: Tablet) -> None:
    mine = lent(tablet)
    answer = asked(tablet.state.replica, mine["ask"])
    assert (answer.status_code, answer.json()["share"]) == (200, mine["share"])


def test_a_newer_secret_replaces_the_one_before(tablet: Tablet) -> None:
    first, second = lent(tablet), lent(tablet)
    assert first["share"] == second["share"]
    assert asked(tablet.state.replica, first["ask"]).status_code == 410
    assert asked(tablet.state.replica, second["ask"]).status_code == 200


def test_nobody_gets_it_with_another_secret_or_for_another_tablet(tablet: Tablet) -> None:
    mine = lent(tablet)
    assert asked(tablet.state.replica, "guessed").json()["type"] == "/problems/unknown-replica"
    assert asked(uuid4(), mine["ask"]).json()["type"] == "/problems/unknown-replica"


def test_a_tablet_that_was_never_lent_any_is_not_opened_by_an_empty_secret(tablet: Tablet) -> None:
    assert asked(tablet.state.replica, "").status_code == 422


def test_nothing_is_lent_to_a_tablet_that_is_stopped_while_it_asks(
    place: builders.County, tablet: Tablet
) -> None:
    lent(tablet)
    asking = Device.objects.get()
    revoke(Device.objects.get(), by=place.administrator, at=START)
    with pytest.raises(Problem, match="revoked"):
        lend(asking, at=START)
    assert Device.objects.get().share is None


def test_the_part_of_a_stopped_tablet_is_gone(place: builders.County, tablet: Tablet) -> None:
    mine = lent(tablet)
    device = Device.objects.get()
    revoke(device, by=place.administrator, at=START)
    answer = asked(tablet.state.replica, mine["ask"])
    assert (answer.status_code, answer.json()["wipe"]) == (403, True)
    device.refresh_from_db()
    assert device.share is None


def test_the_part_of_somebody_who_left_is_not_lent(place: builders.County, tablet: Tablet) -> None:
    mine = lent(tablet)
    place.assessor.is_active = False
    place.assessor.save()
    answer = asked(tablet.state.replica, mine["ask"])
    assert (answer.status_code, answer.json()["wipe"]) == (403, True)


def test_neither_the_part_nor_the_secret_stands_in_the_database_in_clear(tablet: Tablet) -> None:
    from django.db import connection

    mine = lent(tablet)
    with connection.cursor() as cursor:
        cursor.execute("SELECT share, ask_sha256 FROM mobile_api_device")
        [(share, ask)] = cursor.fetchall()
    assert mine["share"].encode() not in bytes(share)
    assert mine["ask"] not in ask
