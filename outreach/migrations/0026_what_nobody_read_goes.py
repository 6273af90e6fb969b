from django.db import migrations

_GONE = (
    ("outreach_assessor", "team", "varchar(20) DEFAULT '' NOT NULL"),
    ("outreach_plannedstop", "is_pinned", "boolean DEFAULT false NOT NULL"),
)


class Migration(migrations.Migration):
    """Drop two columns that 0023 left to the version before it; 0.6.9 writes neither."""

    dependencies = [
        ("outreach", "0025_journeys_of_the_version_before"),
    ]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} DROP COLUMN {column}",
            f"ALTER TABLE {table} ADD COLUMN {column} {kind}",
        )
        for table, column, kind in _GONE
    ]
