"""The reference pages say what the code says."""

from outreach.management.commands.reference import drifted


def test_no_reference_page_drifts() -> None:
    assert drifted() == []
