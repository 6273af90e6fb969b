"""Campaigns with their teams and working days, what came in between, and the plans made of them.

A plan is never changed once it is ready: another answer is another plan that names the one it
starts from. What families were promised is in the visits; a plan only proposes until it is
published.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models

from outreach.domain.workflow import OPEN_VISITS, ApplicationState
from outreach.models.applications import Application
from outreach.models.divisions import Division
from outreach.models.ids import new_id
from outreach.models.people import User
from outreach.models.sealed import SealedJSONField, SealedTextField
from outreach.models.visits import Visit


class Campaign(models.Model):
    """Some weeks in which teams visit the accepted cases of a division.

    Times are minutes after midnight, money is in fen. `promise_days` working days after the
    acceptance a case is late; what an hour after a shift's end costs prices the overtime.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=60)
    division = models.ForeignKey(Division, models.PROTECT, related_name="campaigns")
    first_on = models.DateField()
    last_on = models.DateField()
    minutes = models.PositiveSmallIntegerField(default=40)
    lunch_at = models.PositiveSmallIntegerField(default=690)
    lunch_minutes = models.PositiveSmallIntegerField(default=60)
    promise_days = models.PositiveSmallIntegerField(default=30)
    overtime_minutes = models.PositiveSmallIntegerField(default=0)
    overtime_fen_per_hour = models.PositiveIntegerField(default=6000)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-first_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_on__gte=models.F("first_on")), name="campaign_has_days"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """Assessors who travel together from one base in one vehicle.

    `feed_digest` is the SHA-256 of the secret in the address of the team's calendar feed; empty
    while there is none.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="teams")
    name = models.CharField(max_length=20)
    base_name = models.CharField(max_length=60)
    latitude = models.FloatField()
    longitude = models.FloatField()
    vehicle = models.CharField(max_length=40, blank=True, default="")
    feed_digest = models.CharField(max_length=64, blank=True, default="")
    feed_made_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="team_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class TeamMember(models.Model):
    """An assessor of a team; in one campaign nobody is in two teams."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="members")
    team = models.ForeignKey(Team, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "user"], name="one_team_in_a_campaign"),
        ]


class Shift(models.Model):
    """One working day of a team, in minutes after midnight."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="shifts")
    on = models.DateField()
    start = models.PositiveSmallIntegerField(default=510)
    end = models.PositiveSmallIntegerField(default=1050)

    class Meta:
        ordering = ["on", "team"]
        constraints = [
            models.UniqueConstraint(fields=["team", "on"], name="one_shift_a_day"),
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="shift_has_hours"
            ),
        ]


class HindranceKind(models.TextChoices):
    """What can come in between."""

    ABSENT = "absent"
    ROAD_CUT = "road_cut"
    DOCTOR_AWAY = "doctor_away"
    TEAM_AWAY = "team_away"


class HindranceQuerySet(models.QuerySet["Hindrance"]):
    """Hindrances in the field's words."""

    def standing(self) -> HindranceQuerySet:
        """Hindrances that nobody took back."""
        return self.filter(withdrawn_at=None)


class Hindrance(models.Model):
    """A person absent, a road cut, a doctor or a whole team away, on some days of a campaign.

    `since` is from which minute of the first day on, where they had set out; null: the whole day.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="hindrances")
    kind = models.CharField(max_length=12, choices=HindranceKind.choices)
    first_on = models.DateField()
    last_on = models.DateField()
    since = models.PositiveSmallIntegerField(null=True)
    application = models.ForeignKey(Application, models.PROTECT, null=True, related_name="+")
    place = models.ForeignKey(Division, models.PROTECT, null=True, related_name="+")
    doctor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="+")
    note = SealedTextField(default="")
    recorded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    objects = HindranceQuerySet.as_manager()

    class Meta:
        ordering = ["-recorded_at"]

    def covers(self, day: date, minute: int = 24 * 60) -> bool:
        """Tell whether it stands on that day, by that minute of it."""
        began = minute >= (self.since or 0) or day > self.first_on
        return began and self.first_on <= day <= self.last_on


class PlanState(models.TextChoices):
    """Where a plan stands. `stopped`: it ended early and holds the best found so far."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    STOPPED = "stopped"
    FAILED = "failed"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"


class PlanKind(models.TextChoices):
    """How a plan came about: from nothing, as a what-if, or as an answer to a hindrance."""

    FRESH = "fresh"
    WHAT_IF = "what_if"
    INSERT = "insert"
    REPAIR = "repair"


#: States of a plan whose stops can be looked at.
SHOWABLE = (PlanState.READY, PlanState.STOPPED, PlanState.PUBLISHED, PlanState.SUPERSEDED)
#: States of a plan that may be published.
PUBLISHABLE = (PlanState.READY, PlanState.STOPPED)


class PlanQuerySet(models.QuerySet["Plan"]):
    """Plans in the field's words."""

    def under_way(self) -> PlanQuerySet:
        """Plans that wait for a solver or are being made."""
        return self.filter(state__in=(PlanState.WAITING, PlanState.RUNNING))

    def showable(self) -> PlanQuerySet:
        """Plans with stops to look at."""
        return self.filter(state__in=SHOWABLE)


class Plan(models.Model):
    """One answer to who goes where and when, with the question it answers.

    `problem` is the question as the solver got it (sealed: it holds the places of homes);
    `wishes` what the person asked for; `figures` what came out; `progress` what is shown while
    it is made. `beat_at` is the solver's last sign of life, in real time even in the demo.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="plans")
    number = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=60, blank=True, default="")
    kind = models.CharField(max_length=10, choices=PlanKind.choices, default=PlanKind.FRESH)
    state = models.CharField(max_length=12, choices=PlanState.choices, default=PlanState.WAITING)
    base = models.ForeignKey("self", models.PROTECT, null=True, related_name="answers")
    seed = models.PositiveIntegerField(default=1)
    seconds = models.PositiveSmallIntegerField(default=60)
    wishes = models.JSONField(default=dict)
    problem: Any = SealedJSONField(null=True)
    figures = models.JSONField(default=dict)
    progress = models.JSONField(default=dict)
    stop_asked = models.BooleanField(default=False)
    beat_at = models.DateTimeField(null=True)
    message = models.TextField(default="")
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="plan_number_once"),
            models.UniqueConstraint(
                fields=["campaign"],
                condition=models.Q(state="published"),
                name="one_published_plan",
            ),
        ]

    @property
    def is_under_way(self) -> bool:
        """Tell whether it waits for a solver or is being made."""
        return self.state in (PlanState.WAITING, PlanState.RUNNING)

    @property
    def origin(self) -> str:
        """How it came about: its kind, or `by_hand` where no solver thought about it."""
        return self.kind if self.seconds else "by_hand"

    @property
    def is_showable(self) -> bool:
        """Tell whether it has stops to look at."""
        return self.state in SHOWABLE

    @property
    def may_be_published(self) -> bool:
        """Tell whether it could still become the visits of the register."""
        return self.state in PUBLISHABLE

    @property
    def may_go_on(self) -> bool:
        """Tell whether it ended early and the search could go on from what it holds."""
        return self.state == PlanState.STOPPED and self.kind in (PlanKind.FRESH, PlanKind.WHAT_IF)


class PlannedStop(models.Model):
    """One home on one team's day, in order; `start` in minutes after midnight."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="stops")
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, related_name="+")
    on = models.DateField()
    order = models.PositiveSmallIntegerField()
    start = models.PositiveSmallIntegerField()
    minutes = models.PositiveSmallIntegerField()
    late_days = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["on", "team", "order"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "application"], name="stop_once"),
        ]
        indexes = [models.Index(fields=["plan", "on", "team"], name="stop_day")]


class LeftOut(models.Model):
    """A case that a plan does not visit, why, and what would change it.

    `detail` holds the figures of the reason's sentence; `remedies` a list of `{"code", "detail"}`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="left_out")
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=30)
    detail = models.JSONField(default=dict)
    remedies = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "application"], name="left_out_once"),
        ]


class Pin(models.Model):
    """An appointment that no plan of the campaign may move: it was promised to the family."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="pins")
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    pinned_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    pinned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "application"], name="pinned_once"),
        ]


class CallKind(models.TextChoices):
    """What a family must be told."""

    NEW = "new"
    MOVED = "moved"
    CANCELLED = "cancelled"


class CallQuerySet(models.QuerySet["Call"]):
    """Calls in the field's words."""

    def to_make(self) -> CallQuerySet:
        """Families that nobody told yet."""
        return self.filter(told_at=None, replaced_at=None)

    def ticked(self) -> CallQuerySet:
        """Families that were told, and of which there is no newer news since, the last one first.

        Not those that nobody need call: of them only the time that they know is kept.
        """
        newer = Call.objects.filter(
            visit=models.OuterRef("visit"), created_at__gt=models.OuterRef("created_at")
        )
        known = models.Q(on=models.F("was_on"), start=models.F("was_start"))
        told = self.filter(~models.Exists(newer), told_at__isnull=False, replaced_at=None)
        return told.exclude(known).order_by("-told_at", "pk")

    def still_true(self, today: date) -> CallQuerySet:
        """News of visits to come, and of cancelled ones in whose place none is agreed by now."""
        other = Visit.objects.open().filter(application=models.OuterRef("visit__application"))
        ended = models.Q(kind=CallKind.CANCELLED)
        waits = models.Q(visit__application__state=ApplicationState.ACCEPTED)
        return self.filter(
            ~ended & models.Q(visit__state__in=OPEN_VISITS, on__gte=today)
            | ended & waits & ~models.Exists(other)
        )


class Call(models.Model):
    """A family to be told of an appointment that a published plan made, moved or cancelled.

    `on` and `start` are what the family hears: a later plan may shift the visit within the hour
    without another call. A later plan that moves the same appointment further replaces a call
    that nobody made yet.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="calls")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="calls")
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=CallKind.choices)
    on = models.DateField(null=True)
    start = models.TimeField(null=True)
    was_on = models.DateField(null=True)
    was_start = models.TimeField(null=True)
    created_at = models.DateTimeField()
    told_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    told_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["campaign", "told_at"], name="call_waiting")]
