"""Every operation that the service answers has its row in the rights tables, and no other has."""

from __future__ import annotations

from tests.outreach.desk.rights.operations import operations
from tests.outreach.desk.rights.table import rows

HOW = (
    "Add a line for each to a table in tests/outreach/desk/rights (a file of your own room is "
    "welcome): method, route, and who is answered what. RIGHTS_ROUTES=begin-of-the-route pytest "
    "tests/outreach/desk/rights prints the line as the service answers now; keep it only if every "
    "cell is meant."
)


def test_every_operation_has_a_row() -> None:
    without = [
        f"{method} {route}" for method, route in operations() if (method, route) not in rows()
    ]
    assert not without, f"Nobody decided who may do this: {', '.join(without)}. {HOW}"


def test_no_row_is_about_an_operation_that_is_gone() -> None:
    assert sorted(set(rows()) - set(operations())) == []
