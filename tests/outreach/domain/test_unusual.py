"""Who stands out is decided exactly, and chance alone names few."""

from __future__ import annotations

import random
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.unusual import (
    FALSE_SHARE,
    FEWEST,
    Count,
    Group,
    chance,
    compare,
    law,
    unusual,
)


def group(key: object, hits: int, of: int) -> Group:
    """Return a group whose cases are all of one kind."""
    return Group(key, {"physical": Count(hits, of)})


def counts(most: int) -> st.SearchStrategy[Count]:
    """Draw hits and assessments."""
    return st.integers(0, most).flatmap(
        lambda of: st.builds(Count, st.integers(0, of), st.just(of))
    )


@st.composite
def counties(draw: st.DrawFn) -> list[Group]:
    """Draw the groups of a county, with cases of up to three kinds."""
    kinds = st.dictionaries(st.sampled_from(["physical", "vision", "mental"]), counts(25))
    drawn = draw(st.lists(kinds, min_size=1, max_size=15))
    return [Group(number, held) for number, held in enumerate(drawn)]


@st.composite
def small_parts(draw: st.DrawFn) -> tuple[Group, Group]:
    """Draw a part of a small whole, of one or two kinds."""
    part, whole = {}, {}
    for kind in draw(st.sampled_from([["physical"], ["physical", "vision"]])):
        of = draw(st.integers(1, 7))
        hits, size = draw(st.integers(0, of)), draw(st.integers(0, of))
        low, high = max(0, size - (of - hits)), min(size, hits)
        whole[kind] = Count(hits, of)
        part[kind] = Count(draw(st.integers(low, high)), size)
    return Group("part", part), Group("", whole)


@given(small_parts())
def test_the_chance_is_what_counting_every_deal_gives(parts: tuple[Group, Group]) -> None:
    part, whole = parts
    hands = [
        [
            sum(one < whole.kinds[kind].hits for one in deal)
            for deal in combinations(range(whole.kinds[kind].of), held.of)
        ]
        for kind, held in part.kinds.items()
    ]
    dealt = [sum(hand) for hand in product(*hands)]
    tails = sum(hits >= part.hits for hits in dealt), sum(hits <= part.hits for hits in dealt)
    assert chance(part, whole) == pytest.approx(min(1, 2 * min(tails) / len(dealt)))


@given(counties())
def test_what_is_expected_adds_up_and_the_limits_hold_nearly_everything(
    groups: list[Group],
) -> None:
    for one in compare(groups):
        shares, whole = law(one.group, one.whole), one.whole.kinds
        held = [(kind, count) for kind, count in one.group.kinds.items() if count.of]
        share = sum(count.of * whole[kind].hits / whole[kind].of for kind, count in held)
        assert one.expected == pytest.approx(share)
        assert sum(shares.values()) == pytest.approx(1)
        assert sum(s for k, s in shares.items() if one.low <= k <= one.high) >= 0.95 - 1e-9


@given(counties())
def test_who_is_named_is_large_enough_and_off_what_is_expected(groups: list[Group]) -> None:
    for one in unusual(groups):
        assert one.group.of >= FEWEST
        assert one.group.hits != one.expected
        assert one.probability <= FALSE_SHARE + 1e-9


@given(counties(), st.randoms())
def test_the_order_of_the_groups_decides_nothing(groups: list[Group], dice: random.Random) -> None:
    shuffled = groups[:]
    dice.shuffle(shuffled)
    said = {one.group.key for one in unusual(groups)}
    assert {one.group.key for one in unusual(shuffled)} == said


@given(counties())
def test_hits_and_misses_are_told_alike(groups: list[Group]) -> None:
    turned = [
        Group(one.key, {k: Count(n.of - n.hits, n.of) for k, n in one.kinds.items()})
        for one in groups
    ]
    said = {(one.group.key, one.is_more) for one in unusual(groups)}
    assert {(one.group.key, not one.is_more) for one in unusual(turned)} == said


@given(st.integers(1, 20), st.integers(1, 20), st.integers(2, 12))
def test_a_county_of_equals_has_nobody_unusual(hits: int, misses: int, count: int) -> None:
    assert unusual([group(n, hits, hits + misses) for n in range(count)]) == []


@pytest.mark.parametrize(
    "groups",
    [[], [group("a", 9, 12)], [group("a", 12, 12), group("b", 9, 9)], [group("a", 0, 9)] * 2],
)
def test_without_anything_to_compare_nobody_is_compared(groups: list[Group]) -> None:
    assert compare(groups) == []


def test_nine_of_twelve_where_the_county_has_three_of_ten_stands_out() -> None:
    others = [group(f"village {n}", 3, 11) for n in range(12)]
    [found] = unusual([group("high", 9, 12), *others])
    assert (found.group.key, found.is_more, found.low, found.high) == ("high", True, 1, 7)
    assert found.expected == pytest.approx(12 * 45 / 144)
    assert 0.001 < found.probability < 0.005


def test_who_alone_sees_the_severe_kind_of_case_is_not_unusual_for_it() -> None:
    """A psychiatrist's 30 severe cases of 30 are told by the kind of case, not by the person."""
    mental = Group("psychiatrist", {"mental": Count(30, 30)})
    others = [group(n, 6, 30) for n in range(4)]
    assert unusual([mental, *others]) == []
    assert [one.group.key for one in unusual([group("same kind", 30, 30), *others])] == [
        "same kind"
    ]


def test_chance_alone_seldom_names_anybody() -> None:
    dice, named = random.Random(26341), 0
    for _ in range(300):
        deck = [1] * 90 + [0] * 210
        dice.shuffle(deck)
        sizes = [6] * 20 + [9] * 12 + [18] * 4
        cuts = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
        groups = [group(n, sum(deck[cuts[n] : cuts[n + 1]]), size) for n, size in enumerate(sizes)]
        named += bool(unusual(groups))
    assert named <= 300 * FALSE_SHARE


def test_large_numbers_neither_overflow_nor_lose_their_sum() -> None:
    whole = group("", 30_000, 100_000)
    shares = law(group("part", 3_000, 10_000), whole)
    assert sum(shares.values()) == pytest.approx(1)
    assert chance(group("part", 4_000, 10_000), whole) < 1e-100
    assert chance(group("part", 3_000, 10_000), whole) == pytest.approx(1)


def test_a_group_has_no_more_hits_than_assessments() -> None:
    with pytest.raises(ValueError, match="between none and all"):
        Count(3, 2)
