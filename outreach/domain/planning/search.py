"""The search: groups of team-days taken out, solved, and put back when that is better."""

from __future__ import annotations

from collections.abc import Callable

from outreach.domain.planning.draft import Draft
from outreach.domain.planning.ground import Ground
from outreach.domain.planning.problem import Until

Heard = Callable[[float, int, Draft], None]


def search(
    ground: Ground, draft: Draft, *, seed: int, stop: Until, heard: Heard, workers: int = 0
) -> Draft:
    del ground, seed, stop, workers  # greedy alone, until the group search
    heard(1.0, 0, draft)
    return draft
