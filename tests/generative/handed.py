"""What tablets handed in, as the federation's key opens it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from uuid import UUID

from django.conf import settings

from mobile_api.federation import FederationKeys
from mobile_api.handin import opened
from mobile_api.models import HandInPart
from tests.generative.device import Device
from tests.generative.promises import check
from tests.generative.speaking import post
from tests.mobile_api.handing_in import signed_part

#: Entries of the log in one part.
SLICE = 3
_REASONS = {"sign_in": "unknown"}


def hand_in(device: Device, room: int | None = None) -> bool:
    """Hand in part by part, at most `room` of them; tell whether the tablet may forget.

    The answer to the last of them is lost where the line gives no more room.
    """
    state = device.state
    parts = _parts(device)
    device.begin_hand_in()
    begun = state.handed
    for n in range(begun, len(parts)):
        kind, plain = parts[n]
        changes = {"n": n, "of": len(parts), "kind": kind, "hand_in": state.handing}
        reason = _REASONS.get(str(state.halt), state.halt)
        keys = FederationKeys(settings.OUTREACH_KEYS_DIR)
        body = signed_part(device.key, state.replica, keys, plain, reason=reason, **changes)
        status, answer = post("/api/v1/hand-in", body)
        check("hand-in", status in (200, 201), f"{device.name} was turned away: {status} {answer}")
        if room is not None and n - begun + 1 >= room and n + 1 < len(parts):
            device.save()
            return device.may_forget(n, len(parts))
        state.handed = n + 1
    return device.may_forget(state.handed, len(parts))


def _parts(device: Device) -> list[tuple[str, dict[str, Any]]]:
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
    entries = [one for _, kind, plain in parts if kind == "log" for one in plain["entries"]]
    media = [plain for _, kind, plain in parts if kind == "media"]
    for one in media:
        whole = hashlib.sha256(base64.b64decode(one["body"])).hexdigest()
        check("hand-in", whole == one["meta"]["sha256"], "a photo was changed")
    [end] = [plain for _, kind, plain in parts if kind == "end"]
    told = {"entries": len(entries), "media": len(media)}
    check("hand-in", end == told, f"{end} was handed in, {told} opened")
    said = [one["args"] for one in entries if one["name"] == "submit_evaluation"]
    return {args["evaluation"]: args["remark"] for args in said if "evaluation" in args}
