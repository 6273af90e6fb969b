"""Appointments made by hand, taken over as the campaign's plan.

A county that begins to plan in the middle of a campaign has its appointments already. Taken
over, they stand on the board, in itineraries and calendar feeds, and what comes in between gets
its two answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from outreach.actions import drafting
from outreach.actions.audit import record
from outreach.actions.campaigns import check_plans
from outreach.actions.planning import check_idle, pose, question_of, team_off
from outreach.actions.solving import keep
from outreach.actions.thinking import problem_of, standing_plan
from outreach.domain.planning import measured
from outreach.models import Application, Campaign, Plan, User, Visit
from outreach.models.planning import PlanState
from outreach.models.visits import VisitQuerySet
from outreach.rules import Refused


def visits_of(campaign: Campaign) -> VisitQuerySet:
    """Return the visits of the campaign: in its area and days, by assessors of its teams."""
    return Visit.objects.filter(
        application__in=Application.objects.within(campaign.division).values("pk"),
        on__range=(campaign.first_on, campaign.last_on),
        assessor__in=campaign.members.values("user"),
    )


def made_by_hand(campaign: Campaign, at: datetime) -> int:
    """Count the appointments that stand and could be taken over: those whose time is still to come.

    A visit whose time is over waits for its tablet, or for somebody to say what became of it.
    """
    now = timezone.localtime(at)
    open_ones = drafting.open_visits(campaign).values("pk")
    to_come = Q(on__gt=now.date()) | Q(on=now.date(), start__gt=now.time())
    return visits_of(campaign).filter(to_come, pk__in=open_ones).count()


def adopt(campaign: Campaign, *, by: User, at: datetime) -> Plan:
    """Take the appointments that stand over as the published plan, as they are.

    No appointment moves and nobody is to be called. Raises `Refused` where a plan is published
    already, no appointment stands, or one stands on a day on which its team does not work.
    """
    check_plans(by, campaign)
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        check_idle(campaign)
        if campaign.plans.filter(state=PlanState.PUBLISHED).exists():
            raise Refused("plan-published", _("A plan is published already; it stands."))
        document = question_of(campaign, {}, at)
        _check_standing(campaign, document)
        plan = pose(campaign, document, seconds=0, by=by, at=at)
        keep(plan, measured(problem_of(document), standing_plan(document)), document, "formula")
        plan.state, plan.published_by, plan.published_at = PlanState.PUBLISHED, by, at
        plan.finished_at = timezone.now()
        plan.save(update_fields=["state", "published_by", "published_at", "finished_at"])
        record("plan.adopt", [plan], by=by, at=at)
    return plan


def _check_standing(campaign: Campaign, document: Mapping[str, Any]) -> None:
    if not document["standing"]:
        raise Refused("nothing-stands", _("No appointment stands in this campaign yet."))
    works = {(shift["team"], shift["day"]) for shift in document["shifts"]}
    off = next(
        (one for one in document["standing"] if (one["team"], one["day"]) not in works), None
    )
    if off is not None:
        team = campaign.teams.get(pk=off["team"])
        raise team_off(team, date.fromisoformat(document["days"][off["day"]]))
