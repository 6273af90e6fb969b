"""Applications and everything appended to them: events, notices, objections, second opinions."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models

from outreach.domain.vocabulary import Urgency
from outreach.domain.workflow import OPEN_STATES, ApplicationState
from outreach.models.divisions import Division
from outreach.models.ids import new_id
from outreach.models.people import Outlet, Resident, User
from outreach.models.sealed import SealedJSONField, SealedTextField


class ApplicationQuerySet(models.QuerySet["Application"]):
    """Applications in the field's words."""

    def within(self, division: Division) -> ApplicationQuerySet:
        """Applications of residents who live in the division."""
        return self.filter(village__code__startswith=division.code)

    def open(self) -> ApplicationQuerySet:
        """Applications that still want something from somebody."""
        return self.filter(state__in=OPEN_STATES)

    def urgent(self) -> ApplicationQuerySet:
        """Applications in the fast lane."""
        return self.exclude(urgency="")

    def standing(self, *states: ApplicationState) -> ApplicationQuerySet:
        """Applications in one of these states."""
        return self.filter(state__in=states)


class Application(models.Model):
    """One person's request for a certificate, from the nomination to the paper.

    `state` is the target of the newest event, kept beside the events for the lists' sake and
    written only together with one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=20, unique=True)
    resident = models.ForeignKey(Resident, models.PROTECT, related_name="applications")
    village = models.ForeignKey(Division, models.PROTECT, related_name="applications")
    categories = models.JSONField()
    diagnosis = SealedTextField(default="")
    state = models.CharField(max_length=20, choices=[(v.value, v.value) for v in ApplicationState])
    state_since = models.DateTimeField()
    nominated_by = models.ForeignKey(User, models.PROTECT, related_name="nominations")
    # The index below leads with it.
    assessor = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="cases", db_index=False
    )
    outlet = models.ForeignKey(Outlet, models.PROTECT, null=True, related_name="applications")
    urgency = models.CharField(
        max_length=20, blank=True, choices=[(v.value, v.value) for v in Urgency]
    )
    urgent_why: Any = SealedJSONField(null=True)
    urgent_since = models.DateTimeField(null=True)
    consent: Any = SealedJSONField(null=True)
    papers_missing = models.JSONField(default=list)
    #: Why it was returned the last time, beside the papers.
    return_reasons = models.JSONField(default=list)
    possible_times = models.JSONField(default=list)
    fee_paid_by_county = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    #: When its personal data was erased, and by which term (docs/explanation/retention.md).
    erased_at = models.DateTimeField(null=True)
    erased_under = models.CharField(max_length=20, null=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["state", "state_since"], name="application_queue"),
            # With the key, so that what is looked up through a case is found in the index alone.
            models.Index(fields=["village", "state", "id"], name="application_place"),
            models.Index(fields=["assessor", "state"], name="application_assessor"),
            models.Index(fields=["-created_at", "-id"], name="application_newest"),
            models.Index(
                fields=["urgent_since"],
                condition=models.Q(urgent_since__isnull=False),
                name="application_fast_lane",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["resident"],
                condition=models.Q(state__in=sorted(OPEN_STATES)),
                name="one_open_application",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class ApplicationEvent(models.Model):
    """One step of an application; never changed, never deleted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="events")
    name = models.CharField(max_length=20)
    target = models.CharField(max_length=20)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    note = SealedTextField(default="")

    class Meta:
        ordering = ["application", "id"]


class Notice(models.Model):
    """A public notice in the village: five working days, taken down at the end."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="notices")
    evaluation = models.ForeignKey("outreach.Evaluation", models.PROTECT, related_name="notices")
    posted_on = models.DateField()
    ends_on = models.DateField()
    posted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    taken_down_on = models.DateField(null=True)

    def is_running(self, on: date) -> bool:
        """Tell whether the notice still hangs on that day (its last day included)."""
        return self.taken_down_on is None and on <= self.ends_on


class Objection(models.Model):
    """Somebody's objection against a notice, open until an administrator decides it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notice = models.ForeignKey(Notice, models.PROTECT, related_name="objections")
    from_whom = SealedTextField()
    text = SealedTextField()
    recorded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    is_upheld = models.BooleanField(null=True)
    decision = SealedTextField(default="")


class Appeal(models.Model):
    """The applicant's objection against a result, to the city within ten working days."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="appeals")
    text = SealedTextField()
    recorded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    #: Until when it was possible; none where that lay in a year without a calendar.
    deadline_on = models.DateField(null=True)
    decided_at = models.DateTimeField(null=True)
    is_upheld = models.BooleanField(null=True)


class SecondOpinion(models.Model):
    """A second assessor's view of an evaluation with grade 1 or 2."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    evaluation = models.ForeignKey(
        "outreach.Evaluation", models.PROTECT, related_name="second_opinions"
    )
    assessor = models.ForeignKey(User, models.PROTECT, related_name="+")
    grade = models.PositiveSmallIntegerField(null=True)
    reason = SealedTextField(default="")
    given_at = models.DateTimeField()
