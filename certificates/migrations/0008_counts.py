from django.core.management import call_command
from django.db import migrations

TABLE = "outreach_counts"


def create(apps, schema_editor):
    """Make the table of the database cache, which OUTREACH_COUNTS may choose at any time."""
    call_command(
        "createcachetable", TABLE, database=schema_editor.connection.alias, verbosity=0
    )


class Migration(migrations.Migration):
    dependencies = [("certificates", "0007_reasons_in_every_language")]

    operations = [
        migrations.RunPython(create, migrations.RunPython.noop),
    ]
