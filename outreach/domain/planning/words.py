"""Reasons as plain sentences, for the command line and files; screens word them by their code."""

from __future__ import annotations

from collections.abc import Mapping

from outreach.domain.daytime import clock_time
from outreach.domain.planning.problem import Datum, Reason, Remedy

REASONS = {
    "no_specialty": "No team has the specialty: {skills}.",
    "no_day": "No team with {skills} works on an allowed day ({days}).",
    "no_time": "A team with {skills} can only be there from {earliest}; the visit must start"
    " by {closes}.",
    "too_far": "There and back from every base takes longer than the day.",
    "no_capacity": "Every team with {skills} is full on the allowed days.",
    "pin_broken": "What the family was told (day {day}) can no longer be kept.",
}
REMEDIES = {
    "add_specialty": "Bring an assessor for {skills}.",
    "allow_days": "Visit on day {days}, when such a team works.",
    "add_shift": "Send such a team on day {day}.",
    "widen_window": "Ask whether {start} on day {day} is possible.",
    "longer_day": "Let {team} return {minutes} minutes later on day {day}.",
    "add_team_day": "Add one team-day with {skills}, by day {day} to keep the promise.",
    "call_family": "Agree on another time with the family.",
}


def sentence(reason: Reason) -> str:
    """Say why a visit was left out and what would change it, in English."""
    parts = [_fill(REASONS[reason.code], reason.data)]
    parts += [remedy_sentence(remedy) for remedy in reason.remedies]
    return " ".join(parts)


def remedy_sentence(remedy: Remedy) -> str:
    """Say what would let the visit in, in English."""
    return _fill(REMEDIES[remedy.code], remedy.data)


def _fill(text: str, data: Mapping[str, Datum]) -> str:
    return text.format(**{key: _shown(key, value) for key, value in data.items()})


def _shown(key: str, value: Datum) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value) or "–"
    if key in ("earliest", "closes", "start"):
        return clock_time(round(float(value)))
    return str(value)
