import django.db.models.deletion
from django.db import migrations, models


def name_what_was_said(apps, schema_editor):
    parts = apps.get_model('mobile_api', 'HandInPart').objects.using(schema_editor.connection.alias)
    parts.update(said_replica=models.F('replica_id'))


class Migration(migrations.Migration):

    dependencies = [
        ('mobile_api', '0007_corrections'),
    ]

    operations = [
        migrations.AddField(
            model_name='handinpart',
            name='said_replica',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='handinpart',
            name='size',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.RunPython(name_what_was_said, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='handinpart',
            name='said_replica',
            field=models.UUIDField(),
        ),
        migrations.AlterField(
            model_name='handinpart',
            name='replica',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='hand_in_parts', to='mobile_api.replica'),
        ),
        migrations.RemoveConstraint(
            model_name='handinpart',
            name='hand_in_part_once',
        ),
        migrations.AddConstraint(
            model_name='handinpart',
            constraint=models.UniqueConstraint(fields=('hand_in', 'n', 'said_replica'), name='hand_in_part_once'),
        ),
    ]
