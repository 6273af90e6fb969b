"""The question a plan answers, drawn up from the register in the campaign file format.

The planner reads the same document from a file, so a question kept with its plan can be asked
again anywhere. It holds the places of homes: it is kept sealed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from outreach.actions.campaigns import working_days
from outreach.actions.thinking import stands_in
from outreach.domain.daytime import is_past, minutes_of
from outreach.domain.planning import Travel
from outreach.domain.planning.offering import BAND
from outreach.domain.planning.travel import road_metres, road_seconds
from outreach.domain.vocabulary import Role
from outreach.domain.workdays import CalendarNotLoaded, WorkingCalendar
from outreach.domain.workflow import OPEN_VISITS, ApplicationState, VisitState
from outreach.models import (
    Application,
    Assessor,
    Call,
    Campaign,
    DeclaredRelative,
    Hindrance,
    Shift,
    Team,
    Visit,
    working_calendar,
)
from outreach.models.planning import HindranceKind
from outreach.models.visits import VisitQuerySet
from outreach.rules import Refused, applications_for

#: How a vehicle travels, in the campaign file's words, which are the planner's own; assumed until
#: a county measured its own.
SPEEDS = {"slow_km": 2.0, "slow_kmh": 18.0, "fast_kmh": 38.0, "park_minutes": 3.0}
#: A team that is told of a change in the middle of a day needs this long to turn round.
NOTICE_MINUTES = 15
SHORTEST_SHIFT = 30
WHOLE_DAY = (0, 24 * 60 - 1)


@dataclass(frozen=True)
class Question:
    """A problem in the campaign file format, with what its indexes and ids stand for."""

    document: dict[str, Any]
    days: tuple[date, ...]


@dataclass(frozen=True)
class Away:
    """Which doctors cannot come, by themselves or with their whole team."""

    hindrances: Sequence[Hindrance]
    team_of: Mapping[UUID, UUID]

    def is_away(self, doctor: UUID, day: date, minute: int = 24 * 60) -> bool:
        """Tell whether a doctor cannot come on that day, by that minute of it."""
        team = self.team_of.get(doctor)
        return any(
            one.covers(day, minute) and (one.doctor_id == doctor or (team and one.team_id == team))
            for one in self.hindrances
        )

    def has_begun(self, visit: Visit, now: datetime) -> bool:
        """Tell whether its time has come; not where whoever was to make it was away by then.

        Of everybody else nothing is known: a tablet may be in that home without a line.
        """
        return is_past(visit.on, visit.start, now) and not self.is_away(
            visit.assessor_id, visit.on, minutes_of(visit.start)
        )


@dataclass(frozen=True)
class _Register:
    """What the register says of a campaign at one moment."""

    campaign: Campaign
    days: tuple[date, ...]
    calendar: WorkingCalendar
    now: datetime
    teams: list[Team]
    shifts: list[Shift]
    hindrances: list[Hindrance]
    cases: list[Application]
    visits: dict[UUID, Visit]
    missed: Collection[UUID]
    told: Mapping[UUID, tuple[date, time]]
    elsewhere: Sequence[Visit]
    begun: Sequence[Visit]
    accepted_on: Mapping[UUID, date]
    qualified: Mapping[UUID, frozenset[str]]
    members: Mapping[UUID, list[UUID]]
    away: Away
    barred: Mapping[UUID, set[UUID]]
    pinned: set[UUID]
    customary: set[int]
    wishes: Mapping[str, Any]


def draw_up(campaign: Campaign, now: datetime, wishes: Mapping[str, Any] | None = None) -> Question:
    """Draw up the question of a campaign as it stands: about twelve queries whatever its size.

    `wishes` are what-ifs: `overtime_minutes`, `minutes`, `last_on`, `without` (team ids). Raises
    `Refused` where there is nobody to visit, no team, or no day left to work on.
    """
    known = _read(campaign, now, wishes or {})
    shifts = [one for shift in known.shifts if (one := _shift(known, shift))]
    if not known.teams:
        raise Refused("no-team", _("There is no team yet; add one first."))
    if not known.cases:
        raise Refused("nobody-waits", _("Nobody waits for a visit in this campaign's area."))
    if not shifts:
        raise Refused("no-day-left", _("No team has a working day left in this campaign."))
    places = {case.pk: place for case in known.cases if (place := _place(known, case))}
    if not places:
        raise Refused(
            "no-place",
            _("Nobody knows where %(village)s is; enter its coordinates first.")
            % {"village": known.cases[0].village.name},
        )
    visits = [_visit(known, case, places[case.pk]) for case in known.cases if case.pk in places]
    _bar(known, visits, shifts)
    document = {
        "visits": visits,
        "missed": list(_missed(known)),
        "unplaced": [str(case.pk) for case in known.cases if case.pk not in places],
        "shifts": shifts,
        "minutes": known.wishes.get("minutes", campaign.minutes),
        "lunch": {"after": campaign.lunch_at, "minutes": campaign.lunch_minutes},
        "travel": {
            "distance": "geodesic WGS-84",
            "road_factor": settings.OUTREACH_ROAD_FACTOR,
            **SPEEDS,
        },
    }
    return Question(document, known.days)


def _missed(known: _Register) -> Iterator[dict[str, Any]]:
    """List the appointments to which nobody came, to see whether they are changed by hand since."""
    for pk in known.missed:
        visit = known.visits[pk]
        if visit.on in known.days:
            day, start = known.days.index(visit.on), minutes_of(visit.start)
            yield {"visit": str(pk), "day": day, "start": start}


def without_homes(document: Mapping[str, Any], cases: Collection[str]) -> dict[str, Any]:
    """Return a question that tells no more where these cases' homes are, nor when they are open.

    They stay among the visits, which an answer counts, at a team's base.
    """
    latitude, longitude = document["shifts"][0]["base"]
    left = {"lat": latitude, "lon": longitude, "window": list(WHOLE_DAY), "also": [], "priority": 1}
    visits = [one | left if one["id"] in cases else one for one in document["visits"]]
    return {**document, "visits": visits}


def days_of(campaign: Campaign) -> tuple[date, ...]:
    """List the working days of the campaign: the indexes of its questions count these."""
    return tuple(working_days(campaign.first_on, campaign.last_on))


def cases_of(campaign: Campaign) -> Any:
    """Return the accepted cases of the campaign's area, in or out of reach of its teams."""
    rows = Application.objects.within(campaign.division).standing(ApplicationState.ACCEPTED)
    return rows.select_related("resident", "village__parent", "nominated_by").order_by("pk")


def _read(campaign: Campaign, now: datetime, wishes: Mapping[str, Any]) -> _Register:
    teams = list(campaign.teams.exclude(pk__in=wishes.get("without", [])))
    members: dict[UUID, list[UUID]] = defaultdict(list)
    for team, user in campaign.members.values_list("team", "user"):
        members[team].append(user)
    people = {user for crew in members.values() for user in crew}
    rows = Assessor.objects.serving().filter(user__in=people)
    hindrances = list(campaign.hindrances.standing().select_related("place"))
    away = Away(hindrances, {user: team for team, crew in members.items() for user in crew})
    cases = list(cases_of(campaign))
    visits = {visit.application_id: visit for visit in open_visits(campaign)}
    ours = [case for case in cases if _is_ours(visits.get(case.pk), campaign, away, now)]
    accepted_on = _acceptances(campaign)
    longest = campaign.first_on.year - min(accepted_on.values(), default=now.date()).year
    return _Register(
        campaign,
        days_of(campaign),
        working_calendar(campaign.first_on, back=max(1, longest)),
        now,
        teams,
        list(
            Shift.objects.filter(team__in=teams, on__gte=timezone.localdate(now)).select_related(
                "team"
            )
        ),
        hindrances,
        ours,
        visits,
        {
            case.pk
            for case in ours
            if (visit := visits.get(case.pk)) and is_past(visit.on, visit.start, now)
        },
        told_times(campaign),
        _elsewhere(people, ours, now),
        _begun(people, away, now),
        accepted_on,
        {row.user_id: frozenset(row.categories) for row in rows},
        members,
        away,
        _relatives(people),
        set(campaign.pins.values_list("application", flat=True)),
        _customary(campaign),
        wishes,
    )


def who_is_away(campaign: Campaign) -> Away:
    """Return who of the campaign's doctors cannot come, and when."""
    team_of = dict(campaign.members.values_list("user", "team"))
    return Away(list(campaign.hindrances.standing()), team_of)


def _customary(campaign: Campaign) -> set[int]:
    """Return the lengths that plans of the campaign gave to visits: another was chosen by hand."""
    published = campaign.plans.filter(published_at__isnull=False)
    given = published.values_list("figures__minutes", "wishes__minutes")  # older ones: wishes only
    return {campaign.minutes, *(minutes for pair in given for minutes in pair if minutes)}


def _is_ours(visit: Visit | None, campaign: Campaign, away: Away, now: datetime) -> bool:
    """Tell whether a case without an appointment elsewhere can still be planned."""
    if visit is None:
        return True
    inside = campaign.first_on <= visit.on <= campaign.last_on
    return inside and visit.assessor_id in away.team_of and not away.has_begun(visit, now)


_OF_ELSEWHERE = (
    *("on", "start", "minutes", "assessor", "application__village__latitude"),
    *("application__village__longitude", "application__village__parent__latitude"),
    "application__village__parent__longitude",
)


def _elsewhere(people: Iterable[UUID], ours: Sequence[Application], now: datetime) -> list[Visit]:
    """Return the visits of the teams' assessors at homes that are none of the question's."""
    rows = Visit.objects.open().filter(assessor__in=people, on__gte=timezone.localdate(now))
    known = {case.pk for case in ours}
    shown = rows.select_related("application__village__parent").only(*_OF_ELSEWHERE)
    return [visit for visit in shown if visit.application_id not in known]


def _begun(people: Iterable[UUID], away: Away, now: datetime) -> list[Visit]:
    """Return today's visits of the teams' assessors that have begun by now, or are over."""
    rows = Visit.objects.filter(assessor__in=people, on=timezone.localdate(now))
    shown = rows.exclude(state=VisitState.CANCELLED).select_related("application__village__parent")
    return [one for one in shown if one.state not in OPEN_VISITS or away.has_begun(one, now)]


def _acceptances(campaign: Campaign) -> dict[UUID, date]:
    """Return on which day each case was accepted (again, after a recall)."""
    rows = cases_of(campaign).filter(events__target=ApplicationState.ACCEPTED)
    pairs = rows.values_list("pk").annotate(at=Max("events__at")).order_by()
    return {pk: timezone.localdate(at) for pk, at in pairs}


def _relatives(people: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """Map residents to the assessors who declared them relatives."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for user, resident in DeclaredRelative.objects.filter(user__in=people).values_list(
        "user", "resident"
    ):
        found[resident].add(user)
    return found


def able(known: _Register, team: UUID, day: date) -> list[UUID]:
    """List the members of a team who can come on that day; none where too few are left to sign.

    A team that is smaller by itself goes all the same: who signs beside it is of elsewhere.
    """
    crew = known.members.get(team, [])
    serving = (user for user in crew if user in known.qualified)
    come = [user for user in serving if not known.away.is_away(user, day)]
    return come if len(come) >= min(len(crew), 1 + settings.OUTREACH_CO_SIGNERS) else []


def _shift(known: _Register, shift: Shift) -> dict[str, Any] | None:
    """Describe a shift that takes place, with whoever of the team can come."""
    last_on = known.wishes.get("last_on")
    if last_on and shift.on > date.fromisoformat(last_on):
        return None
    if shift.on not in known.days:
        return None
    come = able(known, shift.team_id, shift.on)
    way = _way_on(known, shift)
    if not come or (shift.end - way.start < SHORTEST_SHIFT and not way.is_expected):
        return None
    campaign = known.campaign
    return {
        "team": str(shift.team_id),
        "day": known.days.index(shift.on),
        "base": list(way.base),
        "finish": list(_base(shift.team)),
        "skills": sorted(_known_to(known, come)),
        "start": way.start,
        "end": shift.end,
        # Who leaves, or is told of a change, after lunch has had it.
        "lunch": not way.has_eaten and way.start < campaign.lunch_at + campaign.lunch_minutes,
        "busy": sorted([*way.busy, *_busy(known, shift, come)]),
        "overtime": known.wishes.get("overtime_minutes", campaign.overtime_minutes),
    }


@dataclass(frozen=True)
class _WayOn:
    """From where, and from when on, a team goes on, and whether a family expects it today."""

    base: tuple[float, float]
    start: int
    has_eaten: bool = False
    is_expected: bool = False
    busy: Sequence[list[int]] = ()


def _way_on(known: _Register, shift: Shift) -> _WayOn:
    """Tell where a team sets out: today from its last door, in time for who expects it next.

    Whoever is told of a change needs a while to turn round, but is on the way to that home already.
    """
    base, left, campaign = _base(shift.team), shift.start, known.campaign
    if shift.on != timezone.localdate(known.now):
        return _WayOn(base, left)
    now = minutes_of(known.now)
    turned = now + NOTICE_MINUTES
    crew = known.members.get(shift.team_id, [])
    doors = [visit for visit in known.begun if visit.assessor_id in crew]
    if doors:
        ends = {visit: _ended(visit, now) for visit in doors}
        last = max(doors, key=lambda visit: ends[visit])
        base, left = last.application.village.place or base, ends[last]
    has_eaten = any(minutes_of(visit.start) >= campaign.lunch_at for visit in doors)
    ahead = min(_own(known, shift), key=_span, default=None)
    if ahead is None:
        return _WayOn(base, max(left, turned), has_eaten)
    expected, _end = _span(ahead)
    way = _minutes_of_road(base, _home(known, ahead))
    if expected >= campaign.lunch_at and not has_eaten:
        way += campaign.lunch_minutes
    start = min(max(left, min(turned, expected - way)), shift.end - 1)
    busy = [[start, min(turned, expected)]] if start < min(turned, expected) else []
    return _WayOn(base, start, has_eaten, is_expected=True, busy=busy)


def _ended(visit: Visit, now: int) -> int:
    """Return when a visit that has begun ends, or ended."""
    _start, end = _span(visit)
    return end if visit.state in OPEN_VISITS else min(end, now)


def _home(known: _Register, visit: Visit) -> tuple[float, float] | None:
    """Return where the home of one of the question's appointments is."""
    return _place(known, next(case for case in known.cases if case.pk == visit.application_id))


def _base(team: Team) -> tuple[float, float]:
    return team.latitude, team.longitude


def _busy(known: _Register, shift: Shift, come: Sequence[UUID]) -> list[list[int]]:
    """Return when one of who comes is at another home, with the way from the base and back.

    Appointments of the team's own beside it stand: whoever made both knew that it parts.
    """
    away = [
        one
        for one in known.elsewhere
        if one.on == shift.on and one.assessor_id in come and one not in known.begun
    ]
    own = [_span(visit) for visit in _own(known, shift)] if away else []
    spans = []
    for visit in away:
        way = _minutes_of_road(_base(shift.team), visit.application.village.place)
        start, end = _span(visit)
        if all(end <= begins or ends <= start for begins, ends in own):
            first = max([0, start - way, *(ends for _begins, ends in own if ends <= start)])
            spans.append(
                [first, min([end + way, *(begins for begins, _e in own if begins >= end)])]
            )
    return sorted(spans)


def _own(known: _Register, shift: Shift) -> list[Visit]:
    """Return the appointments of the question's cases that a team still has on a day."""
    crew = known.members.get(shift.team_id, [])
    visits = (known.visits.get(case.pk) for case in known.cases if case.pk not in known.missed)
    return [one for one in visits if one and one.on == shift.on and one.assessor_id in crew]


def _span(visit: Visit) -> tuple[int, int]:
    start = minutes_of(visit.start)
    return start, start + visit.minutes


def _minutes_of_road(here: tuple[float, float], there: tuple[float, float] | None) -> int:
    """Return the minutes from here to there; none where nobody knows where that is."""
    if there is None:
        return 0
    metres = road_metres([here, there], settings.OUTREACH_ROAD_FACTOR)
    return math.ceil(float(road_seconds(metres, Travel())[0, 1]) / 60)


def _visit(known: _Register, case: Application, place: tuple[float, float]) -> dict[str, Any]:
    village = case.village
    latitude, longitude = place
    return {
        "id": str(case.pk),
        "lat": latitude,
        "lon": longitude,
        "village": village.code,
        "township": village.parent.code if village.parent else village.code,
        "minutes": _minutes(known, case),
        "skills": sorted(set(case.categories)),
        **_times(known, case),
        **_promise(known, case),
        "priority": _priority(case),
        "cut_off": _is_never_reached(known, case),  # only to say why nobody comes
    }


def _minutes(known: _Register, case: Application) -> int:
    """Return how long the visit takes; an appointment of another length keeps that."""
    visit = known.visits.get(case.pk)
    if visit is not None and visit.minutes not in known.customary:
        return visit.minutes
    minutes: int = known.wishes.get("minutes", known.campaign.minutes)
    return minutes


def _priority(case: Application) -> int:
    """Return how much leaving the home out would cost: 1 to 3, the fast lane most."""
    if case.urgency:
        return 3
    resident = case.resident
    return 1 + resident.is_bedridden + (resident.severity_expected in (1, 2))


def _place(known: _Register, case: Application) -> tuple[float, float] | None:
    """Return where the home is; the village, then the township, where nobody measured it.

    A home without any of them has no place in a plan, unless somebody promised to come: then it
    stands at their base, so that nothing else is planned into that time.
    """
    place = case.resident.place
    if place and "lat" in place and "lon" in place:
        return float(place["lat"]), float(place["lon"])
    if case.village.place:
        return case.village.place
    visit = known.visits.get(case.pk)
    bases = {user: team for team in known.teams for user in known.members.get(team.pk, [])}
    base = bases.get(visit.assessor_id) if visit else None
    return _base(base) if base else None


def _promise(known: _Register, case: Application) -> dict[str, int | None]:
    """Say which campaign day is the last that keeps the promise; none where each does.

    Where none does it is −1, and `overdue` are the working days by which it is missed before.
    """
    kept: dict[str, int | None] = {"deadline": None, "overdue": 0}
    accepted, first = known.accepted_on.get(case.pk), known.days[0]
    if accepted is None:
        return kept
    try:
        promised = known.calendar.add(accepted, known.campaign.promise_days)
        overdue = known.calendar.between(promised, first) - 1
    except CalendarNotLoaded:
        return kept
    if promised >= known.days[-1]:
        return kept
    deadline = sum(day <= promised for day in known.days) - 1
    return {"deadline": deadline, "overdue": max(0, overdue)}


def _times(known: _Register, case: Application) -> dict[str, Any]:
    """Say when the family is at home: the widest hours with their days, and the others.

    The planner knows one span of hours for a home; `also` lists the other spans, which are
    tried for homes that found no place.
    """
    spans: dict[tuple[int, int], set[int]] = defaultdict(set)
    for index, day in enumerate(known.days):
        if day < timezone.localdate(known.now) or _is_closed(known, case, day):
            continue
        if not case.possible_times:
            spans[WHOLE_DAY].add(index)
        for span in case.possible_times:
            if span["weekday"] == day.weekday():
                hours = _minutes_of(span["from"]), _minutes_of(span["to"])
                spans[hours].add(index)
    for hours, days in spans.items():  # a family at home all day is so on a half day too
        for other, more in spans.items():
            if other[0] <= hours[0] and hours[1] <= other[1]:
                days |= more
    ranked = sorted(spans, key=lambda one: (-(one[1] - one[0]) * len(spans[one]), one))
    listed = [{"window": list(one), "days": sorted(spans[one])} for one in ranked]
    agreed = _agreed(known, case, listed)
    first = (listed or [{"window": list(WHOLE_DAY), "days": []}])[0]
    return {**first, "also": [*listed[1:], *agreed]}


def _agreed(
    known: _Register, case: Application, listed: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the hour around an appointment that the family agreed to beside the hours it named."""
    visit = None if case.pk in known.missed else known.visits.get(case.pk)
    if visit is None or visit.on not in known.days or _is_closed(known, case, visit.on):
        return []
    day = known.days.index(visit.on)
    if any(stands_in(span, day, minutes_of(visit.start)) for span in listed):
        return []
    start = _told_at(visit, known.told)
    around = max(WHOLE_DAY[0], start - round(BAND)), min(WHOLE_DAY[1], start + round(BAND))
    return [{"window": list(around), "days": [day]}]


def _minutes_of(text: str) -> int:
    return minutes_of(time.fromisoformat(text))


def _is_closed(known: _Register, case: Application, day: date) -> bool:
    is_absent = any(
        one.kind == HindranceKind.ABSENT and one.application_id == case.pk and one.covers(day)
        for one in known.hindrances
    )
    return is_absent or _is_cut_off(known, case, day)


def _is_cut_off(known: _Register, case: Application, day: date) -> bool:
    return any(
        one.kind == HindranceKind.ROAD_CUT
        and one.place
        and case.village.code.startswith(one.place.code)
        and one.covers(day)
        for one in known.hindrances
    )


def _is_never_reached(known: _Register, case: Application) -> bool:
    """Tell whether the road is cut on each day left on which the family is at home."""
    weekdays = {span["weekday"] for span in case.possible_times} or set(range(7))
    left = [day for day in known.days if day >= timezone.localdate(known.now)]
    home = [day for day in left if day.weekday() in weekdays]
    return bool(home) and all(_is_cut_off(known, case, day) for day in home)


def _bar(known: _Register, visits: list[dict[str, Any]], shifts: list[dict[str, Any]]) -> None:
    """Keep a team away from a home that only who nominated or is related could rate there.

    Said as a skill that only this home asks for and only the other shifts have.
    """
    by_id = {str(case.pk): case for case in known.cases}
    for visit in visits:
        case = by_id[visit["id"]]
        unfit = set(known.barred.get(case.resident_id, set()))
        if case.nominated_by.role == Role.ASSESSOR:
            unfit.add(case.nominated_by_id)
        if not unfit:
            continue
        fit = [shift for shift in shifts if _may_rate(known, shift, case, unfit)]
        if len(fit) < len(shifts):
            token = f"impartial:{visit['id']}"
            visit["skills"] = [*visit["skills"], token]
            for shift in fit:
                shift["skills"] = [*shift["skills"], token]


def _may_rate(
    known: _Register, shift: Mapping[str, Any], case: Application, unfit: set[UUID]
) -> bool:
    """Tell whether the others of a team know all that it knows of what a case asks for."""
    come = able(known, UUID(shift["team"]), known.days[shift["day"]])
    others = [user for user in come if user not in unfit]
    asked = set(case.categories)
    return bool(others) and asked & _known_to(known, come) <= _known_to(known, others)


def _known_to(known: _Register, users: Iterable[UUID]) -> set[str]:
    """Return what these doctors are qualified for together."""
    return set[str]().union(*(known.qualified.get(user, frozenset()) for user in users))


def standing_appointments(question: Question, campaign: Campaign) -> list[dict[str, Any]]:
    """List the appointments that families have, as stops with team, day and start.

    Not those to which nobody came. `told` is the start the family was told, `pinned` ones may not
    move: promised expressly, or made by hand before the first plan was published.
    """
    missed = {one["visit"] for one in question.document["missed"]}
    wanted = {visit["id"] for visit in question.document["visits"]} - missed
    crew = {user: team for team, user in campaign.members.values_list("team", "user")}
    pinned = set(campaign.pins.values_list("application", flat=True))
    is_planned = campaign.plans.filter(published_at__isnull=False).exists()
    index = {day: number for number, day in enumerate(question.days)}
    told = told_times(campaign)
    found = []
    for visit in open_visits(campaign).order_by("on", "start", "pk"):
        if str(visit.application_id) in wanted and visit.on in index:
            found.append(
                {
                    "visit": str(visit.application_id),
                    "team": str(crew[visit.assessor_id]),
                    "day": index[visit.on],
                    "start": minutes_of(visit.start),
                    "told": _told_at(visit, told),
                    "pinned": visit.application_id in pinned or not is_planned,
                }
            )
    return found


def open_visits(campaign: Campaign) -> VisitQuerySet:
    """Return the visits to come of the campaign's cases."""
    return Visit.objects.open().filter(application__in=cases_of(campaign).values("pk"))


def told_times(campaign: Campaign) -> dict[UUID, tuple[date, time]]:
    """Return for each visit the day and time of the newest call about it, whoever planned it."""
    cases = cases_of(campaign).order_by().values("pk")
    calls = Call.objects.filter(visit__application__in=cases, on__isnull=False)
    rows = calls.order_by("created_at", "pk")
    return {
        visit: (on, start)
        for visit, on, start in rows.values_list("visit", "on", "start")
        if on is not None and start is not None
    }


def _told_at(visit: Visit, told: Mapping[UUID, tuple[date, time]]) -> int:
    """Return at which time of its day a family was told that the visit is, else when it is."""
    on, heard = told.get(visit.pk, (visit.on, visit.start))
    return minutes_of(heard if on == visit.on else visit.start)


def applications_of(campaign: Campaign, user: Any) -> Any:
    """Return the campaign's cases that the user may see."""
    return applications_for(user).filter(pk__in=cases_of(campaign).values("pk"))
