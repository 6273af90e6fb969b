"""Which groups lie outside what chance does to a county's rate: a question, never an accusation.

Each group is held against the whole it belongs to: if the county's hits were dealt out to the
assessments at random, within each kind of case, how often would this group get so many, or so
few? Within one kind that is Fisher's exact test (the hypergeometric law), right for small groups
too; over several kinds it is the law of their sum, so that a psychiatrist is not taken for
unusual beside an orthopaedist. Among many groups some always stand out, so the list is cut by
Benjamini and Hochberg's rule (J. R. Stat. Soc. B 57, 1995): of the groups it names, at most the
share `FALSE_SHARE` is expected to be there by chance. The most unlikely group is taken out before
the others are judged, again and again: else one doctor far off would move the county's rate, and
the others would seem to have too few.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

#: Of the groups that are named, how many may be there by chance.
FALSE_SHARE = 0.1
#: Below so many assessments a group says nothing.
FEWEST = 5
#: How often chance alone leads outside the limits that a page draws.
OUTSIDE = 0.05
#: Floating point may move a probability by so much; it must not decide who is named.
_NOISE = 1e-9


@dataclass(frozen=True)
class Count:
    """How many of the assessments of one kind have something: `hits` of `of`."""

    hits: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.of:
            raise ValueError("A group has between none and all of its assessments.")

    def __add__(self, other: Count) -> Count:
        return Count(self.hits + other.hits, self.of + other.of)


@dataclass(frozen=True)
class Group:
    """A village's or an assessor's assessments, counted by the kind of case."""

    key: Hashable
    kinds: Mapping[str, Count]

    @property
    def hits(self) -> int:
        """How many have it, of all kinds."""
        return sum(one.hits for one in self.kinds.values())

    @property
    def of(self) -> int:
        """How many were assessed, of all kinds."""
        return sum(one.of for one in self.kinds.values())


@dataclass(frozen=True)
class Judged:
    """A group beside what the whole that it was held against lets expect of it.

    Chance leads outside `low` to `high` in no more than `OUTSIDE` of all cases. `stands_out` is
    true where it does so even when all compared groups are looked at together.
    """

    group: Group
    whole: Group
    expected: float
    low: int
    high: int
    probability: float
    stands_out: bool

    @property
    def is_more(self) -> bool:
        """Tell whether the group has more than is expected."""
        return self.group.hits > self.expected


def compare(groups: Sequence[Group]) -> list[Judged]:
    """Judge the groups that can be compared: those that stand out first, then by likelihood.

    The groups are parts of one whole and do not overlap. Left out are groups of fewer than
    `FEWEST` assessments, and those for which the whole leaves nothing to chance: nobody else
    has cases of their kinds, or all of these have it, or none.
    """
    named: list[Judged] = []
    left = list(groups)
    while (judged := _round(left)) and judged[0].stands_out:
        furthest = judged[0].probability * (1 + _NOISE)
        # Of two groups each is as far from the other: both are named, or neither.
        out = [one for one in judged if one.probability <= furthest]
        named += out
        left = [one for one in left if one not in [far.group for far in out]]
    return named + judged


def _round(groups: Sequence[Group]) -> list[Judged]:
    """Judge each group beside all of these together, the most unlikely first."""
    whole = whole_of(groups)
    laws = {one.key: law(one, whole) for one in groups if one.of >= FEWEST}
    compared = [one for one in groups if len(laws.get(one.key, ())) > 1]
    rated = sorted(
        ((_two_sided(laws[one.key], one.hits), str(one.key), one) for one in compared),
        key=lambda row: row[:2],
    )
    named = max(
        (
            rank
            for rank, (probability, _, _) in enumerate(rated, 1)
            if probability * len(rated) <= FALSE_SHARE * rank + _NOISE
        ),
        default=0,
    )
    return [
        Judged(
            one,
            whole,
            sum(hits * share for hits, share in laws[one.key].items()),
            *_limits(laws[one.key]),
            probability,
            rank <= named,
        )
        for rank, (probability, _, one) in enumerate(rated, 1)
    ]


def unusual(groups: Sequence[Group]) -> list[Judged]:
    """Name the groups that stand out from all of them together, the most unlikely first."""
    return [one for one in compare(groups) if one.stands_out]


def whole_of(groups: Sequence[Group]) -> Group:
    """Return the sum of the groups, kind by kind."""
    kinds: dict[str, Count] = {}
    for group in groups:
        for kind, one in group.kinds.items():
            kinds[kind] = kinds.get(kind, Count(0, 0)) + one
    return Group("", kinds)


def law(group: Group, whole: Group) -> dict[int, float]:
    """Return how probable each number of hits is if chance alone dealt them out.

    The keys are consecutive; the values sum to 1.
    """
    dealt = [_dealt(one.of, whole.kinds[kind]) for kind, one in group.kinds.items()]
    return reduce(_sum_of, dealt, {0: 1.0})


def _dealt(size: int, whole: Count) -> dict[int, float]:
    """Return the hypergeometric law: hits among `size` drawn from the whole without return.

    It starts at the most probable number and goes both ways, so that nothing overflows.
    """
    misses = whole.of - whole.hits
    low, high = max(0, size - misses), min(size, whole.hits)
    mode = min(high, max(low, (size + 1) * (whole.hits + 1) // (whole.of + 2)))
    weights = {mode: 1.0}
    for k in range(mode, high):
        up = (whole.hits - k) * (size - k) / ((k + 1) * (misses - size + k + 1))
        weights[k + 1] = weights[k] * up
    for k in range(mode, low, -1):
        down = k * (misses - size + k) / ((whole.hits - k + 1) * (size - k + 1))
        weights[k - 1] = weights[k] * down
    total = sum(weights.values())
    return {k: weights[k] / total for k in range(low, high + 1)}


def _sum_of(one: dict[int, float], other: dict[int, float]) -> dict[int, float]:
    low, high = min(one) + min(other), max(one) + max(other)
    both = dict.fromkeys(range(low, high + 1), 0.0)
    for here, share in one.items():
        for there, further in other.items():
            both[here + there] += share * further
    return both


def chance(group: Group, whole: Group) -> float:
    """Return how often chance alone would move a group so far, up or down.

    Two-sided: twice the smaller tail of the exact law, never more than 1.
    """
    return _two_sided(law(group, whole), group.hits)


def _two_sided(shares: dict[int, float], hits: int) -> float:
    upper = sum(share for k, share in shares.items() if k >= hits)
    lower = sum(share for k, share in shares.items() if k <= hits)
    return min(1.0, 2 * min(upper, lower))


def _limits(shares: dict[int, float]) -> tuple[int, int]:
    """Return the fewest and most hits that chance explains well."""
    low, high = min(shares), max(shares)
    below = above = 0.0
    while low < high and below + shares[low] <= OUTSIDE / 2:
        below += shares[low]
        low += 1
    while high > low and above + shares[high] <= OUTSIDE / 2:
        above += shares[high]
        high -= 1
    return low, high
