from django.db import migrations, models

REASONS = ("absent", "refused", "in_hospital", "road_cut", "wrong_specialty")
REASONS += ("papers_missing", "guardian_absent", "died")


class Migration(migrations.Migration):
    """One more word; the column stays what it is, also to the version before."""

    dependencies = [("outreach", "0027_since_when_somebody_is_away")]

    operations = [
        migrations.AlterField(
            "visit",
            "not_done_reason",
            models.CharField(blank=True, choices=[(one, one) for one in REASONS], max_length=20),
        ),
    ]
