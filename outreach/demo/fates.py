"""What will happen to each of the 600 in the play, dealt from decks with fixed counts.

Counts come from the reference campaign and from what is known of pre-screened lists (about 95 %
meet the standard); who gets which fate is the seed's choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import Any, TypeVar

from outreach.domain.vocabulary import GUARDED_CATEGORIES, Category, NextStep, NotDone

T = TypeVar("T")
C = Category

#: Of a team's 200 homes, those of the first three weeks can be tried again.
_EARLY = 150


class Ending(StrEnum):
    """How a case ends before any visit."""

    NO_CONSENT = "no_consent"  # a nomination is not an application
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"  # false information


class Decision(StrEnum):
    """How an objection or an appeal ends."""

    DISMISSED = "dismissed"
    UPHELD = "upheld"


@dataclass(frozen=True)
class Obstacle:
    """Why a first visit assesses nobody, what follows, and whether the revisit does."""

    reason: NotDone
    next_step: NextStep
    revisit_fails_with: NextStep | None = None


@dataclass(frozen=True)
class Fate:
    """The hidden truth of one case, but for the findings."""

    categories: tuple[Category, ...]
    meets: bool = True
    disputable: bool = False
    ending: Ending | None = None
    obstacle: Obstacle | None = None
    objection: Decision | None = None
    appeal: Decision | None = None

    @property
    def guarded(self) -> bool:
        """Whether a guardian must be present whatever the age."""
        return bool(GUARDED_CATEGORIES & set(self.categories))


_ABSENT = Obstacle(NotDone.ABSENT, NextStep.REVISIT)
_ABSENT_TWICE = Obstacle(NotDone.ABSENT, NextStep.REVISIT, NextStep.CLOSE)
_REFUSES = Obstacle(NotDone.REFUSED, NextStep.CLOSE)
_IN_HOSPITAL = Obstacle(NotDone.IN_HOSPITAL, NextStep.WAIT)
_REFERRED = Obstacle(NotDone.IN_HOSPITAL, NextStep.REFER_HOSPITAL)
_ROAD_CUT = Obstacle(NotDone.ROAD_CUT, NextStep.REVISIT)
_WRONG_SPECIALTY = Obstacle(NotDone.WRONG_SPECIALTY, NextStep.REFER_HOSPITAL)
_PAPERS_LATER = Obstacle(NotDone.PAPERS_MISSING, NextStep.REVISIT)
_PAPERS_WAIT = Obstacle(NotDone.PAPERS_MISSING, NextStep.WAIT)
_NO_GUARDIAN = Obstacle(NotDone.GUARDIAN_ABSENT, NextStep.REVISIT)
_NO_GUARDIAN_TWICE = Obstacle(NotDone.GUARDIAN_ABSENT, NextStep.REVISIT, NextStep.WAIT)

_MIX = {
    "A": {
        (C.PHYSICAL,): 118,
        (C.VISION,): 14,
        (C.HEARING,): 11,
        (C.SPEECH,): 8,
        (C.INTELLECTUAL,): 17,
        (C.MENTAL,): 16,
        (C.PHYSICAL, C.SPEECH): 6,
        (C.PHYSICAL, C.INTELLECTUAL): 4,
        (C.VISION, C.HEARING): 3,
        (C.INTELLECTUAL, C.MENTAL): 3,
    },
    "C": {
        (C.PHYSICAL,): 138,
        (C.SPEECH,): 10,
        (C.INTELLECTUAL,): 20,
        (C.MENTAL,): 18,
        (C.PHYSICAL, C.SPEECH): 7,
        (C.PHYSICAL, C.INTELLECTUAL): 5,
        (C.INTELLECTUAL, C.MENTAL): 2,
    },
}
CATEGORIES = {"A": _MIX["A"], "B": _MIX["A"], "C": _MIX["C"]}
ENDINGS = {
    "A": {Ending.NO_CONSENT: 3, Ending.WITHDRAWN: 2, Ending.REFUSED: 1},
    "B": {Ending.NO_CONSENT: 3, Ending.WITHDRAWN: 2, Ending.REFUSED: 1},
    "C": {Ending.NO_CONSENT: 2, Ending.WITHDRAWN: 2, Ending.REFUSED: 2},
}
OBSTACLES = {
    "A": {
        _ABSENT: 4, _ABSENT_TWICE: 1, _REFUSES: 2, _IN_HOSPITAL: 1, _REFERRED: 2,
        _ROAD_CUT: 3, _PAPERS_LATER: 1, _PAPERS_WAIT: 1, _NO_GUARDIAN: 2,
    },
    "B": {
        _ABSENT: 4, _ABSENT_TWICE: 1, _REFUSES: 2, _IN_HOSPITAL: 2, _REFERRED: 1,
        _ROAD_CUT: 3, _PAPERS_LATER: 1, _PAPERS_WAIT: 1, _NO_GUARDIAN: 2,
    },
    "C": {
        _ABSENT: 3, _ABSENT_TWICE: 1, _REFUSES: 2, _IN_HOSPITAL: 1, _REFERRED: 1,
        _WRONG_SPECIALTY: 4, _PAPERS_LATER: 1, _NO_GUARDIAN: 1, _NO_GUARDIAN_TWICE: 1,
    },
}  # fmt: skip
NOT_MET = {"A": 9, "B": 9, "C": 9}
DISPUTABLE = {"A": (C.PHYSICAL, C.SPEECH), "B": (C.PHYSICAL, C.PHYSICAL), "C": (C.SPEECH,)}
OBJECTIONS = {"A": (Decision.DISMISSED,), "B": (Decision.DISMISSED,), "C": (Decision.UPHELD,)}
APPEALS = {"A": (Decision.DISMISSED,), "B": (), "C": (Decision.UPHELD,)}


def deal(team: str, rng: Random) -> list[Fate]:
    """Deal the fates of one team's residents in a random order, every count exact.

    The first one is plain and physical (the man of the first stop); homes behind a cut road
    are neighbours.
    """
    fates = [Fate(categories) for categories in _spread(CATEGORIES[team])]
    rng.shuffle(fates)
    first = fates.pop(fates.index(Fate((C.PHYSICAL,))))
    for ending in _spread(ENDINGS[team]):
        _change(fates, _anyone, ending=ending)
    for obstacle in _spread(OBSTACLES[team]):
        _change(fates, _FITTING.get(obstacle.reason, _anyone), obstacle=obstacle)
    for _ in range(NOT_MET[team]):
        _change(fates, _alone, meets=False)
    for category in DISPUTABLE[team]:
        _change(fates, _SOLELY[category], disputable=True)
    for objection in OBJECTIONS[team]:
        _change(fates, _anyone, objection=objection)
    for appeal in APPEALS[team]:
        _change(fates, _no_appeal, among=_not_met, appeal=appeal)
    rng.shuffle(fates)
    return [first, *_in_time(fates, rng)]


def _spread(counts: dict[T, int]) -> list[T]:
    return [item for item, count in counts.items() for _ in range(count)]


def _plain(fate: Fate) -> bool:
    return fate == Fate(fate.categories)


def _not_met(fate: Fate) -> bool:
    return not fate.meets


def _anyone(fate: Fate) -> bool:  # noqa: ARG001 - one shape for all conditions
    return True


def _no_appeal(fate: Fate) -> bool:
    return fate.appeal is None


def _alone(fate: Fate) -> bool:
    return len(fate.categories) == 1


def _physical(fate: Fate) -> bool:
    return fate.categories == (C.PHYSICAL,)


def _speech(fate: Fate) -> bool:
    return fate.categories == (C.SPEECH,)


def _guarded(fate: Fate) -> bool:
    return fate.guarded


_SOLELY = {C.PHYSICAL: _physical, C.SPEECH: _speech}
_FITTING: dict[NotDone, Callable[[Fate], bool]] = {
    NotDone.GUARDIAN_ABSENT: _guarded,
    NotDone.WRONG_SPECIALTY: _physical,
}


def _change(
    fates: list[Fate],
    fits: Callable[[Fate], bool],
    among: Callable[[Fate], bool] = _plain,
    **fields: Any,
) -> None:
    """Give the next fitting fate the fields; the order was shuffled, so the seed chooses."""
    index = next(i for i, fate in enumerate(fates) if among(fate) and fits(fate))
    fates[index] = replace(fates[index], **fields)


def _in_time(fates: list[Fate], rng: Random) -> list[Fate]:
    """Place homes to be tried again early enough for that, those behind the cut road together."""
    again = [one for one in fates if one.obstacle and one.obstacle.next_step == NextStep.REVISIT]
    route = [one for one in fates if one not in again]
    neighbours = [one for one in again if one.obstacle == _ROAD_CUT]
    for fate in again:
        if fate not in neighbours:
            route.insert(rng.randrange(_EARLY), fate)
    middle = _EARLY // 2
    return [*route[:middle], *neighbours, *route[middle:]]
