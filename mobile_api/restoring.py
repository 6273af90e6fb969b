"""What a register does first when it stands again from a backup."""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction

from mobile_api import enrolments, revocations
from mobile_api.models import Epoch


class Outlasted(NamedTuple):
    """How many tablets were enrolled, and how many stopped, after the backup."""

    enrolled: int
    stopped: int


@transaction.atomic
def begin_epoch() -> Outlasted:
    """Begin another epoch, by which tablets notice; enrol and stop again whoever was since."""
    Epoch.objects.all().delete()
    Epoch.current()
    return Outlasted(enrolments.reapply(), revocations.reapply())
