from django.db import migrations, models


class Migration(migrations.Migration):
    """A process of before 0.6.8, which runs beside this one for a while, does not say it."""

    dependencies = [
        ('outreach', '0024_costs_of_a_county'),
    ]

    operations = [
        migrations.AlterField(
            model_name='journey',
            name='collects',
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
