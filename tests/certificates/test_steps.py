"""The table of a certificate's life and the days that bound it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.content import valid_until
from certificates.steps import (
    CERTIFICATE,
    CertificateState,
    cancelled_from,
    frozen_from,
    next_suffix,
    renewable_by,
    renewable_from,
)
from outreach.domain.vocabulary import Role

S = CertificateState
L, D, A, P = Role.LIAISON, Role.ASSESSOR, Role.ADMINISTRATOR, Role.APPROVER
DAYS = st.dates(date(2000, 1, 1), date(2090, 12, 31))

#: Step → where it starts, where it ends, who takes it: said a second time, by hand.
TABLE = {
    "issue": (set(), S.VALID, {P}),
    "hand_over": ({S.VALID}, S.VALID, {L, D, A}),
    "not_handed_over": ({S.VALID}, S.VALID, {L, A}),
    "ask_renewal": ({S.VALID}, S.VALID, {L, A}),
    "renew": ({S.VALID}, S.REPLACED, {P}),
    "change": ({S.VALID, S.FROZEN, S.LOST}, S.REPLACED, {P}),
    "declare_lost": ({S.VALID}, S.LOST, {L, A}),
    "ask_another": ({S.LOST}, S.LOST, {L, A}),
    "find": ({S.LOST}, S.VALID, {L, A}),
    "reissue": ({S.LOST}, S.REPLACED, {P}),
    "note_move": ({S.VALID}, S.VALID, {A, P}),
    "forget_move": ({S.VALID}, S.VALID, {A, P}),
    "move_out": ({S.VALID, S.FROZEN, S.LOST}, S.MOVED, {A, P}),
    "freeze": ({S.VALID}, S.FROZEN, {A, P}),
    "unfreeze": ({S.FROZEN}, S.VALID, {A, P}),
    "cancel": ({S.VALID, S.FROZEN, S.LOST}, S.CANCELLED, {A, P}),
    "restore": ({S.CANCELLED, S.MOVED}, S.VALID, {P}),
}


def test_the_table_is_what_the_method_says() -> None:
    said = {
        name: (set(step.sources), step.target, set(step.roles))
        for name, step in CERTIFICATE.items()
    }
    assert said == TABLE


def test_what_was_replaced_never_comes_back() -> None:
    leaving = {source for step in CERTIFICATE.values() for source in step.sources}
    assert set(S) - leaving == {S.REPLACED}


@pytest.mark.parametrize(
    ("last_day", "from_day"),
    [
        (date(2028, 6, 13), date(2027, 6, 13)),
        (date(2028, 2, 29), date(2027, 2, 28)),
        (date(2029, 2, 28), date(2028, 2, 28)),
    ],
)
def test_a_certificate_is_renewable_from_the_end_of_year_nine(
    last_day: date, from_day: date
) -> None:
    assert renewable_from(last_day) == from_day


@given(DAYS, st.integers(300, 430))
def test_both_ways_to_ask_whether_it_is_renewable_agree(on: date, ahead: int) -> None:
    last_day = on + timedelta(days=ahead)
    assert (last_day <= renewable_by(on)) == (renewable_from(last_day) <= on)


@given(DAYS)
def test_nine_of_ten_years_lie_before_the_renewal(issued_on: date) -> None:
    first = renewable_from(valid_until(issued_on))
    assert timedelta(days=9 * 365 + 1) <= first - issued_on <= timedelta(days=9 * 365 + 3)


@pytest.mark.parametrize(
    ("moved_on", "frozen", "cancelled"),
    [
        (date(2018, 1, 15), date(2018, 7, 16), date(2019, 1, 16)),
        (date(2018, 8, 31), date(2019, 3, 1), date(2019, 9, 1)),
        (date(2020, 2, 29), date(2020, 8, 30), date(2021, 3, 1)),
    ],
)
def test_a_certificate_follows_its_household_within_the_year(
    moved_on: date, frozen: date, cancelled: date
) -> None:
    assert (frozen_from(moved_on), cancelled_from(moved_on)) == (frozen, cancelled)


def test_reissues_are_counted() -> None:
    suffixes = [""]
    for _ in range(11):
        suffixes.append(next_suffix(suffixes[-1]))
    assert suffixes == ["", *(f"B{n}" for n in range(1, 12))]
