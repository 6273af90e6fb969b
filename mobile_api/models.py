"""Tablets and what they said: devices, replicas, the ledger of mutations, disputes, views."""

from __future__ import annotations

from typing import Any

from django.db import models

from outreach.models import Division, Kept, User
from outreach.models.ids import new_id
from outreach.models.sealed import SealedJSONField, SealedTextField


class Outcome(models.TextChoices):
    """What became of a mutation."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    CONFLICT = "conflict"
    PARKED = "parked"


class Device(models.Model):
    """An enrolled tablet of one user: its public key, and the fingerprint of its token."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="devices")
    label = models.CharField(max_length=60)
    public_key = models.BinaryField()
    token_sha256 = models.CharField(max_length=64, unique=True)
    enrolled_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_why = models.CharField(max_length=200, blank=True)
    health = models.JSONField(default=dict)
    #: The server's part of the key that wraps the tablet's own (docs/adr); gone with revocation.
    share: Any = SealedJSONField(null=True)
    #: The fingerprint of what a locked tablet asks for it with.
    ask_sha256 = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return self.label


class EnrolmentCode(models.Model):
    """A one-time code; stored as a fingerprint, bound to the first key that uses it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    code_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    device = models.ForeignKey(Device, models.PROTECT, null=True, related_name="+")


class Replica(models.Model):
    """One tablet database (device × user): how far its ordered log has been taken in."""

    id = models.UUIDField(primary_key=True, editable=False)
    device = models.ForeignKey(Device, models.PROTECT, related_name="replicas")
    last_seq = models.PositiveBigIntegerField(default=0)
    chain = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    #: When a hand-in of its tablet was taken in last: what it sends since may be here already.
    handed_in_at = models.DateTimeField(null=True)


class Decision(models.TextChoices):
    """What a person made of a dispute."""

    ACCEPTED = "accepted"
    SET_ASIDE = "set_aside"


class Dispute(models.Model):
    """What a person must decide after a refused, conflicting or parked mutation."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    replica = models.ForeignKey(Replica, models.PROTECT, related_name="disputes")
    seq = models.PositiveBigIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    code = models.CharField(max_length=40)
    raised_at = models.DateTimeField(db_index=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decision = models.CharField(max_length=20, blank=True, choices=Decision.choices)
    reason = SealedTextField(default="")
    #: Where its case lies; None where nobody knows, or where a version before 0.6.7 raised it.
    division_code = models.CharField(max_length=12, null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["replica", "seq"], name="dispute_once")]


class LedgerEntry(models.Model):
    """One mutation exactly as the tablet said it, and what became of it: those never change."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # The unique index below leads with it.
    replica = models.ForeignKey(Replica, models.PROTECT, related_name="ledger", db_index=False)
    seq = models.PositiveBigIntegerField()
    mutation_id = models.UUIDField()
    name = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField()
    chain = models.CharField(max_length=64)
    said_at = models.CharField(max_length=40)
    args: Any = SealedJSONField()
    signature = models.CharField(max_length=120)
    media = models.JSONField(default=list)
    #: Whether a declared file was still missing when the tablet last asked.
    awaits_media = models.BooleanField(default=False)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    code = models.CharField(max_length=40, blank=True)
    message = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField()
    #: The mutation of the same tablet of which this is a corrected copy.
    corrects = models.UUIDField(null=True)
    #: When the words were erased; signature and chain stay, so that it is known again.
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["replica", "seq"], name="ledger_seq_once")]
        indexes = [
            models.Index(
                fields=["replica"],
                condition=models.Q(awaits_media=True),
                name="ledger_awaits_media",
            )
        ]


class HandInPart(models.Model):
    """One sealed part of what a tablet handed in; only the federation's key opens it.

    `replica` is empty where the register did not know the one that the tablet named.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hand_in = models.UUIDField()
    n = models.PositiveIntegerField()
    of = models.PositiveIntegerField()
    said_replica = models.UUIDField()
    replica = models.ForeignKey(Replica, models.PROTECT, null=True, related_name="hand_in_parts")
    size = models.PositiveBigIntegerField(default=0)
    reason = models.CharField(max_length=10)
    kind = models.CharField(max_length=10)
    sealed = models.JSONField()
    said_at = models.CharField(max_length=40)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hand_in", "n", "said_replica"], name="hand_in_part_once"
            )
        ]


class HandInVerdict(models.Model):
    """What a person made of a hand-in; its parts stay as they came, whatever is decided.

    `told` counts what became of its records: by outcome, `here` for those the register had.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hand_in = models.UUIDField()
    said_replica = models.UUIDField()
    decision = models.CharField(max_length=20, choices=Decision.choices)
    reason = SealedTextField()
    told = models.JSONField(default=dict)
    decided_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hand_in", "said_replica"], name="hand_in_decided_once")
        ]


class PulledView(models.Model):
    """What a tablet holds after applying one answer: kept until it proves to hold a later one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    replica = models.ForeignKey(Replica, models.CASCADE, related_name="views")
    digest = models.CharField(max_length=64)
    manifest = models.JSONField()
    #: The fingerprint of the scope of which this view holds everything; empty while rows remain.
    whole = models.CharField(max_length=64, blank=True)


def only_changes() -> list[str]:
    """Return what a token opens unless it was made for more."""
    return ["changes"]


class Integration(models.Model):
    """Another office's system: what it may read of one division, by its token's fingerprint."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=60, unique=True)
    division = models.ForeignKey(Division, models.PROTECT, related_name="+")
    token_sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=only_changes)
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Hook(models.Model):
    """Where another office's system has its changes posted to, and how far it has them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    integration = models.OneToOneField(Integration, models.CASCADE, related_name="hook")
    url = models.CharField(max_length=300)
    secret = SealedTextField()
    epoch = models.CharField(max_length=36, blank=True)
    #: The number up to which changes were taken over.
    last = models.BigIntegerField(default=0)
    #: The number up to which they are being posted; a page that is posted again is the same page.
    until = models.BigIntegerField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.url


class Epoch(models.Model):
    """Names this life of the database; a restore from a backup begins another."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    value = models.UUIDField(default=new_id)

    @classmethod
    def current(cls) -> str:
        """Return the present epoch, beginning the first one where there is none."""
        found = _epochs.first()
        return str((found or cls.objects.get_or_create(pk=1)[0]).value)


@Kept
def _epochs() -> models.QuerySet[Epoch]:
    return Epoch.objects.filter(pk=1)
