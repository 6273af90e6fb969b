"""Certificates, every file that was ever issued for one, and their append-only history."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils.translation import get_language

from certificates.steps import LIVING, OF_A_CASE, CertificateState, Kind, renewable_by
from outreach.domain.vocabulary import Category
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, Evaluation, Resident, User
from outreach.models.ids import new_id
from outreach.models.people import CATEGORY_CHOICES
from outreach.models.sealed import SealedTextField
from outreach.rules import NEGATIVE

#: Where a case stands whose result is that the standard is not met.
NOT_MET = (*NEGATIVE, ApplicationState.UNDER_APPEAL)


class CertificateQuerySet(models.QuerySet["Certificate"]):
    """Certificates in the office's words."""

    def living(self) -> CertificateQuerySet:
        """Certificates that are still a person's own, be they frozen or lost."""
        return self.filter(state__in=LIVING)

    def renewable(self, on: date) -> CertificateQuerySet:
        """Valid certificates in their last year, or beyond it, that nobody asked to renew yet.

        Of an erased case there is nothing left that a paper could say.
        """
        due = self.filter(state=CertificateState.VALID, valid_until__lte=renewable_by(on))
        due = due.filter(application__erased_at=None).exclude(was_found_not_met())
        asked = PaperRequest.objects.open().filter(certificate=models.OuterRef("pk"))
        return due.exclude(models.Exists(asked))

    def to_hand_over(self) -> CertificateQuerySet:
        """Valid certificates that did not reach their owners yet."""
        return self.filter(state=CertificateState.VALID, handed_over_at=None)


class Certificate(models.Model):
    """One certificate; its number (ID + category + grade + suffix) is generated, sealed, no key.

    A person holds at most one living certificate, and a number stands on at most one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    resident = models.ForeignKey(Resident, models.PROTECT, related_name="certificates")
    application = models.ForeignKey(Application, models.PROTECT, related_name="certificates")
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="certificates")
    kind = models.CharField(
        max_length=10, choices=[(v.value, v.value) for v in Kind], default=Kind.FIRST
    )
    number = SealedTextField()
    number_index = models.CharField(max_length=32, db_index=True)
    suffix = models.CharField(max_length=4, blank=True, default="")
    category = models.CharField(max_length=20, choices=CATEGORY_CHOICES)
    grade = models.PositiveSmallIntegerField()
    state = models.CharField(
        max_length=10,
        choices=[(v.value, v.value) for v in CertificateState],
        default=CertificateState.VALID,
    )
    issued_on = models.DateField(db_index=True)
    valid_until = models.DateField(db_index=True)
    issued_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    handed_over_at = models.DateTimeField(null=True)
    household_moved_on = models.DateField(null=True)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")

    objects = CertificateQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-issued_at", "-id"], name="certificate_newest"),
            models.Index(
                fields=["issued_at"],
                condition=models.Q(state=CertificateState.VALID, handed_over_at=None),
                name="certificate_to_hand_over",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["resident"],
                condition=models.Q(state__in=LIVING),
                name="one_living_certificate",
            ),
            models.UniqueConstraint(
                fields=["number_index"],
                condition=models.Q(state__in=LIVING),
                name="one_living_number",
            ),
            models.UniqueConstraint(
                fields=["evaluation"],
                condition=models.Q(kind__in=OF_A_CASE),
                name="certificate_once_an_evaluation",
            ),
        ]

    @property
    def newest_file(self) -> CertificateFile:
        """The version that is given out: with the longest proof."""
        return self.files.latest("version")


def was_found_not_met() -> models.Exists:
    """Return the condition that a later assessment of a certificate's holder was not met.

    While an appeal against that runs, too; one that was upheld leads to another assessment. One of
    another disability, which the holder has not beside the certificate's, says nothing of it.
    """
    later = Evaluation.objects.filter(
        application__resident=models.OuterRef("resident"),
        application__state__in=NOT_MET,
        met=False,
        category__in=(models.OuterRef("category"), Category.MULTIPLE),
        received_at__gt=models.OuterRef("evaluation__received_at"),
    )
    return models.Exists(later)


class MoveIn(models.Model):
    """The certificate of the county left, with whose file a person moved here (迁入).

    Its category and grade are the case's evaluation, of the mode `file`.
    """

    application = models.OneToOneField(
        Application, models.PROTECT, primary_key=True, related_name="move_in"
    )
    office = models.CharField(max_length=50)
    issued_on = models.DateField()
    valid_until = models.DateField()
    suffix = models.CharField(max_length=4, blank=True, default="")


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


class SecondSignature(models.Model):
    """A detached SM2 signature over a whole file: additional, and no part of the PDF."""

    file = models.OneToOneField(
        CertificateFile, models.PROTECT, primary_key=True, related_name="second_signature"
    )
    body = models.BinaryField()
    made_at = models.DateTimeField()


class CertificateEvent(models.Model):
    """One step in a certificate's life; never changed. Nobody's, where a day simply came."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="events")
    name = models.CharField(max_length=20)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    note = SealedTextField(default="")

    class Meta:
        ordering = ["certificate", "id"]


class RequestQuerySet(models.QuerySet["PaperRequest"]):
    """Requests in the office's words."""

    def open(self) -> RequestQuerySet:
        """Requests that wait for the approver's signature."""
        return self.filter(settled_at=None)


class PaperRequest(models.Model):
    """Somebody asked for another paper: a renewal, or one in place of a lost one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="requests")
    kind = models.CharField(
        max_length=10, choices=[(v.value, v.value) for v in (Kind.RENEWAL, Kind.REISSUE)]
    )
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    objects = RequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["certificate"],
                condition=models.Q(settled_at=None),
                name="one_open_request",
            ),
        ]


class RevocationList(models.Model):
    """The signed list of certificates that are not valid: what changed, and what was published.

    After a restore also how those stand that were issued since the backup and are not valid.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.PositiveBigIntegerField(default=0)
    signed_revision = models.PositiveBigIntegerField(null=True)
    signed_at = models.DateTimeField(null=True)
    body = models.BinaryField(default=b"")
    restored_at = models.DateTimeField(null=True)
    unknown = models.JSONField(default=dict)


class BatchQuerySet(models.QuerySet["Batch"]):
    """Batches in the office's words."""

    def with_progress(self) -> BatchQuerySet:
        """Batches with how many papers they have, made and could not make."""
        made = models.Q(items__state=ItemState.DONE)
        refused = models.Q(items__state=ItemState.REFUSED)
        return self.annotate(
            total=models.Count("items"),
            done=models.Count("items", filter=made),
            refused=models.Count("items", filter=refused),
        )


class ItemState(models.TextChoices):
    """What became of one paper of a batch."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


class Batch(models.Model):
    """Papers that an approver signed for with one decision; they are made in the background."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = BatchQuerySet.as_manager()


class BatchItem(models.Model):
    """One paper of a batch, leased to a worker while it is being made.

    A worker that died loses its lease with time, and the paper is taken up by another.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="items")
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    replaces = models.ForeignKey(Certificate, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(
        max_length=10, choices=[(v.value, v.value) for v in Kind], default=Kind.FIRST
    )
    state = models.CharField(max_length=10, choices=ItemState.choices, default=ItemState.WAITING)
    leased_by = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    certificate = models.OneToOneField(
        Certificate, models.PROTECT, null=True, related_name="batch_item"
    )
    code = models.CharField(max_length=40, default="", blank=True)
    reasons = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "leased_until"], name="batch_item_waiting")]
        constraints = [
            models.UniqueConstraint(
                fields=["application"],
                condition=models.Q(state=ItemState.WAITING),
                name="one_waiting_paper",
            ),
        ]

    @property
    def reason(self) -> str:
        """Why the paper could not be made, in the language of whoever reads it."""
        said: dict[str, str] = self.reasons
        return said.get(get_language() or "") or next(iter(said.values()), "")
