"""An older version does not serve, or upgrade, the register of a newer one."""

from __future__ import annotations

import pytest
from django.core.checks import Tags, run_checks
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder


def found() -> list[str | None]:
    return [one.id for one in run_checks(tags=[Tags.database], databases=["default"])]


@pytest.mark.django_db
def test_a_register_that_a_newer_version_upgraded_is_named() -> None:
    """Who had put the version of before in place again set every evaluation aside."""
    recorder = MigrationRecorder(connection)
    recorder.record_applied("a_package_that_is_gone", "0001_initial")
    assert found() == []
    recorder.record_applied("outreach", "0999_of_a_newer_version")
    assert found() == ["outreach.E021"]
