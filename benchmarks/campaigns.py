"""Campaigns of our own making: a county of villages, three kinds of doctors, promised days.

The shape follows the reference campaign: 500 people in 29 townships, three teams, about 20
working days. People, places and dates are drawn from a seed.
"""

from __future__ import annotations

import math
import random

from outreach.domain.planning import Problem, Shift, Visit

CENTRE = (30.80, 106.09)
KM_A_DEGREE = (111.0, 95.5)
#: Minutes at the door and share of each category, as campaigns usually have them.
CATEGORIES = {
    "ortho": (0.62, (30, 30, 25, 35)),
    "psych": (0.16, (35, 50)),
    "ophth": (0.12, (20, 20, 25)),
    "ent": (0.10, (20, 25)),
}
#: What each of three teams can assess, on even days and on odd ones: lent doctors alternate.
TEAMS = (
    ("ent", "ophth", "ortho"),
    ("ent", "ortho", "psych"),
    ("ophth", "ortho", "psych"),
)


def campaign(people: int, seed: int) -> Problem:
    """Draw a campaign: about eight people a team-day, as many days as that needs and one."""
    chance = random.Random(seed)
    teams = 3
    days = math.ceil(people / (8.4 * teams)) + 1
    townships = max(3, round(people / 17))
    return Problem(_visits(chance, people, days, townships), _shifts(chance, teams, days))


def _visits(chance: random.Random, people: int, days: int, townships: int) -> tuple[Visit, ...]:
    centres = [_place(chance, CENTRE, math.sqrt(chance.random()) * 17) for _ in range(townships)]
    villages = {
        (town, number): _place(chance, centres[town], chance.random() * 3)
        for town in range(townships)
        for number in range(8)
    }
    names = list(villages)
    visits = []
    for number in range(people):
        town, village = chance.choice(names)
        lat, lon = _place(chance, villages[town, village], chance.random() * 0.8)
        main = chance.choices(list(CATEGORIES), [share for share, _ in CATEGORIES.values()])[0]
        skills = {main} | ({chance.choice(list(CATEGORIES))} if chance.random() < 0.07 else set())
        visits.append(
            Visit(
                id=number,
                lat=round(lat, 6),
                lon=round(lon, 6),
                minutes=chance.choice(CATEGORIES[main][1]),
                skills=frozenset(skills if any(skills <= set(team) for team in TEAMS) else {main}),
                window=_window(chance),
                days=_days(chance, days),
                deadline=1 + number * days // people,
                priority=chance.choices((1, 2, 3), (0.63, 0.22, 0.15))[0],
                village=f"village {town + 1:02d}-{village + 1:02d}",
                township=f"township {town + 1:02d}",
            )
        )
    return tuple(visits)


def _window(chance: random.Random) -> tuple[int, int]:
    """Draw possible times: any, the morning, the afternoon, or an hour and a half."""
    kind = chance.random()
    if kind < 0.54:
        return 510, 1020
    if kind < 0.74:
        return 780, 1005
    if kind < 0.92:
        return 510, 680
    opens = chance.choice((540, 600, 810, 870, 930))
    return opens, opens + 90


def _days(chance: random.Random, days: int) -> frozenset[int] | None:
    """Draw allowed days: any, or two days of every week."""
    if chance.random() < 0.77:
        return None
    weekdays = chance.sample(range(5), 2)
    return frozenset(day for day in range(days) if day % 5 in weekdays)


def _shifts(chance: random.Random, teams: int, days: int) -> tuple[Shift, ...]:
    bases = [_place(chance, CENTRE, 1 + 2 * team) for team in range(teams)]
    return tuple(
        Shift(
            f"T{team + 1}",
            day,
            bases[team],
            frozenset(TEAMS[team]),
            510,
            1050,
        )
        for day in range(days)
        for team in range(teams)
    )


def _place(chance: random.Random, centre: tuple[float, float], km: float) -> tuple[float, float]:
    angle = chance.random() * 2 * math.pi
    return (
        round(centre[0] + km * math.cos(angle) / KM_A_DEGREE[0], 6),
        round(centre[1] + km * math.sin(angle) / KM_A_DEGREE[1], 6),
    )
