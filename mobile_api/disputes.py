"""What a person decides after a mutation was refused, parked or in conflict."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ValidationError

from mobile_api.models import Decision, Dispute, LedgerEntry
from mobile_api.mutators import MUTATORS, Context, Mutator
from mobile_api.upcasting import upcast
from outreach.actions.audit import record
from outreach.domain.identity import MalformedIdNumber, MalformedName, MalformedTelephone
from outreach.domain.vocabulary import Role
from outreach.models import User
from outreach.rules import Refused, plainly


def disputes_for(user: User) -> QuerySet[Dispute]:
    """Return the disputes about what tablets of the user's division said."""
    return Dispute.objects.filter(
        replica__device__user__division__code__startswith=user.division.code
    )


def decide(dispute: Dispute, decision: Decision, *, reason: str, by: User, at: datetime) -> None:
    """Accept what the tablet said, which applies it, or set it aside; with a written reason.

    The mutation stays in the ledger as it was said, whatever is decided. Accepting does not ask
    any more whether the case is still the author's or the appointment still what they saw; all
    other rules hold. Raises `Refused`, and then nothing is decided.
    """
    if by.role != Role.ADMINISTRATOR or not disputes_for(by).filter(pk=dispute.pk).exists():
        raise Refused("not-your-step", _("Only an administrator of the area decides disputes."))
    if not reason.strip():
        raise Refused("reason-missing", _("Write the reason of your decision."))
    with transaction.atomic():
        held = Dispute.objects.select_for_update().get(pk=dispute.pk)
        if held.decided_at:
            raise Refused("decided-already", _("This was decided already; load the page again."))
        if decision == Decision.ACCEPTED:
            _apply(entry_of(held), Context(held.replica.device.user, at, admitted_by=by))
        held.decided_at, held.decided_by = at, by
        held.decision, held.reason = decision, reason.strip()
        held.save(update_fields=["decided_at", "decided_by", "decision", "reason"])
        record(f"dispute.{decision}", [held], by=by, at=at, detail={"reason": held.reason})


def entry_of(dispute: Dispute) -> LedgerEntry:
    """Return what the tablet said."""
    return LedgerEntry.objects.get(replica=dispute.replica_id, seq=dispute.seq)


def correction_of(entry: LedgerEntry) -> LedgerEntry | None:
    """Return the newest copy in which the tablet corrected what it had said, if there is one."""
    copies = LedgerEntry.objects.filter(replica=entry.replica_id, corrects=entry.mutation_id)
    return copies.order_by("-seq").first()


def _apply(entry: LedgerEntry, context: Context) -> None:
    version, said = upcast(entry.name, entry.version, entry.args)
    mutator = MUTATORS.get((entry.name, version))
    if entry.code == "bad-signature":
        raise Refused(
            "bad-signature", _("This is not signed by the tablet; it can only be set aside.")
        )
    if mutator is None:
        raise Refused(
            "unknown-mutation",
            _("This version of the server does not know this yet; accept it after the update."),
        )
    try:
        args = mutator.shape.model_validate(said)
        _check_unknown(mutator, args)
        with transaction.atomic(), plainly():
            mutator.run([args], context)
    except IntegrityError:
        # Said again, or accepted from another dispute, in the very same moment.
        _check_unknown(mutator, args)
        raise
    except (ValidationError, MalformedIdNumber, MalformedName, MalformedTelephone) as error:
        raise Refused(
            "malformed", _("This record is incomplete; it can only be set aside.")
        ) from error


def _check_unknown(mutator: Mutator[Any], args: BaseModel) -> None:
    if mutator.known([args]) == [True]:
        raise Refused("known", _("This is in the register already; set this record aside."))
