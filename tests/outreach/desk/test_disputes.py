"""The page on which a dispute is decided says of whom it is, and what stands now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from mobile_api.models import Dispute
from outreach.domain.vocabulary import Level, Role
from outreach.models import User
from tests import builders
from tests.builders import County
from tests.mobile_api.conftest import on_the_day as on_the_day
from tests.mobile_api.talking import ON_THE_DAY, enrolled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]
SignIn = Callable[[User], Client]


def test_a_dispute_is_shown_with_the_case_that_it_is_about_and_no_other(
    place: County, tmp_path: Path, sign_in: SignIn
) -> None:
    builders.accepted(place, name="钱白石")
    [visit] = builders.scheduled(place, name="孙长河")
    tablet = enrolled(place, tmp_path)
    named, case = {"visit": str(visit.pk)}, {"application": str(visit.application_id)}
    when = {"on": "2018-06-06", "start": "10:00"}
    tablet.say("move_visit", {**named, **when, "seen": {**when, "on": "2018-06-01"}}, ON_THE_DAY)
    tablet.say("schedule_visit", {**case, **when, "visit": str(uuid4())}, ON_THE_DAY)
    tablet.sync()
    office = sign_in(place.administrator)
    for dispute in Dispute.objects.all():
        page = office.get(f"/disputes/{dispute.pk}/").content.decode()
        assert ("孙长河" in page, "钱白石" in page) == (True, False)
    assert Dispute.objects.count() == 2


@pytest.mark.parametrize("said", [{}, {"visit": "none"}, {"application": str(uuid4())}])
def test_a_record_that_names_no_case_is_shown_with_none(
    place: County, tmp_path: Path, sign_in: SignIn, said: dict[str, Any]
) -> None:
    builders.accepted(place, name="钱白石")
    tablet = enrolled(place, tmp_path)
    tablet.say("teleport", said, ON_THE_DAY)
    tablet.sync()
    page = sign_in(place.administrator).get(f"/disputes/{Dispute.objects.get().pk}/")
    assert (page.status_code, "钱白石" in page.content.decode()) == (200, False)


def test_a_case_of_another_area_is_not_named(
    place: County, tmp_path: Path, sign_in: SignIn
) -> None:
    """Who works in another area now: its office decides what they say, and sees its own cases."""
    [case] = builders.accepted(place, name="钱白石")
    tablet = enrolled(place, tmp_path, place.liaison)
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    User.objects.filter(pk=place.liaison.pk).update(division=elsewhere)
    said = {name: {"telephone": "", "address": ""} for name in ("to", "seen")}
    tablet.say("correct_contact", {**said, "application": str(case.pk)}, ON_THE_DAY)
    tablet.sync()
    office = sign_in(builders.user("stranger", Role.ADMINISTRATOR, elsewhere))
    page = office.get(f"/disputes/{Dispute.objects.get().pk}/").content.decode()
    assert ("钱白石" in page, case.resident.telephone in page) == (False, False)
