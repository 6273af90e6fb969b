"""Plans: asked for, stopped, resumed, answered to what came in between, and published.

The solver runs in a process of its own (`outreach.actions.solving`), so that it can be killed
and neither slows nor dies with the web server. A plan that loses its process is told honestly:
`notice_silence` marks it and keeps the best that was found.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from outreach.actions import drafting
from outreach.actions.arranging import Arranged, Booking, arrange
from outreach.actions.audit import record
from outreach.actions.campaigns import check_plans
from outreach.actions.holding import hold_appointments
from outreach.actions.visits import Appointment, append, settle
from outreach.domain.daytime import is_past, minutes_of, time_at
from outreach.domain.planning.offering import BAND
from outreach.models import (
    Application,
    Assessor,
    Call,
    Campaign,
    DeclaredRelative,
    Plan,
    PlannedStop,
    Shift,
    Team,
    TeamMember,
    User,
    Visit,
)
from outreach.models.planning import PUBLISHABLE, CallKind, PlanKind, PlanState
from outreach.rules import Refused, worded

#: A solver gives a sign of life every second; after this long without one it is gone.
SILENCE = timedelta(seconds=30)
#: How long the two answers to something that came in between may take together.
ANSWER_SECONDS = 25
KINDS = (CallKind.NEW, CallKind.MOVED, CallKind.CANCELLED)


def ask(
    campaign: Campaign,
    *,
    kind: PlanKind = PlanKind.FRESH,
    base: Plan | None = None,
    wishes: Mapping[str, Any] | None = None,
    seconds: int = 60,
    seed: int = 1,
    label: str = "",
    by: User,
    at: datetime,
) -> Plan:
    """Ask for a plan of the campaign as it stands and start the solver after the commit.

    Raises `Refused` where there is nothing to plan or another plan is under way.
    """
    check_plans(by, campaign)
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        check_idle(campaign)
        wishes = dict(wishes or {})
        document = question_of(campaign, wishes, at)
        plan = pose(
            campaign, document, kind=kind, base=base, wishes=wishes, seconds=seconds,
            seed=seed, label=label, by=by, at=at,
        )  # fmt: skip
        transaction.on_commit(lambda: launch([plan.pk]))
    return plan


def answer(campaign: Campaign, *, by: User, at: datetime) -> tuple[Plan, Plan]:
    """Ask for two answers to what came in between: insert only, and repair.

    Raises `Refused` where no plan is published yet.
    """
    check_plans(by, campaign)
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        check_idle(campaign)
        base = campaign.plans.filter(state=PlanState.PUBLISHED).first()
        if base is None:
            raise Refused("nothing-published", _("No plan is published yet; make one first."))
        document = question_of(campaign, base.wishes, at)
        insert, repair = (
            pose(
                campaign, document, kind=kind, base=base, wishes=base.wishes, seconds=seconds,
                seed=base.seed, label="", by=by, at=at,
            )
            for kind, seconds in ((PlanKind.INSERT, 1), (PlanKind.REPAIR, ANSWER_SECONDS - 1))
        )  # fmt: skip
        transaction.on_commit(lambda: launch([insert.pk, repair.pk]))
    return insert, repair


def check_idle(campaign: Campaign) -> None:
    """Refuse where a plan of the campaign is under way."""
    for plan in campaign.plans.under_way():
        if not notice_silence(plan):
            raise Refused(
                "plan-under-way", _("A plan is being made already; wait for it, or stop it.")
            )


def question_of(campaign: Campaign, wishes: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Draw up the question with its days and the appointments that stand. Raises `Refused`."""
    question = drafting.draw_up(campaign, at, wishes)
    return question.document | {
        "days": [day.isoformat() for day in question.days],
        "standing": drafting.standing_appointments(question, campaign),
    }


def pose(
    campaign: Campaign, document: dict[str, Any], *, by: User, at: datetime, **asked: Any
) -> Plan:
    """Write a plan down that waits for its answer, with the campaign's next number."""
    number = (campaign.plans.aggregate(last=Max("number"))["last"] or 0) + 1
    homes = len(document["visits"])
    plan = Plan.objects.create(
        campaign=campaign,
        number=number,
        problem=document,
        beat_at=timezone.now(),
        progress={"homes": homes, "elapsed": 0, "seconds": asked["seconds"]},
        created_by=by,
        created_at=at,
        **asked,
    )
    record("plan.ask", [plan], by=by, at=at)
    return plan


def launch(plans: Sequence[UUID]) -> None:
    """Start the solver's process for these plans, one after the other, apart from this one."""
    command = [sys.executable, "-m", "django", "make_plan", *map(str, plans)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"]}
    subprocess.Popen(  # noqa: S603  # our own interpreter, our own arguments
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def notice_silence(plan: Plan) -> bool:
    """Mark a plan whose solver gives no sign of life any more; tell whether it is over.

    What it had found stays and can be published; with nothing found it can be started again. Signs
    of life are in real time, also in the demo.
    """
    if not plan.is_under_way:
        return True
    if plan.beat_at and timezone.now() - plan.beat_at < SILENCE:
        return False
    state = PlanState.STOPPED if plan.stops.exists() else PlanState.FAILED
    rows = Plan.objects.under_way().filter(pk=plan.pk, beat_at=plan.beat_at)
    if rows.update(state=state, message="interrupted", finished_at=timezone.now()):
        plan.state, plan.message = state, "interrupted"
    return True


@transaction.atomic
def stop(plan: Plan, *, by: User, at: datetime) -> None:
    """Ask the solver to stop and keep the best so far; it answers within seconds."""
    check_plans(by, plan.campaign)
    if Plan.objects.under_way().filter(pk=plan.pk).update(stop_asked=True):
        record("plan.stop", [plan], by=by, at=at)


def resume(plan: Plan, *, by: User, at: datetime) -> None:
    """Start a plan that broke off once more, from the same question."""
    check_plans(by, plan.campaign)
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=plan.campaign_id)
        check_idle(plan.campaign)
        _check_newest(plan)
        _check_teams(plan)
        rows = Plan.objects.filter(pk=plan.pk, state__in=(PlanState.FAILED, PlanState.STOPPED))
        if not rows.update(
            state=PlanState.WAITING, stop_asked=False, message="", beat_at=timezone.now()
        ):
            raise plan_over()
        record("plan.resume", [plan], by=by, at=at)
        transaction.on_commit(lambda: launch([plan.pk]))


def _check_teams(plan: Plan) -> None:
    """Refuse a question that was erased, or names a team that is gone: no answer could be kept."""
    if plan.problem is None:
        raise plan_over()
    named = {shift["team"] for shift in plan.problem.get("shifts", [])}
    if named - {str(pk) for pk in plan.campaign.teams.values_list("pk", flat=True)}:
        raise plan_over()


def plan_over() -> Refused:
    """Return the refusal of a plan that is neither made nor published any more."""
    return Refused("plan-over", _("This plan is over; ask for another one."))


def _check_newest(plan: Plan) -> None:
    """Refuse a plan that was asked for before another one changed the appointments."""
    changed = plan.campaign.plans.filter(seconds__gt=0, published_at__gt=plan.created_at)
    if changed.exists():
        raise plan_over()


@dataclass(frozen=True)
class Change:
    """What publishing a plan would do to one family's appointment."""

    kind: CallKind
    application: Application
    stop: PlannedStop | None
    was_on: date | None = None
    was_start: time | None = None
    #: The time that it knows has come, and nobody with it.
    waits: bool = False

    @property
    def changes_day(self) -> bool:
        """Tell whether the family must keep another day free."""
        return self.stop is None or self.stop.on != self.was_on


def changes(plan: Plan, at: datetime) -> list[Change]:
    """List what publishing the plan now would change, the soonest first: whom to call."""
    stops = {stop.application_id: stop for stop in _still_true(plan, at)[0]}
    standing = {visit.application_id: visit for visit in _open_visits(plan)}
    told = drafting.told_times(plan.campaign)
    found = []

    def waits(visit: Visit, on: date, start: time) -> bool:
        return is_past(visit.on, visit.start, at) and is_past(on, start, at)

    for pk, stop in stops.items():
        visit = standing.get(pk)
        if visit is None:
            found.append(Change(CallKind.NEW, stop.application, stop))
            continue
        on, start = told.get(visit.pk, (visit.on, visit.start))
        is_waiting = waits(visit, on, start)
        if is_waiting or must_call(on, start, stop.on, stop.start):
            found.append(Change(CallKind.MOVED, stop.application, stop, on, start, is_waiting))
    going = {visit.application_id for visit in _left_out(plan, at)}
    for left in plan.left_out.select_related(*_SHOWN).filter(application__in=going):
        if visit := standing.get(left.application_id):
            was = visit.on, visit.start
            is_waiting = waits(visit, *was)
            found.append(Change(CallKind.CANCELLED, left.application, None, *was, is_waiting))
    return sorted(
        found,
        key=lambda one: (
            one.was_on or date.max,
            one.was_start or time.max,
            str(one.application.pk),
        ),
    )


def must_call(told_on: date, told: time, on: date, start: int) -> bool:
    """Tell whether a family must hear of it: another day, or over an hour from what it was told."""
    return told_on != on or abs(minutes_of(told) - start) > BAND


_SHOWN = ("application__resident", "application__village__parent", "application__nominated_by")


def _stops(plan: Plan) -> list[PlannedStop]:
    return list(plan.stops.select_related("team", *_SHOWN).order_by("on", "start", "pk"))


def _open_visits(plan: Plan) -> list[Visit]:
    return list(drafting.open_visits(plan.campaign).select_related("application"))


@dataclass(frozen=True)
class Published:
    """What publishing a plan came to."""

    standing: int
    skipped: list[Application]


def publish(plan: Plan, *, by: User, at: datetime) -> Published:
    """Make the plan the visits of the register: tablets receive them at their next sync.

    Cases that moved on, and appointments changed by hand since the plan was asked for, are
    left alone and counted. Families whose appointment is new, moved or cancelled get a call to
    be made. Raises `Refused` where the plan is over already or an appointment cannot be kept.
    """
    check_plans(by, plan.campaign)
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=plan.campaign_id)
        held = Plan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
        if not held.may_be_published:
            raise plan_over()
        _check_newest(held)
        hold_appointments(_named(held))
        _check_aware(held)
        wanted, skipped = _still_true(held, at)
        _check_days_worked(wanted)
        reason = _("plan %(number)d of %(campaign)s") % {
            "number": held.number,
            "campaign": held.campaign.name,
        }
        with _another_plan_wanted():
            bookings = book(
                held.campaign,
                [
                    (one.application, one.team_id, one.on, time_at(one.start), one.minutes)
                    for one in wanted
                ],
            )
            cancelled = _cancel_left_out(held, by=by, at=at, reason=reason)
            arranged = arrange(bookings, by=by, at=at, reason=reason)
        _note_calls(held, arranged, cancelled, by, at)
        # Drafts, too: they start from the appointments that this plan changed.
        others = held.campaign.plans.filter(state__in=(PlanState.PUBLISHED, *PUBLISHABLE))
        others.exclude(pk=held.pk).update(state=PlanState.SUPERSEDED)
        held.state, held.published_by, held.published_at = PlanState.PUBLISHED, by, at
        held.save(update_fields=["state", "published_by", "published_at"])
        record("plan.publish", [held], by=by, at=at)
    plan.state = held.state
    return Published(len(bookings), skipped)


@contextmanager
def _another_plan_wanted() -> Iterator[None]:
    """Say of an appointment that cannot be made any more what to do: the plan itself never will."""
    try:
        yield
    except Refused as refused:
        why = worded(_("%(why)s Ask for another plan."), why=refused.message)
        raise Refused(refused.code, why) from refused


def _check_aware(plan: Plan) -> None:
    """Refuse a plan that was asked for before something came in between that still stands."""
    if plan.campaign.hindrances.standing().filter(recorded_at__gt=plan.created_at).exists():
        raise Refused(
            "plan-unaware",
            _("Something came in between since this plan was asked for; ask for another one."),
        )


def _check_days_worked(stops: Sequence[PlannedStop]) -> None:
    """Refuse to send a team on a day that was set off since the plan was asked for."""
    shifts = Shift.objects.filter(team__in={stop.team_id for stop in stops})
    works = set(shifts.values_list("team", "on"))
    for stop in stops:
        if (stop.team_id, stop.on) not in works:
            raise team_off(stop.team, stop.on)


def team_off(team: Team, on: date) -> Refused:
    """Return the refusal of appointments on a day on which their team does not work."""
    text = _("%(team)s has appointments on %(day)s but does not work then; set its days first.")
    return Refused("team-off", text % {"team": team.name, "day": on.isoformat()})


def _named(plan: Plan) -> set[UUID]:
    """Return the cases that the plan visits or leaves out."""
    left_out = plan.left_out.values_list("application", flat=True)
    return {*plan.stops.values_list("application", flat=True), *left_out}


def _seen(plan: Plan) -> dict[UUID, tuple[date, int]]:
    """Return the appointments as they stood when the plan was asked for; none once erased."""
    if plan.problem is None:
        return {}
    days = [date.fromisoformat(day) for day in plan.problem["days"]]
    stood = [*plan.problem["standing"], *plan.problem.get("missed", [])]  # older questions: none
    return {UUID(one["visit"]): (days[one["day"]], one["start"]) for one in stood}


def _still_true(plan: Plan, at: datetime) -> tuple[list[PlannedStop], list[Application]]:
    """Part the stops that can be arranged from cases that moved on or were changed by hand.

    Whose visit has begun since the plan was asked for is left alone, too: somebody may be there.
    """
    seen = _seen(plan)
    accepted = set(drafting.cases_of(plan.campaign).values_list("pk", flat=True))
    visits, away = _open_visits(plan), drafting.who_is_away(plan.campaign)
    begun = {visit.application_id for visit in visits if away.has_begun(visit, at)}
    first, last = plan.campaign.first_on, plan.campaign.last_on
    worked = drafting.days_of(plan.campaign)
    # On a day that was made a holiday since nobody can come: the plan saw no appointment there.
    standing = {
        visit.application_id: visit
        for visit in visits
        if visit.on in worked or not first <= visit.on <= last
    }
    wanted, skipped = [], []
    for stop in _stops(plan):
        visit = standing.get(stop.application_id)
        now = (visit.on, minutes_of(visit.start)) if visit else None
        if (
            stop.application_id not in accepted
            or stop.application_id in begun
            or now != seen.get(stop.application_id)
            or is_past(stop.on, time_at(stop.start), at)
        ):
            skipped.append(stop.application)
        else:
            wanted.append(stop)
    return wanted, skipped


Wanted = tuple[Application, UUID, date, time, int]


def book(campaign: Campaign, wanted: Sequence[Wanted]) -> list[Booking]:
    """Choose who leads each visit: (case, team, day, start, minutes), in five queries.

    Qualified for most of it, before that whoever has the case already; never who nominated the
    person or is related, nor a doctor who is away or rates no more. Raises `Refused` where nobody
    is left.
    """
    crews: dict[UUID, list[User]] = {}
    for member in TeamMember.objects.filter(campaign=campaign).select_related("user"):
        crews.setdefault(member.team_id, []).append(member.user)
    people = {user.pk for crew in crews.values() for user in crew}
    rows = Assessor.objects.serving().filter(user__in=people)
    skills = {row.user_id: frozenset(row.categories) for row in rows}
    relatives = set(
        DeclaredRelative.objects.filter(user__in=people).values_list("user", "resident")
    )
    away = drafting.who_is_away(campaign)
    made = []
    for case, team, on, start, minutes in wanted:
        come = [
            user
            for user in crews.get(team, [])
            if user.pk in skills and not away.is_away(user.pk, on)
        ]
        lead = _lead(case, come, skills, relatives)
        to = Appointment(case, on, start, minutes)
        made.append(Booking(to, lead, [user for user in come if user.pk != lead.pk]))
    return made


def _lead(
    case: Application,
    come: Sequence[User],
    skills: Mapping[UUID, frozenset[str]],
    relatives: set[tuple[UUID, UUID]],
) -> User:
    fit = [
        user
        for user in come
        if user.pk != case.nominated_by_id and (user.pk, case.resident_id) not in relatives
    ]
    if not fit:
        raise Refused(
            "no-lead",
            _("Case %(number)s: nobody of the team may rate this person.")
            % {"number": case.number},
        )
    wanted = set(case.categories)

    def rank(user: User) -> tuple[int, bool, int, str]:
        known = skills.get(user.pk, frozenset())
        return -len(wanted & known), user.pk != case.assessor_id, len(known), str(user.pk)

    return min(fit, key=rank)


def _left_out(plan: Plan, at: datetime) -> list[Visit]:
    """Return appointments that the plan says cannot take place, unless changed or begun since."""
    seen, away = _seen(plan), drafting.who_is_away(plan.campaign)
    left = set(plan.left_out.values_list("application", flat=True))
    return [
        visit
        for visit in _open_visits(plan)
        if visit.application_id in left
        and seen.get(visit.application_id) == (visit.on, minutes_of(visit.start))
        and not away.has_begun(visit, at)
    ]


def _cancel_left_out(plan: Plan, *, by: User, at: datetime, reason: str) -> list[Visit]:
    gone = _left_out(plan, at)
    if gone:
        settle(gone, "cancel")
        append(gone, "cancel", by=by, at=at, note=reason)
    return gone


def _note_calls(
    plan: Plan, arranged: Arranged, cancelled: Sequence[Visit], by: User, at: datetime
) -> None:
    """Note whom to call; news that nobody told yet is replaced by the newer news."""
    told = drafting.told_times(plan.campaign)
    open_calls = Call.objects.to_make().filter(visit__application__in=_named(plan))
    untold = {call.visit_id: call for call in open_calls}
    news: list[Call] = []
    for visit in arranged.scheduled:
        news.append(_call(plan, CallKind.NEW, visit, None, at))
    for one in arranged.moved:
        is_known = one.visit.pk in told
        was = told.get(one.visit.pk, (one.on, one.start))
        is_missed = is_past(one.on, one.start, at)
        if not is_known or is_missed or must_call(*was, one.visit.on, minutes_of(one.visit.start)):
            news.append(_call(plan, CallKind.MOVED, one.visit, was, at))
    for visit in cancelled:
        was = told.get(visit.pk, (visit.on, visit.start))
        news.append(_call(plan, CallKind.CANCELLED, visit, was, at))
    made = [call for call in news if _joined(call, untold.get(call.visit_id), by, at)]
    replaced = [untold[call.visit_id].pk for call in news if call.visit_id in untold]
    Call.objects.filter(pk__in=replaced).update(replaced_at=at)
    Call.objects.bulk_create(made, batch_size=60)


def _call(
    plan: Plan, kind: CallKind, visit: Visit, was: tuple[date, time] | None, at: datetime
) -> Call:
    ends = kind == CallKind.CANCELLED
    return Call(
        campaign=plan.campaign,
        plan=plan,
        visit=visit,
        kind=kind,
        on=None if ends else visit.on,
        start=None if ends else visit.start,
        was_on=was[0] if was else None,
        was_start=was[1] if was else None,
        created_at=at,
    )


def _joined(call: Call, untold: Call | None, by: User, at: datetime) -> bool:
    """Join news with news that nobody told; tell whether anything is left to be noted."""
    if untold is not None and untold.kind == CallKind.NEW:  # it never heard of the first one
        call.was_on = call.was_start = None
        call.kind = CallKind.NEW if call.kind == CallKind.MOVED else call.kind
        return call.kind != CallKind.CANCELLED
    if untold is not None:
        call.was_on, call.was_start = untold.was_on, untold.was_start
    if call.kind == CallKind.MOVED and not _is_news(call, at):
        # Nobody need call, but what the family knows is what the next plan is measured by.
        call.on, call.start, call.told_by, call.told_at = call.was_on, call.was_start, by, at
    return True


def _is_news(call: Call, at: datetime) -> bool:
    assert call.was_on is not None
    assert call.was_start is not None
    assert call.on is not None
    assert call.start is not None
    is_over = is_past(call.was_on, call.was_start, at)
    return is_over or must_call(call.was_on, call.was_start, call.on, minutes_of(call.start))
