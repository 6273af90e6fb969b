"""Who stands out is decided exactly, and chance alone names few."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.unusual import FALSE_SHARE, FEWEST, Group, chance, limits, unusual


@st.composite
def counties(draw: st.DrawFn) -> list[Group]:
    """Draw the groups of a county."""
    sizes = draw(st.lists(st.integers(0, 40), min_size=1, max_size=25))
    return [Group(n, draw(st.integers(0, size)), size) for n, size in enumerate(sizes)]


@st.composite
def small_parts(draw: st.DrawFn) -> tuple[Group, Group]:
    """Draw a small whole and a part of it."""
    of = draw(st.integers(1, 9))
    hits = draw(st.integers(0, of))
    size = draw(st.integers(0, of))
    lowest, highest = max(0, size - (of - hits)), min(size, hits)
    return Group("part", draw(st.integers(lowest, highest)), size), Group("", hits, of)


@given(small_parts())
def test_the_chance_is_what_counting_every_deal_gives(parts: tuple[Group, Group]) -> None:
    part, whole = parts
    dealt = [
        sum(one < whole.hits for one in deal) for deal in combinations(range(whole.of), part.of)
    ]
    tails = (
        sum(hits >= part.hits for hits in dealt),
        sum(hits <= part.hits for hits in dealt),
    )
    assert chance(part, whole) == min(Fraction(1), Fraction(2 * min(tails), len(dealt)))


@given(counties())
def test_who_is_named_is_large_enough_and_off_the_whole_rate_on_the_side_that_is_said(
    groups: list[Group],
) -> None:
    for one in unusual(groups):
        ours, theirs = (
            Fraction(one.group.hits, one.group.of),
            Fraction(one.whole.hits, one.whole.of),
        )
        assert one.group.of >= FEWEST
        assert (ours > theirs) is one.is_more
        assert ours != theirs
        assert one.probability <= FALSE_SHARE


@given(counties(), st.randoms())
def test_the_order_of_the_groups_decides_nothing(groups: list[Group], dice: random.Random) -> None:
    shuffled = groups[:]
    dice.shuffle(shuffled)
    assert unusual(shuffled) == unusual(groups)


@given(counties())
def test_hits_and_misses_are_told_alike(groups: list[Group]) -> None:
    turned = [Group(one.key, one.of - one.hits, one.of) for one in groups]
    said = {(one.group.key, one.is_more) for one in unusual(groups)}
    assert {(one.group.key, not one.is_more) for one in unusual(turned)} == said


@given(st.integers(1, 20), st.integers(1, 20), st.integers(2, 12))
def test_a_county_of_equals_has_nobody_unusual(hits: int, misses: int, count: int) -> None:
    assert unusual([Group(n, hits, hits + misses) for n in range(count)]) == []


@pytest.mark.parametrize(
    "groups",
    [[], [Group("a", 9, 12)], [Group("a", 12, 12), Group("b", 9, 9)], [Group("a", 0, 9)] * 2],
)
def test_without_anything_to_compare_nobody_is_named(groups: list[Group]) -> None:
    assert unusual(groups) == []


def test_nine_of_twelve_where_the_county_has_three_of_ten_stands_out() -> None:
    others = [Group(f"village {n}", 3, 11) for n in range(12)]
    [found] = unusual([Group("high", 9, 12), *others])
    assert (found.group.key, found.is_more, found.whole) == ("high", True, Group("", 45, 144))
    assert 0.001 < found.probability < 0.005


def test_chance_alone_seldom_names_anybody() -> None:
    dice, named = random.Random(26341), 0
    for _ in range(300):
        deck = [1] * 90 + [0] * 210
        dice.shuffle(deck)
        sizes = [6] * 20 + [9] * 12 + [18] * 4
        cuts = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
        groups = [Group(n, sum(deck[cuts[n] : cuts[n + 1]]), size) for n, size in enumerate(sizes)]
        named += bool(unusual(groups))
    assert named <= 300 * FALSE_SHARE


@given(st.integers(0, 30), st.integers(0, 60), st.integers(0, 60))
def test_the_funnel_holds_what_chance_explains(of: int, hits: int, misses: int) -> None:
    whole = Group("", hits, hits + misses)
    if of > whole.of:
        return
    low, high = limits(of, whole)
    assert 0 <= low <= high <= of
    beyond = [k for k in (low - 1, high + 1) if max(0, of - misses) <= k <= min(of, hits)]
    assert all(chance(Group("", k, of), whole) <= Fraction(1, 20) for k in beyond)
    assert comb(whole.of, of) > 0


def test_a_group_has_no_more_hits_than_assessments() -> None:
    with pytest.raises(ValueError, match="between none and all"):
        Group("a", 3, 2)
