"""What tablets handed in, as the federation's key opens it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from mobile_api.federation import FederationKeys
from mobile_api.handin import opened
from mobile_api.models import HandInPart
from tests.generative.device import Device
from tests.generative.promises import check
from tests.generative.speaking import post
from tests.mobile_api.handing_in import sealed, signed_part

#: Entries of the log in one part.
SLICE = 3
_REASONS = {"sign_in": "unknown"}
Part = tuple[str, dict[str, Any]]


def hand_in(device: Device, room: int | None = None) -> bool:
    """Hand in part by part, at most `room` of them; tell whether the tablet may forget.

    The answer to the last of them is lost where the line gives no more room; with a room of 0
    the one to the last part, so that the office has the whole and its tablet does not know.
    """
    state = device.state
    keys = FederationKeys(settings.OUTREACH_KEYS_DIR)
    device.begin_hand_in()
    parts = _parts(device) if state.halt != "locked" else _locked_parts(device, keys)
    begun = state.handed
    for n in range(begun, len(parts)):
        kind, plain = parts[n]
        changes = {"n": n, "of": len(parts), "kind": kind, "hand_in": state.handing}
        reason = _REASONS.get(str(state.halt), state.halt)
        body = signed_part(device.key, state.replica, keys, plain, reason=reason, **changes)
        status, answer = post("/api/v1/hand-in", body)
        if n and answer.get("type") == "/problems/hand-in-anew":
            state.handing = None
            return hand_in(device, room)
        check("hand-in", status in (200, 201), f"{device.name} was turned away: {status} {answer}")
        if room is not None and (n - begun + 1 >= room > 0 or n + 1 == len(parts)):
            device.save()
            return device.may_forget(n, len(parts))
        state.handed = n + 1
    return device.may_forget(state.handed, len(parts))


def _parts(device: Device) -> list[Part]:
    log = [device.state.log[seq] for seq in sorted(device.state.log)]
    photos = {name: body for name, body in device.state.photos.items() if body}
    return [
        *(("log", {"entries": log[at : at + SLICE]}) for at in range(0, len(log), SLICE)),
        *(
            ("media", {"meta": {"sha256": name}, "body": base64.b64encode(body).decode()})
            for name, body in photos.items()
        ),
        ("end", {"entries": len(log), "media": len(photos)}),
    ]


def _locked_parts(device: Device, keys: FederationKeys) -> list[Part]:
    """Return the store as it lies on the disk: nobody there has the key of its records."""
    parts, key = [], bytes(range(32))
    for kind, plain in _parts(device):
        if kind == "log":
            rows = [
                {"seq": one["seq"], "body": _kept(key, "log", one["seq"], json.dumps(one).encode())}
                for one in plain["entries"]
            ]
            parts.append(("store", {"store": "log", "records": rows}))
        elif kind == "media":
            name, body = plain["meta"]["sha256"], base64.b64decode(plain["body"])
            meta = _kept(key, "media", name, json.dumps(plain["meta"]).encode())
            row = {"k": name, "meta": meta, "body": _kept(key, "media_bytes", name, body)}
            parts.append(("store", {"store": "media", "records": [row]}))
        else:
            parts.append((kind, plain))
    parts[0][1]["data_key"] = sealed(key, str(keys.public()))
    return parts


def _kept(key: bytes, store: str, name: str | int, plain: bytes) -> str:
    """Return a record as it lies on a tablet's disk, bound to its place there."""
    iv = os.urandom(12)
    kept = AESGCM(key).encrypt(iv, plain, f"{store}|{name}|1".encode())
    return base64.b64encode(b"\1" + iv + kept).decode()


def parts_here() -> dict[tuple[UUID, UUID, int], dict[str, str]]:
    """Return what the office has of hand-ins, those under way too: each part as it was sealed."""
    rows = HandInPart.objects.values_list("hand_in", "said_replica", "n", "sealed")
    return {(hand_in, replica, n): sealed for hand_in, replica, n, sealed in rows}


def handed_in() -> dict[str, str]:
    """Open every hand-in that came to its end; return its evaluations and their remarks."""
    ended = HandInPart.objects.filter(kind="end").values_list("hand_in", flat=True)
    found: dict[str, str] = {}
    for number in sorted(set(ended)):
        found |= _evaluations(number)
    return found


def _evaluations(number: UUID) -> dict[str, str]:
    keys = FederationKeys(settings.OUTREACH_KEYS_DIR)
    parts = list(opened(number, keys))
    check("hand-in", [n for n, _, _ in parts] == list(range(len(parts))), "a part is missing")
    entries = [one for _, kind, plain in parts for one in _entries_of(kind, plain)]
    media = [one for _, kind, plain in parts for one in _media_of(kind, plain)]
    for one in media:
        whole = hashlib.sha256(base64.b64decode(one["body"])).hexdigest()
        check("hand-in", whole == one["meta"]["sha256"], "a photo was changed")
    [end] = [plain for _, kind, plain in parts if kind == "end"]
    told = {"entries": len(entries), "media": len(media)}
    check("hand-in", end == told, f"{end} was handed in, {told} opened")
    said = [one["args"] for one in entries if one["name"] == "submit_evaluation"]
    return {args["evaluation"]: args["remark"] for args in said if "evaluation" in args}


def records_of(number: UUID) -> list[dict[str, Any]]:
    """Return the records of a hand-in as far as it came, in the order of their log."""
    parts = opened(number, FederationKeys(settings.OUTREACH_KEYS_DIR))
    found = [one for _, kind, plain in parts for one in _entries_of(kind, plain)]
    return sorted(found, key=lambda one: int(one["seq"]))


def pictures_of(number: UUID) -> set[str]:
    """Return the names of the pictures of a hand-in, as far as it came."""
    parts = opened(number, FederationKeys(settings.OUTREACH_KEYS_DIR))
    return {one["meta"]["sha256"] for _, kind, plain in parts for one in _media_of(kind, plain)}


def _entries_of(kind: str, plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if kind == "log":
        yield from plain["entries"]
    elif kind == "store" and plain["store"] == "log":
        yield from (one["content"] for one in plain["records"])


def _media_of(kind: str, plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if kind == "media":
        yield plain
    elif kind == "store" and plain["store"] == "media":
        yield from plain["records"]
