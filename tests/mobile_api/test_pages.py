"""A pulled page: deletions first, then today, as much as fits, and each one a step further."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_api.pull import Manifest, row_of, step
from mobile_api.wire import Row
from outreach.demo.tablet import Tablet
from outreach.models import Visit
from tests import builders
from tests.mobile_api.talking import ON_THE_DAY

#: The braces and names around the rows of a page.
AROUND = 30

keys = st.integers(0, 40).map("visit/{}".format)
contents = st.fixed_dictionaries({"name": st.text(max_size=60), "n": st.integers(0, 9)})


def size_of(dels: list[str], puts: list[Row]) -> int:
    page = {"dels": dels, "puts": [vars(row) for row in puts]}
    return len(json.dumps(page, ensure_ascii=False, separators=(",", ":")).encode())


@given(
    before=st.dictionaries(keys, contents),
    now=st.dictionaries(keys, contents),
    room=st.integers(20, 2_000),
)
def test_pages_fit_into_the_room_and_come_to_the_whole_scope(
    before: dict[str, Any], now: dict[str, Any], room: int
) -> None:
    held: Manifest = {key: row_of(key, content).h for key, content in before.items()}
    rows = [row_of(key, content) for key, content in now.items()]
    wanted = {row.k: row.h for row in rows}
    remaining = 1
    while remaining:
        dels, puts, remaining = step(held, rows, room)
        assert size_of(dels, puts) <= room + AROUND or len(dels) + len(puts) == 1
        for key in dels:
            del held[key]
        held |= {row.k: row.h for row in puts}
        left = held.keys() - wanted.keys()
        assert not (puts and left)
        assert remaining == len(left) + sum(held.get(key) != h for key, h in wanted.items())
        assert dels or puts or not remaining
    assert held == wanted


@pytest.mark.django_db
@pytest.mark.usefixtures("on_the_day")
def test_a_visit_of_today_comes_before_those_of_other_days(
    place: builders.County, tablet: Tablet
) -> None:
    visits = builders.scheduled(place, 4)
    today = ON_THE_DAY.date()
    days: list[date] = [today - timedelta(days=2), today + timedelta(days=1), today, today]
    for visit, on in zip(visits, days, strict=True):
        Visit.objects.filter(pk=visit.pk).update(on=on)
    came: list[str] = []
    more = True
    while more:
        page = tablet.exchange(max_bytes=1024)["pull"]
        assert size_of(page["dels"], [Row(**row) for row in page["puts"]]) <= 1024 + AROUND or (
            len(page["puts"]) == 1
        )
        came += [row["d"]["on"] for row in page["puts"] if row["k"].startswith("visit/")]
        more = page["more"]
    assert came == [str(day) for day in (today, today, days[0], days[1])]
