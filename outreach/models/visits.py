"""Home visits with their history, evaluations, and the photos that prove them."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models

from outreach.domain.daytime import minutes_of
from outreach.domain.vocabulary import EvidenceKind, Mode, NextStep, NotDone
from outreach.domain.workflow import OPEN_VISITS, VisitState
from outreach.models.applications import Application
from outreach.models.divisions import Division
from outreach.models.ids import new_id
from outreach.models.people import CATEGORY_CHOICES, Institution, User
from outreach.models.sealed import SealedJSONField, SealedTextField


class VisitQuerySet(models.QuerySet["Visit"]):
    """Visits in the field's words."""

    def within(self, division: Division) -> VisitQuerySet:
        """Visits to homes in the division."""
        return self.filter(application__village__code__startswith=division.code)

    def due(self, on: date) -> VisitQuerySet:
        """Visits that should happen on that day."""
        return self.filter(on=on, state__in=OPEN_VISITS)

    def open(self) -> VisitQuerySet:
        """Visits that will still happen."""
        return self.filter(state__in=OPEN_VISITS)


class Visit(models.Model):
    """One appointment at a home. Its fields are the newest event's; the events are the history."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="visits")
    state = models.CharField(max_length=20, choices=[(v.value, v.value) for v in VisitState])
    on = models.DateField()
    start = models.TimeField()
    minutes = models.PositiveSmallIntegerField(default=40)
    assessor = models.ForeignKey(User, models.PROTECT, related_name="visits")
    not_done_reason = models.CharField(
        max_length=20, blank=True, choices=[(v.value, v.value) for v in NotDone]
    )
    next_step = models.CharField(
        max_length=20, blank=True, choices=[(v.value, v.value) for v in NextStep]
    )
    revision = models.PositiveIntegerField(default=1)

    objects = VisitQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["assessor", "on", "state"], name="visit_day")]
        constraints = [
            models.UniqueConstraint(
                fields=["application"],
                condition=models.Q(state__in=sorted(OPEN_VISITS)),
                name="one_open_visit",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=VisitState.NOT_DONE)
                | ~models.Q(next_step="") & ~models.Q(not_done_reason=""),
                name="not_done_has_a_next_step",
            ),
        ]

    def overlaps(self, other: Visit) -> bool:
        """Tell whether both take some minute of the same day."""
        return (
            self.on == other.on
            and minutes_of(self.start) < minutes_of(other.start) + other.minutes
            and minutes_of(other.start) < minutes_of(self.start) + self.minutes
        )


class VisitEvent(models.Model):
    """One step of a visit; never changed, never deleted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="events")
    name = models.CharField(max_length=20)
    target = models.CharField(max_length=20)
    on = models.DateField()
    start = models.TimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    note = SealedTextField(default="")
    place: Any = SealedJSONField(null=True)

    class Meta:
        ordering = ["visit", "id"]


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    """Evaluations in the field's words."""

    def made_here(self) -> EvaluationQuerySet:
        """Evaluations by our own assessors, without what other counties' files say."""
        return self.exclude(mode=Mode.FILE)

    def awaiting_media(self) -> EvaluationQuerySet:
        """Evaluations with a declared photo that was not verified yet."""
        declared = Photo.objects.filter(evaluation=models.OuterRef("pk"))
        return self.filter(models.Exists(declared.filter(~is_held())))


class Evaluation(models.Model):
    """One assessment as it was made: never changed. A correction is a new row that names the old.

    `parts` holds, sealed, a list of `{"category", "findings", "grade", "computed_grade", "met",
    "reason", "questions"}`; one part is that category, two or more are a multiple disability.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="evaluations")
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="evaluations", null=True)
    assessor = models.ForeignKey(User, models.PROTECT, related_name="evaluations")
    co_signers: models.ManyToManyField[User, Any] = models.ManyToManyField(User, related_name="+")
    #: Where the assessor belonged to then; not known of what was taken in up to 0.6.5.
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, related_name="+", db_index=False
    )
    mode = models.CharField(max_length=20, default=Mode.HOME)
    category = models.CharField(max_length=20, choices=CATEGORY_CHOICES)
    standard = models.CharField(max_length=40)
    parts: Any = SealedJSONField()
    met = models.BooleanField()
    grade = models.PositiveSmallIntegerField(null=True)
    computed_grade = models.PositiveSmallIntegerField(null=True)
    circumstances: Any = SealedJSONField(default=dict)
    remark = SealedTextField(default="")
    evaluated_at = models.DateTimeField()
    received_at = models.DateTimeField()
    corrects = models.ForeignKey("self", models.PROTECT, null=True, related_name="corrections")

    objects = EvaluationQuerySet.as_manager()


class StoredBlob(models.Model):
    """A file that the server holds whole, named by the SHA-256 it recomputed itself.

    The row of an erased one stays, so that no tablet is asked for it again and none brings it
    back; `removed_at` is when the file itself was gone too.
    """

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveIntegerField()
    content_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    stored_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["erased_at"],
                condition=models.Q(erased_at__isnull=False, removed_at=None),
                name="blob_to_remove",
            ),
        ]


def is_held() -> models.Exists:
    """Return the condition that the file which a row's `sha256` names is held whole.

    It is looked up for each row: PostgreSQL answers a NOT IN by reading the name of every file.
    """
    return models.Exists(StoredBlob.objects.filter(pk=models.OuterRef("sha256")))


class Photo(models.Model):
    """A photo or signature that an evaluation declares: hash, place and time bound together."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # The unique index below leads with it.
    evaluation = models.ForeignKey(
        Evaluation, models.PROTECT, related_name="photos", db_index=False
    )
    kind = models.CharField(max_length=20, choices=[(v.value, v.value) for v in EvidenceKind])
    # No index: such names lie nowhere near each other, so each photo would write a page of it.
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content_type = models.CharField(max_length=40)
    taken_at = models.DateTimeField()
    place: Any = SealedJSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["evaluation", "sha256"], name="photo_once"),
        ]
