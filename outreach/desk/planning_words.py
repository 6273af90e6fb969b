"""The words on the screen for what planning speaks of: figures, reasons, remedies, states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _in

from outreach.desk import words
from outreach.models import Plan
from outreach.models.planning import CallKind, HindranceKind, PlanKind, PlanState

Words = Mapping[str, str | Promise]

FIGURES: Words = {
    "homes": _("Homes visited"),
    "left_out": _("Left out"),
    "late": _("After the promised day"),
    "late_days": _("Working days late, together"),
    "km": _("Kilometres"),
    "team_days": _("Team-days"),
    "overtime": _("Overtime"),
    "overtime_fen": _("Cost of overtime"),
    "spread_minutes": _("Busiest team above the idlest"),
    "moved": _("Appointments that move"),
    "moved_day": _("of these to another day"),
    "to_call": _("Families to call"),
}
PLAN_STATES: Words = {
    PlanState.WAITING: _("Waits to begin"),
    PlanState.RUNNING: _("Being made"),
    PlanState.READY: _("Draft"),
    PlanState.STOPPED: _("Draft, stopped early"),
    PlanState.FAILED: _("Not made"),
    PlanState.PUBLISHED: _("Published"),
    PlanState.SUPERSEDED: _in("plan", "Replaced"),
}
PLAN_TONES: Mapping[str, str] = {
    PlanState.READY: "info",
    PlanState.STOPPED: "warn",
    PlanState.FAILED: "bad",
    PlanState.PUBLISHED: "good",
    PlanState.SUPERSEDED: "quiet",
    PlanState.WAITING: "info",
    PlanState.RUNNING: "info",
}
PLAN_KINDS: Words = {
    PlanKind.FRESH: _("Planned from the register"),
    PlanKind.WHAT_IF: _("What if"),
    PlanKind.INSERT: _("Insert only: nobody else is moved"),
    PlanKind.REPAIR: _("Repair: move a few to keep more promises"),
    "by_hand": _("Appointments made by hand"),
}
HINDRANCES: Words = {
    HindranceKind.ABSENT: _("Not at home"),
    HindranceKind.ROAD_CUT: _("Road cut"),
    HindranceKind.DOCTOR_AWAY: _("Doctor away"),
    HindranceKind.TEAM_AWAY: _("Team away"),
}
CALLS: Words = {
    CallKind.NEW: _("New appointment"),
    CallKind.MOVED: _("Moved"),
    CallKind.CANCELLED: _("Cancelled"),
}
MESSAGES: Words = {
    "interrupted": _(
        "The planner was interrupted: the machine was stopped, or the process ended. "
        "Nothing is lost: what it had found is kept, and it can be started again."
    ),
    "failed": _("The planner failed on this question. Nothing is lost; start it again."),
    "stopped": _("Stopped early; this is the best plan found until then."),
}
TRAVEL: Words = {
    "formula": _("Travel by formula: straight line × road factor, with a speed profile."),
    "road": _("Travel from the road server."),
    "slow": _("The road server did not answer in time; travel is by formula."),
    "unreachable": _("The road server cannot be reached; travel is by formula."),
    "refused": _("The road server refused the question; travel is by formula."),
    "malformed": _("The road server's answer cannot be read; travel is by formula."),
    "no-road": _("The road server knows no road to one of the homes; travel is by formula."),
    "implausible": _("The road server's answer is impossible; travel is by formula."),
}
#: Why a home is left out; the figures come with the plan.
REASONS: Words = {
    "no_specialty": _("No team has an assessor for: %(skills)s."),
    "impartial": _("Everybody of the teams nominated this person or is related."),
    "road_cut": _("The road to the village is cut on every day on which the family is at home."),
    "no_place": _("Nobody knows where the village is: it has no coordinates."),
    "no_day": _("No team with %(skills)s works on a day on which the family can be visited."),
    "no_time": _("A team can only be there from %(earliest)s; the family can until %(closes)s."),
    "too_far": _("There and back from every base takes longer than the day."),
    "no_capacity": _("Every team with %(skills)s is full on the days that are possible."),
    "pin_broken": _("What the family was promised (%(day)s) can no longer be kept."),
    "unknown": _("The planner found no place for it."),
}
#: What would change it.
REMEDIES: Words = {
    "add_specialty": _("Bring an assessor for %(skills)s, or refer the person to a hospital."),
    "impartial": _("Let another team or a further assessor come."),
    "road_cut": _("Take the cut back once the road is open, and plan again."),
    "no_place": _("Enter the coordinates of the village, and plan again."),
    "allow_days": _("Ask the family whether %(day)s is possible: a team works then."),
    "add_shift": _("Send a team on %(day)s."),
    "widen_window": _("Ask the family whether %(day)s at %(start)s is possible."),
    "longer_day": _("Let %(team)s come back %(minutes)s minutes later on %(day)s."),
    "add_team_day": _("Add one team-day with %(skills)s; by %(day)s it keeps the promise."),
    "call_family": _("Agree on another time with the family."),
    "unknown": _("Plan once more with more time."),
}


def sentence(table: Words, code: str, detail: Mapping[str, Any]) -> str:
    """Return the sentence of a code with its figures; an unknown code is said plainly."""
    skills = [str(words.CATEGORIES.get(one, one)) for one in detail.get("skills", [])]
    said = defaultdict(lambda: "—", {**detail, "skills": gettext(", ").join(skills) or "—"})
    return str(table.get(code) or table["unknown"]) % said


def wishes(plan: Plan) -> list[str]:
    """Return what a what-if asks to be different, each in words."""
    wanted, found = plan.wishes, []
    if (minutes := wanted.get("overtime_minutes")) is not None:
        found.append(gettext("up to %(n)d minutes of overtime a day") % {"n": minutes})
    if (minutes := wanted.get("minutes")) is not None:
        found.append(gettext("%(n)d minutes for one home") % {"n": minutes})
    if last := wanted.get("last_on"):
        found.append(gettext("the last day is %(day)s") % {"day": last})
    if without := wanted.get("without"):
        names = plan.campaign.teams.filter(pk__in=without).values_list("name", flat=True)
        found.append(gettext("without %(teams)s") % {"teams": gettext(", ").join(names)})
    return found
