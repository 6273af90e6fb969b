from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0023_what_nobody_read'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='outreachcost',
            name='cost_once',
        ),
        migrations.AddField(
            model_name='outreachcost',
            name='place',
            field=models.CharField(db_default='', default='', max_length=12),
        ),
        migrations.AddConstraint(
            model_name='outreachcost',
            constraint=models.UniqueConstraint(fields=('place', 'on', 'team', 'what'), name='cost_once'),
        ),
    ]
