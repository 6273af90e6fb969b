"""The play's script: who visits whom on which working day, and what comes of it.

Pure: it follows from the county and the days alone. Each team drives its townships in their
order, ten homes a day at most; homes that assessed nobody and can be tried again are fitted
into a later day.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, time

from outreach.demo.county import FIRST_DAY, County, DemoResident
from outreach.demo.staff import DemoTeam, DemoUser
from outreach.domain.vocabulary import NextStep, NotDone
from outreach.domain.workdays import WorkingCalendar

DAYS = 21
MINUTES = 40
_CLOCKS = ("08:20", "09:05", "09:50", "10:35", "11:20", "13:30", "14:15", "15:00", "15:45", "16:30")
STARTS = tuple(map(time.fromisoformat, _CLOCKS))
#: A home is tried again after as many days of the campaign, and so many of them in one day.
TRY_AGAIN_AFTER = 2
TRY_AGAIN_A_DAY = 2


@dataclass(frozen=True)
class Outcome:
    """What comes of a visit: done, or the reason and the next step."""

    reason: NotDone | None = None
    next_step: NextStep | None = None

    @property
    def done(self) -> bool:
        """Whether somebody was assessed."""
        return self.reason is None


@dataclass(frozen=True)
class PlannedVisit:
    """One visit of the play. `order` counts a team's homes of the day from 1."""

    day: date
    team: str
    order: int
    start: time
    resident: DemoResident
    outcome: Outcome
    assessor: str
    co_signer: str
    attempt: int = 1
    minutes: int = MINUTES


@dataclass(frozen=True)
class _Call:
    """A home to be visited: for the first time, or again from a day on."""

    resident: DemoResident
    attempt: int = 1
    not_before: int = 0


class ScriptTooLong(RuntimeError):
    """The days do not hold all homes."""


def campaign_days(
    calendar: WorkingCalendar, first: date = FIRST_DAY, count: int = DAYS
) -> list[date]:
    """List the campaign's working days from the first on."""
    start = calendar.first_from(first)
    return [start, *(calendar.add(start, n) for n in range(1, count))]


def write_script(county: County, days: Sequence[date]) -> tuple[PlannedVisit, ...]:
    """Write the script, by day, team and order. Raises `ScriptTooLong` when days are too few."""
    staff = {user.username: user for user in county.users}
    visits = [
        _signed(visit, team, staff, county)
        for team in county.teams
        for visit in _route(team, county, days)
    ]
    return tuple(sorted(visits, key=lambda visit: (visit.day, visit.team, visit.order)))


def _route(team: DemoTeam, county: County, days: Sequence[date]) -> Iterator[PlannedVisit]:
    """Take one team through its homes day by day."""
    waiting = deque(
        _Call(resident)
        for resident in county.residents
        if resident.team == team.code and resident.ending is None
    )
    again: deque[_Call] = deque()
    for number, day in enumerate(days):
        chosen = list(_fitted(day, number, again, waiting))
        for order, (start, call) in enumerate(sorted(chosen, key=lambda pair: pair[0]), start=1):
            outcome = _outcome(call)
            yield PlannedVisit(
                day, team.code, order, start, call.resident, outcome, "", "", call.attempt
            )
            if outcome.next_step == NextStep.REVISIT:
                again.append(_Call(call.resident, 2, number + TRY_AGAIN_AFTER))
    if waiting or again:
        raise ScriptTooLong(f"{len(waiting) + len(again)} homes of team {team.code} are left over.")


def _fitted(
    day: date, number: int, again: deque[_Call], waiting: deque[_Call]
) -> Iterator[tuple[time, _Call]]:
    """Fill the day's starts: homes to be tried again at its end, the next on the route before.

    A home goes into a start at which the family is there, or waits for another day; families
    with stated times choose before those at home all day, from the latest start on.
    """
    free = list(STARTS)
    due = [call for call in again if call.not_before <= number]
    for call in due[:TRY_AGAIN_A_DAY] if waiting else due:
        yield from _fit(call, again, day, free, reversed(free))
    within_reach = list(waiting)[: 2 * len(STARTS)]
    for call in within_reach:
        if call.resident.possible_times:
            yield from _fit(call, waiting, day, free, reversed(free))
    for call in list(waiting):
        yield from _fit(call, waiting, day, free, free)


def _fit(
    call: _Call, queue: deque[_Call], day: date, free: list[time], wanted: Iterable[time]
) -> Iterator[tuple[time, _Call]]:
    """Take the first wanted start at which the family is home, and the call off its queue."""
    start = next((start for start in wanted if _is_home(call.resident, day, start)), None)
    if start is not None:
        free.remove(start)
        queue.remove(call)
        yield start, call


def _is_home(resident: DemoResident, day: date, start: time) -> bool:
    clock = start.strftime("%H:%M")
    return not resident.possible_times or any(
        span.weekday == day.weekday() and span.start <= clock <= span.end
        for span in resident.possible_times
    )


def _outcome(call: _Call) -> Outcome:
    obstacle = call.resident.obstacle
    if obstacle is None:
        return Outcome()
    if call.attempt == 1:
        return Outcome(obstacle.reason, obstacle.next_step)
    if obstacle.revisit_fails_with:
        return Outcome(obstacle.reason, obstacle.revisit_fails_with)
    return Outcome()


def _signed(
    visit: PlannedVisit, team: DemoTeam, staff: dict[str, DemoUser], county: County
) -> PlannedVisit:
    """Choose the rater, qualified for every category, and a co-signer; no declared relative."""
    resident = visit.resident
    own = [name for name in team.assessors if name not in county.relatives_of(resident)]
    rater = next(name for name in own if set(resident.categories) <= set(staff[name].categories))
    co_signer = next(name for name in own if name != rater)
    return replace(visit, assessor=rater, co_signer=co_signer)


@dataclass(frozen=True)
class TeamCost:
    """What a team's day cost the federation."""

    on: date
    team: str
    what: str
    amount_fen: int
    source: str


#: Invented for the demo: nothing is known of the reference campaign's cost.
_DAY_COSTS = (("车辆与油费", 35_000, 1), ("评残医生补助", 10_000, 3), ("工作餐", 2_000, 5))
COST_SOURCE = "演示：虚构数字，那次活动的实际支出不详"


def team_costs(script: Sequence[PlannedVisit]) -> tuple[TeamCost, ...]:
    """List what each team's day cost: vehicle, three doctors' allowance, five meals."""
    travelled = sorted({(visit.day, visit.team) for visit in script})
    return tuple(
        TeamCost(day, team, what, unit_fen * quantity, COST_SOURCE)
        for day, team in travelled
        for what, unit_fen, quantity in _DAY_COSTS
    )
