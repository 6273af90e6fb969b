import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0018_photos_without_an_index_of_files'),
    ]

    operations = [
        migrations.AddField(
            model_name='evaluation',
            name='institution',
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name='+',
                to='outreach.institution',
            ),
        ),
    ]
