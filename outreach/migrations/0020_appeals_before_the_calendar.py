from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0019_institution_of_an_evaluation'),
    ]

    operations = [
        migrations.AlterField(
            model_name='appeal',
            name='deadline_on',
            field=models.DateField(null=True),
        ),
    ]
