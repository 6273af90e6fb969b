"""No migration holds people up unless somebody wrote down why it may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from outreach.models import Assessor, PlannedStop
from outreach.models.online import AddIndexOnline
from tests.repository.locks import findings, of_migration

APPS = ("outreach", "certificates", "mobile_api")
_UNKNOWN = "mobile_api.0008_hand_in_of_the_unknown"
_EARLY = "of before 0.3.0: registers were a county's at most, and stood still for it"
_SECONDS = "an index over 2 million cases at most: some seconds without writes, tablets try again"
_GUARD = "exchanges a trigger of the trail, and reads no row"
_HAND_INS = "a handful of hand-ins that were taken in, and the logs of their tablets"
_NOTHING_CHANGES = "tells only Django: no visit ever was in that state"
_DEFAULTS = "two defaults in the catalogue, no row is read"
_PARTIAL = "a partial index that no row is in yet: one reading of the table"
_UNWRITTEN = "0.6.9 neither reads nor writes them; a column goes without a look at the rows"
_DAYS = "a few rows for each day on which a team went out"
#: Steps of before this test, or with a reason: what they lock, and why that is borne.
REASONED: dict[str, str] = {
    "outreach.0008_numbered_trail: AddField auditevent.number with an index": _EARLY,
    "outreach.0008_numbered_trail: AddIndex auditevent": _EARLY,
    "outreach.0008_numbered_trail: RunPython": _EARLY,
    "outreach.0009_family_outlets_fast_lane: AddField application.outlet with an index": _EARLY,
    "outreach.0009_family_outlets_fast_lane: AddField user.outlet with an index": _EARLY,
    "outreach.0009_family_outlets_fast_lane: AddIndex application": _EARLY,
    "outreach.0009_family_outlets_fast_lane: AddConstraint user": _EARLY,
    "outreach.0010_reseal_trail: RunPython": _GUARD,
    "outreach.0013_cases_of_an_assessor: AddIndex application": _SECONDS,
    "outreach.0014_newest_first: AddIndex application": _SECONDS,
    "certificates.0002_life: AddField certificate.resident with an index": _EARLY,
    "certificates.0002_life: AlterField certificate.valid_until with an index": _EARLY,
    "certificates.0003_whose_certificates: RunPython": _EARLY,
    "certificates.0004_one_living_certificate: AlterField certificate.resident to NOT NULL": _EARLY,
    "certificates.0004_one_living_certificate: AddConstraint certificate": _EARLY,
    "certificates.0005_one_waiting_paper: AddConstraint batchitem": _EARLY,
    "certificates.0006_move_in: AddConstraint certificate": _EARLY,
    "certificates.0007_reasons_in_every_language: RunPython": _EARLY,
    "certificates.0007_reasons_in_every_language: RemoveField batchitem": _EARLY,
    "certificates.0008_counts: RunPython": _EARLY,
    "certificates.0010_newest_first: AddIndex certificate": _SECONDS,
    "certificates.0011_to_hand_over: AddIndex certificate": _SECONDS,
    "mobile_api.0002_awaits_media: AddIndex ledgerentry": _EARLY,
    "mobile_api.0002_awaits_media: RunPython": _EARLY,
    "mobile_api.0008_hand_in_of_the_unknown: RunPython": _EARLY,
    f"{_UNKNOWN}: AlterField handinpart.said_replica to NOT NULL": _EARLY,
    "mobile_api.0008_hand_in_of_the_unknown: AddConstraint handinpart": _EARLY,
    "mobile_api.0014_handed_in: RunPython": _HAND_INS,
    "outreach.0016_erasure: AddIndex storedblob": _PARTIAL,
    "outreach.0016_erasure: RunPython": _GUARD,
    "outreach.0017_cases_of_a_place: AddIndex application": _SECONDS,
    "outreach.0022_no_visit_in_progress: SeparateDatabaseAndState": _NOTHING_CHANGES,
    "outreach.0023_what_nobody_read: SeparateDatabaseAndState": _DEFAULTS,
    "outreach.0024_costs_of_a_county: AddConstraint outreachcost": _DAYS,
    "outreach.0026_what_nobody_read_goes: RunSQL": _UNWRITTEN,
}


def test_every_step_that_locks_for_long_has_its_reason() -> None:
    assert [step for step in dict.fromkeys(findings(APPS)) if step not in REASONED] == []


def test_no_reason_is_left_for_a_step_that_is_gone() -> None:
    assert set(REASONED) - set(findings(APPS)) == set()
    assert [step for step, why in REASONED.items() if len(why) < 12] == []


def of(*steps: Any, atomic: bool = True) -> list[str]:
    state = ProjectState()
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=20, null=True)),
    ]
    state.add_model(ModelState("here", "Person", fields, options={"indexes": []}))
    migration = migrations.Migration("next", "here")
    migration.operations, migration.atomic = list(steps), atomic
    return list(of_migration(migration, state))


INDEX = models.Index(fields=["name"], name="person_name")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (migrations.AddIndex("person", INDEX), ["AddIndex person"]),
        (
            migrations.AddField("person", "code", models.CharField(max_length=9, db_index=True)),
            ["AddField person.code with an index"],
        ),
        (migrations.AddField("person", "code", models.CharField(max_length=9, null=True)), []),
        (
            migrations.AlterField("person", "name", models.CharField(max_length=20)),
            ["AlterField person.name to NOT NULL"],
        ),
        (
            migrations.AlterField("person", "name", models.CharField(max_length=10, null=True)),
            ["AlterField person.name to another type"],
        ),
        (migrations.AlterField("person", "name", models.CharField(max_length=40, null=True)), []),
        (migrations.AlterField("person", "name", models.TextField(null=True)), []),
        (
            migrations.AlterField("person", "name", models.IntegerField(null=True)),
            ["AlterField person.name to another type"],
        ),
        (migrations.RemoveField("person", "name"), ["RemoveField person"]),
        (migrations.RenameField("person", "name", "called"), ["RenameField person"]),
        (migrations.RunSQL("SELECT 1"), ["RunSQL"]),
    ],
)
def test_what_locks_or_breaks_is_seen(step: Any, said: list[str]) -> None:
    assert of(step) == said


def test_an_index_is_added_online_outside_a_transaction_only() -> None:
    assert of(AddIndexOnline("person", INDEX), atomic=False) == []
    assert of(AddIndexOnline("person", INDEX)) == ["AddIndexOnline person in a transaction"]


def test_a_table_of_the_same_migration_holds_nobody_up() -> None:
    made = migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True))])
    index = models.Index(fields=["id"], name="thing_id")
    assert of(made, migrations.AddIndex("thing", index)) == []


@pytest.fixture
def person() -> Iterator[ProjectState]:
    """Keep a table for a step to work on, in the real database."""
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=20, null=True)),
    ]
    state = ProjectState()
    state.add_model(ModelState("here", "Person", fields, options={"indexes": []}))
    model = state.apps.get_model("here", "Person")
    with connection.schema_editor() as editor:
        editor.create_model(model)
    yield state
    with connection.schema_editor() as editor:
        editor.delete_model(model)


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "here_person")
    return {name for name, one in found.items() if one["index"] and not one["primary_key"]}


@pytest.mark.django_db(transaction=True)
def test_an_index_added_online_is_there_and_goes_again(person: ProjectState) -> None:
    step, after = AddIndexOnline("person", INDEX), person.clone()
    step.state_forwards("here", after)
    for _killed_before in range(2):
        with connection.schema_editor(atomic=False) as editor:
            if _killed_before:
                step.database_backwards("here", editor, after, person)
            step.database_forwards("here", editor, person, after)
        assert indexes() == {"person_name"}
    with connection.schema_editor(atomic=False) as editor:
        step.database_backwards("here", editor, after, person)
    assert indexes() == set()


@pytest.mark.django_db(transaction=True)
def test_the_columns_that_nobody_read_are_gone_and_come_back_on_the_way_back() -> None:
    migration = MigrationLoader(None).disk_migrations["outreach", "0026_what_nobody_read_goes"]
    state = ProjectState()
    assert not forgotten()
    with connection.schema_editor() as editor:
        migration.unapply(state, editor)
    assert forgotten() == {"team", "is_pinned"}
    with connection.schema_editor() as editor:
        migration.apply(state, editor)
    assert not forgotten()


def forgotten() -> set[str]:
    """Return the columns of two tables that no model knows."""
    with connection.cursor() as cursor:
        return {
            column.name
            for model in (Assessor, PlannedStop)
            for column in connection.introspection.get_table_description(
                cursor, model._meta.db_table
            )
        } - {field.column for model in (Assessor, PlannedStop) for field in model._meta.fields}
