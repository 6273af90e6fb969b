"""Scenarios from seeds: written down as steps, played, and, when one fails, made short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from tests.generative.choosing import BETWEEN, MEANWHILE, SELDOM
from tests.generative.floors import FLOORS
from tests.generative.invariants import examine, settle
from tests.generative.promises import Broken
from tests.generative.rules import RULES
from tests.generative.world import Beginning, World

LENGTH = 40
LENGTH_BETWEEN = 3
#: By what a seed leaves, divided by five: in some scenarios the office does much meanwhile, in some
#: what is seldom comes as well; the others stay what they were without.
FIFTHS = {2: ("meanwhile", MEANWHILE, 8), 3: ("seldom", SELDOM | MEANWHILE, 12)}

Step = tuple[str, int]


@dataclass
class Played:
    """What came of scenarios: how many, what they reached, and the first that broke a promise."""

    scenarios: int = 0
    reached: Counter[str] = field(default_factory=Counter)
    seed: int | None = None
    broken: Broken | None = None
    steps: list[Step] = field(default_factory=list)

    def below_floor(self) -> dict[str, float]:
        """Return what the scenarios reached too rarely, per scenario.

        A slice is not asked for what its floor would not give it once.
        """
        asked = {name: floor for name, floor in FLOORS.items() if floor * self.scenarios >= 1}
        per = {name: self.reached[name] / self.scenarios for name in asked}
        return {name: found for name, found in per.items() if found < asked[name]}


def written(seed: int) -> list[Step]:
    """Return the steps of a seed's scenario."""
    choose = Random(seed)
    names = [name for name, (weight, _) in RULES.items() for _ in range(weight)]
    # Everybody begins the day with what they should hold, mostly.
    steps = [("exchange", choose.getrandbits(32)) for _ in range(3)]
    steps += [(choose.choice(names), choose.getrandbits(32)) for _ in range(LENGTH)]
    steps = _with(BETWEEN, LENGTH_BETWEEN, steps, Random(f"between {seed}"))
    if seed % 5 not in FIFTHS:
        return steps
    name, rules, length = FIFTHS[seed % 5]
    return _with(rules, length, steps, Random(f"{name} {seed}"))


def _with(rules: dict[str, int], length: int, steps: list[Step], choose: Random) -> list[Step]:
    names = [name for name, weight in rules.items() for _ in range(weight)]
    for _ in range(length):
        step = (choose.choice(names), choose.getrandbits(32))
        steps.insert(choose.randrange(3, len(steps) + 1), step)
    return steps


def play(beginning: Beginning, steps: Iterable[Step]) -> World:
    """Play steps from the beginning, let everything settle, and examine what is left."""
    world = World(beginning)
    for name, choice in steps:
        RULES[name][1](world, Random(choice))
    settle(world)
    examine(world)
    return world


def campaign(beginning: Beginning, seeds: Iterable[int], length: int | None = None) -> Played:
    """Play the scenarios of seeds, or so many steps of each, until one breaks a promise."""
    played = Played()
    for seed in seeds:
        played.scenarios += 1
        steps = written(seed)[:length]
        try:
            played.reached += play(beginning, steps).reached
        except Broken as broken:
            played.seed, played.broken, played.steps = seed, broken, steps
            break
    return played


def shorten(beginning: Beginning, steps: list[Step], name: str, *, trials: int = 150) -> list[Step]:
    """Leave out steps as long as the same promise is broken."""
    size = max(len(steps) // 2, 1)
    while size and trials > 0:
        at = 0
        while at < len(steps) and trials > 0:
            shorter = steps[:at] + steps[at + size :]
            trials -= 1
            if _breaks(beginning, shorter, name):
                steps = shorter
            else:
                at += size
        size //= 2
    return steps


def _breaks(beginning: Beginning, steps: list[Step], name: str) -> bool:
    try:
        play(beginning, steps)
    except Broken as broken:
        return broken.name == name
    return False


def told(beginning: Beginning, played: Played) -> str:
    """Say what broke, by which seed, and the shortest way there that was found."""
    assert played.broken
    steps = shorten(beginning, played.steps, played.broken.name)
    return f"seed {played.seed} breaks {played.broken}\n" + "\n".join(map(str, steps))
