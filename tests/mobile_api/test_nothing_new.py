"""A poll with nothing new makes no rows, and never takes a change for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from certificates.models import Certificate, CertificateFile
from mobile_api import pull
from mobile_api.models import Dispute, PulledView, Replica
from mobile_api.scope import rows_for
from outreach import clock
from outreach.actions import visits
from outreach.models import (
    Application,
    Assessor,
    CalendarYear,
    Division,
    Evaluation,
    Guardian,
    Institution,
    Photo,
    Resident,
    StoredBlob,
    User,
    Visit,
)
from outreach.models.sealed import SealedField
from tests import builders
from tests.builders import START, VISIT_ON
from tests.mobile_api.talking import enrolled

pytestmark = pytest.mark.django_db
ON_THE_DAY = datetime.combine(VISIT_ON, time(10), builders.SHANGHAI)
#: Whatever a row can be made of.
MADE_OF: tuple[type[models.Model], ...] = (
    *(User, Division, Assessor, Institution, Resident, Guardian, Application, Visit, Evaluation),
    *(Photo, StoredBlob, Certificate, CertificateFile, Dispute, CalendarYear),
)
#: Columns whose change a row shows; fewer would mean that the test changes too little.
SHOWN_AT_LEAST = 60
#: What the database, or a row that nobody can make, says to a change past every rule.
UNTHINKABLE = (DatabaseError, ValueError, TypeError, KeyError, AttributeError, ObjectDoesNotExist)


def full_scope(place: builders.County, folder: Path) -> None:
    """Fill the assessor's scope with one of everything."""
    [evaluation] = builders.evaluated(place)
    builders.evaluated(place, on=VISIT_ON + timedelta(days=1), stored=False)
    guardian = builders.guarded(place).guardian
    builders.scheduled(place, on=VISIT_ON + timedelta(days=2), guardian=guardian)
    builders.accepted(place)
    [missed] = builders.scheduled(place, on=VISIT_ON + timedelta(days=3))
    visits.record_not_done(
        missed, reason="absent", next_step="revisit", by=place.assessor, at=ON_THE_DAY
    )
    case = evaluation.application
    certificate = Certificate.objects.create(
        resident=case.resident,
        application=case,
        evaluation=evaluation,
        number="x",
        number_index="x",
        category="physical",
        grade=1,
        issued_on=VISIT_ON,
        valid_until=VISIT_ON + timedelta(days=3650),
        issued_by=place.approver,
        issued_at=START,
    )
    for version in (1, 2):
        CertificateFile.objects.create(
            certificate=certificate,
            version=version,
            sha256=f"{version}" * 64,
            path=f"{version}.pdf",
            size=10,
            made_at=START,
        )
    CalendarYear.objects.create(
        year=VISIT_ON.year, non_working=["2018-01-01"], source="x", loaded_at=START
    )
    enrolled(place, folder)
    Dispute.objects.create(
        replica=Replica.objects.get(), seq=1, outcome="parked", code="x", raised_at=START
    )


def others(field: models.Field[Any, Any], value: Any) -> Iterator[Any]:
    """Yield values a column might hold instead."""
    if field.null:
        yield None if value is not None else ON_THE_DAY
    if isinstance(field, models.ForeignKey):
        yield from field.related_model._default_manager.values_list("pk", flat=True)[:4]
    elif field.choices:
        yield from (choice for choice, _ in field.choices)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, datetime | date):
        yield from (value + timedelta(days=days) for days in (-400, 1))
    elif isinstance(value, time):
        yield value.replace(minute=59)
    elif isinstance(value, str):
        yield from (f"{value}改"[-(field.max_length or 99) :], "改")
    elif isinstance(value, list):
        yield [*value, "vision"]
        yield [*value, "2018-01-02"]
        yield [{"weekday": 0, "from": "08:00", "to": "12:00"}]
    else:
        yield {"lat": 31.5, "lon": 106.5}


def changes(model: type[models.Model], pk: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield every change of one record, past every rule: each column, and that it is gone."""
    rows: Any = model._base_manager.filter(pk=pk)
    for field in model._meta.concrete_fields:
        record = model._base_manager.get(pk=pk)
        if field.primary_key:
            continue
        for value in others(field, getattr(record, field.attname)):
            if isinstance(field, SealedField):
                setattr(record, field.attname, value)
                yield field.name, partial(record.save, update_fields=[field.name])
            else:
                yield field.name, partial(rows.update, **{field.attname: value})
    yield "gone", partial(rows._raw_delete, connection.alias)


def looked_at(
    change: Callable[[], object],
    user: Any,
    on: date,
    needs_rows: Callable[[str], bool] = lambda _fingerprint: True,
) -> tuple[str, dict[str, Any] | None]:
    """Return fingerprint and, where they are needed, rows as a change makes them; undo it."""
    with transaction.atomic():
        change()
        seen = rows_for(User.objects.select_related("division").get(pk=user), on)
        rows = dict(seen.rows) if needs_rows(seen.fingerprint) else None
        found = seen.fingerprint, rows
        transaction.set_rollback(True)
    return found


def test_no_change_hides_behind_the_fingerprint(place: builders.County, tmp_path: Path) -> None:
    full_scope(place, tmp_path)
    user = place.assessor.pk
    seemed, held = looked_at(lambda: None, user, VISIT_ON)
    shown = set()
    for model in MADE_OF:
        for pk in list(model._base_manager.values_list("pk", flat=True)[:3]):
            for name, change in changes(model, pk):
                column = (model.__name__, name)

                def tells(seems: str, column: tuple[str, str] = column) -> bool:
                    # Rows of a fingerprint that changed show only that the column is seen at all.
                    return seems == seemed or column not in shown

                try:
                    seems, rows = looked_at(change, user, VISIT_ON, tells)
                except UNTHINKABLE:
                    continue
                if rows is not None and rows != held:
                    assert seems != seemed, column
                    shown.add(column)
    assert {name for name, _ in shown} == {model.__name__ for model in MADE_OF}
    assert len(shown) >= SHOWN_AT_LEAST
    assert looked_at(lambda: None, user, VISIT_ON) == (seemed, held)


def test_another_day_is_another_scope(place: builders.County, tmp_path: Path) -> None:
    full_scope(place, tmp_path)
    seen = [rows_for(place.assessor, VISIT_ON + timedelta(days=days)) for days in range(30)]
    assert len({one.fingerprint for one in seen}) == len(seen)


def test_a_poll_with_nothing_new_makes_no_row(
    place: builders.County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance_to(ON_THE_DAY)
    [visit, *_] = builders.scheduled(place, 3)
    tablet = enrolled(place, tmp_path)
    tablet.sync()
    tablet.exchange()
    held = tablet.rows("visit")
    made: list[str] = []
    monkeypatch.setattr(pull, "row_of", lambda key, _: made.append(key))
    with CaptureQueriesContext(connection) as few:
        answer = tablet.exchange()["pull"]
    assert (answer["puts"], answer["dels"], answer["more"]) == ([], [], False)
    assert (made, tablet.rows("visit")) == ([], held)
    monkeypatch.undo()
    Resident.objects.filter(pk=visit.application.resident_id).update(name="钱青山")
    assert [row["k"] for row in tablet.exchange()["pull"]["puts"]] == [f"visit/{visit.pk}"]
    builders.scheduled(place, 40, on=VISIT_ON + timedelta(days=1))
    tablet.sync()
    tablet.exchange()
    with CaptureQueriesContext(connection) as many:
        tablet.exchange()
    assert len(many) == len(few)


def test_what_was_written_again_without_a_change_is_looked_at_once(
    place: builders.County, tmp_path: Path
) -> None:
    [visit] = builders.scheduled(place)
    tablet = enrolled(place, tmp_path)
    tablet.sync()
    visit.application.resident.save()  # sealed anew
    before = PulledView.objects.get().whole
    assert tablet.exchange()["pull"]["puts"] == []
    assert PulledView.objects.get().whole not in ("", before)
