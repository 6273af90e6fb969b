"""A register of version 0.1.0 learns whose each certificate is, and which of two was replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from certificates import actions
from certificates.models import Certificate
from tests import builders
from tests.certificates.issuing import ISSUED_AT, issued


@pytest.mark.django_db(transaction=True)
def test_old_certificates_keep_their_owners_and_the_newer_replaces_the_older(
    place: builders.County, files: Path
) -> None:
    first, second, other = issued(place, files, 3)
    actions.hand_over([first], by=place.liaison, at=ISSUED_AT)
    executor = MigrationExecutor(connection)
    latest = [key for key in executor.loader.graph.leaf_nodes() if key[0] == "certificates"]
    executor.migrate([("certificates", "0001_initial")])
    try:
        old = executor.loader.project_state(("certificates", "0001_initial")).apps
        cases = old.get_model("outreach", "Application")
        cases.objects.filter(pk=second.application_id).update(
            resident=first.resident_id, state="handed_over"
        )
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(latest)
    rows = {row.pk: row for row in Certificate.objects.all()}
    assert {pk: (row.resident_id, row.state) for pk, row in rows.items()} == {
        first.pk: (first.resident_id, "replaced"),
        second.pk: (first.resident_id, "valid"),
        other.pk: (other.resident_id, "valid"),
    }
    assert rows[second.pk].replaces_id == first.pk
    assert (rows[first.pk].handed_over_at, rows[other.pk].handed_over_at) == (ISSUED_AT, None)
