"""Times of day in minutes after midnight."""

from __future__ import annotations

from datetime import time

import pytest

from outreach.domain.daytime import clock_time, full_minute, minutes_of, time_at


@pytest.mark.parametrize(
    ("minutes", "moment", "shown"),
    [(0, time(0), "00:00"), (545, time(9, 5), "09:05"), (1439, time(23, 59), "23:59")],
)
def test_a_time_of_day_is_read_and_written_both_ways(
    minutes: int, moment: time, shown: str
) -> None:
    assert (minutes_of(moment), time_at(minutes), clock_time(minutes)) == (minutes, moment, shown)


def test_a_day_that_ends_after_midnight_is_counted_on() -> None:
    assert clock_time(1445) == "24:05"


def test_a_start_is_rounded_up_but_for_what_a_float_cannot_hold() -> None:
    assert [full_minute(start) for start in (540, 540.0004, 540.2)] == [540, 540, 541]
