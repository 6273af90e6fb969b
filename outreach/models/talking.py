"""What passes between citizens and the office: enquiries with their replies, notifications."""

from __future__ import annotations

import re
from datetime import date

from django.db import models

from outreach.models.applications import Application
from outreach.models.divisions import Division
from outreach.models.ids import new_id
from outreach.models.people import User
from outreach.models.sealed import SealedTextField

#: A family's link in a message: its secret is for the family only.
_SECRET = re.compile(r"(/family/)[\w-]+")


def without_secret(text: str) -> str:
    """Return a message as others than the family may read it: a link without its secret."""
    return _SECRET.sub(r"\1…", text)


class EnquiryQuerySet(models.QuerySet["Enquiry"]):
    """Enquiries in the field's words."""

    def waiting(self) -> EnquiryQuerySet:
        """Enquiries that nobody answered yet."""
        return self.filter(replied_at=None)

    def asked_between(self, first: date | None, last: date | None) -> EnquiryQuerySet:
        """Enquiries asked in a span of days, both included."""
        limits = {"asked_at__date__gte": first, "asked_at__date__lte": last}
        return self.filter(**{name: day for name, day in limits.items() if day})


class Enquiry(models.Model):
    """A question to the office, with the day promised for the reply.

    A citizen without account reads the reply with number and code; only the code's fingerprint
    is kept.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=20, unique=True)
    division = models.ForeignKey(Division, models.PROTECT, related_name="enquiries")
    application = models.ForeignKey(
        Application, models.PROTECT, null=True, related_name="enquiries"
    )
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    name = SealedTextField(default="")
    telephone = SealedTextField(default="")
    question = SealedTextField()
    code_sha256 = models.CharField(max_length=64, default="")
    asked_at = models.DateTimeField()
    promised_on = models.DateField(null=True)
    reply = SealedTextField(default="")
    replied_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    replied_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    objects = EnquiryQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["replied_at", "asked_at"], name="enquiry_queue")]


class Notification(models.Model):
    """One message to a family, in the outbox until it was sent; its key says what it is about.

    `state`: waiting, sending, sent, failed (the gateway said no for good), unreachable (no
    mobile number), overtaken (what it says is not true any more), uncertain (sent or not,
    nobody knows: a person decides, so that nothing is sent twice).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=20)
    application = models.ForeignKey(Application, models.PROTECT, related_name="notifications")
    telephone = SealedTextField(default="")
    text = SealedTextField()
    state = models.CharField(max_length=12, default="waiting")
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, default="", blank=True)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "due_at"], name="notification_outbox")]

    @property
    def without_secret(self) -> str:
        """The text as the office may read it: a family's link without its secret."""
        return without_secret(self.text)
