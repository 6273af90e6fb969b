"""Put a register of an earlier version's SQLite into an empty PostgreSQL, as that version had it.

Run within the installation, before its own commands.
"""

from __future__ import annotations

import gc


def load(file: str) -> None:
    """Migrate to where the file stands, and copy its rows through the models of that time."""
    from django.core.management.color import no_style
    from django.db import connection, connections, transaction
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.recorder import MigrationRecorder

    connections.databases["old"] = {**connections.databases["default"], "OPTIONS": {}} | {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
    }
    applied = MigrationRecorder(connections["old"]).applied_migrations()
    newest = sorted(dict(sorted(applied)).items())
    executor = MigrationExecutor(connection)
    gc.disable()  # the models of each step refer to each other: to look for them is a quarter
    executor.migrate(newest)
    gc.enable()
    then = executor.loader.project_state(newest).apps
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        quote = connection.ops.quote_name
        named = ", ".join(quote(model._meta.db_table) for model in then.get_models())
        cursor.execute(f"TRUNCATE {named} CASCADE")
        for model in then.get_models():
            rows = list(model._base_manager.using("old").all())
            model._base_manager.using("default").bulk_create(rows)
        for statement in connection.ops.sequence_reset_sql(no_style(), list(then.get_models())):
            cursor.execute(statement)
