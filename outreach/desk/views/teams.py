"""The teams of a campaign: who, from where, on which days, and their calendar feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from outreach import clock
from outreach.actions import campaigns as actions
from outreach.actions import drafting
from outreach.desk import feeds
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, done, not_done
from outreach.desk.campaign_forms import ChangingTeamForm, HoursForm, TeamForm
from outreach.desk.seeing import as_seen, showing, told
from outreach.desk.views.campaigns import campaign_of
from outreach.domain.vocabulary import Role
from outreach.models import Team, Visit
from outreach.rules import Refused, campaigns_for, plainly


def team_of(request: DeskRequest, team: UUID) -> Team:
    """Return the team if its campaign is in the user's area."""
    rows = Team.objects.filter(campaign__in=campaigns_for(request.user))
    return found(rows.select_related("campaign__division"), pk=team)


@only(Role.ADMINISTRATOR)
def new(request: DeskRequest, campaign: UUID) -> HttpResponse:
    """Add a team to a campaign."""
    held = campaign_of(request, campaign)
    form = TeamForm(request.POST or None, campaign=held, on=clock.today())

    def act() -> HttpResponse:
        check_form(form)
        team = actions.add_team(held, form.crew(), by=request.user, at=clock.now())
        message = _("Team %(name)s is ready on every working day.") % {"name": team.name}
        return done(request, message, "desk:campaign", held.pk)

    context = {
        "form": form,
        "campaign": held,
        "title": _("New team"),
        "button": _("Add the team"),
    }
    return answer(request, act, "desk/team_form.html", lambda: context)


@only(Role.ADMINISTRATOR)
def change(request: DeskRequest, team: UUID) -> HttpResponse:
    """Change who is in a team and where it starts."""
    held = team_of(request, team)
    form = ChangingTeamForm(
        request.POST or None,
        campaign=held.campaign,
        on=clock.today(),
        initial=showing(TeamForm.showing(held)),
    )

    def act() -> HttpResponse:
        check_form(form)
        with as_seen(
            form,
            held,
            lambda: TeamForm.showing(held),
            hold=lambda: actions.hold_teams(held.campaign),
        ) as kept:
            coming = actions.change_team(held, form.crew(), by=request.user, at=clock.now())
        text = told(_("The team is changed."), kept) + _staying(coming)
        return done(request, text, "desk:campaign", held.campaign_id)

    context = {
        "form": form,
        "campaign": held.campaign,
        "title": _("Change the team"),
        "button": _("Save"),
    }
    return answer(request, act, "desk/team_form.html", lambda: context)


def _staying(coming: Sequence[Visit]) -> str:
    """Say whose visits to come nobody else makes by itself."""
    if not coming:
        return ""
    names = _(", ").join(sorted({visit.assessor.full_name for visit in coming}))
    text = ngettext(
        "%(count)d visit to come stays with %(names)s; give it to another assessor from the page"
        " of its case.",
        "%(count)d visits to come stay with %(names)s; give them to another assessor from the page"
        " of one of the cases.",
        len(coming),
    )
    return " " + text % {"count": len(coming), "names": names}


@only(Role.ADMINISTRATOR)
@require_POST
def remove(request: DeskRequest, team: UUID) -> HttpResponse:
    """Remove a team that no plan names."""
    held = team_of(request, team)
    campaign = held.campaign_id
    try:
        actions.remove_team(held, by=request.user, at=clock.now())
    except Refused as refusal:
        return not_done(request, refusal, "desk:team_hours", held.pk)
    return done(request, _("The team is removed."), "desk:campaign", campaign)


@only(Role.ADMINISTRATOR)
def hours(request: DeskRequest, team: UUID) -> HttpResponse:
    """Set on which days a team works, and when."""
    held = team_of(request, team)
    with plainly():
        days = drafting.days_of(held.campaign)

    def shown() -> dict[str, Any]:
        return HoursForm.showing(days, held.shifts.all())

    form = HoursForm(request.POST or None, days=days, initial=showing(shown()))

    def act() -> HttpResponse:
        check_form(form)
        with as_seen(form, held, shown, hold=lambda: actions.hold_teams(held.campaign)):
            coming = actions.set_hours(held, form.hours(), by=request.user, at=clock.now())
        text = _("The days are saved.") + _on_days_off(len(coming))
        return done(request, text, "desk:campaign", held.campaign_id)

    context = {"form": form, "team": held, "campaign": held.campaign}
    return answer(request, act, "desk/team_hours.html", lambda: context)


def _on_days_off(count: int) -> str:
    """Say how many families wait on days on which the team does not go out any more."""
    if not count:
        return ""
    text = ngettext(
        "%(count)d visit to come stands on a day that is off; make another plan, or move it.",
        "%(count)d visits to come stand on days that are off; make another plan, or move them.",
        count,
    )
    return " " + text % {"count": count}


@only(Role.ADMINISTRATOR)
def feed(request: DeskRequest, team: UUID) -> HttpResponse:
    """Tell of a team's calendar feed; on POST make a new address, shown this once."""
    held = team_of(request, team)

    def act() -> HttpResponse:
        seen = request.POST.get("seen")
        secret = actions.open_feed(held, seen=seen, by=request.user, at=clock.now())
        path = reverse("desk:calendar_feed", args=[secret])
        address = f"{settings.OUTREACH_PUBLIC_URL}{path}"
        return render(request, "desk/feed.html", {**_feed_of(held), "address": address})

    return answer(request, act, "desk/feed.html", lambda: _feed_of(held))


def _feed_of(team: Team) -> dict[str, Any]:
    return {"team": team, "campaign": team.campaign, "seen": actions.mark_of_feed(team)}


@only(Role.ADMINISTRATOR)
@require_POST
def close_feed(request: DeskRequest, team: UUID) -> HttpResponse:
    """Revoke a team's calendar feed."""
    held = team_of(request, team)

    def act() -> HttpResponse:
        actions.close_feed(held, seen=request.POST.get("seen"), by=request.user, at=clock.now())
        message = _("The calendar address is revoked; whoever has it sees nothing any more.")
        return done(request, message, "desk:feed", held.pk)

    return answer(request, act, "desk/feed.html", lambda: _feed_of(held))


@require_safe
def calendar_feed(request: HttpRequest, secret: str) -> HttpResponse:
    """Answer a calendar program that knows the secret address; anybody else 404."""
    del request
    team = actions.team_of_feed(secret)
    if team is None:
        raise Http404
    answered = HttpResponse(feeds.calendar(team), content_type="text/calendar; charset=utf-8")
    answered.headers["Cache-Control"] = "no-store, private"
    answered.headers["Content-Disposition"] = 'inline; filename="outreach.ics"'
    return answered
