"""Hand-in: what a stopped, forked or locked tablet still holds, sealed, part by part.

Parts are kept as they came (quarantine); the first of each number counts, because a tablet that
lost an answer seals anew. Nothing here is applied by itself: a person opens it. A part is taken
only after those before it: the receipt for the last one makes the tablet forget, and so each lies
among the files as well before it is receipted. A tablet that the register does not know is heard
too, and a locked one without a signature, as far as the room for such tablets goes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum

from mobile_api import handed
from mobile_api.chain import canonical_json, is_signed
from mobile_api.federation import FederationKeys, open_record
from mobile_api.models import HandInPart, HandInVerdict, Replica
from mobile_api.problems import Problem
from mobile_api.wire import HandInIn
from outreach.actions.audit import record
from outreach.files import files
from outreach.models import User
from outreach.sealing import SealBroken

LOCKED = "locked"


@transaction.atomic
def take(part: HandInIn, *, at: datetime) -> tuple[HandInPart, bool]:
    """Keep a part, as a row and as a file; return it, and whether it is new.

    All but a locked tablet, and one whose key nobody knows, sign with the key they were enrolled
    with. Raises `Problem`: `hand-in-anew` where a part could not be heard with the others; and the
    disk's `OSError`, with nothing kept.
    """
    replica = _named(part)
    if replica:
        _check_signature(part, bytes(replica.device.public_key))
    parts = HandInPart.objects.filter(hand_in=part.hand_in, said_replica=part.replica)
    if not parts.filter(n=part.n).exists():
        if not replica or part.reason == LOCKED:
            _check_room(part, replica)
        _check_whole(part, parts)
    row, is_new = _enter(part, replica, by=replica.device.user if replica else None, at=at)
    if is_new:
        # By now nobody else keeps this part. A cut before the commit leaves a file alone, which the
        # tablet, told nothing, has put in its place anew.
        handed.keep(part, at, files())
    return row, is_new


def reapply(lost: list[str]) -> int:
    """Enter what was handed in after the backup, as it came; return of how many hand-ins.

    It waits at the desk, where what was decided about it is gone with the rest. So does what came
    while the register did not know its tablet, which it does by now. To `lost` come the files that
    the disk does not read.
    """
    found = {(row.hand_in, row.said_replica) for row in _claimed()}
    for one in handed.beyond(files(), lost):
        _row, is_new = _enter(one.part, _signer(one.part), by=None, at=one.received_at)
        if is_new:
            found.add((one.part.hand_in, one.part.replica))
    return len(found)


def _claimed() -> Iterator[HandInPart]:
    """Give its tablet each part that came from nobody known, and was signed by it."""
    known = Replica.objects.values("pk")
    rows = HandInPart.objects.filter(replica=None, said_replica__in=known).defer("sealed")
    for row in list(rows):
        with suppress(FileNotFoundError, SealBroken, ValueError):
            row.replica = _signer(handed.read(handed.name_of(row), files()).part)
        if row.replica:
            row.save(update_fields=["replica"])
            yield row


def _enter(
    part: HandInIn, replica: Replica | None, *, by: User | None, at: datetime
) -> tuple[HandInPart, bool]:
    row, is_new = HandInPart.objects.get_or_create(
        hand_in=part.hand_in,
        n=part.n,
        said_replica=part.replica,
        defaults={
            "replica": replica,
            "size": _size(part),
            "of": part.of,
            "reason": part.reason,
            "kind": part.kind,
            "sealed": part.sealed,
            "said_at": part.at,
            "received_at": at,
        },
    )
    if is_new and part.kind == "end":
        record("device.hand_in", [replica.device if replica else row], by=by, at=at)
    return row, is_new


def _size(part: HandInIn) -> int:
    return len(json.dumps(part.sealed))


def _named(part: HandInIn) -> Replica | None:
    """Return the replica that a part names, where the register knows it."""
    return Replica.objects.select_related("device__user").filter(pk=part.replica).first()


def _signer(part: HandInIn) -> Replica | None:
    """Return the replica that a part names, where it is that tablet's part."""
    replica = _named(part)
    try:
        if replica:
            _check_signature(part, bytes(replica.device.public_key))
    except Problem:
        return None
    return replica


def _check_room(part: HandInIn, replica: Replica | None) -> None:
    """Keep what nobody signed from filling the disk.

    Who is not known shares one room; each locked tablet has its own, which no stranger takes up.
    """
    unsigned = HandInPart.objects.filter(replica=replica)
    if replica:
        unsigned = unsigned.filter(reason=LOCKED)
    taken = unsigned.aggregate(taken=Sum("size"))["taken"] or 0
    if taken + _size(part) > settings.OUTREACH_UNKNOWN_HAND_IN_BYTES:
        raise Problem("no-room", "for what no key of a tablet has signed")


def _check_whole(part: HandInIn, parts: QuerySet[HandInPart]) -> None:
    """Refuse what would never be heard: a part of what is decided, or one without those before it.

    Somebody may decide what a cut has left, and a restore may take the first parts away.
    """
    parts.select_for_update().order_by("n").values_list("pk").first()  # nobody decides meanwhile
    if HandInVerdict.objects.filter(hand_in=part.hand_in, said_replica=part.replica).exists():
        raise Problem("hand-in-anew", "what came before was decided already")
    if parts.filter(n__lt=part.n).count() < part.n:
        raise Problem("hand-in-anew", "parts before this one are missing")


def _check_signature(part: HandInIn, der: bytes) -> None:
    if part.reason == LOCKED:
        return
    key = cast(ec.EllipticCurvePublicKey, load_der_public_key(der))
    said = canonical_json(part.model_dump(mode="json", exclude={"sig"}))
    if not is_signed(key, said, part.sig):
        raise Problem("bad-signature")


def opened(
    hand_in: UUID, keys: FederationKeys, said_replica: UUID | None = None
) -> Iterator[tuple[int, str, Any]]:
    """Yield number, kind and plain content of each part that arrived, in order.

    Of those that named one replica, where it is given. The records of a locked tablet come with
    their content opened; one that was damaged on its disk comes as it lay there, and so does a part
    that is made like no other. Raises `CannotOpen`.
    """
    data_key = b""
    parts = HandInPart.objects.filter(hand_in=hand_in)
    if said_replica:
        parts = parts.filter(said_replica=said_replica)
    for part in parts.order_by("n").iterator(chunk_size=20):
        plain = _read(keys.open(part.sealed))
        if part.kind == "store":
            # No key signs what a locked tablet says: what is odd in it hides nothing beside it.
            with suppress(AttributeError, LookupError, TypeError, ValueError):  # CannotOpen too
                if plain.get("data_key"):
                    data_key = keys.open(plain["data_key"])
            with suppress(LookupError, TypeError):
                plain = {**plain, "records": [_record(data_key, plain["store"], row)
                                              for row in plain["records"]]}  # fmt: skip
        yield part.n, part.kind, plain


def _read(plain: bytes) -> Any:
    try:
        return json.loads(plain)
    except (ValueError, RecursionError):
        return None


def _record(data_key: bytes, store: str, row: Any) -> dict[str, Any]:
    """Return a record with its content opened; a torn one says so, and hides no other."""
    key = row.get("k", row.get("seq")) if isinstance(row, dict) else None
    try:
        return {"key": key, **_content(data_key, store, key, row)}
    except (LookupError, TypeError, ValueError):  # CannotOpen too
        return {"key": key, "sealed": row}


def _content(data_key: bytes, store: str, key: Any, row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if store == "media":
        meta = base64.b64decode(row["meta"])
        found["meta"] = open_record(data_key, "media", key, meta)
        if row.get("body"):
            body = open_record(data_key, "media_bytes", key, base64.b64decode(row["body"]))
            found["body"] = base64.b64encode(body).decode()
    elif key != "device_key":
        found["content"] = open_record(data_key, store, key, base64.b64decode(row["body"]))
    return found
