"""Why a visit was left out, tried out on the finished plan, and what would change it."""

from __future__ import annotations

from collections.abc import Sequence

from outreach.domain.planning.draft import Draft
from outreach.domain.planning.ground import FORBIDDEN, Ground
from outreach.domain.planning.problem import NO_PINS, Pins, Reason, Remedy
from outreach.domain.planning.schedule import overtime_seconds, timed

#: Nobody is asked to stay longer than this, in seconds.
LONGEST_GRACE = 120 * 60


def reason(ground: Ground, draft: Draft, visit: int, pinned: Pins = NO_PINS) -> Reason:
    """Tell why nobody makes that visit, by trying: specialty, days, time alone, room.

    Every remedy was tried too: it lets the visit in while all others keep their places.
    """
    spec = ground.visits[visit]
    skills = tuple(sorted(spec.skills))
    able = [n for n, shift in enumerate(ground.shifts) if spec.skills <= shift.skills]
    if not able:
        return Reason(
            "no_specialty", {"skills": skills}, (Remedy("add_specialty", {"skills": skills}),)
        )
    if spec.id in pinned:
        return Reason("pin_broken", {"day": pinned[spec.id].day}, (Remedy("call_family"),))
    allowed = [n for n in able if spec.days is None or ground.shifts[n].day in spec.days]
    if not allowed:
        return _no_day(ground, visit, able, skills)
    alone = [n for n in allowed if timed(ground, n, (visit,), alone=True) is not None]
    if not alone:
        return _no_time(ground, visit, allowed, skills)
    return _no_capacity(ground, draft, visit, alone, skills)


def _no_day(ground: Ground, visit: int, able: Sequence[int], skills: tuple[str, ...]) -> Reason:
    days = tuple(sorted(ground.visits[visit].days or ()))
    remedies = []
    possible = [n for n in able if timed(ground, n, (visit,)) is not None]
    if possible:
        day = min(ground.shifts[n].day for n in possible)
        remedies.append(Remedy("allow_days", {"day": day}))
    if days:
        remedies.append(Remedy("add_shift", {"day": days[0]}))
    return Reason("no_day", {"skills": skills, "days": days}, tuple(remedies))


def _no_time(ground: Ground, visit: int, allowed: Sequence[int], skills: tuple[str, ...]) -> Reason:
    window = ground.windows[visit]
    starts = []
    for shift in allowed:
        spec = ground.shifts[shift]
        base, finish = ground.bases[shift]
        arrival = round(spec.start * 60) + ground.second_rows[base][visit]
        if spec.lunch and arrival >= ground.lunch_after:
            arrival += ground.lunch_seconds
        back = arrival + ground.service[visit] + ground.second_rows[visit][finish]
        if back <= round((spec.end + spec.overtime) * 60):
            latest = round((spec.end + spec.overtime) * 60) - (back - arrival)
            starts.append(
                (
                    abs(min(latest, max(arrival, window.opens)) - window.opens),
                    arrival,
                    latest,
                    spec.day,
                )
            )
    if not starts:
        return Reason("too_far", {}, (Remedy("call_family"),))
    _, arrival, latest, day = min(starts)
    start = arrival if window.closes < arrival else latest
    return Reason(
        "no_time",
        {
            "skills": skills,
            "earliest": arrival / 60,
            "latest": latest / 60,
            "opens": window.opens / 60,
            "closes": window.closes / 60,
        },
        (Remedy("widen_window", {"start": start / 60, "day": day}),),
    )


def _no_capacity(
    ground: Ground, draft: Draft, visit: int, alone: Sequence[int], skills: tuple[str, ...]
) -> Reason:
    spec = ground.visits[visit]
    longer = sorted(
        (late, minutes, shift)
        for shift in alone
        if (minutes := _minutes_missing(ground, draft, visit, shift)) is not None
        for late in (spec.deadline is not None and ground.shifts[shift].day > spec.deadline,)
    )
    remedies = []
    if longer:
        _, minutes, shift = longer[0]
        team, day = ground.shifts[shift].key
        remedies.append(Remedy("longer_day", {"team": team, "day": day, "minutes": minutes}))
    days = sorted({ground.shifts[shift].day for shift in alone})
    in_time = [day for day in days if spec.deadline is None or day <= spec.deadline]
    day = in_time[-1] if in_time else days[0]
    remedies.append(Remedy("add_team_day", {"skills": skills, "day": day}))
    full = sum(1 for shift in alone if draft.routes[shift])
    return Reason(
        "no_capacity", {"skills": skills, "shifts": full, "days": tuple(days)}, tuple(remedies)
    )


def _minutes_missing(ground: Ground, draft: Draft, visit: int, shift: int) -> int | None:
    """Return the whole minutes by which a longer day would take the visit in as well."""
    if ground.entry[visit, shift] >= FORBIDDEN:
        return None
    stops, spec = draft.routes[shift], ground.shifts[shift]
    allowed = round(spec.overtime * 60)
    missing = []
    for position in range(len(stops) + 1):
        longer = (*stops[:position], visit, *stops[position:])
        clock = timed(ground, shift, longer, grace=LONGEST_GRACE)
        if clock is not None:
            missing.append(-(-(overtime_seconds(ground, shift, clock) - allowed) // 60))
    return min(missing, default=None)
