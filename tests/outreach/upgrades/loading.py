"""Put a register of an earlier version's SQLite into an empty PostgreSQL, as that version had it.

Run as `python -m tests.outreach.upgrades.loading FILE` in the environment of the installation.
"""

from __future__ import annotations

import os
import sys

import django


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
    executor.migrate(newest)
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


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
    django.setup()
    load(sys.argv[1])
