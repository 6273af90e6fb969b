"""The life of a certificate as a table, each step with its clause, and the days that bound it.

Pure: no database, no clock. Actions ask the table, the reference prints it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum

from outreach.domain.vocabulary import Role
from outreach.domain.workdays import add_months
from outreach.domain.workflow import Transition


class CertificateState(StrEnum):
    """Where a certificate stands; that it has expired follows from its date."""

    VALID = "valid"
    FROZEN = "frozen"
    LOST = "lost"
    REPLACED = "replaced"
    MOVED = "moved"
    CANCELLED = "cancelled"


class Kind(StrEnum):
    """Why a certificate was made."""

    FIRST = "first"
    CHANGE = "change"
    RENEWAL = "renewal"
    REISSUE = "reissue"
    MOVE_IN = "move_in"


#: Of these kinds is the paper for which an approved case waits.
OF_A_CASE = (Kind.FIRST, Kind.CHANGE, Kind.MOVE_IN)


class Ground(StrEnum):
    """Why a certificate is cancelled."""

    DEATH = "death"
    NO_LONGER_MEETS = "no_longer_meets"
    FALSE_INFORMATION = "false_information"
    OWN_WISH = "own_wish"
    NOT_MOVED = "not_moved"


S = CertificateState
#: Of these a person holds at most one, and of these a number stands on at most one.
LIVING = (S.VALID, S.FROZEN, S.LOST)

_METHOD = "《残疾人证管理办法》(2017)"
_FIELD = frozenset({Role.LIAISON, Role.ASSESSOR, Role.ADMINISTRATOR})
_NEAR = frozenset({Role.LIAISON, Role.ADMINISTRATOR})
_OFFICE = frozenset({Role.ADMINISTRATOR, Role.APPROVER})
_APPROVER = frozenset({Role.APPROVER})


def _step(
    name: str, sources: Iterable[S], target: S, roles: frozenset[Role], clause: str = ""
) -> Transition:
    return Transition(name, frozenset(sources), target, roles, clause)


CERTIFICATE = {
    step.name: step
    for step in (
        _step("issue", (), S.VALID, _APPROVER, f"{_METHOD} 发放"),
        _step("hand_over", (S.VALID,), S.VALID, _FIELD),
        _step("not_handed_over", (S.VALID,), S.VALID, _NEAR, "another one was meant"),
        _step("ask_renewal", (S.VALID,), S.VALID, _NEAR, f"{_METHOD} 换领: from the end of year 9"),
        _step("renew", (S.VALID,), S.REPLACED, _APPROVER, f"{_METHOD} 换领: valid 10 years again"),
        _step("change", LIVING, S.REPLACED, _APPROVER, f"{_METHOD} 变更: assessed again"),
        _step("declare_lost", (S.VALID,), S.LOST, _NEAR, f"{_METHOD} 挂失: void at once"),
        _step("ask_another", (S.LOST,), S.LOST, _NEAR, f"{_METHOD} 补办: wanted after all"),
        _step("find", (S.LOST,), S.VALID, _NEAR, "found before another was made"),
        _step("reissue", (S.LOST,), S.REPLACED, _APPROVER, f"{_METHOD} 补办: number + B1, B2…"),
        _step("note_move", (S.VALID,), S.VALID, _OFFICE, "迁移: the household moved away"),
        _step("forget_move", (S.VALID,), S.VALID, _OFFICE, "noted by mistake, or it came back"),
        _step("move_out", LIVING, S.MOVED, _OFFICE, "迁出: file sent on"),
        _step("freeze", (S.VALID,), S.FROZEN, _OFFICE, "冻结: also 6 months after the household"),
        _step("unfreeze", (S.FROZEN,), S.VALID, _OFFICE, "解冻"),
        _step("cancel", LIVING, S.CANCELLED, _OFFICE, f"{_METHOD} 注销: also 1 year after moving"),
        _step("restore", (S.CANCELLED, S.MOVED), S.VALID, _APPROVER, "ended by mistake"),
    )
}

RENEWABLE_MONTHS = 12
"""《残疾人证管理办法》: renewable from the end of year 9 of ten."""
FROZEN_AFTER_MONTHS = 6
"""Months after the household moved, the certificate did not: frozen (seen in local rules)."""
CANCELLED_AFTER_MONTHS = 12
"""Months after the household moved, the certificate did not: cancelled (seen in local rules)."""

#: Grounds after which nobody applies again for a year; after a death nobody does at all.
BARRING = frozenset({Ground.NO_LONGER_MEETS, Ground.FALSE_INFORMATION})


def renewable_by(on: date) -> date:
    """Return the latest last day of validity with which a certificate may be renewed on a day."""
    latest = add_months(on, RENEWABLE_MONTHS)
    following = latest + timedelta(days=1)  # 29 February has no counterpart a year before
    return following if renewable_from(following) <= on else latest


def renewable_from(valid_until: date) -> date:
    """Return the first day on which a certificate may be renewed."""
    return add_months(valid_until, -RENEWABLE_MONTHS)


def frozen_from(moved_on: date) -> date:
    """Return the day on which a certificate that did not follow its household is frozen."""
    return _day_after(moved_on, FROZEN_AFTER_MONTHS)


def cancelled_from(moved_on: date) -> date:
    """Return the day on which a certificate that did not follow its household is cancelled."""
    return _day_after(moved_on, CANCELLED_AFTER_MONTHS)


def _day_after(began_on: date, months: int) -> date:
    """Return the first day after so many months: the last one, of the same date, counts whole.

    民法典 art. 201, 202.
    """
    return add_months(began_on, months) + timedelta(days=1)


def next_suffix(suffix: str) -> str:
    """Return what follows the number of a reissue: B1 after none, B2 after B1."""
    return f"B{int(suffix[1:] or 0) + 1}" if suffix else "B1"
