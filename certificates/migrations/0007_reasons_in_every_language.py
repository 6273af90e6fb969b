from django.db import migrations, models


def keep_what_was_said(apps, schema_editor):
    """Keep the reasons written so far, which are in Chinese."""
    items = apps.get_model("certificates", "BatchItem").objects.exclude(reason="")
    for item in items.iterator():
        item.reasons = {"zh-hans": item.reason}
        item.save(update_fields=["reasons"])


class Migration(migrations.Migration):
    dependencies = [("certificates", "0006_move_in")]

    operations = [
        migrations.AddField(
            "batchitem", "reasons", models.JSONField(blank=True, default=dict)
        ),
        migrations.RunPython(keep_what_was_said, migrations.RunPython.noop),
        migrations.RemoveField("batchitem", "reason"),
    ]
