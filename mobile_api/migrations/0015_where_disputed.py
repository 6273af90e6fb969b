from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def place(apps, schema_editor):
    """So far a dispute was shown where its author works by now."""
    using = schema_editor.connection.alias
    disputes = apps.get_model('mobile_api', 'Dispute').objects.using(using)
    author = disputes.filter(pk=OuterRef('pk')).values('replica__device__user__division__code')
    disputes.update(division_code=Subquery(author))


class Migration(migrations.Migration):

    dependencies = [
        ('mobile_api', '0014_handed_in'),
    ]

    operations = [
        migrations.AddField(
            model_name='dispute',
            name='division_code',
            field=models.CharField(default='', max_length=12),
            preserve_default=False,
        ),
        migrations.RunPython(place, migrations.RunPython.noop),
    ]
