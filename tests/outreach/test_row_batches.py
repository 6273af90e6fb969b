"""Rows by the batch: what is written in one statement reads like what the ORM writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from outreach.models import (
    AuditEvent,
    Evaluation,
    Photo,
    StoredBlob,
    Visit,
    VisitEvent,
    insert,
    insert_missing,
)
from outreach.models.ids import new_id
from tests import builders
from tests.builders import SHANGHAI, START

pytestmark = pytest.mark.django_db


def event(visit: Visit, by: Any, **changes: Any) -> dict[str, Any]:
    given = {
        "visit_id": visit.pk,
        "name": "move",
        "target": "scheduled",
        "on": visit.on,
        "start": visit.start,
        "by_id": by.pk,
        "at": START,
        "note": "路断了 “绕行” \\ {}",
        "place": {"lat": 31.0, "lon": 106.1},
    }
    return given | changes


def test_a_row_reads_back_as_it_was_given(place: builders.County) -> None:
    [visit] = builders.scheduled(place)
    given = event(
        visit, place.assessor, id=new_id(), at=datetime(2018, 6, 4, 1, 2, 3, 456789, SHANGHAI)
    )
    insert(VisitEvent, [given])
    row = VisitEvent.objects.get(pk=given["id"])
    assert {name: getattr(row, name) for name in given} == given


def test_a_column_left_out_takes_its_default(place: builders.County) -> None:
    subject = uuid4()
    insert(AuditEvent, [{"at": START, "action": "a", "subject": "b", "subject_id": subject}])
    row = AuditEvent.objects.get(subject_id=subject)
    assert (row.by, row.detail, row.pk is None) == (None, {}, False)


def test_an_instance_is_written_like_its_columns(place: builders.County) -> None:
    [evaluation] = builders.evaluated(place)
    again = Evaluation.objects.get(pk=evaluation.pk)
    assert (again.parts, again.circumstances, again.evaluated_at) == (
        evaluation.parts,
        evaluation.circumstances,
        evaluation.evaluated_at,
    )


def test_a_column_the_model_does_not_have_is_an_error(place: builders.County) -> None:
    with pytest.raises(TypeError, match="outreach_auditevent has no \\['by'\\]"):
        insert(AuditEvent, [{"by": place.assessor}])


def test_the_constraints_of_the_table_hold(place: builders.County) -> None:
    [evaluation] = builders.evaluated(place)
    photo = Photo.objects.filter(evaluation=evaluation).values().first()
    assert photo is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Photo, [{**photo, "id": new_id(), "place": None}])


@pytest.mark.parametrize("count", [0, 1, 400])
def test_any_number_of_rows_is_one_statement(
    place: builders.County, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    [visit] = builders.scheduled(place)
    before = VisitEvent.objects.count()
    rows = [event(visit, place.assessor) for _ in range(count)]
    with django_assert_num_queries(1 if count else 0):
        insert(VisitEvent, rows)
    assert VisitEvent.objects.count() == before + count


def test_among_finds_what_in_finds(place: builders.County) -> None:
    visits = builders.scheduled(place, 3)
    wanted = [visits[0].pk, visits[2].pk, uuid4()]
    assert set(Visit.objects.filter(pk__among=wanted)) == {visits[0], visits[2]}
    assert set(Visit.objects.filter(pk__among=[])) == set()
    assert set(
        VisitEvent.objects.filter(visit__among=wanted).values_list("visit_id", flat=True)
    ) == {
        visits[0].pk,
        visits[2].pk,
    }
    codes = [visits[0].application.village.code, "' OR 1=1 --", '"']
    assert Visit.objects.filter(application__village__code__among=codes).count() == 3


def test_a_row_whose_like_is_there_stays_as_it_is() -> None:
    known, new = "a" * 64, "b" * 64
    columns = {"size": 1, "content_type": "image/jpeg", "width": 2, "height": 3}
    insert_missing(StoredBlob, [{"sha256": known, "stored_at": START, **columns}])
    later = {"stored_at": datetime(2018, 6, 4, 1, 2, 3, tzinfo=SHANGHAI), **columns, "width": 9}
    insert_missing(StoredBlob, [{"sha256": name, **later} for name in (known, new)])
    assert dict(StoredBlob.objects.values_list("pk", "width")) == {known: 2, new: 9}
