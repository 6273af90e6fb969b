from django.db import migrations, models

_STATES = ['scheduled', 'done', 'not_done', 'cancelled']


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0021_journeys_of_who_is_not_met'),
    ]

    operations = [
        migrations.AlterField(
            model_name='visit',
            name='state',
            field=models.CharField(choices=[(one, one) for one in _STATES], max_length=20),
        ),
        # The index stays as it is: no row was ever in progress, and to build it anew holds readers up.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(model_name='visit', name='one_open_visit'),
                migrations.AddConstraint(
                    model_name='visit',
                    constraint=models.UniqueConstraint(
                        condition=models.Q(('state__in', ['scheduled'])),
                        fields=('application',),
                        name='one_open_visit',
                    ),
                ),
            ],
        ),
    ]
