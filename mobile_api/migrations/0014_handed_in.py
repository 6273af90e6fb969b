from django.db import migrations, models


def mark_what_was_taken_in(apps, schema_editor):
    """So far a tablet that came back was heard by the same rules as before its hand-in."""
    using = schema_editor.connection.alias
    verdicts = apps.get_model('mobile_api', 'HandInVerdict').objects.using(using)
    parts = apps.get_model('mobile_api', 'HandInPart').objects.using(using)
    replicas = apps.get_model('mobile_api', 'Replica').objects.using(using)
    for verdict in verdicts.filter(decision='accepted').order_by('decided_at'):
        same = parts.filter(hand_in=verdict.hand_in, said_replica=verdict.said_replica)
        devices = same.exclude(replica=None).values('replica__device')
        replicas.filter(device__in=devices).update(handed_in_at=verdict.decided_at)


class Migration(migrations.Migration):

    dependencies = [
        ('mobile_api', '0013_erasure'),
    ]

    operations = [
        migrations.AddField(
            model_name='replica',
            name='handed_in_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(mark_what_was_taken_in, migrations.RunPython.noop),
    ]
