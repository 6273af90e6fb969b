"""A campaign for tests: homes in five villages around the small county's seat, and two teams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from outreach.actions import campaigns, planning, solving, thinking
from outreach.actions.campaigns import CampaignTerms, Crew
from outreach.domain.vocabulary import Level, Role
from outreach.models import Application, Assessor, Campaign, Division, Plan, Team, User
from outreach.models.planning import PlanKind
from tests import builders

MONDAY, FRIDAY = date(2018, 6, 4), date(2018, 6, 15)
#: The office plans on the Monday before.
ASKED = datetime(2018, 5, 28, 9, 0, tzinfo=builders.SHANGHAI)


@dataclass(frozen=True)
class Hills:
    """The small county with villages of their own places, homes that wait, and two teams."""

    place: builders.County
    villages: Sequence[Division]
    cases: list[Application]
    campaign: Campaign
    north: Team
    south: Team
    spare: User


def hills(place: builders.County, homes: int = 6, **terms: Any) -> Hills:
    """Build the campaign: two weeks, two teams, so many homes that wait."""
    villages = scatter(place)
    cases = wait(place, villages, homes)
    given: dict[str, Any] = {"name": "六月送证", "first_on": MONDAY, "last_on": FRIDAY}
    campaign = campaigns.create(
        CampaignTerms(**(given | terms)), place.county, by=place.administrator, at=ASKED
    )
    spare = builders.user("spare", Role.ASSESSOR, place.county)
    Assessor.objects.create(
        user=spare,
        institution=Assessor.objects.get(user=place.assessor).institution,
        categories=["physical", "mental"],
    )
    north = team(campaign, "北线", [place.assessor, place.colleague], by=place.administrator)
    south = team(campaign, "南线", [spare], by=place.administrator)
    return Hills(place, villages, cases, campaign, north, south, spare)


def scatter(place: builders.County) -> list[Division]:
    """Return five villages a few kilometres apart."""
    made = []
    for number in range(5):
        village = builders.division(
            f"51130220120{number + 2}", f"第{number + 1}村", Level.VILLAGE, place.township
        )
        village.latitude, village.longitude = 30.90 + number * 0.03, 106.05 + number * 0.02
        village.save()
        made.append(village)
    return made


def wait(
    place: builders.County, villages: Sequence[Division], count: int, **changes: Any
) -> list[Application]:
    """Return accepted cases of which no assessor and no time is known yet."""
    from outreach.actions import applications

    found: list[Application] = []
    for number in range(count):
        village = villages[number % len(villages)]
        made = builders.applied(place_of(place, village), 1, village=village, **changes)
        found += made
    applications.accept(found, by=place.administrator, at=ASKED - timedelta(days=3))
    return found


def place_of(place: builders.County, village: Division) -> builders.County:
    """Return the county with a liaison of the township, who may nominate in each village."""
    from dataclasses import replace

    known = User.objects.filter(username="township").first()
    liaison = known or builders.user("township", Role.LIAISON, place.township)
    return replace(place, liaison=liaison, village=village)


def team(campaign: Campaign, name: str, members: Sequence[User], *, by: User) -> Team:
    """Add a team that starts at the county's seat."""
    rows = [Assessor.objects.get(user=member) for member in members]
    crew = Crew(name, rows, "县城", 30.80, 106.09, "川R·演示")
    return campaigns.add_team(campaign, crew, by=by, at=ASKED)


def made(hills: Hills, at: datetime = ASKED, *, rounds: int = 1, **asked: Any) -> Plan:
    """Return a plan of the campaign, thought out in this process."""
    plan = planning.ask(hills.campaign, by=hills.place.administrator, at=at, **asked)
    think(plan.pk, rounds=rounds)
    plan.refresh_from_db()
    return plan


def think(*plans: UUID, rounds: int = 1) -> None:
    """Do what the solver's process does, without the process: the same thought, by rounds."""
    from threading import Event

    from outreach.domain.planning import Until

    claimed = [plan for pk in plans if (plan := solving._claim(pk))]
    document = dict(claimed[-1].problem)
    travel = solving.put_roads(document)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thinking, "Until", lambda seconds, asked: Until(rounds=rounds, asked=asked))
        answers = thinking.answer(
            document,
            answers=claimed[-1].kind in (PlanKind.INSERT, PlanKind.REPAIR),
            seed=claimed[-1].seed,
            seconds=1,
            asked=Event(),  # type: ignore[arg-type]
            say=lambda said: None,
        )
    heard = solving._Heard(done=answers)
    solving._end(claimed, heard, document, travel, stopped=False)


def published(hills: Hills, at: datetime = ASKED) -> Plan:
    """Return the campaign's published plan."""
    plan = made(hills, at)
    planning.publish(plan, by=hills.place.administrator, at=at)
    plan.refresh_from_db()
    return plan
