from importlib import import_module

from django.db import migrations, models

before = import_module("outreach.migrations.0010_reseal_trail")


def keep_the_digest_of_a_detail(apps, schema_editor):
    """Let salt and detail be erased, and keep the digest by which the chain still holds."""
    before.put_guard(schema_editor, f"{before.KEPT}, detail_digest")


def let_it_go(apps, schema_editor):
    before.put_guard(schema_editor, before.KEPT)


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0015_retired_institutions'),
    ]

    operations = [
        migrations.AddField(
            model_name='application',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='application',
            name='erased_under',
            field=models.CharField(max_length=20, null=True),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='detail_digest',
            field=models.CharField(max_length=64, null=True),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='salt',
            field=models.CharField(max_length=32, null=True),
        ),
        migrations.AddField(
            model_name='enquiry',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='notification',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='resident',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='storedblob',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='storedblob',
            name='removed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='storedblob',
            index=models.Index(condition=models.Q(('erased_at__isnull', False), ('removed_at', None)), fields=['erased_at'], name='blob_to_remove'),
        ),
        migrations.RunPython(keep_the_digest_of_a_detail, let_it_go),
    ]
