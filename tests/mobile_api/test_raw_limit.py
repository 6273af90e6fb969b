"""The limit that pushes are measured against: the rows that evaluations wrote, and those alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection

from benchmarks import pushing, register
from outreach import clock
from tests.builders import County

#: Three photos and two signatures; the steps of evaluation, visit and case are three deeds.
OF_ONE = {
    "mobile_api_ledgerentry": 1,
    "outreach_photo": 5,
    "outreach_evaluation_co_signers": 1,
    "outreach_journey": 1,
    "outreach_evaluation": 1,
    "outreach_visitevent": 1,
    "outreach_applicationevent": 1,
    "outreach_auditevent": 3,
}


def stored() -> Mapping[str, list[tuple[Any, ...]]]:
    """Return every row of the tables that an evaluation writes to."""
    with connection.cursor() as cursor:
        found = {}
        for table in pushing.WRITTEN:
            cursor.execute(f'SELECT * FROM "{table}" ORDER BY id')
            found[table] = [tuple(map(str, row)) for row in cursor.fetchall()]
    return found


def test_the_raw_limit_writes_what_as_many_evaluations_wrote_and_leaves_it_as_it_was(
    place: County,
):
    clock.advance_to(register.NOW)
    before = {table: len(rows) for table, rows in stored().items()}
    pushing.statements(place, [1, 3])
    after = stored()
    added = {table: len(rows) - before[table] for table, rows in after.items()}
    assert added == {table: 4 * each for table, each in OF_ONE.items()}
    held = {table: len(pushing.newest(table, 2)[1]) for table in pushing.WRITTEN}
    assert held == {table: 2 * each for table, each in OF_ONE.items()}
    per_second, used = pushing.raw(3, repeats=2)
    assert min(per_second, used) > 0
    assert stored() == after
