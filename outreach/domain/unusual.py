"""Which groups lie outside what chance does to a county's rate: a question, never an accusation.

Each group is held against the whole it belongs to: if the county's hits were dealt out to the
assessments at random, how often would this group get so many, or so few? That is Fisher's exact
test (the hypergeometric law), which is right for small groups too. Among many groups some always
stand out, so the list is cut by Benjamini and Hochberg's rule (J. R. Stat. Soc. B 57, 1995): of
the groups it names, at most the share `FALSE_SHARE` is expected to be there by chance.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

#: Of the groups that are named, how many may be there by chance.
FALSE_SHARE = Fraction(1, 10)
#: Below so many assessments a group says nothing.
FEWEST = 5


@dataclass(frozen=True)
class Group:
    """How many of a group's assessments have something: `hits` of `of`."""

    key: Hashable
    hits: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.of:
            raise ValueError("A group has between none and all of its assessments.")


@dataclass(frozen=True)
class Unusual:
    """A group that stands out: more, or fewer, than the whole lets expect."""

    group: Group
    whole: Group
    is_more: bool
    probability: float


def unusual(groups: Sequence[Group]) -> list[Unusual]:
    """Name the groups that stand out from all of them together, the most unlikely first.

    The groups are parts of one whole and do not overlap. Nobody is named where there is but one
    group to compare, and no group of fewer than `FEWEST` assessments.
    """
    whole = Group("", sum(one.hits for one in groups), sum(one.of for one in groups))
    compared = [one for one in groups if FEWEST <= one.of < whole.of]
    if not 0 < whole.hits < whole.of:
        return []
    rated = sorted(
        ((chance(one, whole), str(one.key), one) for one in compared), key=lambda row: row[:2]
    )
    kept = max(
        (
            rank
            for rank, (probability, _, _) in enumerate(rated, 1)
            if probability * len(rated) <= FALSE_SHARE * rank
        ),
        default=0,
    )
    return [
        Unusual(one, whole, one.hits * whole.of > whole.hits * one.of, float(probability))
        for probability, _, one in rated[:kept]
    ]


def chance(group: Group, whole: Group) -> Fraction:
    """Return how often chance alone would move a group so far, up or down: two-sided, exact.

    Twice the smaller tail of the hypergeometric law, never more than 1.
    """
    ways = comb(whole.of, group.of)
    upper = range(group.hits, min(group.of, whole.hits) + 1)
    lower = range(max(0, group.of - (whole.of - whole.hits)), group.hits + 1)
    smaller = min(_ways(upper, group, whole), _ways(lower, group, whole))
    return min(Fraction(1), Fraction(2 * smaller, ways))


def _ways(hits: range, group: Group, whole: Group) -> int:
    others = whole.of - whole.hits
    return sum(comb(whole.hits, k) * comb(others, group.of - k) for k in hits)


def limits(of: int, whole: Group, *, probability: Fraction = Fraction(1, 20)) -> tuple[int, int]:
    """Return the fewest and most hits of a group of that size that chance explains well.

    For the funnel that a page draws: each tail beyond them is at most half the probability.
    """
    low = max(0, of - (whole.of - whole.hits))
    high = min(of, whole.hits)
    inside = [k for k in range(low, high + 1) if chance(Group("", k, of), whole) > probability]
    return (inside[0], inside[-1]) if inside else (low, high)
