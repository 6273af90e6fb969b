from django.db import migrations, models

_TEAM = models.CharField(blank=True, db_default='', default='', max_length=20)
_IS_PINNED = models.BooleanField(db_default=False, default=False)


class Migration(migrations.Migration):
    """The models forget two columns; the version before still writes them.

    They stay, filled by the database, until a later release drops them.
    """

    dependencies = [
        ('outreach', '0022_no_visit_in_progress'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.AlterField('assessor', 'team', _TEAM),
                migrations.AlterField('plannedstop', 'is_pinned', _IS_PINNED),
            ],
            state_operations=[
                migrations.RemoveField('assessor', 'team'),
                migrations.RemoveField('plannedstop', 'is_pinned'),
            ],
        ),
    ]
