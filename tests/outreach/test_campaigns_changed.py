"""A campaign made longer, shorter or put off: what becomes of its teams' days and its visits."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from outreach.actions import calendars, campaigns, planning
from outreach.actions.campaigns import CampaignTerms, Hours
from outreach.models import Campaign, Visit
from outreach.working_calendar import LoadedYear, published_year
from tests import builders
from tests.outreach.planning import ASKED, FRIDAY, MONDAY, hills, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the solver's process from starting: tests think for themselves."""
    monkeypatch.setattr(planning, "launch", lambda plans: None)


def terms(campaign: Campaign, first_on: date, last_on: date) -> CampaignTerms:
    return CampaignTerms(name=campaign.name, first_on=first_on, last_on=last_on)


def test_teams_work_on_the_days_by_which_a_campaign_is_made_longer(place: builders.County) -> None:
    """The new days were off for every team: a plan found no day there, and nobody was told."""
    hill = hills(place, 0)
    early = [Hours(day, 480, 960) for day in campaigns.working_days(MONDAY, FRIDAY)[:4]]
    campaigns.set_hours(hill.north, early, by=place.administrator, at=ASKED)
    campaigns.set_hours(hill.south, [], by=place.administrator, at=ASKED)
    longer = terms(hill.campaign, MONDAY, FRIDAY + timedelta(days=7))
    campaigns.change(hill.campaign, longer, by=place.administrator, at=ASKED)
    new = campaigns.working_days(FRIDAY + timedelta(days=1), longer.last_on)
    shifts = hill.north.shifts.values_list("on", "start", "end")
    assert list(shifts) == [(one.on, 480, 960) for one in early] + [(day, 480, 960) for day in new]
    assert hill.south.shifts.count() == 0


def test_teams_work_on_a_weekend_day_that_a_newer_decree_makes_up_for(
    place: builders.County,
) -> None:
    """It was off for every team, as one that somebody had set so."""
    hill = hills(place, 0)
    saturday = MONDAY + timedelta(days=5)
    own = [Hours(day, 480, 960) for day in campaigns.working_days(MONDAY, FRIDAY)[1:]]
    campaigns.set_hours(hill.north, own, by=place.administrator, at=ASKED)
    moved = published_year(2018) - {saturday} | {FRIDAY}
    calendars.load_year(LoadedYear(2018, moved, "an invented decree"), by=None, at=ASKED)
    assert hill.north.shifts.get(on=saturday).start == 480
    assert not hill.north.shifts.filter(on=MONDAY).exists()
    assert hill.south.shifts.filter(on=saturday).exists()
    calendars.load_year(LoadedYear(2018, published_year(2018), "taken back"), by=None, at=ASKED)
    assert hill.north.shifts.filter(on=FRIDAY).count() == 1


def test_a_campaign_that_is_put_off_keeps_its_teams_hours(place: builders.County) -> None:
    hill = hills(place, 0)
    later = terms(hill.campaign, date(2018, 7, 2), date(2018, 7, 6))
    campaigns.change(hill.campaign, later, by=place.administrator, at=ASKED)
    assert hill.north.shifts.count() == 5


def test_who_shortens_a_campaign_is_told_which_visits_stand_outside(
    place: builders.County,
) -> None:
    hill = hills(place, 3)
    published(hill)
    Visit.objects.update(on=FRIDAY)
    shorter = terms(hill.campaign, MONDAY, FRIDAY - timedelta(days=1))
    outside = campaigns.change(hill.campaign, shorter, by=place.administrator, at=ASKED)
    assert len(outside) == 3
