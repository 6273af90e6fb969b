"""Campaign planning: who goes where, when, and why not.

`plan` makes a plan, `replan` mends one, `offers` finds times for a new request, `check` judges
a plan without the planner, `read_campaign` and `plan_as_json` are the campaign file.
"""

from __future__ import annotations

from outreach.domain.planning.by_hand import measured
from outreach.domain.planning.campaign_file import plan_as_json, read_campaign
from outreach.domain.planning.checker import check
from outreach.domain.planning.offering import Offer, offers
from outreach.domain.planning.planner import plan
from outreach.domain.planning.problem import (
    NO_PINS,
    Detour,
    Lunch,
    MalformedProblem,
    Matrix,
    Pin,
    Pins,
    Place,
    Plan,
    Prices,
    Problem,
    Progress,
    Reason,
    Remedy,
    Route,
    Shift,
    ShiftKey,
    Stop,
    Travel,
    Unassigned,
    Until,
    Violation,
    Visit,
    VisitId,
)
from outreach.domain.planning.replanning import (
    Answer,
    Cut,
    Disruption,
    Move,
    Replanning,
    replan,
)
from outreach.domain.planning.words import remedy_sentence, sentence

__all__ = [
    "NO_PINS",
    "Answer",
    "Cut",
    "Detour",
    "Disruption",
    "Lunch",
    "MalformedProblem",
    "Matrix",
    "Move",
    "Offer",
    "Pin",
    "Pins",
    "Place",
    "Plan",
    "Prices",
    "Problem",
    "Progress",
    "Reason",
    "Remedy",
    "Replanning",
    "Route",
    "Shift",
    "ShiftKey",
    "Stop",
    "Travel",
    "Unassigned",
    "Until",
    "Violation",
    "Visit",
    "VisitId",
    "check",
    "measured",
    "offers",
    "plan",
    "plan_as_json",
    "read_campaign",
    "remedy_sentence",
    "replan",
    "sentence",
]
