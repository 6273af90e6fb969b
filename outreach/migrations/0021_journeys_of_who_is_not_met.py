from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0020_appeals_before_the_calendar'),
    ]

    operations = [
        migrations.AddField(
            model_name='journey',
            name='collects',
            field=models.BooleanField(default=True),
        ),
    ]
