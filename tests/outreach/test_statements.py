"""Statements that go straight to the driver fail, and are seen, as Django's own."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from outreach.models import AuditEvent, Division, Kept, Slot, insert
from outreach.models.ids import new_id
from tests import builders
from tests.builders import START

pytestmark = pytest.mark.django_db


@Kept
def _named(name: Slot) -> Any:
    return Division.objects.filter(name=name).values_list("code", flat=True)


def _event() -> dict[str, Any]:
    return {"id": new_id(), "at": START, "action": "a", "subject": "b", "subject_id": new_id()}


def test_an_error_of_the_driver_is_djangos() -> None:
    event = _event()
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(AuditEvent, [event, event])
    assert AuditEvent.objects.count() == 0


def test_nothing_is_asked_in_a_broken_transaction() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        for what in (lambda: list(_named(name="x")), lambda: insert(AuditEvent, [_event()])):
            with pytest.raises(TransactionManagementError):
                what()
        transaction.set_rollback(False)


def test_whoever_watches_sees_them(place: builders.County) -> None:
    list(_named(name=place.village.name))
    with CaptureQueriesContext(connection) as seen:
        assert list(_named(name=place.village.name)) == [place.village.code]
        insert(AuditEvent, [_event()])
    assert len(seen) == 2


@pytest.mark.django_db(transaction=True)
def test_it_answers_after_the_connection_was_closed(place: builders.County) -> None:
    connection.close()
    assert list(_named(name=place.village.name)) == [place.village.code]


def test_a_percent_sign_is_only_a_sign(place: builders.County) -> None:
    assert list(_named(name="100%s %% ?")) == []
    assert list(_named(name=place.village.name)) == [place.village.code]
