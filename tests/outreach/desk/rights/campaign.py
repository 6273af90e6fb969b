"""A campaign of the own area for the rights table: a team, a draft, and a family to call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from outreach import clock
from outreach.actions import campaigns
from outreach.actions.campaigns import CampaignTerms, Crew, Happening
from outreach.models import Call, Campaign, Hindrance, Plan, PlannedStop, Team, Visit
from outreach.models.planning import CallKind, HindranceKind, PlanState
from tests import builders

#: The feed's address is known to whoever was handed it; nobody was.
UNKNOWN_SECRET = "nobody-was-handed-this"


def a_campaign(place: builders.County) -> None:
    """Make the campaign around the visit to come, with a draft of its two weeks."""
    by, at = place.administrator, clock.now()
    visit = Visit.objects.get(state="scheduled")
    terms = CampaignTerms("六月送证", visit.on, visit.on + timedelta(days=14))
    campaign = campaigns.create(terms, place.county, by=by, at=at)
    crew = Crew("北线", [place.assessor.assessor, place.colleague.assessor], "县城", 30.8, 106.09)
    team = campaigns.add_team(campaign, crew, by=by, at=at)
    what = Happening(HindranceKind.TEAM_AWAY, campaign.last_on, campaign.last_on, team=team)
    campaigns.hinder(campaign, what, by=by, at=at)
    for number in (1, 2):
        plan = Plan.objects.create(
            campaign=campaign,
            number=number,
            state=PlanState.READY,
            problem={"days": [], "standing": [], "visits": []},
            figures={"homes": 1, "days": []},
            created_by=by,
            created_at=at,
        )
        PlannedStop.objects.create(
            plan=plan,
            application=visit.application,
            team=team,
            on=visit.on,
            order=1,
            start=540,
            minutes=30,
            late_days=1,
        )
    Call.objects.create(
        campaign=campaign,
        plan=plan,
        visit=visit,
        kind=CallKind.NEW,
        on=visit.on,
        start=visit.start,
        created_at=at,
    )


#: How to find what an address names.
SUBJECTS: dict[str, Callable[[dict[str, str]], Any]] = {
    "campaign": lambda _: Campaign.objects.get().pk,
    "team": lambda _: Team.objects.get().pk,
    "hindrance": lambda _: Hindrance.objects.get().pk,
    "plan": lambda _: Plan.objects.get(number=1).pk,
    "other": lambda _: Plan.objects.get(number=2).pk,
    "on": lambda _: PlannedStop.objects.all()[0].on.isoformat(),
    "secret": lambda _: UNKNOWN_SECRET,
}
