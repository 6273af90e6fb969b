"""What a person makes of a hand-in: look, take it in as tablets are heard, or set it aside."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from mobile_api.chain import NotCanonical, canonical
from mobile_api.disputes import StandsOtherwise
from mobile_api.federation import FederationKeys
from mobile_api.handin import opened
from mobile_api.models import Decision, HandInPart, HandInVerdict, Replica
from mobile_api.mutators import Context
from mobile_api.photos import PictureReceiver
from mobile_api.problems import Problem
from mobile_api.push import admit, heard_of
from mobile_api.tus.blobs import Blobs
from mobile_api.wire import Mutation
from outreach.actions.audit import record
from outreach.domain.vocabulary import Role
from outreach.files import files
from outreach.models import User
from outreach.rules import Refused

_REPLICAS = UUID("5c0f7f0e-3f0a-5c6e-9a3f-0d6f0b6f4a11")
#: So many records are decided in a handful of statements.
BATCH = 500
#: No log counts further: the last whole number that JavaScript counts to.
MOST = 2**53 - 1


@dataclass
class Contents:
    """What a hand-in holds: the log's records in order, and how much else there is."""

    mutations: list[Mutation] = field(default_factory=list)
    #: Ids of those that the register has already.
    here: set[UUID] = field(default_factory=set)
    drafts: int = 0
    pictures: int = 0
    unreadable: int = 0

    @property
    def fresh(self) -> list[Mutation]:
        """The records that the register lacks."""
        return [one for one in self.mutations if one.id not in self.here]


def hand_ins_for(user: User) -> QuerySet[Any]:
    """Return the hand-ins of the tablets of the user's division, each as its first part.

    With `parts` that arrived, whether it `is_whole`, and what was `decided`; three subqueries
    whatever their number.
    """
    same = HandInPart.objects.filter(
        hand_in=OuterRef("hand_in"), said_replica=OuterRef("said_replica")
    )
    counted = same.order_by().values("hand_in").annotate(count=Count("pk")).values("count")
    verdict = HandInVerdict.objects.filter(
        hand_in=OuterRef("hand_in"), said_replica=OuterRef("said_replica")
    )
    rows = HandInPart.objects.filter(
        ~Exists(same.filter(n__lt=OuterRef("n"))),
        replica__device__user__division__code__startswith=user.division.code,
    )
    return rows.defer("sealed").annotate(
        parts=Subquery(counted, output_field=IntegerField()),
        is_whole=Exists(same.filter(kind="end")),
        decided=Coalesce(Subquery(verdict.values("decision")[:1]), Value("")),
    )


def verdict_on(first: HandInPart) -> HandInVerdict | None:
    """Return what was decided about a hand-in."""
    rows = HandInVerdict.objects.filter(hand_in=first.hand_in, said_replica=first.said_replica)
    return rows.select_related("decided_by").first()


def look_into(
    first: HandInPart,
    keys: FederationKeys,
    see: Callable[[str, str | None], None] = lambda _sha256, _body: None,
) -> Contents:
    """Return what a hand-in holds; each picture is shown to `see`, one at a time, in passing.

    Raises `CannotOpen`, or `NoKey`.
    """
    found = Contents()
    for kind, thing in _things(first, keys):
        if kind == "entry" and (mutation := _mutation(thing)):
            found.mutations.append(mutation)
        elif kind == "draft":
            found.drafts += 1
        elif kind == "picture":
            found.pictures += 1
            see(*thing)
        else:
            found.unreadable += 1
    found.mutations = _once(found.mutations)
    assert first.replica is not None
    found.here = heard_of(first.replica.device_id, found.mutations)
    return found


def decide(
    first: HandInPart,
    decision: Decision,
    *,
    reason: str,
    keys: FederationKeys,
    by: User,
    at: datetime,
) -> HandInVerdict:
    """Take a hand-in in as if its tablet had sent it, or set it aside; with a written reason.

    Taken in, its records are applied, or become disputes, as those of any tablet; what the register
    has already is left alone. Either way its parts stay. Raises `Refused`, `CannotOpen`, `NoKey`,
    the disk's `OSError`, and then nothing is decided.
    """
    if by.role != Role.ADMINISTRATOR or not hand_ins_for(by).filter(pk=first.pk).exists():
        raise Refused("not-your-step", _("Only an administrator of the area decides hand-ins."))
    if not reason.strip():
        raise Refused("reason-missing", _("Write the reason of your decision."))
    looked = _keep_pictures(first, keys, at) if decision == Decision.ACCEPTED else None
    with transaction.atomic():
        HandInPart.objects.select_for_update().get(pk=first.pk)
        if verdict_on(first):
            raise Refused("decided-already", _("This was decided already; load the page again."))
        told = _take_in(first, looked, at) if looked else {}
        verdict = HandInVerdict.objects.create(
            hand_in=first.hand_in,
            said_replica=first.said_replica,
            decision=decision,
            reason=reason.strip(),
            told=told,
            decided_by=by,
            decided_at=at,
        )
        detail = {"receipt": str(first.hand_in), "reason": verdict.reason, "told": told}
        record(f"handin.{decision}", [first], by=by, at=at, detail=detail)
    return verdict


@dataclass(frozen=True)
class _Looked:
    """What a hand-in held when it was looked into, of so many parts, its pictures kept by now."""

    parts: int
    contents: Contents
    told: Counter[str]


def _keep_pictures(first: HandInPart, keys: FederationKeys, at: datetime) -> _Looked:
    """Keep the pictures before anything is held: there may be a thousand, and a slow store.

    What is kept of a hand-in that is not taken in after all goes as any file that nothing names.
    """
    parts, told = _parts_of(first).count(), Counter[str]()
    receiver = PictureReceiver(settings.OUTREACH_MAX_PHOTO_PIXELS, lambda: at)

    def keep(sha256: str, body: str | None) -> None:
        told["picture" if _keep(sha256, body, receiver) else "no_picture"] += 1

    return _Looked(parts, look_into(first, keys, keep), told)


def _take_in(first: HandInPart, looked: _Looked, at: datetime) -> dict[str, int]:
    """Hear the records; return how many became what. The caller holds the hand-in."""
    assert first.replica is not None
    if _parts_of(first).count() != looked.parts:  # its tablet went on meanwhile
        raise StandsOtherwise
    device, contents, told = first.replica.device_id, looked.contents, looked.told
    # Exchanges of the tablet wait from here on, and look then for what was heard here.
    Replica.objects.filter(device=device).update(handed_in_at=at)
    contents.here = heard_of(device, contents.mutations)
    told["here"] += len(contents.mutations) - len(contents.fresh)
    told["unreadable"] += contents.unreadable
    told.update(_hear(first, contents.fresh, at))
    return {name: count for name, count in sorted(told.items()) if count}


def _parts_of(first: HandInPart) -> QuerySet[HandInPart]:
    return HandInPart.objects.filter(hand_in=first.hand_in, said_replica=first.said_replica)


def _hear(first: HandInPart, fresh: Sequence[Mutation], at: datetime) -> Iterator[str]:
    assert first.replica is not None
    device = first.replica.device
    if not fresh:
        return
    replica = Replica.objects.create(
        id=own_replica(first),
        device=device,
        chain=fresh[0].chain,
        created_at=at,
    )
    context = Context(device.user, at)
    for start in range(0, len(fresh), BATCH):
        for told in admit(replica, device, fresh[start : start + BATCH], context):
            yield told.outcome


def own_replica(of: HandInPart | HandInVerdict) -> UUID:
    """Return the id of the replica under which the records of a hand-in are heard."""
    return uuid5(_REPLICAS, f"{of.hand_in}/{of.said_replica}")


def _things(first: HandInPart, keys: FederationKeys) -> Iterator[tuple[str, Any]]:
    """Yield each thing of a hand-in with its kind: entry, draft, picture, or what it is not."""
    for _n, kind, plain in opened(first.hand_in, keys, first.said_replica):
        try:
            yield from _of_part(kind, plain)
        except (KeyError, TypeError, AttributeError):
            yield "unreadable", None


def _of_part(kind: str, plain: Any) -> Iterator[tuple[str, Any]]:
    if kind == "log":
        yield from (("entry", one) for one in plain["entries"])
    elif kind == "drafts":
        yield from (("draft", name) for name in plain["drafts"])
    elif kind == "media":
        yield "picture", (plain["meta"]["sha256"], plain.get("body"))
    elif kind == "store" and plain["store"] in ("log", "drafts", "media"):
        yield from (_of_record(plain["store"], one) for one in plain["records"])


def _of_record(store: str, record: dict[str, Any]) -> tuple[str, Any]:
    if "sealed" in record:
        return "unreadable", None
    if store == "log":
        return "entry", record["content"]
    if store == "drafts":
        return "draft", record["key"]
    return "picture", (record["meta"]["sha256"], record.get("body"))


def _mutation(said: Any) -> Mutation | None:
    try:
        found = Mutation.model_validate(said)
        canonical({**vars(found), "id": str(found.id)})
    except (ValidationError, NotCanonical):
        return None
    return found if found.seq <= MOST else None


def _once(mutations: Sequence[Mutation]) -> list[Mutation]:
    """Keep the first of each number, in the order of the log."""
    by_seq: dict[int, Mutation] = {}
    for one in mutations:
        by_seq.setdefault(one.seq, one)
    return [by_seq[seq] for seq in sorted(by_seq)]


def _keep(sha256: str, body: str | None, receiver: PictureReceiver) -> bool:
    """Keep a picture that is what its name says; tell whether it is here now."""
    if not body:
        return False
    blobs = Blobs(files())
    try:
        content = base64.b64decode(body, validate=True)
        found = blobs.take(content, sha256, lambda file: receiver.examine(file, ""))
        receiver.register(sha256, partial(blobs.verified, sha256), found)
    except (ValueError, Problem):
        return False
    return True
