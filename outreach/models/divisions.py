"""Administrative divisions: dated, sourced, and as filed (GB/T 2260 and its village codes)."""

from __future__ import annotations

from datetime import date

from django.db import models

from outreach.domain.vocabulary import Level
from outreach.models.kept import Slot


class DivisionQuerySet(models.QuerySet["Division"]):
    """Divisions in the field's words."""

    def within(self, division: Division) -> DivisionQuerySet:
        """The division itself and everything below it."""
        return self.filter(code__startswith=division.code)

    def valid(self, on: date | Slot) -> DivisionQuerySet:
        """Divisions that existed on that day."""
        ends_later = models.Q(valid_to__isnull=True) | models.Q(valid_to__gt=on)
        return self.filter(ends_later, valid_from__lte=on)

    def villages(self) -> DivisionQuerySet:
        """Villages and communities only."""
        return self.filter(level=Level.VILLAGE)


class Division(models.Model):
    """A county, township or village under one code during one span of time.

    Maps change and publishers disagree: a code carries its source and its validity, and an
    address stays as it was filed.
    """

    code = models.CharField(max_length=12)
    name = models.CharField(max_length=60)
    level = models.CharField(max_length=10, choices=[(v.value, v.value) for v in Level])
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    source = models.CharField(max_length=120)
    name_is_invented = models.BooleanField(default=False)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)

    objects = DivisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], name="division_code_once"),
        ]
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> tuple[float, float] | None:
        """Where it is, in degrees north and east; its township where nobody measured it."""
        for division in (self, self.parent):
            if division and division.latitude is not None and division.longitude is not None:
                return division.latitude, division.longitude
        return None
