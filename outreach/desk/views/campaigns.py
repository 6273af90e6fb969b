"""Campaigns at the desk: the list, a new one, its board, and what came in between."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from outreach import clock
from outreach.actions import adopting, drafting, planning
from outreach.actions import campaigns as actions
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, done
from outreach.desk.boards import team_rows, weeks_of
from outreach.desk.campaign_forms import (
    AskForm,
    CampaignForm,
    ChangingCampaignForm,
    HindranceForm,
)
from outreach.desk.listing import Calendar, list_rows
from outreach.desk.seeing import as_seen, showing, told
from outreach.domain.vocabulary import Role
from outreach.domain.workflow import OPEN_VISITS, VisitState
from outreach.models import Campaign, Hindrance, Plan
from outreach.models.planning import PlanState
from outreach.rules import campaigns_for, plainly

LOOKERS = (Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR)


def campaign_of(request: DeskRequest, campaign: UUID) -> Campaign:
    """Return the campaign if it is in the user's area."""
    return found(campaigns_for(request.user).select_related("division"), pk=campaign)


def may_take(request: DeskRequest) -> bool:
    """Tell whether the user may change anything here."""
    return request.user.role == Role.ADMINISTRATOR


@only(*LOOKERS)
def campaigns(request: DeskRequest) -> HttpResponse:
    """List the campaigns, newest first."""
    listing = list_rows(
        request,
        campaigns_for(request.user).select_related("division").order_by("-first_on", "-pk"),
        Calendar.of(clock.today()),
        search_in=("name",),
        since=lambda row: row.created_at,
    )
    context = {"listing": listing, "may_take": may_take(request)}
    return render(request, "desk/campaigns.html", context)


@only(Role.ADMINISTRATOR)
def new(request: DeskRequest) -> HttpResponse:
    """Open a campaign in the user's division."""
    form = CampaignForm(request.POST or None)

    def act() -> HttpResponse:
        check_form(form)
        made = actions.create(form.terms(), request.user.division, by=request.user, at=clock.now())
        message = _("The campaign is open. Now add its teams.")
        return done(request, message, "desk:campaign", made.pk)

    context = {"form": form, "title": _("New campaign"), "button": _("Open the campaign")}
    return answer(request, act, "desk/campaign_form.html", lambda: context)


@only(Role.ADMINISTRATOR)
def change(request: DeskRequest, campaign: UUID) -> HttpResponse:
    """Change a campaign's days and customs."""
    held = campaign_of(request, campaign)
    initial = showing(CampaignForm.showing(held))
    form = ChangingCampaignForm(request.POST or None, initial=initial)

    def act() -> HttpResponse:
        check_form(form)
        with as_seen(form, held, lambda: CampaignForm.showing(held)) as kept:
            outside = actions.change(held, form.terms(), by=request.user, at=clock.now())
        text = told(_("The campaign is changed."), kept) + _outside(len(outside))
        return done(request, text, "desk:campaign", held.pk)

    context = {
        "form": form,
        "campaign": held,
        "title": _("Change the campaign"),
        "button": _("Save"),
    }
    return answer(request, act, "desk/campaign_form.html", lambda: context)


def _outside(count: int) -> str:
    """Say how many visits to come no plan of the campaign looks at any more."""
    if not count:
        return ""
    text = ngettext(
        "%(count)d visit to come lies outside the new days and stands as it is; move or cancel it"
        " from the page of its case.",
        "%(count)d visits to come lie outside the new days and stand as they are; move or cancel"
        " them from the pages of their cases.",
        count,
    )
    return " " + text % {"count": count}


@only(*LOOKERS)
def campaign(request: DeskRequest, campaign: UUID) -> HttpResponse:
    """Show the board: weeks × teams, what the plan came to, and the next step."""
    held = campaign_of(request, campaign)
    return render(request, "desk/campaign.html", board(request, held))


def board(request: DeskRequest, held: Campaign) -> dict[str, Any]:
    """Return what the board shows."""
    plans = list(held.plans.select_related("created_by"))
    for plan in plans:
        planning.notice_silence(plan)
    published = next((plan for plan in plans if plan.state == PlanState.PUBLISHED), None)
    ready = next((plan for plan in plans if plan.may_be_published), None)
    running = next((plan for plan in plans if plan.is_under_way), None)
    shown = published or ready
    with plainly():
        days = drafting.days_of(held)
    return {
        "campaign": held,
        "teams": held.teams.prefetch_related("members__user"),
        "plans": plans,
        "plan": shown,
        "published": published,
        "ready": ready,
        "running": running,
        "weeks": weeks_of(held, shown, days),
        "shares": team_rows(held, shown) if shown else [],
        "waiting": drafting.cases_of(held).exclude(visits__state__in=OPEN_VISITS).count(),
        "over": held.last_on < clock.today(),
        "done": adopting.visits_of(held).filter(state=VisitState.DONE).count(),
        "by_hand": 0 if published else adopting.made_by_hand(held, clock.now()),
        "calls": held.calls.to_make().still_true(clock.today()).count(),
        "hindrances": held.hindrances.standing().select_related(
            "application__resident", "place", "doctor", "team"
        ),
        "ask": AskForm(),
        "today": clock.today(),
        "may_take": may_take(request),
    }


@only(Role.ADMINISTRATOR)
def hinder(request: DeskRequest, campaign: UUID) -> HttpResponse:
    """Record what came in between, and ask for two answers to it."""
    held = campaign_of(request, campaign)
    today = clock.today()
    form = HindranceForm(
        request.POST or None,
        campaign=held,
        cases=drafting.applications_of(held, request.user).select_related("resident", "village"),
        on=today,
        initial={"first_on": max(today, held.first_on), "last_on": max(today, held.first_on)},
    )

    def act() -> HttpResponse:
        check_form(form)
        at = clock.now()
        with transaction.atomic():  # noted without its answers, it would be noted once more
            actions.hinder(held, form.happening(), by=request.user, at=at)
            if not held.plans.filter(state=PlanState.PUBLISHED).exists():
                message = _("Noted; the next plan takes it into account.")
                return done(request, message, "desk:campaign", held.pk)
            answers = planning.answer(held, by=request.user, at=at)
        message = _("Noted. Two answers are being worked out.")
        return done(request, message, "desk:compare", answers[0].pk, answers[1].pk)

    context = {"form": form, "campaign": held}
    return answer(request, act, "desk/hindrance.html", lambda: context)


@only(Role.ADMINISTRATOR)
@require_POST
def withdraw(request: DeskRequest, hindrance: UUID) -> HttpResponse:
    """Take back what came in between."""
    rows = Hindrance.objects.standing().filter(campaign__in=campaigns_for(request.user))
    held = found(rows.select_related("campaign"), pk=hindrance)
    actions.withdraw(held, by=request.user, at=clock.now())
    message = _("Taken back; the next plan reckons with it again.")
    return done(request, message, "desk:campaign", held.campaign_id)


def plan_of(request: DeskRequest, plan: UUID) -> Plan:
    """Return the plan if its campaign is in the user's area."""
    rows = Plan.objects.filter(campaign__in=campaigns_for(request.user))
    return found(rows.select_related("campaign__division", "base", "created_by"), pk=plan)
