"""Prepare an office with many cases to sign in a process of its own: `python -m … COUNT`."""

from __future__ import annotations

import os
import sys
from datetime import date, timedelta

import django

#: Visits that fit into an assessor's day.
A_DAY = 18


def _days() -> list[date]:
    """List the working days on which the homes are visited."""
    first = date(2018, 5, 15)
    days = [first + timedelta(days=n) for n in range(22)]
    return [day for day in days if day.weekday() < 5]


def prepare(count: int) -> None:
    """Enter the small county, review cases, and let the approver sign for all of them."""
    from django.conf import settings
    from django.core.management import call_command

    from certificates import batches
    from outreach import clock
    from tests import builders
    from tests.certificates.issuing import ISSUED_AT, put_portraits

    call_command("migrate", verbosity=0)
    call_command("create_authority", verbosity=0)
    clock.advance_to(ISSUED_AT)
    place = builders.county()
    cases = []
    for day in _days():
        left = count - len(cases)
        if left > 0:
            cases += builders.reviewed(place, min(left, A_DAY), on=day)
    put_portraits(settings.OUTREACH_FILES, cases)
    batches.start(cases, by=place.approver, at=ISSUED_AT)


def tell() -> None:
    """Print what the register holds, for the test that reads it."""
    import hashlib
    import json

    from certificates.models import BatchItem, Certificate, CertificateEvent, CertificateFile
    from outreach.files import files
    from outreach.models import Application

    papers = list(CertificateFile.objects.values_list("path", "sha256"))
    whole = sum(
        hashlib.sha256(files().read(path).read()).hexdigest() == sha256 for path, sha256 in papers
    )
    certificates = list(Certificate.objects.all())
    told = {
        "certificates": len(certificates),
        "numbers": len({one.number for one in certificates}),
        "cases": len({one.application_id for one in certificates}),
        "whole_files": whole,
        "files": len(papers),
        "issue_events": CertificateEvent.objects.filter(name="issue").count(),
        "issued_cases": Application.objects.filter(state="issued").count(),
        "done": BatchItem.objects.filter(state="done").count(),
        "items": BatchItem.objects.count(),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
    django.setup()
    if sys.argv[1] == "tell":
        tell()
    else:
        prepare(int(sys.argv[1]))
