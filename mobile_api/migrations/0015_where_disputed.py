from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mobile_api', '0014_handed_in'),
    ]

    operations = [
        migrations.AddField(
            model_name='dispute',
            name='division_code',
            field=models.CharField(max_length=12, null=True),
        ),
    ]
