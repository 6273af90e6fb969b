"""A migration's step that takes no long lock: for tables that grow with every county."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex
from django.db.migrations.state import ProjectState


class AddIndexOnline(AddIndex):
    """Add an index while people write: `CONCURRENTLY` on PostgreSQL, plainly on SQLite.

    Its migration says `atomic = False`. Killed on the way PostgreSQL keeps an invalid index of
    that name, which the next run drops and builds anew.
    """

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,  # noqa: ARG002
        to_state: ProjectState,
    ) -> None:
        """Build the index."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor != "postgresql":
            schema_editor.add_index(model, self.index)
        elif self.allow_migrate_model(schema_editor.connection.alias, model):
            self._postgresql(schema_editor).remove_index(model, self.index, concurrently=True)
            self._postgresql(schema_editor).add_index(model, self.index, concurrently=True)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,  # noqa: ARG002
    ) -> None:
        """Drop the index."""
        model = from_state.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor != "postgresql":
            schema_editor.remove_index(model, self.index)
        elif self.allow_migrate_model(schema_editor.connection.alias, model):
            self._postgresql(schema_editor).remove_index(model, self.index, concurrently=True)

    def _postgresql(self, schema_editor: BaseDatabaseSchemaEditor) -> Any:
        if schema_editor.connection.in_atomic_block:
            raise RuntimeError("An index is added online in a migration with atomic = False only.")
        return schema_editor
