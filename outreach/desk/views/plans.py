"""Plans at the desk: asked for, watched, stopped, compared, looked at day by day, published."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from outreach import clock
from outreach.actions import adopting, drafting, planning
from outreach.actions import campaigns as promising
from outreach.actions.audit import record
from outreach.desk import itinerary
from outreach.desk.access import DeskRequest, found, only
from outreach.desk.answers import answer, check_form, chosen, done, not_done
from outreach.desk.boards import SHOWN, figures_now, stops_now, team_rows, weeks_of
from outreach.desk.boards import compare as side_by_side
from outreach.desk.campaign_forms import AskForm, WhatIfForm
from outreach.desk.maps import Stay, draw
from outreach.desk.planning_words import FIGURES
from outreach.desk.views.campaigns import LOOKERS, board, campaign_of, may_take, plan_of
from outreach.domain.vocabulary import Role
from outreach.models import Application, Division, Plan, PlannedStop, Team
from outreach.models.planning import PlanKind
from outreach.rules import Refused, plainly


@only(Role.ADMINISTRATOR)
@require_POST
def ask(request: DeskRequest, campaign: UUID) -> HttpResponse:
    """Start a plan of the campaign as it stands."""
    held = campaign_of(request, campaign)
    form = AskForm(request.POST)

    def act() -> HttpResponse:
        check_form(form)
        said = form.cleaned_data
        plan = planning.ask(
            held, seconds=said["seconds"], label=said["label"], by=request.user, at=clock.now()
        )
        return done(request, _("The plan is being made."), "desk:plan", plan.pk)

    return answer(request, act, "desk/campaign.html", lambda: board(request, held))


@only(Role.ADMINISTRATOR)
@require_POST
def adopt(request: DeskRequest, campaign: UUID) -> HttpResponse:
    """Take the appointments made by hand over as the published plan."""
    held = campaign_of(request, campaign)
    try:
        made = adopting.adopt(held, by=request.user, at=clock.now())
    except Refused as refusal:
        return not_done(request, refusal, "desk:campaign", held.pk)
    count = made.figures["homes"]
    text = ngettext(
        "%(count)d appointment stands on the board, as it was made.",
        "%(count)d appointments stand on the board, as they were made.",
        count,
    ) % {"count": count}
    return done(request, text, "desk:campaign", held.pk)


@only(Role.ADMINISTRATOR)
def what_if(request: DeskRequest, plan: UUID) -> HttpResponse:
    """Ask for the same plan with something different, to set beside it."""
    base = plan_of(request, plan)
    campaign = base.campaign
    initial = {
        "overtime_minutes": base.wishes.get("overtime_minutes", campaign.overtime_minutes),
        "minutes": base.wishes.get("minutes", campaign.minutes),
        "last_on": campaign.last_on,
    }
    form = WhatIfForm(request.POST or None, campaign=campaign, initial=initial)

    def act() -> HttpResponse:
        check_form(form)
        said = form.cleaned_data
        made = planning.ask(
            campaign,
            kind=PlanKind.WHAT_IF,
            base=base,
            wishes=form.wishes(),
            seconds=said["seconds"],
            label=said["label"],
            by=request.user,
            at=clock.now(),
        )
        message = _("The other plan is being made; both stand side by side when it is ready.")
        return done(request, message, "desk:compare", base.pk, made.pk)

    context = {"form": form, "plan": base, "campaign": campaign}
    return answer(request, act, "desk/what_if.html", lambda: context)


@only(*LOOKERS)
def plan(request: DeskRequest, plan: UUID) -> HttpResponse:
    """Show a plan: how far it is, or what it came to."""
    held = plan_of(request, plan)
    planning.notice_silence(held)
    return render(request, "desk/plan.html", _shown(request, held))


def _shown(request: DeskRequest, held: Plan) -> dict[str, Any]:
    campaign = held.campaign
    with plainly():
        days = drafting.days_of(campaign)
    stops = held.stops.select_related("application__resident", "application__village", "team")
    return {
        "plan": held,
        "campaign": campaign,
        "weeks": weeks_of(campaign, held, days) if held.is_showable else [],
        "shares": team_rows(campaign, held) if held.is_showable else [],
        "late": list(stops.filter(late_days__gt=0).order_by("-late_days", "on", "start")),
        "left_out": list(
            held.left_out.select_related("application__resident", "application__village__parent")
        ),
        "others": list(campaign.plans.showable().exclude(pk=held.pk).order_by("-number")[:8]),
        "calls": planning.changes(held, clock.now()) if held.may_be_published else [],
        "today": clock.today(),
        "may_take": may_take(request),
    }


@only(*LOOKERS)
def progress(request: DeskRequest, plan: UUID) -> HttpResponse:
    """Answer the fragment of the progress bar; when the plan is ready, tell htmx to reload."""
    held = plan_of(request, plan)
    planning.notice_silence(held)
    context = {"plan": held, "may_take": may_take(request)}
    fragment = "_waiting" if request.GET.get("small") else "_progress"
    shown = render(request, f"desk/{fragment}.html", context)
    if not held.is_under_way:
        shown.headers["HX-Refresh"] = "true"
    return shown


@only(Role.ADMINISTRATOR)
@require_POST
def stop(request: DeskRequest, plan: UUID) -> HttpResponse:
    """Stop a plan under way; the best found so far is kept."""
    held = plan_of(request, plan)
    planning.stop(held, by=request.user, at=clock.now())
    message = _("The planner stops and keeps the best plan so far.")
    return done(request, message, "desk:plan", held.pk)


@only(Role.ADMINISTRATOR)
@require_POST
def resume(request: DeskRequest, plan: UUID) -> HttpResponse:
    """Start a plan that broke off once more."""
    held = plan_of(request, plan)
    try:
        planning.resume(held, by=request.user, at=clock.now())
    except Refused as refusal:
        return not_done(request, refusal, "desk:plan", held.pk)
    return done(request, _("The plan is being made."), "desk:plan", held.pk)


@only(Role.ADMINISTRATOR)
def publish(request: DeskRequest, plan: UUID) -> HttpResponse:
    """Ask once more, with what will change; on POST make the plan the visits of the register."""
    held = plan_of(request, plan)

    def act() -> HttpResponse:
        came = planning.publish(held, by=request.user, at=clock.now())
        text = ngettext(
            "Published: %(count)d visit stands. Tablets receive it at their next sync.",
            "Published: %(count)d visits stand. Tablets receive them at their next sync.",
            came.standing,
        ) % {"count": came.standing}
        if came.skipped:
            text += " " + ngettext(
                "%(count)d case moved on or was changed by hand meanwhile and was left alone.",
                "%(count)d cases moved on or were changed by hand meanwhile and were left alone.",
                len(came.skipped),
            ) % {"count": len(came.skipped)}
        return done(request, text, "desk:campaign", held.campaign_id)

    def shown() -> dict[str, Any]:
        changes = planning.changes(held, clock.now())
        counts = {kind: sum(one.kind == kind for one in changes) for kind in planning.KINDS}
        return {
            "plan": held,
            "campaign": held.campaign,
            "counts": counts,
            "left_out": held.left_out.count(),
        }

    return answer(request, act, "desk/publish.html", shown)


@only(*LOOKERS)
def compare(request: DeskRequest, plan: UUID, other: UUID) -> HttpResponse:
    """Set two plans of one campaign side by side, with who would move."""
    pair = [plan_of(request, plan), plan_of(request, other)]
    if pair[0].campaign_id != pair[1].campaign_id:
        raise Http404
    for one in pair:
        planning.notice_silence(one)
    both = all(one.is_showable for one in pair)
    return render(
        request,
        "desk/compare.html",
        {
            "pair": pair,
            "campaign": pair[0].campaign,
            "waits": any(one.is_under_way for one in pair),
            "measures": side_by_side(pair, FIGURES) if both else [],
            "differences": _differences(*pair) if both else [],
            "calls": [
                (one, planning.changes(one, clock.now()))
                for one in pair
                if one.may_be_published and both
            ],
            "answers": {one.kind for one in pair} == {PlanKind.INSERT, PlanKind.REPAIR},
            "may_take": may_take(request),
        },
    )


def _differences(first: Plan, second: Plan) -> list[tuple[Any, Any, Any]]:
    """List the cases whose day or team differs between two plans."""

    def stops(plan: Plan) -> dict[UUID, PlannedStop]:
        rows = plan.stops.select_related("application__resident", "application__village", "team")
        return {row.application_id: row for row in rows}

    one, two = stops(first), stops(second)
    rows = []
    for case in {**one, **two}:
        a, b = one.get(case), two.get(case)
        if a is None or b is None or (a.on, a.team_id) != (b.on, b.team_id):
            rows.append(((a or b).application, a, b))  # type: ignore[union-attr]
    rows.sort(key=lambda row: (row[1].on if row[1] else date.max, str(row[0].pk)))
    return rows


@only(*LOOKERS)
def day(request: DeskRequest, plan: UUID, team: UUID, on: str) -> HttpResponse:
    """Show a team's day on a map, with order and times in the table beside."""
    held = plan_of(request, plan)
    crew = found(Team.objects.filter(campaign=held.campaign_id), pk=team)
    when = _date(on)
    stops = stops_now(held, *SHOWN, team=crew.pk, on=when)
    pinned = set(held.campaign.pins.values_list("application", flat=True))
    around = (
        Division.objects.valid(when)
        .villages()
        .filter(code__startswith=held.campaign.division.code, latitude__isnull=False)
    )
    days = {stop.on for stop in stops_now(held, team=crew.pk)}
    return render(
        request,
        "desk/plan_day.html",
        {
            "plan": held,
            "campaign": held.campaign,
            "team": crew,
            "on": when,
            "stops": stops,
            "pinned": pinned,
            "map": draw(
                (crew.latitude, crew.longitude),
                crew.base_name,
                _stays(stops),
                [
                    (one.latitude, one.longitude)
                    for one in around.only("latitude", "longitude")
                    if one.latitude is not None and one.longitude is not None
                ],
            ),
            "figures": figures_now(held, stops).get((crew.pk, when)),
            "before": max((one for one in days if one < when), default=None),
            "after": min((one for one in days if one > when), default=None),
            "may_take": may_take(request),
        },
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Http404 from error


def _stays(stops: list[PlannedStop]) -> list[Stay]:
    """Join consecutive homes of one village into one mark."""
    stays: list[Stay] = []
    for number, stop in enumerate(stops, start=1):
        village = stop.application.village
        if village.latitude is None or village.longitude is None:
            continue
        place = village.latitude, village.longitude
        if stays and stays[-1].place == place and stays[-1].last == number - 1:
            stays[-1] = Stay(place, village.name, stays[-1].first, number)
        else:
            stays.append(Stay(place, village.name, number, number))
    return stays


@only(Role.ADMINISTRATOR)
@require_POST
def pin(request: DeskRequest, plan: UUID) -> HttpResponse:
    """Promise the ticked appointments, or let them move again."""
    held = plan_of(request, plan)
    team, _sep, on = request.POST.get("next", "").partition("/")
    crew = found(Team.objects.filter(campaign=held.campaign_id), pk=_uuid(team))
    when = _date(on)
    whole = Application.objects.within(held.campaign.division)
    back = ("desk:plan_day", held.pk, crew.pk, when)
    try:
        cases = chosen(request, whole.filter(pk__in=_shown_still(request, held, crew, when)), whole)
        if request.POST.get("deed") == "unpin":
            promising.unpin(held.campaign, cases, by=request.user, at=clock.now())
            return done(request, _("These appointments may move again."), *back)
        promising.pin(held.campaign, cases, by=request.user, at=clock.now())
    except Refused as refusal:
        return not_done(request, refusal, *back)
    message = _("These appointments are promised; no later plan moves them.")
    return done(request, message, *back)


def _shown_still(request: DeskRequest, plan: Plan, crew: Team, on: date) -> list[UUID]:
    """Return the cases of a team's day whose appointment stands when the page said."""
    shown = request.POST.getlist("shown")
    stops = stops_now(plan, team=crew.pk, on=on)
    return [one.application_id for one in stops if f"{one.application_id}/{one.start}" in shown]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


@only(*LOOKERS)
def paper(request: DeskRequest, plan: UUID) -> HttpResponse:
    """Serve the itinerary as a PDF for print: one team or all, one day or all; note who took it."""
    held = plan_of(request, plan)
    if not held.is_showable:
        raise Http404
    team, on = request.GET.get("team"), request.GET.get("on")
    rows = stops_now(held, *SHOWN, team=_uuid(team) if team else None, on=_date(on) if on else None)
    if not rows:
        raise Http404
    record("plan.view", [held], by=request.user, at=clock.now())
    answered = HttpResponse(itinerary.draw(held, rows), content_type="application/pdf")
    answered.headers["Content-Disposition"] = f'inline; filename="itinerary-{held.number}.pdf"'
    return answered
