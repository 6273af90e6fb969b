from django.db import migrations, models


class Migration(migrations.Migration):
    """Null is the whole day, which is what the version before means, too."""

    dependencies = [("outreach", "0026_what_nobody_read_goes")]

    operations = [
        migrations.AddField("hindrance", "since", models.PositiveSmallIntegerField(null=True)),
    ]
