"""What must have become of hand-ins that were taken in, and of records that came twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from mobile_api import disputes
from mobile_api.chain import canonical_json
from mobile_api.models import Decision, Dispute, HandInPart, HandInVerdict, LedgerEntry, Replica
from mobile_api.quarantine import own_replica
from outreach.models import StoredBlob
from tests.generative.handed import pictures_of, records_of
from tests.generative.promises import check

Place = tuple[UUID, int]


def own_replicas() -> dict[UUID, HandInVerdict]:
    """Return by their ids the replicas that verdicts have, or would have, for their records."""
    return {own_replica(verdict): verdict for verdict in HandInVerdict.objects.order_by("pk")}


def hand_ins_are_heard() -> None:
    """I1 and I2: what was taken in stands word for word, what was set aside has no log."""
    for pk, verdict in own_replicas().items():
        replica = Replica.objects.filter(pk=pk).first()
        check("I1", verdict.decision == Decision.ACCEPTED or not replica, "heard, yet set aside")
        check("I2", not _late(verdict), "a part was receipted that nobody hears any more")
        if verdict.decision == Decision.ACCEPTED:
            _stands(verdict, replica)


def _late(verdict: HandInVerdict) -> bool:
    """Tell whether a part came after the verdict, as their ids are made in order."""
    parts = HandInPart.objects.filter(hand_in=verdict.hand_in, said_replica=verdict.said_replica)
    return parts.filter(pk__gt=verdict.pk).exists()


def _stands(verdict: HandInVerdict, replica: Replica | None) -> None:
    said = records_of(verdict.hand_in)
    parts = HandInPart.objects.filter(hand_in=verdict.hand_in, said_replica=verdict.said_replica)
    device = parts.exclude(replica=None).values_list("replica__device", flat=True)[0]
    ledger = LedgerEntry.objects.filter(replica__device=device)
    here = {(str(row.mutation_id), row.signature): row for row in ledger}
    for one in said:
        row = here.get((one["id"], one["sig"]))
        check("I2", row, f"record {one['seq']} of a hand-in was accepted and is not in the ledger")
        told = (row.name, row.version, row.said_at, row.chain)
        same = told == (one["name"], one["v"], one["at"], one["chain"])
        same = same and (row.erased_at or row.args == one["args"])
        check("I1", same, f"record {one['seq']} of a hand-in is in the ledger with other words")
    kept = set(StoredBlob.objects.values_list("sha256", flat=True))
    check(
        "I2", pictures_of(verdict.hand_in) <= kept, "a picture of a hand-in is not in the register"
    )
    if replica:
        rows = list(replica.ledger.order_by("seq"))
        theirs = {(one["seq"], one["sig"]) for one in said}
        strange = [row.seq for row in rows if (row.seq, row.signature) not in theirs]
        check("I1", not strange, f"a hand-in brought {strange}, which is not in it")
        end = (rows[-1].seq, rows[-1].chain)
        check("I1", (replica.last_seq, replica.chain) == end, "the log of a hand-in ends elsewhere")


def said_once() -> None:
    """I1: of a record that came by two ways one counts; what is a duplicate was said before."""
    accepted = set(Dispute.objects.filter(decision=Decision.ACCEPTED).values_list("replica", "seq"))
    rows = list(LedgerEntry.objects.select_related("replica__device").order_by("pk"))
    same: dict[tuple[UUID, str], list[str]] = defaultdict(list)
    for row in rows:
        same[row.mutation_id, row.signature].append(row.outcome)
    # A corrected contact says the same again, and nothing comes of it.
    contacts = {row.mutation_id for row in rows if row.name == "correct_contact"}
    for (mutation, _), outcomes in same.items():
        fresh = [outcome for outcome in outcomes if outcome != "duplicate"]
        once = len(fresh) <= 1 or mutation in contacts
        check("I1", once, f"{mutation} came twice and counts twice: {outcomes}")
    stands = {_words(row) for row in rows if row.outcome == "applied" or _place(row) in accepted}
    _duplicates_stand(rows, stands, {key for key, found in same.items() if len(found) > 1})


def _duplicates_stand(
    rows: list[LedgerEntry],
    stands: set[tuple[UUID, str, bytes]],
    repeated: Collection[tuple[UUID, str]],
) -> None:
    for row in rows:
        if row.outcome == "duplicate" and (row.mutation_id, row.signature) not in repeated:
            check("I2", _words(row) in stands, f"{row.name} is said to stand, and stands nowhere")


def copies_are_shown() -> None:
    """I6: whoever decides sees that its author has corrected what waits, however the copy came."""
    copies = LedgerEntry.objects.exclude(corrects=None)
    corrected = set(copies.values_list("replica__device", "corrects"))
    for dispute in Dispute.objects.select_related("replica"):
        entry = disputes.entry_of(dispute)
        is_corrected = (dispute.replica.device_id, entry.mutation_id) in corrected
        is_shown = disputes.correction_of(entry) is not None
        check("I6", is_corrected == is_shown, f"the copy of {entry.name} {entry.seq} is not shown")


def _place(row: LedgerEntry) -> Place:
    return row.replica_id, row.seq


def _words(row: LedgerEntry) -> tuple[UUID, str, bytes]:
    """Return who says what, without which record it corrects."""
    words = {name: value for name, value in row.args.items() if name != "corrects"}
    return row.replica.device.user_id, row.name, canonical_json(words)
