"""Appointment offers: for one case the cheapest times that keep every promise of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from outreach.actions import drafting
from outreach.actions.arranging import arrange
from outreach.actions.holding import hold_appointments
from outreach.actions.planning import book
from outreach.actions.thinking import problem_of, standing_plan
from outreach.actions.visits import AppointmentChanged, moment_of, note_agreed, visit_open
from outreach.domain.daytime import full_minute, time_at
from outreach.domain.planning import Offer, Pin, offers
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, Campaign, Team, User, Visit
from outreach.models.planning import PlanState
from outreach.rules import Refused

COUNT = 3
#: Appointments were rounded up to full minutes when they were planned.
ROUNDED = 1


@dataclass(frozen=True)
class Offered:
    """A time to offer, which team would come, and what it adds to the plan."""

    team: Team
    on: date
    start: time
    minutes: int
    added_km: float
    opens_team_day: bool
    is_late: bool

    @property
    def key(self) -> str:
        """The offer as a form sends it back."""
        return f"{self.team.pk}/{self.on.isoformat()}/{self.start:%H:%M}"


def campaign_for(case: Application, now: datetime) -> Campaign | None:
    """Return the campaign whose published plan could take the case in."""
    rows = Campaign.objects.filter(
        plans__state=PlanState.PUBLISHED, last_on__gte=timezone.localdate(now)
    ).select_related("division")
    fitting = [one for one in rows if case.village.code.startswith(one.division.code)]
    return min(fitting, key=lambda one: one.first_on, default=None)


def offered(
    case: Application, now: datetime, count: int = COUNT, *, instead_of: Visit | None = None
) -> list[Offered]:
    """Return the cheapest times for a case, cheapest first; none where no campaign has any.

    Everybody who has an appointment keeps team, day and time. Times after the case's own promised
    day are offered where there is none before. `instead_of` is the case's own appointment, where
    another time in its place is wanted.
    """
    campaign = campaign_for(case, now)
    if campaign is None or case.state != ApplicationState.ACCEPTED:
        return []
    if case.visits.open().exists() and instead_of is None:
        return []
    try:
        question = drafting.draw_up(campaign, now)
    except Refused:
        return []
    # More than are shown: one that runs into the next appointment is left out.
    made = _times(question, campaign, case, 4 * count)
    taken = (instead_of.on, instead_of.start) if instead_of else None
    return [one for one in made if (one.on, one.start) != taken][:count]


def _times(
    question: drafting.Question, campaign: Campaign, case: Application, count: int
) -> list[Offered]:
    """Return times at which a team could come beside all other appointments, cheapest first."""
    standing = drafting.standing_appointments(question, campaign)
    document = question.document | {
        "standing": [one for one in standing if one["visit"] != str(case.pk)],
    }
    problem, plan = problem_of(document), standing_plan(document)
    visit = next((one for one in problem.visits if one.id == str(case.pk)), None)
    if visit is None:
        return []
    kept = {
        one["visit"]: Pin(one["day"], one["team"], (one["start"], one["start"] + ROUNDED))
        for one in document["standing"]
    }

    def free(*, late_too: bool) -> list[Offer]:
        found = offers(problem, plan, visit, count, pinned=kept, late_too=late_too)
        return [one for one in found if not _runs_into(one, visit.minutes, document)]

    in_time = free(late_too=False)
    teams = {str(team.pk): team for team in campaign.teams.all()}
    return [
        Offered(
            teams[one.team],
            question.days[one.day],
            time_at(full_minute(one.start)),
            round(visit.minutes),
            round(one.added_km, 1),
            one.opens_team_day,
            is_late=not in_time,
        )
        for one in in_time or free(late_too=True)
    ]


def _runs_into(offer: Offer, minutes: float, document: Mapping[str, Any]) -> bool:
    """Tell whether an appointment of the team would begin before the offered visit is over."""
    lasts = {one["id"]: one["minutes"] for one in document["visits"]}
    start = full_minute(offer.start)
    return any(
        one["start"] < start + minutes and start < one["start"] + lasts[one["visit"]]
        for one in document["standing"]
        if (one["team"], one["day"]) == (offer.team, offer.day)
    )


def take(
    case: Application,
    key: str,
    *,
    by: User,
    at: datetime,
    instead_of: Visit | None = None,
    offered_as_of: datetime | None = None,
) -> Visit:
    """Schedule the case at an offered time that the family agreed to, or move it there.

    `offered_as_of` is the moment from which on times were offered, where that is none of now.
    Raises `Refused` where the offer does not stand any more, or somebody made or changed the
    appointment meanwhile.
    """
    with transaction.atomic():
        hold_appointments([case.pk])
        _check_as_read(case, instead_of)
        stand = offered(case, offered_as_of or at, 3 * COUNT, instead_of=instead_of)
        offer = next((one for one in stand if one.key == key), None)
        if offer is None:
            raise Refused("offer-gone", _("This time is not free any more; choose another one."))
        return _take(case, offer, by=by, at=at)


def _check_as_read(case: Application, instead_of: Visit | None) -> None:
    """Refuse where another appointment stands than the one that was read, and read the case."""
    case.refresh_from_db(fields=["state", "assessor"])
    stands = case.visits.open().first()
    if stands and instead_of is None:
        raise visit_open()
    if moment_of(stands) != moment_of(instead_of):
        raise AppointmentChanged


def _take(case: Application, offer: Offered, *, by: User, at: datetime) -> Visit:
    booking = book(
        offer.team.campaign, [(case, offer.team.pk, offer.on, offer.start, offer.minutes)]
    )
    came = arrange(booking, by=by, at=at, reason=_("offered and agreed"))
    visit = came.scheduled[0] if came.scheduled else came.moved[0].visit
    note_agreed(visit, by=by, at=at)
    return visit
