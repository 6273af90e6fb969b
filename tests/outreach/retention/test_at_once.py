"""Somebody is nominated anew in the very moment in which they are erased."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from outreach.actions import applications
from outreach.domain.retention import Holding
from outreach.models import Resident
from outreach.retention.erasing import erase_case
from tests import builders
from tests.at_once import ON_POSTGRESQL, meanwhile

pytestmark = ON_POSTGRESQL


def test_who_is_nominated_while_their_old_case_is_erased_keeps_their_name(
    place: builders.County,
) -> None:
    """The new case stood without a name, and with a number that nobody has."""
    again = builders.nomination(place)
    [old] = applications.nominate([again], by=place.liaison, at=builders.START)
    applications.advance([old], "withdraw", by=place.liaison, at=builders.START)
    anew = builders.nomination(place, id_number=again.id_number)
    meanwhile(
        lambda: applications.nominate([anew], by=place.liaison, at=timezone.now()),
        lambda: erase_case(
            old, Holding.UNFINISHED, by=None, at=timezone.now() + timedelta(seconds=1)
        ),
    )
    old.refresh_from_db()
    person = Resident.objects.get()
    assert old.erased_at
    assert (person.name, person.id_number, person.erased_at) == ("赵青山", again.id_number, None)
