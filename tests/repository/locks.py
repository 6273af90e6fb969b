"""Reads migrations for what would hold people up on PostgreSQL, or break the version before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

from outreach.models.online import AddIndexOnline

#: Never connected: it only says what a column's type is called there.
_POSTGRESQL = DatabaseWrapper({"NAME": "none", "OPTIONS": {}, "TIME_ZONE": None}, alias="none")
#: Steps that the version before does not survive while it still runs (expand, backfill, contract).
_CONTRACTING = (
    operations.RemoveField,
    operations.DeleteModel,
    operations.RenameField,
    operations.RenameModel,
    operations.AlterModelTable,
)
_BY_HAND = (operations.RunPython, operations.RunSQL, operations.SeparateDatabaseAndState)


def findings(apps: tuple[str, ...]) -> Iterator[str]:
    """Yield `app.migration: step` for each step that wants a reason, in the order of the graph."""
    loader = MigrationLoader(None)
    state = ProjectState()
    for app, name in _ordered(loader):
        migration = loader.disk_migrations[app, name]
        if app in apps:
            for said in of_migration(migration, state):
                yield f"{app}.{name}: {said}"
        migration.mutate_state(state, preserve=False)


def of_migration(migration: Migration, before: ProjectState) -> Iterator[str]:
    """Yield the steps of one migration that want a reason; `before` is left as it is."""
    state, fresh = before.clone(), set()
    for step in migration.operations:
        if isinstance(step, operations.CreateModel):
            fresh.add(step.name.lower())
        elif getattr(step, "model_name", "").lower() not in fresh:
            yield from _of_step(step, migration, state)
        step.state_forwards(migration.app_label, state)


def _of_step(step: Any, migration: Migration, state: ProjectState) -> Iterator[str]:
    kind = type(step).__name__
    if isinstance(step, AddIndexOnline):
        if migration.atomic:
            yield f"{kind} {step.model_name} in a transaction"
    elif isinstance(step, (operations.AddIndex, operations.AddConstraint)):
        yield f"{kind} {step.model_name}"
    elif isinstance(step, operations.AddField) and _builds_an_index(step.field):
        yield f"{kind} {step.model_name}.{step.name} with an index"
    elif isinstance(step, operations.AlterField):
        old = state.models[migration.app_label, step.model_name.lower()].fields[step.name]
        yield from (
            f"{kind} {step.model_name}.{step.name} {why}" for why in _altered(old, step.field)
        )
    elif isinstance(step, (*_CONTRACTING, *_BY_HAND)):
        yield f"{kind} {getattr(step, 'model_name', getattr(step, 'name', '')) or ''}".strip()


def _builds_an_index(field: models.Field[Any, Any]) -> bool:
    return field.unique or field.db_index or field.primary_key


def _altered(old: models.Field[Any, Any], new: models.Field[Any, Any]) -> Iterator[str]:
    if old.null and not new.null:
        yield "to NOT NULL"
    if _builds_an_index(new) and not _builds_an_index(old):
        yield "with an index"
    if _rewrites(old, new):
        yield "to another type"


def _rewrites(old: models.Field[Any, Any], new: models.Field[Any, Any]) -> bool:
    """Tell whether PostgreSQL writes the table anew; a longer text is not."""
    if isinstance(old, models.ForeignKey) or isinstance(new, models.ForeignKey):
        return type(old) is not type(new)
    was, becomes = old.db_type(_POSTGRESQL), new.db_type(_POSTGRESQL)
    if was == becomes:
        return False
    texts = isinstance(old, models.CharField) and isinstance(
        new, (models.CharField, models.TextField)
    )
    return not (texts and (new.max_length or 1 << 30) >= (old.max_length or 1 << 30))


def _ordered(loader: MigrationLoader) -> list[tuple[str, str]]:
    seen: dict[tuple[str, str], None] = {}
    for leaf in loader.graph.leaf_nodes():
        seen.update(dict.fromkeys(loader.graph.forwards_plan(leaf)))
    return list(seen)
