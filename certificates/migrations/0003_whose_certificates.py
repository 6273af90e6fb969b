"""Fill in what certificates of version 0.1.0 did not carry."""

from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    certificates = apps.get_model("certificates", "Certificate").objects
    events = apps.get_model("certificates", "CertificateEvent").objects
    applications = apps.get_model("outreach", "Application").objects
    residents = applications.filter(pk=OuterRef("application")).values("resident")[:1]
    certificates.filter(resident=None).update(resident=Subquery(residents))
    handed = events.filter(certificate=OuterRef("pk"), name="hand_over").values("at")[:1]
    certificates.filter(handed_over_at=None).update(handed_over_at=Subquery(handed))
    # Version 0.1.0 let a person hold two: the newer one has replaced the older one.
    newest = {}
    for one in certificates.filter(state="valid").order_by("issued_at", "pk"):
        older = newest.get(one.resident_id)
        if older is not None:
            certificates.filter(pk=older.pk).update(state="replaced")
            certificates.filter(pk=one.pk).update(replaces=older, kind="change")
        newest[one.resident_id] = one


class Migration(migrations.Migration):
    dependencies = [("certificates", "0002_life")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
