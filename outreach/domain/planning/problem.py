"""What a campaign asks and what a plan answers: the words of planning, frozen.

Times are minutes after midnight, days are working-day indexes of the campaign (0 is its first
day), places are WGS-84 `(latitude, longitude)` in degrees, distances kilometres by road.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

VisitId = int | str
Place = tuple[float, float]
ShiftKey = tuple[str, int]

MIDNIGHT = 24 * 60


class MalformedProblem(ValueError):
    """A campaign that cannot be planned because its data contradict themselves."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One person to be assessed at home.

    `window` bounds the start of the visit; `days` are the allowed working days (None: all);
    `deadline` is the promised working day; every one of `skills` must be in the team.
    """

    id: VisitId
    lat: float
    lon: float
    minutes: float
    skills: frozenset[str] = frozenset()
    window: tuple[float, float] = (0, MIDNIGHT)
    days: frozenset[int] | None = None
    deadline: int | None = None
    priority: int = 1
    village: str = ""
    township: str = ""

    @property
    def place(self) -> Place:
        return (self.lat, self.lon)


@dataclass(frozen=True, slots=True)
class Shift:
    """One team on one day: leaves `base` at `start`, is back at `finish` (its base) by `end`.

    `overtime` minutes beyond `end` are allowed at a price; a team without `lunch` (it starts
    in the afternoon, say) works through. In the spans of `busy`, by their beginning, somebody
    of the team is elsewhere: no visit runs into them.
    """

    team: str
    day: int
    base: Place
    skills: frozenset[str]
    start: float
    end: float
    finish: Place | None = None
    overtime: float = 0
    lunch: bool = True
    busy: tuple[tuple[float, float], ...] = ()

    @property
    def key(self) -> ShiftKey:
        return (self.team, self.day)


@dataclass(frozen=True, slots=True)
class Lunch:
    """A rest of `minutes`, taken on arrival before the first visit that would start at `after`
    or later; a visit under way is finished first."""

    after: float = 690
    minutes: float = 60


@dataclass(frozen=True, slots=True)
class Matrix:
    """Road distances and times of a map service between `places`, row to column."""

    places: tuple[Place, ...]
    metres: tuple[tuple[int, ...], ...]
    seconds: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Detour:
    """A way round: every leg into or out of the area of `visits` is `km` longer, at fast speed."""

    visits: frozenset[VisitId]
    km: float


@dataclass(frozen=True, slots=True)
class Travel:
    """How long a leg is and lasts: geodesic × `road_factor`, or a map service's `matrix`.

    The first `slow_km` go at `slow_kmh`, the rest at `fast_kmh`, plus `park_minutes` a leg;
    nothing between identical places; whole seconds.
    """

    road_factor: float = 1.4
    slow_km: float = 2.0
    slow_kmh: float = 18.0
    fast_kmh: float = 38.0
    park_minutes: float = 3.0
    matrix: Matrix | None = None
    detours: tuple[Detour, ...] = ()

    def __post_init__(self) -> None:
        if not (self.slow_kmh > 0 and self.fast_kmh > 0):
            raise MalformedProblem("a leg needs a speed above 0 km/h")


@dataclass(frozen=True, slots=True)
class Prices:
    """What a plan weighs against each other, all in kilometres of driving.

    `late` once and `late_day` for each working day behind the promised one, both × (1 + half
    the priority above 1); `village` for each entering of a village, so that a village is
    finished in one trip; `fairness` for each hour of visits above or below a team's share;
    `moved` for each appointment that loses its day in a repair.
    """

    team_day: float = 30.0
    late: float = 60.0
    late_day: float = 15.0
    village: float = 0.5
    overtime_hour: float = 20.0
    fairness: float = 1.0
    moved: float = 18.0


@dataclass(frozen=True, slots=True)
class Problem:
    """A campaign to plan. Raises `MalformedProblem` where its parts contradict each other."""

    visits: tuple[Visit, ...]
    shifts: tuple[Shift, ...]
    lunch: Lunch = Lunch()
    travel: Travel = Travel()
    prices: Prices = Prices()

    def __post_init__(self) -> None:
        _refuse_twins("visit", [visit.id for visit in self.visits])
        _refuse_twins("shift", [shift.key for shift in self.shifts])
        for visit in self.visits:
            _check_visit(visit)
        for shift in self.shifts:
            _check_shift(shift)


def _refuse_twins(kind: str, keys: list[object]) -> None:
    seen: set[object] = set()
    for key in keys:
        if key in seen:
            raise MalformedProblem(f"{kind} {key!r} is there twice")
        seen.add(key)


def _check_visit(visit: Visit) -> None:
    name = f"visit {visit.id!r}"
    _check_place(name, visit.place)
    if not 0 <= visit.minutes <= MIDNIGHT:
        raise MalformedProblem(f"{name} lasts {visit.minutes} minutes")
    if not 0 <= visit.window[0] <= visit.window[1] <= MIDNIGHT:
        raise MalformedProblem(f"{name} has no possible time: {list(visit.window)}")
    if not 1 <= visit.priority <= 3:
        raise MalformedProblem(f"{name} has priority {visit.priority}, not 1 to 3")


def _check_shift(shift: Shift) -> None:
    name = f"shift {shift.team!r} on day {shift.day}"
    _check_place(name, shift.base)
    _check_place(name, shift.finish or shift.base)
    if not 0 <= shift.start <= shift.end <= MIDNIGHT:
        raise MalformedProblem(f"{name} runs from {shift.start} to {shift.end}")
    if shift.overtime < 0:
        raise MalformedProblem(f"{name} has {shift.overtime} minutes of overtime")


def _check_place(name: str, place: Place) -> None:
    if not (-90 <= place[0] <= 90 and -180 <= place[1] <= 180):
        raise MalformedProblem(f"{name} lies nowhere on Earth: {list(place)}")


@dataclass(frozen=True, slots=True)
class Pin:
    """What a family was told: the day, perhaps the team and the earliest and latest start."""

    day: int
    team: str | None = None
    window: tuple[float, float] | None = None


Pins = Mapping[VisitId, Pin]
NO_PINS: Pins = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit in a route; `arrival` at the door, `start` of the visit, `end` of it."""

    visit: VisitId
    start: float
    arrival: float
    end: float


@dataclass(frozen=True, slots=True)
class Route:
    """One team's day: its stops in order, kilometres there and back, lunch, return, overtime."""

    team: str
    day: int
    stops: tuple[Stop, ...]
    km: float
    back: float
    lunch: tuple[float, float] | None = None
    overtime: float = 0

    @property
    def key(self) -> ShiftKey:
        return (self.team, self.day)


Datum = str | int | float | tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would let the visit in: a code, and the figures its sentence needs."""

    code: str
    data: Mapping[str, Datum] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a visit was left out: a code, the figures its sentence needs, what would change it.

    Codes: `no_specialty`, `no_day`, `no_time`, `no_capacity`, `pin_broken`, `too_far`.
    """

    code: str
    data: Mapping[str, Datum] = field(default_factory=dict)
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A visit nobody makes, and why."""

    visit: VisitId
    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """Who goes where and when. Routes are those with stops, by day and team.

    `late` counts the visits after their promised day, `late_days` the working days together;
    `cost` is the objective in kilometres (`Prices`), comparable between plans of one problem.
    """

    routes: tuple[Route, ...]
    unassigned: tuple[Unassigned, ...]
    km: float
    late: int
    late_days: int
    cost: float
    overtime: float = 0
    fairness: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Until:
    """When a search ends: after `seconds`, after `rounds`, or as soon as `asked()` is true.

    With rounds alone the plan is the same for the same seed on any machine. Rounds of 0 give
    the greedy plan.
    """

    seconds: float | None = None
    rounds: int | None = None
    asked: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        if self.seconds is None and self.rounds is None:
            raise ValueError("A search needs an end: seconds, rounds or both.")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is (0 to 1), its round, and the best plan so far."""

    share: float
    round: int
    best: Plan


@dataclass(frozen=True, slots=True)
class Violation:
    """A hard rule that a plan breaks, for the person who must find it."""

    rule: str
    team: str | None
    day: int | None
    visit: VisitId | None
    detail: str
