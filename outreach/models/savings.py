"""Journeys that citizens did not make, the dated tariffs that price them, and what it cost."""

from __future__ import annotations

from django.db import models

from outreach.models.ids import new_id
from outreach.models.people import CATEGORY_CHOICES
from outreach.models.visits import Evaluation


class Tariff(models.Model):
    """A dated tariff of one place, its parameters with their sources; never changed once used."""

    code = models.CharField(max_length=40, primary_key=True)
    place = models.CharField(max_length=12)
    valid_from = models.DateField()
    body = models.TextField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "valid_from"], name="tariff_once"),
        ]


class Journey(models.Model):
    """The facts of the journeys one home evaluation spared, pinned with the tariff's edition.

    The amounts are not stored: they follow from these facts and the tariff, to the fen.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    evaluation = models.OneToOneField(Evaluation, models.PROTECT, related_name="journey")
    tariff = models.ForeignKey(Tariff, models.PROTECT, related_name="journeys")
    on = models.DateField(db_index=True)
    village_code = models.CharField(max_length=12)
    village_name = models.CharField(max_length=60)
    township_name = models.CharField(max_length=60)
    category = models.CharField(max_length=20, choices=CATEGORY_CHOICES)
    distance_km = models.FloatField()
    road_factor = models.FloatField()
    is_bedridden = models.BooleanField()
    can_sit = models.BooleanField()
    rides_free = models.BooleanField()
    fee_paid_by_county = models.BooleanField()
    companions = models.PositiveSmallIntegerField(null=True)
    #: A certificate, if the standard was met; what was recorded up to 0.6.7 stays as it was.
    collects = models.BooleanField(default=True, db_default=True)


class OutreachCost(models.Model):
    """What a team's day cost the federation: vehicle, doctors, meals; with its source.

    `place` is the county's code; what was recorded up to 0.6.8 has none.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    on = models.DateField(db_index=True)
    team = models.CharField(max_length=20)
    what = models.CharField(max_length=60)
    amount_fen = models.PositiveIntegerField()
    source = models.CharField(max_length=120)
    place = models.CharField(max_length=12, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "on", "team", "what"], name="cost_once"),
        ]
