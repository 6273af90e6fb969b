"""What the database broke off is done again, a few times and no more."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from outreach.actions import holding


@pytest.mark.parametrize(("broken_off", "done"), [(0, True), (1, True), (3, True), (4, False)])
def test_a_deed_that_meets_somebodys_work_again_is_not_given_up_at_once(
    broken_off: int, done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(holding.time, "sleep", waits.append)
    attempts = iter(range(10))

    def deed() -> None:
        if next(attempts) < broken_off:
            raise OperationalError("deadlock detected")

    if done:
        holding.once_more(deed)
    else:
        with pytest.raises(OperationalError):
            holding.once_more(deed)
    assert len(waits) == min(broken_off, 3)
    assert waits == sorted(waits)
