"""The way in: a stretch of a replica's ordered log is taken in exactly once, in one transaction."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Any, cast
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ValidationError

from mobile_api.chain import ZERO, NotCanonical, canonical, canonical_json, is_signed, link
from mobile_api.disputes import places_of
from mobile_api.models import Decision, Device, Dispute, LedgerEntry, Outcome, Replica
from mobile_api.mutators import MUTATORS, Conflict, Context, Mutator, OutOfScope
from mobile_api.problems import Problem
from mobile_api.upcasting import upcast
from mobile_api.wire import (
    CorrectContact,
    MoveVisit,
    Mutation,
    Nominate,
    OutcomeOut,
    PushIn,
    ScheduleVisit,
)
from outreach.actions.holding import hold_diaries_of, hold_named, hold_residents
from outreach.actions.photos import ask_again
from outreach.domain.identity import (
    MalformedIdNumber,
    MalformedName,
    MalformedTelephone,
    parse_id_number,
)
from outreach.models import KeptUpdate, Slot, insert
from outreach.rules import Refused, plainly

log = logging.getLogger(__name__)

_SHA256 = re.compile("[0-9a-f]{64}")
#: Refusals of facts that are kept for a person to decide, rather than declined.
_CONFLICTS = {
    *("visit-moved-on", "visit-open", "open-application", "before-nomination"),
    *("known-otherwise", "reached-otherwise"),
}
#: The author's role is another one by now; they may have done it while it was theirs to do.
_PARKED = {"not-your-step"}
#: What waits for a person.
_TO_DECIDE = frozenset({Outcome.REFUSED, Outcome.CONFLICT, Outcome.PARKED})
_OTHERWISE = _("Under this number the register has other words; compare both and decide.")


@dataclass
class _Said:
    """A mutation on its way to its outcome."""

    mutation: Mutation
    body: bytes
    version: int = 0
    args: BaseModel | None = None
    outcome: Outcome = Outcome.APPLIED
    code: str = ""
    message: str = ""
    media: list[str] = field(default_factory=list)

    def settle(self, outcome: Outcome, code: str, message: object) -> None:
        self.outcome, self.code = outcome, code
        self.message = str(message).replace("\0", "")[:300]


def push(replica: Replica, device: Device, body: PushIn, context: Context) -> list[OutcomeOut]:
    """Take in what is new of `body`, answer what was taken in before, all in one transaction.

    The caller holds the replica's row lock. Raises `Problem` gap (mutations are missing in
    between) or fork (another history under the same numbers); a business refusal is an outcome.
    """
    _check_run(replica, body)
    said = [_Said(mutation, _canonical(mutation)) for mutation in body.mutations]
    known = _known(replica, body)
    _check_chain(replica, body, said, known)
    fresh = [one for one in said if one.mutation.seq > replica.last_seq]
    _decide(fresh, replica, device, context)
    disputes = _write(replica, fresh, context)
    return [*_repeated(body.mutations, known, replica), *_told(fresh, disputes)]


def admit(
    replica: Replica, device: Device, mutations: Sequence[Mutation], context: Context
) -> list[OutcomeOut]:
    """Take in records of a hand-in that a person accepted, into a replica of their own.

    As `push`, signatures and all, but for the chain: what a stopped, forked or damaged tablet still
    holds need not follow on what the register has. Raises `Problem` for what has no canonical form.
    """
    said = [_Said(mutation, _canonical(mutation)) for mutation in mutations]
    _decide(said, replica, device, context)
    return list(_told(said, _write(replica, said, context)))


def _canonical(mutation: Mutation) -> bytes:
    try:
        return canonical({**vars(mutation), "id": str(mutation.id)})
    except NotCanonical as error:
        raise Problem(
            "malformed", f"push.mutations: {mutation.seq} has no canonical form"
        ) from error


def _check_run(replica: Replica, body: PushIn) -> None:
    expected = range(body.first, body.first + len(body.mutations))
    if [mutation.seq for mutation in body.mutations] != list(expected):
        raise Problem("malformed", "push.mutations: seq must run on from push.first without holes")
    if body.first > replica.last_seq + 1:
        extra = {"last_seq": replica.last_seq, "chain": replica.chain}
        raise Problem("gap", f"the next one expected is {replica.last_seq + 1}", extra)


def _known(replica: Replica, body: PushIn) -> dict[int, LedgerEntry]:
    """Return the ledger rows from the one before `first` on."""
    if body.first > replica.last_seq:
        return {}
    rows = replica.ledger.filter(
        seq__gte=body.first - 1, seq__lt=body.first + len(body.mutations)
    ).defer("args")
    return {row.seq: row for row in rows}


def _check_chain(
    replica: Replica, body: PushIn, said: Sequence[_Said], known: dict[int, LedgerEntry]
) -> None:
    """Refuse another payload under a number that was taken in (I11: a cloned database)."""
    value = body.prev_chain
    if body.first == replica.last_seq + 1:
        before = replica.chain
    else:
        before = known[body.first - 1].chain if body.first > 1 else ZERO
    extra = {"last_seq": replica.last_seq, "chain": replica.chain}
    if value != before:
        raise Problem("fork", f"prev_chain differs before {body.first}", extra)
    for one in said:
        mutation = one.mutation
        value = link(value, one.body)
        if mutation.chain != value:
            raise Problem("fork", f"the chain breaks at {mutation.seq}", extra)
        if mutation.seq in known and known[mutation.seq].chain != value:
            raise Problem("fork", f"{mutation.seq} was taken in with other content", extra)


def _decide(fresh: Sequence[_Said], replica: Replica, device: Device, context: Context) -> None:
    key = _key(bytes(device.public_key))
    for said in fresh:
        _read(said, key)
    if replica.handed_in_at:
        fresh = _unheard(fresh, device)
    runs = [
        (MUTATORS[kind], ready)
        for kind, run in groupby(fresh, key=lambda said: (said.mutation.name, said.version))
        if (ready := [said for said in run if said.args is not None])
    ]
    if len(runs) > 1:
        _hold([said for _mutator, ready in runs for said in ready])
    for mutator, ready in runs:
        _run(mutator, ready, context)
    if repeated := [said for said in fresh if said.outcome is Outcome.DUPLICATE]:
        _compare(repeated, fresh, device)


@lru_cache(maxsize=1_024)
def _key(der: bytes) -> ec.EllipticCurvePublicKey:
    return cast(ec.EllipticCurvePublicKey, load_der_public_key(der))


def _read(said: _Said, key: ec.EllipticCurvePublicKey) -> None:
    mutation = said.mutation
    said.version, args = upcast(mutation.name, mutation.v, mutation.args)
    mutator = MUTATORS.get((mutation.name, said.version))
    said.media = _declared(mutation.args)
    if not is_signed(key, said.body, mutation.sig):
        said.settle(Outcome.REFUSED, "bad-signature", _("This record is not signed by the tablet."))
    elif mutator is None:
        said.settle(Outcome.PARKED, "unknown-mutation", _("The server does not know this yet."))
    else:
        try:
            said.args = mutator.shape.model_validate(args)
        except ValidationError as error:
            fields = ", ".join(sorted({_where(item["loc"]) for item in error.errors()}))
            message = _("The record is incomplete: %(fields)s.") % {"fields": fields}
            said.settle(Outcome.REFUSED, "malformed", message)


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _declared(args: dict[str, Any]) -> list[str]:
    """Return the SHA-256 of every file a mutation declares, whatever becomes of the mutation."""
    media = args.get("media")
    entries = media if isinstance(media, list) else []
    named = [entry.get("sha256") for entry in entries if isinstance(entry, dict)]
    return [name for name in named if isinstance(name, str) and _SHA256.fullmatch(name)]


def _run(mutator: Mutator[Any], batch: Sequence[_Said], context: Context) -> None:
    """Apply a run of one kind at once; where one is refused, halve until it stands alone.

    What exists already makes a run fail; only then is it looked for.
    """
    try:
        with transaction.atomic(), plainly():
            mutator.run([said.args for said in batch], context)
    except OperationalError:
        raise  # the database is busy or gone: nothing of the exchange is applied
    except Exception as error:
        rest = _drop_known(mutator, batch)
        if len(rest) == len(batch) == 1:
            _settle(batch[0], error)
            return
        _hold(rest)
        middle = len(rest) // 2 if len(rest) == len(batch) else 0
        for part in (rest[:middle], rest[middle:]):
            if part:
                _run(mutator, part, context)


def _hold(batch: Sequence[_Said]) -> None:
    """Hold all that the records name at once: run by run it would be held in another order."""
    said = [one.args for one in batch]
    hold_named(_named(said, "visit"), _named(said, "application"))
    if booking := [args for args in said if isinstance(args, (ScheduleVisit, MoveVisit))]:
        hold_diaries_of(_named(booking, "visit"), _named(booking, "application"))
    reached = [args for args in said if isinstance(args, CorrectContact)]
    numbers = [args.resident.id_number for args in said if isinstance(args, Nominate)]
    if reached or numbers:
        hold_residents(_well_formed(numbers), _named(reached, "application"))


def _named(said: Iterable[BaseModel | None], name: str) -> set[UUID]:
    return {one for args in said if isinstance(one := getattr(args, name, None), UUID)}


def _well_formed(numbers: Iterable[str]) -> Iterator[str]:
    for number in numbers:
        with suppress(MalformedIdNumber):  # it is refused when its turn comes
            yield parse_id_number(number).value


def _drop_known(mutator: Mutator[Any], batch: Sequence[_Said]) -> list[_Said]:
    """Answer `duplicate` where the thing exists already, said by this replica or an earlier one."""
    rest = []
    for said, is_known in zip(batch, mutator.known([said.args for said in batch]), strict=True):
        if is_known:
            said.settle(Outcome.DUPLICATE, "known", "")
        else:
            rest.append(said)
    return rest


def _compare(repeated: Sequence[_Said], fresh: Sequence[_Said], device: Device) -> None:
    """Let only the same words count as said before; others are kept for a person to decide.

    A copied draft, and a corrected copy, carry the number of a record that may stand by now.
    """
    before = {_words(said.mutation) for said in fresh if said.outcome is Outcome.APPLIED}
    if not all(_words(said.mutation) in before for said in repeated):
        before.update(map(_words, _said_of(repeated, device).iterator()))
    for said in repeated:
        if _words(said.mutation) not in before:
            said.settle(Outcome.CONFLICT, "said-otherwise", _OTHERWISE)


def _said_of(repeated: Sequence[_Said], device: Device) -> QuerySet[LedgerEntry]:
    """Return what the device's user may have said of the same records that stands, not their years.

    What made a record came in at the moment at which it was made, or was accepted by a person
    later. What waits for one, or was set aside, stands nowhere.
    """
    moments = set[datetime]()
    for kind, some in groupby(repeated, key=lambda said: (said.mutation.name, said.version)):
        moments |= MUTATORS[kind].made_at([said.args for said in some])
    accepted = Dispute.objects.filter(
        replica=OuterRef("replica"), seq=OuterRef("seq"), decision=Decision.ACCEPTED
    )
    return LedgerEntry.objects.filter(
        Q(received_at__in=moments, outcome=Outcome.APPLIED)
        | Q(Exists(accepted), outcome__in=_TO_DECIDE),
        replica__device__user=device.user_id,
        name__in={said.mutation.name for said in repeated},
    ).only("name", "args")


def _unheard(fresh: Sequence[_Said], device: Device) -> list[_Said]:
    """Answer `duplicate` for what a hand-in brought already, and return the rest.

    Its tablet may come back, and sends the same records: the same signature under the same number.
    What became of them there, or waits for a person, stands.
    """
    signed = [said for said in fresh if said.code != "bad-signature"]
    heard = heard_of(device.pk, [said.mutation for said in signed])
    for one in signed:
        if one.mutation.id in heard:
            one.settle(Outcome.DUPLICATE, "known", "")
    return [one for one in fresh if one.outcome is not Outcome.DUPLICATE]


def heard_of(device: UUID, mutations: Sequence[Mutation]) -> set[UUID]:
    """Return the ids that the register has of this tablet, word for word: one query.

    A signature is made once, with chance in it: the same one stands under the same record only.
    """
    signed = {one.id: one.sig for one in mutations}
    rows = LedgerEntry.objects.filter(replica__device=device, mutation_id__in=list(signed))
    said = rows.values_list("mutation_id", "signature")
    return {pk for pk, signature in said if signed[pk] == signature}


def _words(said: Mutation | LedgerEntry) -> tuple[str, bytes]:
    """Return what is said, without which record it corrects."""
    words = {name: value for name, value in said.args.items() if name != "corrects"}
    return said.name, canonical_json(words)


def _settle(said: _Said, error: Exception) -> None:
    if isinstance(error, OutOfScope) or (isinstance(error, Refused) and error.code in _PARKED):
        said.settle(Outcome.PARKED, error.code, error.message)
    elif isinstance(error, Conflict) or (isinstance(error, Refused) and error.code in _CONFLICTS):
        said.settle(Outcome.CONFLICT, error.code, error.message)
    elif isinstance(error, Refused):
        said.settle(Outcome.REFUSED, error.code, error.message)
    elif isinstance(error, (MalformedIdNumber, MalformedName, MalformedTelephone)):
        said.settle(Outcome.REFUSED, "malformed", str(error))
    else:
        log.error("mutation %s could not be applied", said.mutation.id, exc_info=error)
        said.settle(
            Outcome.PARKED, "unexpected", _("The server could not apply this; the office decides.")
        )


@KeptUpdate
def _advance(
    replica: Slot, last_seq: Slot, chain: Slot
) -> tuple[QuerySet[Replica], dict[str, Any]]:
    return Replica.objects.filter(pk=replica), {"last_seq": last_seq, "chain": chain}


def _write(replica: Replica, fresh: Sequence[_Said], context: Context) -> dict[int, UUID]:
    insert(
        LedgerEntry,
        (
            {
                "seq": said.mutation.seq,
                "mutation_id": said.mutation.id,
                "name": said.mutation.name.replace("\0", ""),
                "version": said.mutation.v,
                "chain": said.mutation.chain,
                "said_at": said.mutation.at.replace("\0", ""),
                "args": said.mutation.args,
                "signature": said.mutation.sig.replace("\0", ""),
                "media": said.media,
                "awaits_media": bool(said.media),
                "outcome": said.outcome.value,
                "code": said.code,
                "message": said.message,
                "corrects": getattr(said.args, "corrects", None),
            }
            for said in fresh
        ),
        replica_id=replica.pk,
        received_at=context.at,
    )
    if needed := [name for one in fresh if one.outcome is Outcome.APPLIED for name in one.media]:
        ask_again(needed)
    disputes = list(_disputes(replica, fresh, context.at))
    if disputes:
        Dispute.objects.bulk_create(disputes)
    if fresh:
        replica.last_seq, replica.chain = fresh[-1].mutation.seq, fresh[-1].mutation.chain
        _advance(replica=replica.pk, last_seq=replica.last_seq, chain=replica.chain)
    return {dispute.seq: dispute.pk for dispute in disputes}


def _disputes(replica: Replica, fresh: Sequence[_Said], at: datetime) -> Iterator[Dispute]:
    waiting = [said for said in fresh if said.outcome in _TO_DECIDE]
    places = places_of([said.args for said in waiting])
    for said, place in zip(waiting, places, strict=True):
        yield Dispute(
            replica=replica,
            seq=said.mutation.seq,
            outcome=said.outcome,
            code=said.code,
            raised_at=at,
            division_code=place,
        )


def _repeated(
    mutations: Sequence[Mutation], known: dict[int, LedgerEntry], replica: Replica
) -> Iterator[OutcomeOut]:
    rows = [known[mutation.seq] for mutation in mutations if mutation.seq in known]
    if not rows:
        return
    disputes = dict(
        replica.disputes.filter(seq__in=[row.seq for row in rows]).values_list("seq", "pk")
    )
    for row in rows:
        yield OutcomeOut(
            seq=row.seq,
            outcome="duplicate",
            was=row.outcome,
            code=row.code or None,
            dispute=disputes.get(row.seq),
            message=row.message or None,
        )


def _told(fresh: Sequence[_Said], disputes: dict[int, UUID]) -> Iterator[OutcomeOut]:
    for said in fresh:
        yield OutcomeOut(
            seq=said.mutation.seq,
            outcome=cast(Any, said.outcome.value),
            code=said.code or None,
            dispute=disputes.get(said.mutation.seq),
            message=said.message or None,
        )
