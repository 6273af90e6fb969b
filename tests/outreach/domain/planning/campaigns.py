"""Campaigns of our own making for the planning tests, small and seeded."""

from __future__ import annotations

import random

from outreach.domain.planning import Problem, Shift, Visit

BASE = (30.80, 106.09)
SKILLS = ("ortho", "psych", "ent")


def campaign(
    seed: int, *, people: int = 30, teams: int = 2, days: int = 4, overtime: float = 0
) -> Problem:
    """Return a campaign with villages, windows, allowed days and promised days."""
    chance = random.Random(seed)
    villages = [
        (chance.uniform(30.7, 31.0), chance.uniform(105.95, 106.25))
        for _ in range(max(1, people // 4))
    ]
    visits = []
    for n in range(people):
        village = chance.randrange(len(villages))
        lat, lon = villages[village]
        opens = chance.choice([510, 510, 540, 780, 900])
        visits.append(
            Visit(
                id=n,
                lat=round(lat + chance.gauss(0, 0.004), 6),
                lon=round(lon + chance.gauss(0, 0.004), 6),
                minutes=chance.choice([20, 25, 30, 50]),
                skills=frozenset(chance.sample(SKILLS, chance.choice([1, 1, 1, 2]))),
                window=(opens, chance.choice([opens + 90, 1020])),
                days=chance.choice([None, None, frozenset(chance.sample(range(days), 2))]),
                deadline=chance.randrange(days + 1),
                priority=chance.randint(1, 3),
                village=f"village {village}",
            )
        )
    shifts = tuple(
        Shift(
            f"T{team}", day, BASE, frozenset(SKILLS[: 2 + team % 2]), 510, 1050, overtime=overtime
        )
        for day in range(days)
        for team in range(teams)
    )
    return Problem(tuple(visits), shifts)
