"""Certificates, every file that was ever issued for one, and their append-only history."""

from __future__ import annotations

from django.db import models

from outreach.models import Application, Evaluation, User
from outreach.models.ids import new_id
from outreach.models.people import CATEGORY_CHOICES
from outreach.models.sealed import SealedTextField


class CertificateState(models.TextChoices):
    """Where a certificate stands; the expiry follows from its date."""

    VALID = "valid"
    REPLACED = "replaced"
    FROZEN = "frozen"
    CANCELLED = "cancelled"


class Certificate(models.Model):
    """One certificate; its number (ID + category + grade + suffix) is generated, sealed, no key."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="certificates")
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="certificates")
    number = SealedTextField()
    number_index = models.CharField(max_length=32, unique=True)
    suffix = models.CharField(max_length=4, blank=True, default="")
    category = models.CharField(max_length=20, choices=CATEGORY_CHOICES)
    grade = models.PositiveSmallIntegerField()
    state = models.CharField(
        max_length=10, choices=CertificateState.choices, default=CertificateState.VALID
    )
    issued_on = models.DateField(db_index=True)
    valid_until = models.DateField()
    issued_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "suffix"], name="certificate_once_an_evaluation"
            ),
        ]


class CertificateFile(models.Model):
    """A version of the signed paper: every one that left the house stays ours and unchanged."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="files")
    version = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=10, default="B")
    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveIntegerField()
    path = models.CharField(max_length=120)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["certificate", "version"], name="file_version_once"),
        ]


class CertificateEvent(models.Model):
    """One step in a certificate's life; never changed, never deleted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="events")
    name = models.CharField(max_length=20)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    note = SealedTextField(default="")

    class Meta:
        ordering = ["certificate", "id"]
