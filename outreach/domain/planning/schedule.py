"""The clock of one team-day: when each visit starts, when lunch is, when the team is back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from outreach.domain.planning.ground import Ground
from outreach.domain.planning.problem import Route, Stop


@dataclass(frozen=True, slots=True)
class Timed:
    """A team-day in seconds after midnight: arrival and start of each stop, lunch, return."""

    arrivals: tuple[int, ...]
    starts: tuple[int, ...]
    lunch: tuple[int, int] | None
    back: int


def timed(
    ground: Ground, shift: int, stops: Sequence[int], grace: int = 0, *, alone: bool = False
) -> Timed | None:
    """Run a team-day's clock; None when a visit would start too late or the team be back too late.

    `grace` seconds beyond shift and overtime are let pass, to ask what a longer day would allow.
    `alone` asks as if the team had nothing else to do, elsewhere either.

    Lunch is taken on arrival before the first visit that would start after the hour of lunch.
    """
    spec = ground.shifts[shift]
    at, finish = ground.bases[shift]
    now = round(spec.start * 60)
    due, length = (ground.lunch_after, ground.lunch_seconds) if spec.lunch else (1 << 30, 0)
    lunch: tuple[int, int] | None = None
    busy = () if alone else spec.busy
    arrivals, starts = [], []
    for stop in stops:
        arrival = now + ground.second_rows[at][stop]
        window = ground.windows[stop]
        start = _clear(busy, max(arrival, window.opens), ground.service[stop])
        if lunch is None and start >= due:
            start = _clear(busy, max(arrival + length, window.opens), ground.service[stop])
            begins = max(arrival, min(due, start - length))
            lunch = (begins, begins + length)
        if start > window.closes:
            return None
        arrivals.append(arrival)
        starts.append(start)
        now = start + ground.service[stop]
        at = stop
    back = now + ground.second_rows[at][finish]
    if back > round((spec.end + spec.overtime) * 60) + grace:
        return None
    return Timed(tuple(arrivals), tuple(starts), lunch, back)


def _clear(busy: Sequence[tuple[float, float]], start: int, length: int) -> int:
    """Return the first second from `start` on at which so long a visit runs into nothing."""
    for begins, ends in busy:
        if start < ends * 60 and begins * 60 < start + length:
            start = round(ends * 60)
    return start


def fits(ground: Ground, shift: int, stops: Sequence[int]) -> bool:
    """Tell whether that team can make those stops in that order within every hard rule."""
    return all(ground.may(stop, shift) for stop in stops) and (
        timed(ground, shift, stops) is not None
    )


def metres(ground: Ground, shift: int, stops: Sequence[int]) -> int:
    """Return the metres of a team-day from its base through its stops and back."""
    if not stops:
        return 0
    at, finish = ground.bases[shift]
    total = 0
    for stop in stops:
        total += ground.metre_rows[at][stop]
        at = stop
    return total + ground.metre_rows[at][finish]


def overtime_seconds(ground: Ground, shift: int, clock: Timed) -> int:
    """Return the seconds a team is back after the end of its shift."""
    return max(0, clock.back - round(ground.shifts[shift].end * 60))


def as_route(ground: Ground, shift: int, stops: Sequence[int]) -> Route:
    """Write a feasible team-day out for people, in minutes and kilometres."""
    clock = timed(ground, shift, stops)
    assert clock is not None, "only feasible team-days are written out"
    spec = ground.shifts[shift]
    return Route(
        team=spec.team,
        day=spec.day,
        stops=tuple(
            Stop(
                visit=ground.visits[stop].id,
                start=start / 60,
                arrival=arrival / 60,
                end=(start + ground.service[stop]) / 60,
            )
            for stop, start, arrival in zip(stops, clock.starts, clock.arrivals, strict=True)
        ),
        km=metres(ground, shift, stops) / 1000,
        back=clock.back / 60,
        lunch=clock.lunch and (clock.lunch[0] / 60, clock.lunch[1] / 60),
        overtime=overtime_seconds(ground, shift, clock) / 60,
    )
