"""POST /api/v1/hand-in: quarantine for what a stopped, forked or locked tablet still holds."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings, settings
from django.core.management import CommandError, call_command
from django.test import Client

from mobile_api.devices import revoke
from mobile_api.federation import CannotOpen, FederationKeys
from mobile_api.models import Device, HandInPart
from outreach import clock
from outreach.demo.tablet import Tablet, TabletRefused
from outreach.models import AuditEvent
from tests.builders import County
from tests.mobile_api.handing_in import signed_part
from tests.mobile_api.talking import enrolled

pytestmark = pytest.mark.django_db
WORDS = "只在这台平板上的一句话"


@pytest.fixture
def keys() -> FederationKeys:
    """The federation's key pair."""
    made = FederationKeys(settings.OUTREACH_KEYS_DIR)
    made.create()
    return made


@pytest.fixture
def lost(place: County, keys: FederationKeys, tmp_path: Path) -> Tablet:
    """A tablet that was stopped."""
    tablet = enrolled(place, tmp_path)
    revoke(Device.objects.get(), by=place.administrator, at=clock.now())
    return tablet


def part(tablet: Tablet, keys: FederationKeys, plain: object, **changes: Any) -> dict[str, Any]:
    """Return a part that the tablet signed."""
    return signed_part(tablet.key, tablet.state.replica, keys, plain, **changes)


def post(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Hand in a part."""
    answer = Client().post("/api/v1/hand-in", json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def test_a_private_half_without_its_public_one_is_never_overwritten(tmp_path: Path) -> None:
    """Where a keys folder was laid back without it, nobody could open what had been handed in."""
    keys = FederationKeys(tmp_path)
    assert keys.create()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert len(before) == 2
    (tmp_path / "hand-in.pub.pem").unlink()
    assert (keys.create(), keys.create()) == (True, False)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_stopped_tablet_learns_the_key_from_the_answer_that_stops_it(
    lost: Tablet, keys: FederationKeys
) -> None:
    with pytest.raises(TabletRefused, match="403 revoked"):
        lost.sync()
    answer = lost.client.post(
        "/api/v1/sync", json={}, headers={"Authorization": f"Bearer {lost.state.token}"}
    )
    assert answer.json()["federation_key"] == keys.public()


def test_no_part_is_taken_before_those_that_go_before_it(
    lost: Tablet, keys: FederationKeys
) -> None:
    """A restore may take the first parts away; after the last receipt the tablet would forget."""
    number = str(uuid4())
    first, second, end = (
        part(lost, keys, {}, n=n, of=3, kind=kind, hand_in=number)
        for n, kind in enumerate(("log", "log", "end"))
    )
    assert post(first)[0] == 201
    status, answer = post(end)
    assert (status, answer["type"]) == (409, "/problems/hand-in-anew")
    assert [post(one)[0] for one in (second, end, first, end)] == [201, 201, 200, 200]
    assert HandInPart.objects.count() == 3


def test_a_part_is_kept_sealed_and_opens_with_the_federations_key_alone(
    lost: Tablet, keys: FederationKeys, tmp_path: Path
) -> None:
    body = part(lost, keys, {"entries": [WORDS]})
    assert post(body) == (201, {"receipt": body["hand_in"], "n": 0})
    row = HandInPart.objects.get()
    assert WORDS not in json.dumps(row.sealed, ensure_ascii=False)
    call_command("open_handin", body["hand_in"], tmp_path / "out", stdout=StringIO())
    opened = json.loads((tmp_path / "out" / "0000-log.json").read_text())
    assert opened == {"entries": [WORDS]}
    stranger = FederationKeys(tmp_path / "stranger")
    stranger.create()
    with pytest.raises(CannotOpen):
        stranger.open(row.sealed)


def test_a_part_whose_answer_was_lost_comes_again_sealed_anew_and_counts_once(
    lost: Tablet, keys: FederationKeys
) -> None:
    first = part(lost, keys, {"entries": []})
    assert post(first)[0] == 201
    assert post(part(lost, keys, {"entries": []}))[0] == 200
    assert [row.sealed for row in HandInPart.objects.all()] == [first["sealed"]]


def test_the_end_stands_in_the_trail(lost: Tablet, keys: FederationKeys) -> None:
    post(part(lost, keys, {"entries": 0}, kind="end"))
    assert AuditEvent.objects.filter(action="device.hand_in").count() == 1


@pytest.mark.parametrize("changes", [{"n": 1}, {"at": "later"}, {"reason": "fork"}])
def test_what_the_tablet_did_not_sign_is_refused(
    lost: Tablet, keys: FederationKeys, changes: dict[str, Any]
) -> None:
    status, body = post(part(lost, keys, {}) | changes)
    assert (status, body["type"]) == (401, "/problems/bad-signature")
    assert HandInPart.objects.count() == 0


def test_a_locked_tablet_cannot_sign_and_is_heard_all_the_same(
    lost: Tablet, keys: FederationKeys
) -> None:
    assert post(part(lost, keys, {}, reason="locked", kind="store") | {"sig": ""})[0] == 201


def test_what_a_tablet_hands_in_that_nobody_knows_is_kept_too(
    lost: Tablet, keys: FederationKeys, tmp_path: Path
) -> None:
    stranger = str(uuid4())
    body = part(lost, keys, {"entries": [WORDS]}, replica=stranger, reason="unknown")
    assert post(body) == (201, {"receipt": body["hand_in"], "n": 0})
    assert post(body)[0] == 200
    post(part(lost, keys, {}, replica=stranger, reason="unknown", n=1, of=2, kind="end"))

    kept = HandInPart.objects.get(n=0)
    assert (kept.replica, str(kept.said_replica)) == (None, stranger)
    call_command("open_handin", body["hand_in"], tmp_path / "out", stdout=StringIO())
    assert WORDS in (tmp_path / "out" / "0000-log.json").read_text()
    trail = AuditEvent.objects.get(action="device.hand_in")
    assert (trail.by, trail.subject) == (None, "handinpart")


def test_strangers_cannot_fill_the_disk_and_take_no_room_from_the_known(
    lost: Tablet, keys: FederationKeys, settings: LazySettings
) -> None:
    stranger = part(lost, keys, {"entries": []}, replica=str(uuid4()), reason="unknown")
    settings.OUTREACH_UNKNOWN_HAND_IN_BYTES = len(json.dumps(stranger["sealed"])) + 10
    assert post(stranger)[0] == 201
    more = part(lost, keys, {"entries": []}, replica=str(uuid4()), reason="unknown")
    status, body = post(more)

    assert (status, body["type"]) == (507, "/problems/no-room")
    assert [post(stranger)[0], post(part(lost, keys, {"entries": []}))[0]] == [200, 201]


def test_whoever_calls_a_tablet_locked_fills_its_own_room_and_no_other(
    lost: Tablet, keys: FederationKeys, settings: LazySettings
) -> None:
    """Who knows the number of a replica needs no key to say so, and nothing bounded it."""

    def locked(**changes: Any) -> dict[str, Any]:
        return part(lost, keys, {}, reason="locked", kind="store", **changes) | {"sig": ""}

    first = locked(hand_in=str(uuid4()))
    settings.OUTREACH_UNKNOWN_HAND_IN_BYTES = len(json.dumps(first["sealed"])) + 10
    assert post(first)[0] == 201
    status, body = post(locked(hand_in=str(uuid4())))

    assert (status, body["type"]) == (507, "/problems/no-room")
    stranger = part(lost, keys, {}, replica=str(uuid4()), reason="unknown")
    assert [post(one)[0] for one in (first, part(lost, keys, {}), stranger)] == [200, 201, 201]


NULS = dict.fromkeys(("recipient", "ephemeral", "iv", "wrapped"), "a\0b")


@pytest.mark.parametrize(
    "wrong",
    [{"n": -1}, {"kind": "other"}, {"sealed": {}}, {"extra": 1}, {"sealed": NULS}, {"at": "\0"}],
)
def test_a_malformed_part_is_named_by_its_field(
    lost: Tablet, keys: FederationKeys, wrong: dict[str, Any]
) -> None:
    status, body = post(part(lost, keys, {}) | wrong)
    assert (status, body["type"]) == (422, "/problems/malformed")


def test_a_receipt_that_nobody_gave_opens_nothing(keys: FederationKeys, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no hand-in"):
        call_command("open_handin", str(uuid4()), tmp_path / "out")


def test_the_key_is_made_once(tmp_path: Path) -> None:
    keys = FederationKeys(tmp_path)
    assert keys.public() is None
    assert [keys.create(), keys.create()] == [True, False]
    assert (tmp_path / "hand-in.key.pem").stat().st_mode & 0o077 == 0
