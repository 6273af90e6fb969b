"""The second factor of those who accept, decide and sign."""

from __future__ import annotations

from typing import Any

from django.db import models

from outreach.models.people import User
from outreach.models.sealed import SealedJSONField, SealedTextField


class SecondFactor(models.Model):
    """A secret shared with somebody's telephone (RFC 6238), and codes for when it is lost.

    It counts from `confirmed_at` on. `last_step` is the time step of the last code that was
    taken, so that none is taken twice.
    """

    user = models.OneToOneField(
        User, models.CASCADE, primary_key=True, related_name="second_factor"
    )
    secret = SealedTextField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.PositiveBigIntegerField(default=0)
    spare_codes: Any = SealedJSONField(default=list)
